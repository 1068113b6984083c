"""How requests go out: by which proxies, how fast, how often.

What the browser needs besides is in `browser`.
"""

from dataclasses import dataclass, field
from pathlib import Path

from phx_pipeline.errors import InputError
from phx_pipeline.model.proxy_url import HOW, proxy_parts
from phx_pipeline.settings.variables import (
    Environment,
    choice,
    file,
    https_url,
    whole,
)

_PROXIES = ("PHX_PROXY", "PHX_PROXIES_FILE", "PHX_WEBSHARE_TOKEN")
_MODES = ("direct", "backbone")


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class Fetching:
    """Proxies, pace and repeats of requests."""

    proxy: str | None = field(repr=False)  # and these two
    webshare_token: str | None = field(repr=False)
    webshare_mode: str
    proxies_file: Path | None
    probe_url: str | None
    ca_file: Path | None
    downloads: int
    pace_percent: int
    attempts: int


def read_fetching(given: Environment) -> Fetching:
    """Read how requests go out."""
    _refuse_several_proxies(given)
    return Fetching(
        proxy=_proxy(given),
        webshare_token=given.get("PHX_WEBSHARE_TOKEN") or None,
        webshare_mode=choice(given, "WEBSHARE_MODE", among=_MODES),
        proxies_file=file(given, "PROXIES_FILE"),
        probe_url=https_url(given, "PROBE_URL"),
        ca_file=file(given, "CA_FILE"),
        downloads=whole(given, "DOWNLOADS", default=12, low=1, high=20),
        pace_percent=whole(given, "PACE_PERCENT", default=100, low=0, high=1000),
        attempts=whole(given, "ATTEMPTS", default=3, low=1, high=3),
    )


def _refuse_several_proxies(given: Environment) -> None:
    several = [name for name in _PROXIES if given.get(name)]
    if len(several) > 1:
        raise InputError(f"{' and '.join(several)}: set only one of them")


def _proxy(given: Environment) -> str | None:
    """Read the URL of a proxy; a wrong one is not shown, it may hold a password."""
    url = given.get("PHX_PROXY")
    if url and proxy_parts(url) is None:
        raise InputError(f"PHX_PROXY: give {HOW}")
    return url or None
