"""Which browser a property's requests look like where there is none beside them.

One for all of them, for a day: TLS, HTTP/2, User-Agent, client hints and languages come
as one set from curl_cffi's impersonation. Nothing here changes a part of it; that a
profile says what a real browser says is `fetch.identity`'s.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

Impersonated = Literal["chrome145", "chrome146", "chrome150", "safari260", "safari2601"]

# What the impersonation sends itself; a second opinion would contradict it.
_OWN: Final = frozenset({"user-agent", "accept-language", "accept-encoding"})
_CLIENT_HINTS: Final = "sec-ch-"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientProfile:
    """A browser, as curl_cffi names it, and the headers in which it says otherwise."""

    impersonate: Impersonated
    headers: tuple[tuple[str, str], ...] = ()

    def with_own(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Return *headers* with the profile's own in place of all it answers for."""
        return dict(self.headers) | {
            name: value
            for name, value in headers.items()
            if name.lower() not in _OWN and not name.lower().startswith(_CLIENT_HINTS)
        }


# Recent desktop browsers of curl_cffi 0.16.3, all sending `en-US,en;q=0.9`. Its newest
# Edge is of 2022: a browser nobody has any more would stand out.
PROFILES: Final = (
    ClientProfile(impersonate="chrome145"),
    ClientProfile(impersonate="chrome146"),
    ClientProfile(impersonate="chrome150"),
    ClientProfile(impersonate="safari260"),
    ClientProfile(impersonate="safari2601"),
)
USUAL_PROFILE: Final = PROFILES[2]


def profile_for(slug: str, *, day: date) -> ClientProfile:
    """Return the profile of property *slug* on *day*, the same in every process."""
    digest = hashlib.sha256(f"{slug} {day.isoformat()}".encode()).digest()
    return PROFILES[int.from_bytes(digest[:8]) % len(PROFILES)]
