"""What a Chromium of some version says it is, for the client that asks beside it.

Pure: the version is read by `fetch.clients.browser.version`. Two clients that share
cookies must not be two browsers to a site. What the impersonation sets itself (TLS,
HTTP/2, `Accept`) stays that of the nearest version there is.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from phx_pipeline.fetch.profile import PROFILES, ClientProfile

CHROMIUM: Final = "Chromium"
LANGUAGES: Final = "en-US,en;q=0.9"
"""As `--accept-lang=en-US,en` makes Chromium send it."""

_VERSION = re.compile(r"\b(?P<brand>Chromium|Google Chrome)\s+(?P<major>\d{1,4})\.")
_CHROME: Final = "chrome"

# Since Chromium reduced it, the User-Agent names no real machine (`X11; Linux x86_64`
# on ARM too) and no minor version.
_LINUX: Final = ("X11; Linux x86_64", "Linux")
_PLATFORMS: Final[Mapping[str, tuple[str, str]]] = {
    "darwin": ("Macintosh; Intel Mac OS X 10_15_7", "macOS"),
}

# Chromium's `components/embedder_support/user_agent_utils.cc`: a brand that nobody has,
# and the place of each brand, follow from the major version.
_GREASE_MARKS: Final = (" ", "(", ":", "-", ".", "/", ")", ";", "=", "?", "_")
_GREASE_VERSIONS: Final = ("8", "99", "24")
_PLACES: Final[Mapping[int, tuple[tuple[int, ...], ...]]] = {
    2: ((0, 1), (1, 0)),
    3: ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """A Chromium or a browser made of it, as `--version` names it."""

    brand: str
    major: int


def installed_of(told: str) -> Installed | None:
    """Read what `--version` printed; None if it is no Chromium."""
    found = _VERSION.search(told)
    return Installed(brand=found["brand"], major=int(found["major"])) if found else None


def profile_of(installed: Installed, *, platform: str) -> ClientProfile:
    """Return the profile that says of itself what *installed* does.

    Args:
        installed: the browser.
        platform: as `sys.platform`; an unknown one counts as Linux.
    """
    machine, name = _PLATFORMS.get(platform, _LINUX)
    return ClientProfile(
        impersonate=nearest(installed.major).impersonate,
        headers=(
            ("sec-ch-ua", brands(installed)),
            ("sec-ch-ua-mobile", "?0"),
            ("sec-ch-ua-platform", f'"{name}"'),
            ("User-Agent", user_agent(installed.major, machine=machine)),
            ("Accept-Language", LANGUAGES),
        ),
    )


def nearest(major: int) -> ClientProfile:
    """Return the profile of the Chrome version nearest to *major*; newer if two are."""
    known = {
        int(profile.impersonate.removeprefix(_CHROME)): profile
        for profile in PROFILES
        if profile.impersonate.startswith(_CHROME)
    }
    return known[min(known, key=lambda version: (abs(version - major), -version))]


def user_agent(major: int, *, machine: str) -> str:
    """Return the reduced User-Agent of a version."""
    return (
        f"Mozilla/5.0 ({machine}) AppleWebKit/537.36 (KHTML, like Gecko) "
        f"Chrome/{major}.0.0.0 Safari/537.36"
    )


def brands(installed: Installed) -> str:
    """Return `sec-ch-ua`: the brands with their versions, and the one nobody has."""
    major = installed.major
    marks = [_GREASE_MARKS[(major + n) % len(_GREASE_MARKS)] for n in range(2)]
    grease = f"Not{marks[0]}A{marks[1]}Brand"
    told = [(grease, _GREASE_VERSIONS[major % len(_GREASE_VERSIONS)])]
    told += [(own, str(major)) for own in dict.fromkeys((CHROMIUM, installed.brand))]
    places = _PLACES[len(told)]
    order = places[major % len(places)]
    placed = dict(zip(order, told, strict=True))
    return ", ".join(f'"{brand}";v="{v}"' for _, (brand, v) in sorted(placed.items()))
