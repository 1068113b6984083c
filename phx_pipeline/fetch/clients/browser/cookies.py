"""Cookies between our sessions and the browser, as plain values. Pure.

Which of them are put into a browser and taken over from it is the client's business.
"""

from collections.abc import Iterable
from typing import Final

from nodriver import cdp

from phx_pipeline.fetch.session import SessionCookie

MOST_COOKIES: Final = 500
"""Taken over of a browser; a site needs a few dozen."""

_LONGEST: Final = 4096  # name and value together, as browsers keep them


def to_browser(cookie: SessionCookie) -> cdp.network.CookieParam:
    """Return *cookie* in the form of Chromium.

    A domain given makes a cookie for subdomains too, so one host's own goes by a URL.
    """
    host = cookie.domain.lstrip(".")
    is_own = not cookie.domain.startswith(".")
    expires = cookie.expires
    return cdp.network.CookieParam(
        name=cookie.name,
        value=cookie.value,
        url=f"https://{host}{cookie.path}" if is_own else None,
        domain=None if is_own else cookie.domain,
        path=cookie.path,
        secure=cookie.secure,
        http_only=cookie.http_only,
        expires=None if expires is None else cdp.network.TimeSinceEpoch(expires),
    )


def from_browser(cookies: Iterable[cdp.network.Cookie]) -> list[SessionCookie]:
    """Return Chromium's cookies, but for those of frames below another site."""
    found = [
        SessionCookie(
            name=cookie.name,
            value=cookie.value,
            domain=cookie.domain,
            path=cookie.path,
            expires=None if cookie.session else int(cookie.expires or 0),
            secure=cookie.secure,
            http_only=cookie.http_only,
        )
        for cookie in cookies
        if cookie.partition_key is None
        and len(cookie.name) + len(cookie.value) <= _LONGEST
    ]
    return found[:MOST_COOKIES]
