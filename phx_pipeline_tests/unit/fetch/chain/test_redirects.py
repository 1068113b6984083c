"""Which redirects are followed, and what goes along."""

import contextlib
from collections.abc import Mapping
from dataclasses import replace

import pytest

from phx_pipeline.errors import (
    BlockedError,
    DeadlineError,
    FetchError,
    HostRefusedError,
)
from phx_pipeline.fetch.base import RequestKind
from phx_pipeline.fetch.chain import (
    Redirects,
)
from phx_pipeline_tests.unit.fetch.chain.conftest import (
    ALLOW_LIST,
    HOME,
    SITE,
    Site,
    answer,
    request,
)


async def test_an_answer_that_is_no_redirect_comes_back_untouched() -> None:
    page = answer(404)

    final = await Redirects(Site({HOME: page}), allow_list=ALLOW_LIST).get(request())

    assert final is page


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/new", "https://www.zillow.com/new"),
        ("new?q=1", "https://www.zillow.com/new?q=1"),
        ("//m.zillow.com/x", "https://m.zillow.com/x"),
        ("https://zillow.com/y#part", "https://zillow.com/y"),
        ("/a b\u00e9", "https://www.zillow.com/a%20b%C3%A9"),
        ("/a%20b", "https://www.zillow.com/a%20b"),
    ],
)
async def test_a_redirect_is_followed(status: int, location: str, target: str) -> None:
    site = Site(
        {HOME: answer(status, location=location), target: answer(200, url=target)}
    )

    final = await Redirects(site, allow_list=ALLOW_LIST).get(request())

    assert final.url == target
    assert site.urls == [HOME, target]


@pytest.mark.parametrize(
    "location",
    [
        "http://www.zillow.com/",
        "https://example.com/",
        "//example.com/",
        "https://169.254.169.254/latest/meta-data/",
        "//169.254.169.254/",
        "https://[::1]/",
        "https://[::1",
        "https://www.zillow.com:8443/",
        "https://user@www.zillow.com/",
        "https://example.com\\@www.zillow.com/",
        "file:///etc/hostname",
        "javascript:alert(1)",
        "https://\u2488.zillow.com/",
    ],
)
async def test_a_redirect_off_the_list_is_refused_before_it_is_asked(
    location: str,
) -> None:
    site = Site({HOME: answer(302, location=location)})

    with pytest.raises(HostRefusedError) as caught:
        await Redirects(site, allow_list=ALLOW_LIST).get(request())

    assert caught.value.redirected
    assert site.urls == [HOME]


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("\\\\example.com\\", "https://www.zillow.com/%5C%5Cexample.com%5C"),
        ("\thttps://example.com", "https://www.zillow.com/%09https:/example.com"),
        ("/\\example.com/", "https://www.zillow.com/%5Cexample.com/"),
    ],
)
async def test_characters_browsers_read_as_another_host_stay_in_the_path(
    location: str, target: str
) -> None:
    site = Site({HOME: answer(302, location=location), target: answer(200)})

    await Redirects(site, allow_list=ALLOW_LIST).get(request())

    assert site.urls == [HOME, target]


async def test_redirects_that_a_browser_follows_are_judged_by_where_they_end() -> None:
    captcha = "https://captcha.px-cdn.net/PXHYx10rg3/captcha.js"
    for end, refused in (
        ("https://zillow.com/homes/", None),
        ("https://scripts.example.com/", HostRefusedError),
        (captcha, BlockedError),
    ):
        site = Site({HOME: replace(answer(200), url=end)})
        redirects = Redirects(site, allow_list=ALLOW_LIST)
        with pytest.raises(refused) if refused else contextlib.nullcontext():
            assert (await redirects.get(request())).url == end


async def test_five_redirects_are_followed_and_a_sixth_is_not() -> None:
    hops = {
        f"https://zillow.com/{n}": answer(302, location=f"/{n + 1}") for n in range(6)
    }
    five = {**hops, HOME: answer(302, location="https://zillow.com/1")}
    site = Site({**five, "https://zillow.com/5": answer(200)})
    six = Site({**five})

    final = await Redirects(site, allow_list=ALLOW_LIST).get(request())
    with pytest.raises(FetchError, match="more than 5 redirects") as caught:
        await Redirects(six, allow_list=ALLOW_LIST).get(request())

    assert final.status == 200
    assert len(site.urls) == len(six.urls) == 6
    assert type(caught.value) is FetchError


@pytest.mark.parametrize(
    ("hops", "asked"),
    [
        ({HOME: HOME}, 1),
        ({HOME: "/home#top"}, 1),
        ({HOME: "https://WWW.zillow.com:443/home"}, 1),
        ({HOME: "/a", f"{SITE}/a": HOME}, 2),
        ({HOME: "/a", f"{SITE}/a": "/b", f"{SITE}/b": "/a"}, 3),
    ],
    ids=[
        "itself",
        "a part of itself",
        "itself spelt otherwise",
        "two",
        "not the first",
    ],
)
@pytest.mark.parametrize("kind", list(RequestKind))
async def test_a_circle_of_redirects_is_seen_the_moment_it_closes(
    hops: Mapping[str, str], asked: int, kind: RequestKind
) -> None:
    site = Site({url: answer(302, location=to) for url, to in hops.items()})
    of_kind = replace(request(), kind=kind)

    with pytest.raises(FetchError, match="in a circle") as caught:
        await Redirects(site, allow_list=ALLOW_LIST).get(of_kind)

    assert type(caught.value) is FetchError
    assert len(site.urls) == asked


@pytest.mark.parametrize(
    ("kind", "asked"),
    [(RequestKind.PAGE, 2), (RequestKind.API, 2), (RequestKind.PHOTO, 1)],
)
async def test_a_page_that_sets_a_cookie_is_asked_once_more_at_the_same_place(
    kind: RequestKind, asked: int
) -> None:
    again = answer(302, location=HOME, set_cookie="seen=1")
    site = Site({HOME: again})

    with pytest.raises(FetchError, match="in a circle"):
        await Redirects(site, allow_list=ALLOW_LIST).get(replace(request(), kind=kind))

    assert len(site.urls) == asked


async def test_a_redirect_without_a_target_is_an_error() -> None:
    site = Site({HOME: answer(302)})

    with pytest.raises(FetchError, match="without a target"):
        await Redirects(site, allow_list=ALLOW_LIST).get(request())


@pytest.mark.parametrize(
    "location",
    [
        "https://geo.captcha-delivery.com/captcha/?initialCid=x",
        "https://validate.perfdrive.com/x",
        "https://accounts.example.com/",
        "https://login.example.com/?next=x",
        "https://example.com/signin",
    ],
)
async def test_being_sent_to_a_captcha_or_a_log_in_elsewhere_is_a_challenge(
    location: str,
) -> None:
    site = Site({HOME: answer(302, location=location)})

    with pytest.raises(BlockedError) as caught:
        await Redirects(site, allow_list=ALLOW_LIST).get(request())

    assert (caught.value.challenge, caught.value.url) == (True, HOME)
    assert site.urls == [HOME]


async def test_a_first_address_off_the_list_is_refused_whatever_it_is_called() -> None:
    site = Site({})
    captcha = replace(request(), url="https://captcha.example.com/captcha")

    with pytest.raises(HostRefusedError) as caught:
        await Redirects(site, allow_list=ALLOW_LIST).get(captcha)

    assert not caught.value.redirected


async def test_a_redirect_to_an_endless_address_is_not_followed() -> None:
    site = Site({HOME: answer(302, location="/" + "x" * 5000)})

    with pytest.raises(FetchError, match="endless address"):
        await Redirects(site, allow_list=ALLOW_LIST).get(request())

    assert site.urls == [HOME]


async def test_hops_share_one_deadline() -> None:
    hops = {f"{SITE}/{n}": answer(302, location=f"/{n + 1}") for n in range(6)}
    site = Site({**hops, HOME: answer(302, location="/0")})

    with pytest.raises(FetchError):
        await Redirects(site, allow_list=ALLOW_LIST).get(request(timeout_s=9))
    with pytest.raises(DeadlineError):
        await Redirects(site, allow_list=ALLOW_LIST).get(request(timeout_s=0))

    left = [asked.timeout_s for asked in site.asked[:6]]
    assert left == sorted(left, reverse=True)
    assert left[0] == 9
    assert len(set(left)) == 6
    assert len(site.asked) == 7


async def test_secrets_of_one_host_do_not_follow_to_another() -> None:
    own, other = "https://www.zillow.com/own", "https://zillow.com/other"
    site = Site(
        {
            HOME: answer(302, location="/own"),
            own: answer(302, location=other),
            other: answer(200),
        }
    )
    headers = {"Authorization": "t", "cookie": "c", "Accept": "text/html"}

    await Redirects(site, allow_list=ALLOW_LIST).get(request(headers=headers))

    assert [dict(asked.headers) for asked in site.asked] == [
        headers,
        headers,
        {"Accept": "text/html"},
    ]


@pytest.mark.parametrize(
    "target", ["https://zillow.com/other", "http://www.zillow.com/other"]
)
async def test_secret_headers_go_to_the_very_origin_they_were_given_for(
    target: str,
) -> None:
    own = "https://www.zillow.com/own"
    site = Site(
        {HOME: answer(302, location="/own"), own: answer(302, location=target)}
        | {target: answer(200)}
    )
    secret = {"X-Api-Key": "hush"}

    with contextlib.suppress(HostRefusedError):
        await Redirects(site, allow_list=ALLOW_LIST).get(
            replace(request(), secret_headers=secret)
        )

    sent = [dict(asked.secret_headers) for asked in site.asked]
    assert sent[:2] == [secret, secret]
    assert not any(sent[2:])


def test_neither_secret_headers_nor_a_body_are_shown_with_a_request() -> None:
    secret = {"X-Api-Key": "hush"}
    shown = repr(replace(request(), method="POST", body=b"mine", secret_headers=secret))

    assert "POST" in shown
    assert "hush" not in shown
    assert "X-Api-Key" not in shown
    assert "mine" not in shown


async def test_what_is_no_get_is_not_redirected() -> None:
    site = Site({HOME: answer(307, location="/own")})

    with pytest.raises(FetchError, match="redirect of a POST"):
        await Redirects(site, allow_list=ALLOW_LIST).get(
            replace(request(), method="POST")
        )

    assert len(site.asked) == 1
