"""The only reader of the environment: every `PHX_*` name, its type and default."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from urllib.parse import urlsplit

from phx_pipeline.errors import InputError
from phx_pipeline.model.source import Source

_PREFIX = "PHX_"
_PROJECT = Path(__file__).resolve().parent.parent  # where dagster.yaml lies
_NOT_OURS = {"dagster_home": "DAGSTER_HOME"}
_PROXIES = ("PHX_PROXY", "PHX_PROXIES_FILE", "PHX_WEBSHARE_TOKEN")
_MODES = ("direct", "backbone")
_DATABASES = {"sqlite", "postgresql", "postgres", "postgresql+psycopg2"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings. Times in seconds, sizes in pixels; paths absolute.

    Each field `name` is read from `PHX_NAME` (but Dagster's own `DAGSTER_HOME`);
    `docs/running.md` tells what each does.
    """

    data_dir: Path
    dagster_home: Path
    dagster_dir: Path
    catalog_url: str | None
    sources: tuple[Source, ...]
    proxy: str | None = field(repr=False)  # these two may hold a password
    webshare_token: str | None = field(repr=False)
    webshare_mode: str
    proxies_file: Path | None
    probe_url: str | None
    ca_file: Path | None
    downloads: int
    pace_percent: int
    attempts: int
    max_side: int
    stale_days: int
    lease_ttl_s: int
    lease_wait_s: int
    webserver_port: int


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings; `InputError` names a variable that cannot be used."""
    given = os.environ if environ is None else environ
    _refuse_unknown(given)
    data_dir = _path(given, "DATA_DIR") or Path("data").resolve()
    _refuse_several_proxies(given)
    return Settings(
        data_dir=data_dir,
        dagster_home=Path(given.get("DAGSTER_HOME") or _PROJECT).resolve(),
        dagster_dir=_path(given, "DAGSTER_DIR") or data_dir / "dagster",
        catalog_url=_database(given),
        sources=parse_sources(given.get("PHX_SOURCES") or Source.REDFIN.value),
        proxy=given.get("PHX_PROXY") or None,
        webshare_token=given.get("PHX_WEBSHARE_TOKEN") or None,
        webshare_mode=_mode(given),
        proxies_file=_file(given, "PROXIES_FILE"),
        probe_url=_probe_url(given),
        ca_file=_file(given, "CA_FILE"),
        downloads=_whole(given, "DOWNLOADS", default=12, low=1, high=20),
        pace_percent=_whole(given, "PACE_PERCENT", default=100, low=0, high=1000),
        attempts=_whole(given, "ATTEMPTS", default=3, low=1, high=3),
        max_side=_whole(given, "MAX_SIDE", default=1024, low=200, high=8192),
        stale_days=_whole(given, "STALE_DAYS", default=7, low=0, high=3650),
        lease_ttl_s=_whole(given, "LEASE_TTL_S", default=30, low=1, high=3600),
        lease_wait_s=_whole(given, "LEASE_WAIT_S", default=600, low=0, high=86400),
        webserver_port=_whole(given, "WEBSERVER_PORT", default=3000, low=1, high=65535),
    )


def exported(settings: Settings) -> dict[str, str]:
    """All settings as variables, so that other processes find the same stores."""
    values = {field.name: getattr(settings, field.name) for field in fields(settings)}
    return {
        _variable(name): ",".join(value) if isinstance(value, tuple) else str(value)
        for name, value in values.items()
        if value is not None
    }


def environment(settings: Settings) -> dict[str, str]:
    """This process's environment with *settings* in place of its own."""
    ours = set(setting_names())
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    return kept | exported(settings)


def export(settings: Settings) -> None:
    """Set this process's environment so that Dagster resolves `{env: ...}` alike."""
    for name in setting_names():
        os.environ.pop(name, None)
    os.environ.update(exported(settings))


def setting_names() -> list[str]:
    """All environment variables that are read, sorted."""
    return sorted(_variable(field.name) for field in fields(Settings))


def parse_sources(text: str) -> tuple[Source, ...]:
    """Read a comma-separated list of source names; order and repeats do not matter."""
    names = {name.strip() for name in text.split(",") if name.strip()}
    known = {source.value: source for source in Source if source is not Source.UNKNOWN}
    if not names or (unknown := sorted(names - set(known))):
        wrong = ", ".join(unknown) if names else repr(text)
        raise InputError(f"unknown source {wrong}: choose from {', '.join(known)}")
    return tuple(source for source in Source if source.value in names)


def _variable(field: str) -> str:
    return _NOT_OURS.get(field, _PREFIX + field.upper())


def _refuse_unknown(given: Mapping[str, str]) -> None:
    unknown = {name for name in given if name.startswith(_PREFIX)} - set(
        setting_names()
    )
    if unknown:
        raise InputError(
            f"unknown setting {', '.join(sorted(unknown))}: "
            f"the settings are {', '.join(setting_names())}"
        )


def _path(given: Mapping[str, str], name: str) -> Path | None:
    text = given.get(_PREFIX + name)
    return Path(text).expanduser().resolve() if text else None


def _file(given: Mapping[str, str], name: str) -> Path | None:
    path = _path(given, name)
    if path is not None and not path.is_file():
        raise InputError(f"{_PREFIX}{name}: there is no file {path}")
    return path


def _refuse_several_proxies(given: Mapping[str, str]) -> None:
    several = [name for name in _PROXIES if given.get(name)]
    if len(several) > 1:
        raise InputError(f"{' and '.join(several)}: set only one of them")


def _mode(given: Mapping[str, str]) -> str:
    mode = given.get("PHX_WEBSHARE_MODE") or _MODES[0]
    if mode not in _MODES:
        raise InputError(f"PHX_WEBSHARE_MODE={mode!r}: give {' or '.join(_MODES)}")
    return mode


def _probe_url(given: Mapping[str, str]) -> str | None:
    url = given.get("PHX_PROBE_URL")
    if url and not url.startswith("https://"):
        raise InputError("PHX_PROBE_URL: give an https URL")
    return url or None


def _database(given: Mapping[str, str]) -> str | None:
    url = given.get("PHX_CATALOG_URL")
    if not url:
        return None
    scheme, _, rest = url.partition("://")
    if not rest or scheme not in _DATABASES or not _has_readable_port(url):
        # The URL itself stays untold: it may hold a password.
        raise InputError(
            "PHX_CATALOG_URL: give a URL such as postgresql://USER@HOST:PORT/NAME "
            "or sqlite:////folder/phx.db"
        )
    return url


def _has_readable_port(url: str) -> bool:
    try:
        urlsplit(url).port  # noqa: B018 - reading it is the check
    except ValueError:
        return False
    return True


def _whole(
    given: Mapping[str, str], name: str, *, default: int, low: int, high: int
) -> int:
    text = given.get(_PREFIX + name)
    if not text:
        return default
    if not text.isdecimal() or not low <= int(text) <= high:
        raise InputError(
            f"{_PREFIX}{name}={text!r}: give a whole number from {low} to {high}"
        )
    return int(text)
