"""What the requests of a property share for a day, whichever client sends them.

Kept in the memory of a run: the first stage's cookies are there for the next one.
Written out as JSON where a client needs them in another form, never pickled.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from http.cookiejar import Cookie, CookieJar

from phx_pipeline.fetch.profile import ClientProfile, profile_for

_HTTP_ONLY = "http_only"  # as curl_cffi names it in a jar


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionCookie:
    """One cookie. `domain` begins with a dot if subdomains are sent it too.

    `expires` is in seconds since 1970; None for one that ends with the session.
    """

    name: str
    value: str = field(repr=False)
    domain: str
    path: str = "/"
    expires: int | None = None
    secure: bool = False
    http_only: bool = False


class Session:
    """The profile and the cookies of property *slug* on *day*.

    Without a *profile*, that of a real browser, it is one of the day's.

    Cookies are apart by the proxy they came through: a visitor does not change his
    address between two pages.
    """

    def __init__(
        self, slug: str, day: date, *, profile: ClientProfile | None = None
    ) -> None:
        self.slug = slug
        self.profile = profile or profile_for(slug, day=day)
        self._jars: dict[str, CookieJar] = {}

    def jar(self, proxy: str = "") -> CookieJar:
        """Return the cookies of what goes through *proxy*; it is shared, not copied."""
        return self._jars.setdefault(proxy, CookieJar())

    def cookies(self, proxy: str = "") -> list[SessionCookie]:
        """Return the cookies that have not expired."""
        self.jar(proxy).clear_expired_cookies()
        return [_plain(cookie) for cookie in self.jar(proxy)]

    def add(self, cookies: Iterable[SessionCookie], proxy: str = "") -> None:
        """Take over cookies of another client; a newer one replaces an older one."""
        for cookie in cookies:
            self.jar(proxy).set_cookie(_in_jar(cookie))

    def drop(self, cookies: Iterable[SessionCookie], proxy: str = "") -> None:
        """Forget cookies that another client no longer has, whatever their values."""
        gone = {(cookie.domain, cookie.path, cookie.name) for cookie in cookies}
        jar = self.jar(proxy)
        for held in list(jar):
            plain = _plain(held)
            if (plain.domain, plain.path, plain.name) in gone:
                jar.clear(held.domain, held.path, held.name)


def _plain(cookie: Cookie) -> SessionCookie:
    domain = cookie.domain.lstrip(".")
    return SessionCookie(
        name=cookie.name,
        value=cookie.value or "",
        domain=f".{domain}" if cookie.domain_specified else domain,
        path=cookie.path,
        expires=cookie.expires,
        secure=cookie.secure,
        http_only=cookie.get_nonstandard_attr(_HTTP_ONLY) == str(True),
    )


def _in_jar(cookie: SessionCookie) -> Cookie:
    to_subdomains = cookie.domain.startswith(".")
    return Cookie(
        version=0,
        name=cookie.name,
        value=cookie.value,
        port=None,
        port_specified=False,
        domain=cookie.domain,
        domain_specified=to_subdomains,
        domain_initial_dot=to_subdomains,
        path=cookie.path,
        path_specified=True,
        secure=cookie.secure,
        expires=cookie.expires,
        discard=cookie.expires is None,
        comment=None,
        comment_url=None,
        rest={_HTTP_ONLY: str(cookie.http_only)},
    )
