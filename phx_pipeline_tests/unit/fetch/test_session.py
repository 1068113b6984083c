"""The cookies of a property and day, in a form every client can read."""

from datetime import date

from phx_pipeline.fetch.profile import profile_for
from phx_pipeline.fetch.session import Session, SessionCookie

SLUG, DAY = "4732-w-davis-rd-glendale-az-85306", date(2026, 3, 9)
COOKIES = [
    SessionCookie(name="a", value="1", domain=".zillow.com", secure=True),
    SessionCookie(
        name="b",
        value="2 = 3; x",
        domain="www.zillow.com",
        path="/homes",
        expires=4_000_000_000,
        http_only=True,
    ),
]


def test_a_session_has_the_profile_of_its_property_and_day() -> None:
    assert Session(SLUG, DAY).profile == profile_for(SLUG, day=DAY)


def test_cookies_come_out_of_a_session_whole() -> None:
    session = Session(SLUG, DAY)

    session.add(COOKIES)

    assert sorted(session.cookies(), key=lambda cookie: cookie.name) == COOKIES


def test_cookies_that_came_through_one_proxy_are_not_sent_through_another() -> None:
    session = Session(SLUG, DAY)

    session.add(COOKIES, "a-proxy")

    assert session.cookies() == session.cookies("another") == []


def test_a_newer_cookie_replaces_an_older_one_and_an_expired_one_goes() -> None:
    session = Session(SLUG, DAY)
    newer = SessionCookie(name="a", value="9", domain=".zillow.com")
    session.add(COOKIES)

    session.add(
        [
            newer,
            SessionCookie(
                name="b", value="", domain="www.zillow.com", path="/homes", expires=1
            ),
        ]
    )

    assert session.cookies() == [newer]


def test_the_value_of_a_cookie_is_not_shown() -> None:
    assert "2 = 3" not in repr(COOKIES)
