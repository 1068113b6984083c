"""Cookies on their way into a browser and out of it."""

from typing import Any

import pytest
from nodriver import cdp

from phx_pipeline.fetch.clients.browser.cookies import (
    MOST_COOKIES,
    from_browser,
    to_browser,
)
from phx_pipeline.fetch.session import SessionCookie

OWN = SessionCookie(name="a", value="1", domain="www.zillow.com", path="/homes")
OF_ALL = SessionCookie(
    name="b", value="2", domain=".zillow.com", expires=4_000_000_000, secure=True
)


def held(cookie: SessionCookie, **changed: Any) -> cdp.network.Cookie:
    """What Chromium holds of *cookie*."""
    told = {
        "name": cookie.name,
        "value": cookie.value,
        "domain": cookie.domain,
        "path": cookie.path,
        "size": 2,
        "httpOnly": cookie.http_only,
        "secure": cookie.secure,
        "session": cookie.expires is None,
        "expires": -1 if cookie.expires is None else cookie.expires,
        "priority": "Medium",
        "sourceScheme": "Secure",
        "sourcePort": 443,
    }
    return cdp.network.Cookie.from_json(told | changed)


def test_cookies_come_out_of_a_browser_as_they_were() -> None:
    assert from_browser(map(held, (OWN, OF_ALL))) == [OWN, OF_ALL]


@pytest.mark.parametrize(
    "changed",
    [
        {
            "partitionKey": {
                "topLevelSite": "https://zillow.com",
                "hasCrossSiteAncestor": True,
            }
        },
        {"value": "x" * 4096},
    ],
)
def test_those_of_frames_and_those_that_no_browser_would_keep_stay_behind(
    changed: dict[str, Any],
) -> None:
    assert from_browser([held(OWN, **changed), held(OF_ALL)]) == [OF_ALL]


def test_of_a_flood_of_cookies_the_first_are_taken() -> None:
    assert len(from_browser([held(OWN)] * (MOST_COOKIES + 1))) == MOST_COOKIES


def test_a_cookie_of_one_host_goes_in_by_its_url_and_one_of_all_by_its_domain() -> None:
    own, of_all = map(to_browser, (OWN, OF_ALL))

    assert (own.url, own.domain) == ("https://www.zillow.com/homes", None)
    assert (of_all.url, of_all.domain) == (None, ".zillow.com")
    assert (own.expires, of_all.expires) == (None, OF_ALL.expires)
