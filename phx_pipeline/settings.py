"""The only reader of the environment: every `PHX_*` name, its type and default."""

import os
import pwd
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from phx_pipeline.errors import InputError
from phx_pipeline.model.cron import HOW as HOW_CRON
from phx_pipeline.model.cron import is_cron
from phx_pipeline.model.database_url import for_dagster, is_database, is_relative
from phx_pipeline.model.due import FINAL_AFTER_DAYS, MOST_FAULT_DAYS
from phx_pipeline.model.event import ALERTABLE
from phx_pipeline.model.isolation import IsolationMode
from phx_pipeline.model.message import Channel, MailSecurity, WebhookStyle
from phx_pipeline.model.nearest import did_you_mean
from phx_pipeline.model.notifying import MAIL_PORTS, is_mail_address, is_mail_host
from phx_pipeline.model.proxy_url import HOW, proxy_parts
from phx_pipeline.model.server_url import HOW as HOW_SERVED
from phx_pipeline.model.server_url import server_url
from phx_pipeline.model.source import LETTERED, Source, in_order
from phx_pipeline.model.web_place import is_this_machine, plain_ip, public_origin

SUPERVISOR_ID = "PHX_SUPERVISOR_ID"  # not for people: marks what a supervisor starts

OFF = "off"  # in place of a time: never by itself

STANDINS = "PHX_STANDINS"  # not for people: the demo's own processes ask stand-ins

OFF = "off"  # in place of a time: never by itself
ALERTS = ("price_cut", "back_on_market", "new_match")

_PREFIX = "PHX_"
_PROJECT = Path(__file__).resolve().parent.parent  # where dagster.yaml lies
_ON_POSTGRES = _PROJECT / "deploy" / "postgres"  # and the one for PHX_DAGSTER_PG_URL
_NOT_OURS = {"dagster_home": "DAGSTER_HOME"}
_PROXIES = ("PHX_PROXY", "PHX_PROXIES_FILE", "PHX_WEBSHARE_TOKEN")
_TLS = ("PHX_TLS_CERT", "PHX_TLS_KEY")
_TOKENS = ("maricopa_token", "reso_token", "spark_token")
_MANY = 1_000_000_000
_SECURITIES = tuple(it.value for it in MailSecurity)
_STYLES = tuple(it.value for it in WebhookStyle)
_FOR_NO_SHELL = ("PHX_SMTP_PASSWORD", "PHX_WEBHOOK_URL", "PHX_WEBHOOK_TOKEN")
_MOST_RECIPIENTS = 20
_MODES = ("direct", "backbone")
_IMAGE_FORMATS = ("png", "original")
_BROWSERS = ("auto", "off")
_ISOLATIONS = tuple(mode.value for mode in IsolationMode)
_LONGEST_USER = 64
_LONGEST_TOKEN = 4096
_LONGEST_TOLD = 100  # characters of a wrong value
_MOST_DIGITS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings. Times in seconds, sizes in pixels; paths absolute.

    Each field `name` is read from `PHX_NAME` (but Dagster's own `DAGSTER_HOME`);
    `docs/operations.md` tells what each does.
    """

    data_dir: Path
    dagster_home: Path
    dagster_dir: Path
    catalog_url: str | None = field(repr=False)  # these two may hold a password
    dagster_pg_url: str | None = field(repr=False)
    sources: tuple[Source, ...]  # none: every one that this machine can ask
    categorizers: tuple[str, ...]  # none: all; `wiring` knows which there are
    maricopa_token: str | None = field(repr=False)
    reso_token: str | None = field(repr=False)
    spark_token: str | None = field(repr=False)
    proxy: str | None = field(repr=False)  # and these two
    webshare_token: str | None = field(repr=False)
    webshare_mode: str
    proxies_file: Path | None
    probe_url: str | None
    code_url: str | None
    ca_file: Path | None
    browser: str
    chromium: Path | None
    isolation: IsolationMode
    downloads: int
    pace_percent: int
    attempts: int
    max_side: int
    image_format: str
    stale_days: int
    final_after_days: int
    keep_runs_days: int
    look_cron: str  # or `off`
    look_minutes: int
    daily_pages: int
    search_cron: str  # or `off`
    jobs_per_hour: int
    jobs_per_day: int
    jobs_at_once: int
    images_per_day: int
    lease_ttl_s: int
    lease_wait_s: int
    webserver_port: int
    host: str
    public_url: str | None
    trusted_proxy: str | None
    tls_cert: Path | None
    tls_key: Path | None
    server: str | None
    key: str | None = field(repr=False)
    digest_cron: str  # or `off`
    alerts: tuple[str, ...]
    smtp_host: str | None
    smtp_port: int
    smtp_security: MailSecurity
    smtp_user: str | None
    smtp_password: str | None = field(repr=False)
    smtp_from: str | None
    smtp_to: tuple[str, ...]
    webhook_url: str | None = field(repr=False)  # whoever knows it may post
    webhook_style: WebhookStyle
    webhook_token: str | None = field(repr=False)
    webhook_address: str | None
    user: str
    supervisor_id: str | None
    standins: str | None

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Where people are told; none by default."""
        is_set = {Channel.SMTP: self.smtp_host, Channel.WEBHOOK: self.webhook_url}
        return tuple(channel for channel, place in is_set.items() if place)

    @property
    def told_at_once(self) -> tuple[str, ...]:
        """The kinds of news that do not wait for the digest."""
        return () if self.alerts == (OFF,) else self.alerts

    @property
    def secrets(self) -> Mapping[str, str]:
        """What sources are asked with, by the name of the variable that holds it."""
        named = {_variable(name): getattr(self, name) for name in _TOKENS}
        return {name: token for name, token in named.items() if token}


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings; `InputError` names a variable that cannot be used."""
    given = os.environ if environ is None else environ
    _refuse_unknown(given)
    data_dir = _path(given, "DATA_DIR") or _resolved("data", "PHX_DATA_DIR")
    dagster_dir = _path(given, "DAGSTER_DIR") or data_dir / "dagster"
    require_place(data_dir, "PHX_DATA_DIR")
    require_place(dagster_dir, "PHX_DAGSTER_DIR")
    _refuse_several_proxies(given)
    _refuse_half_of_tls(given)
    dagster_pg_url = _dagster_database(given)
    return Settings(
        data_dir=data_dir,
        dagster_home=_home(given.get("DAGSTER_HOME"), on_postgres=bool(dagster_pg_url)),
        dagster_dir=dagster_dir,
        catalog_url=_database(given),
        dagster_pg_url=dagster_pg_url,
        sources=_sources(given),
        categorizers=_words(given, "CATEGORIZERS"),
        maricopa_token=_token(given, "MARICOPA_TOKEN"),
        reso_token=_token(given, "RESO_TOKEN"),
        spark_token=_token(given, "SPARK_TOKEN"),
        proxy=_proxy(given),
        webshare_token=given.get("PHX_WEBSHARE_TOKEN") or None,
        webshare_mode=_choice(given, "WEBSHARE_MODE", among=_MODES),
        proxies_file=_file(given, "PROXIES_FILE"),
        probe_url=_https_url(given, "PROBE_URL"),
        code_url=code_url(given),
        ca_file=_file(given, "CA_FILE"),
        browser=_choice(given, "BROWSER", among=_BROWSERS),
        chromium=_file(given, "CHROMIUM"),
        isolation=IsolationMode(_choice(given, "ISOLATION", among=_ISOLATIONS)),
        downloads=_whole(given, "DOWNLOADS", default=12, low=1, high=20),
        pace_percent=_whole(given, "PACE_PERCENT", default=100, low=0, high=1000),
        attempts=_whole(given, "ATTEMPTS", default=3, low=1, high=3),
        max_side=_whole(given, "MAX_SIDE", default=1024, low=200, high=8192),
        image_format=_choice(given, "IMAGE_FORMAT", among=_IMAGE_FORMATS),
        stale_days=_whole(given, "STALE_DAYS", default=7, low=0, high=3650),
        final_after_days=_whole(
            given,
            "FINAL_AFTER_DAYS",
            default=FINAL_AFTER_DAYS,
            low=1,
            high=MOST_FAULT_DAYS,
        ),
        keep_runs_days=_whole(given, "KEEP_RUNS_DAYS", default=30, low=1, high=3650),
        look_cron=look_cron(given),
        look_minutes=_whole(given, "LOOK_MINUTES", default=30, low=1, high=1440),
        daily_pages=_whole(given, "DAILY_PAGES", default=20_000, low=1, high=_MANY),
        search_cron=search_cron(given),
        jobs_per_hour=_limit(given, "JOBS_PER_HOUR", default=10),
        jobs_per_day=_limit(given, "JOBS_PER_DAY", default=50),
        jobs_at_once=_limit(given, "JOBS_AT_ONCE", default=5),
        images_per_day=_limit(given, "IMAGES_PER_DAY", default=20_000),
        lease_ttl_s=_whole(given, "LEASE_TTL_S", default=30, low=1, high=3600),
        lease_wait_s=_whole(given, "LEASE_WAIT_S", default=600, low=0, high=86400),
        **_serving(given),
        **_notifying(given),
        user=_user(given),
        supervisor_id=given.get(SUPERVISOR_ID) or None,
        standins=given.get(STANDINS) or None,
    )


def _serving(given: Mapping[str, str]) -> dict[str, Any]:
    """The settings of the service, and of who hands jobs to one."""
    return {
        "webserver_port": _whole(
            given, "WEBSERVER_PORT", default=3000, low=1, high=65535
        ),
        "host": _ip(given, "HOST") or "127.0.0.1",
        "public_url": _public_url(given),
        "trusted_proxy": _ip(given, "TRUSTED_PROXY"),
        "tls_cert": _file(given, "TLS_CERT"),
        "tls_key": _file(given, "TLS_KEY"),
        "server": served_at(given.get("PHX_SERVER"), by="PHX_SERVER"),
        "key": _token(given, "KEY"),
    }


def _notifying(given: Mapping[str, str]) -> dict[str, Any]:
    """The settings of what is told to people by mail and webhook."""
    security = MailSecurity(_choice(given, "SMTP_SECURITY", among=_SECURITIES))
    host = _mail_host(given, security=security)
    return {
        "digest_cron": digest_cron(given),
        "alerts": _alerts(given),
        "smtp_host": host,
        "smtp_port": _whole(
            given, "SMTP_PORT", default=MAIL_PORTS[security], low=1, high=65535
        ),
        "smtp_security": security,
        "smtp_user": _token(given, "SMTP_USER"),
        "smtp_password": _password(given, "SMTP_PASSWORD"),
        "smtp_from": next(iter(_addresses(given, "SMTP_FROM", most=1)), None),
        "smtp_to": _addresses(given, "SMTP_TO", most=_MOST_RECIPIENTS),
        "webhook_url": _webhook_url(given),
        "webhook_style": WebhookStyle(_choice(given, "WEBHOOK_STYLE", among=_STYLES)),
        "webhook_token": _token(given, "WEBHOOK_TOKEN"),
        "webhook_address": _ip(given, "WEBHOOK_ADDRESS"),
    }


def digest_cron(environ: Mapping[str, str] | None = None) -> str:
    """When the digest is due, as cron says it, in Phoenix; `OFF` if never.

    Raises:
        InputError: it cannot be used.
    """
    return _cron(environ, "DIGEST_CRON", default="0 7 * * *")


def _cron(environ: Mapping[str, str] | None, name: str, *, default: str) -> str:
    given = os.environ if environ is None else environ
    text = " ".join((given.get(_PREFIX + name) or default).split())
    if text != OFF and not is_cron(text):
        raise InputError(f"{_PREFIX}{name}={_quoted(text)}: give {HOW_CRON}")
    return text


def code_url(environ: Mapping[str, str] | None = None) -> str | None:
    """Where a page shows the files of this project; the definitions need no more.

    Raises:
        InputError: it cannot be used.
    """
    url = _https_url(os.environ if environ is None else environ, "CODE_URL")
    return url.rstrip("/") if url else None


def look_cron(environ: Mapping[str, str] | None = None) -> str:
    """When the daily look begins, as cron says it, in Phoenix; `OFF` if never.

    Raises:
        InputError: it cannot be used.
    """
    return _cron(environ, "LOOK_CRON", default="0 6 * * *")


def search_cron(environ: Mapping[str, str] | None = None) -> str:
    """When saved searches are run, as cron says it, in Phoenix; `OFF` if never.

    Raises:
        InputError: it cannot be used.
    """
    return _cron(environ, "SEARCH_CRON", default="30 5 * * *")


def served_at(url: str | None, *, by: str) -> str | None:
    """Return the URL of a service that jobs are handed to; None if there is none.

    Raises:
        InputError: it cannot be used; *by* is the option or variable that names it.
    """
    if not url:
        return None
    if (found := server_url(url)) is None:
        raise InputError(f"{by}={_quoted(url)}: give {HOW_SERVED}")
    return found


def require_place(folder: Path, name: str) -> None:
    """Raise `InputError` if no database can lie in *folder*, which *name* has given.

    A database is named by a URL: what follows a question mark is not of its path, and
    another file would be used.
    """
    if "?" in str(folder):
        raise InputError(
            f"{name}: {_quoted(str(folder))} has a question mark in its path, which "
            "databases cannot have: choose another folder"
        )


def stored_in(
    settings: Settings, *, catalog_url: str | None, dagster_pg_url: str | None
) -> Settings:
    """Return *settings* with other databases, and the Dagster home that fits them."""
    home = _home(str(settings.dagster_home), on_postgres=bool(dagster_pg_url))
    return replace(
        settings,
        catalog_url=catalog_url,
        dagster_pg_url=dagster_pg_url,
        dagster_home=home,
    )


def told_to_shells(settings: Settings) -> dict[str, str]:
    """As `exported`, without what no stock command needs and nobody should see."""
    return {
        name: value
        for name, value in exported(settings).items()
        if name not in _FOR_NO_SHELL
    }


def exported(settings: Settings) -> dict[str, str]:
    """All settings as variables, so that other processes find the same stores."""
    values = {field.name: getattr(settings, field.name) for field in fields(settings)}
    return {
        _variable(name): ",".join(value) if isinstance(value, tuple) else str(value)
        for name, value in values.items()
        if value is not None
    }


def environment(settings: Settings) -> dict[str, str]:
    """This process's environment with *settings* in place of its own.

    A Python that runs in it imports nothing from its working directory.
    """
    ours = {*setting_names(), "PYTHONPATH"}
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    return kept | _safe_imports() | exported(settings)


def _safe_imports() -> dict[str, str]:
    # An empty entry means the working directory, and so does `.`.
    entries = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if absolute := [entry for entry in entries if Path(entry).is_absolute()]:
        return {"PYTHONSAFEPATH": "1", "PYTHONPATH": os.pathsep.join(absolute)}
    return {"PYTHONSAFEPATH": "1"}


def export(settings: Settings) -> None:
    """Set this process's environment so that Dagster resolves `{env: ...}` alike."""
    for name in setting_names():
        os.environ.pop(name, None)
    os.environ.update(exported(settings))


def complete_environment() -> None:
    """Set what Dagster resolves as `{env: ...}`, where a stock command lacks it.

    Raises:
        InputError: there is nothing to set: no store was made yet.
    """
    if _is_on_postgres() and not os.environ.get("PHX_DAGSTER_PG_URL"):
        raise InputError(
            f"DAGSTER_HOME={_ON_POSTGRES} needs PHX_DAGSTER_PG_URL, which is not set: "
            '`eval "$(phx env)"` where it is'
        )
    if os.environ.get("PHX_DAGSTER_DIR"):
        return
    folder = load_settings().dagster_dir
    if not folder.is_dir():
        raise InputError(
            f"there is no store of Dagster in {folder}: run `phx init` in this folder, "
            'or `eval "$(phx env)"` where you did'
        )
    os.environ["PHX_DAGSTER_DIR"] = str(folder)


def setting_names() -> list[str]:
    """All environment variables that are read, sorted."""
    return sorted(_variable(field.name) for field in fields(Settings))


def parse_sources(text: str, *, by: str) -> tuple[Source, ...]:
    """Read a comma-separated list of source names; order and repeats do not matter.

    Raises:
        InputError: some are none; *by* is the option or variable that names them.
    """
    names = {name.strip() for name in text.split(",") if name.strip()}
    known = set(LETTERED) - {Source.UNKNOWN}
    if not names <= known:
        known |= set(_registered())
    if not names or (unknown := sorted(names - known)):
        choice = in_order(_registered())
        wrong = _wrong_names(unknown, among=choice) if names else repr(text)
        raise InputError(
            f"{by}: unknown source {wrong}: choose from {', '.join(choice)}"
        )
    return tuple(in_order(map(Source, names)))


def _wrong_names(unknown: Sequence[str], *, among: Sequence[str]) -> str:
    told = (f"{_quoted(name)}{did_you_mean(name, among)}" for name in unknown)
    wrong = ", ".join(told)
    is_short = len(wrong) <= _LONGEST_TOLD * 2
    return wrong if is_short else f"{_quoted(unknown[0])} and {len(unknown) - 1} more"


def _sources(given: Mapping[str, str]) -> tuple[Source, ...]:
    text = given.get("PHX_SOURCES")
    return parse_sources(text, by="PHX_SOURCES") if text else ()


def _words(given: Mapping[str, str], name: str) -> tuple[str, ...]:
    """Read a comma-separated list; repeats do not matter."""
    words = [word.strip() for word in (given.get(_PREFIX + name) or "").split(",")]
    return tuple(dict.fromkeys(filter(None, words)))


def _token(given: Mapping[str, str], name: str) -> str | None:
    """Read what goes into a header; a wrong one is not shown."""
    token = (given.get(_PREFIX + name) or "").strip()
    if len(token) > _LONGEST_TOKEN or not all("!" <= char <= "~" for char in token):
        raise InputError(
            f"{_PREFIX}{name}: give the token alone, at most {_LONGEST_TOKEN} "
            "printable characters without blanks"
        )
    return token or None


def _password(given: Mapping[str, str], name: str) -> str | None:
    """Read a password, which may have blanks; a wrong one is not shown."""
    password = given.get(_PREFIX + name) or ""
    fits = len(password) <= _LONGEST_TOKEN and password.isprintable()
    if not (fits and password.isascii()):  # the library sends no other
        raise InputError(
            f"{_PREFIX}{name}: give one line of at most {_LONGEST_TOKEN} characters of "
            "ASCII"
        )
    return password or None


def _mail_host(given: Mapping[str, str], *, security: MailSecurity) -> str | None:
    host = (given.get("PHX_SMTP_HOST") or "").strip()
    if not host:
        return None
    if not is_mail_host(host):
        raise InputError(
            f"PHX_SMTP_HOST={_quoted(host)}: give a name such as smtp.example.com; "
            "the port is PHX_SMTP_PORT"
        )
    if security is MailSecurity.NONE and not is_this_machine(host):
        raise InputError(
            "PHX_SMTP_SECURITY=none: mail goes in the clear only to a server on this "
            f"machine, and PHX_SMTP_HOST is {host}: set it to starttls or tls"
        )
    missing = [it for it in ("SMTP_FROM", "SMTP_TO") if not given.get(_PREFIX + it)]
    if missing:
        raise InputError(
            f"PHX_SMTP_HOST needs PHX_{' and PHX_'.join(missing)}: from whom and to "
            "whom mail goes"
        )
    return host


def _webhook_url(given: Mapping[str, str]) -> str | None:
    """Read a URL that may be posted to; a wrong one is not shown, it is a secret."""
    if url := _token(given, "WEBHOOK_URL"):
        from phx_pipeline.fetch.hosts import Endpoint  # noqa: PLC0415 - seldom used

        Endpoint.of(url, setting="PHX_WEBHOOK_URL")
    return url


def _addresses(given: Mapping[str, str], name: str, *, most: int) -> tuple[str, ...]:
    found = _words(given, name)
    for address in found:
        if not is_mail_address(address):
            shown = _quoted(address) if ":" not in address else "an address"
            raise InputError(
                f"{_PREFIX}{name}: {shown} will not do: give plain addresses, such as "
                "me@example.com"
            )
    if len(found) > most:
        raise InputError(f"{_PREFIX}{name}: give at most {most}, not {len(found)}")
    return found


def _alerts(given: Mapping[str, str]) -> tuple[str, ...]:
    """What is told at once; `off` alone for nothing."""
    found = _words(given, "ALERTS") or ALERTS
    wrong = [it for it in found if it not in ALERTABLE]
    if wrong and found != (OFF,):
        raise InputError(
            f"PHX_ALERTS: there is no {_wrong_names(wrong, among=ALERTABLE)}: choose "
            f"from {', '.join(ALERTABLE)}, or {OFF}"
        )
    return found


def _registered() -> Collection[Source]:
    from phx_pipeline.sources.registry import (  # noqa: PLC0415 - 0.1 s, seldom used
        available_sources,
    )

    return available_sources()


def _is_on_postgres() -> bool:
    named = os.environ.get("DAGSTER_HOME") or ""
    return Path(named).resolve() == _ON_POSTGRES


def _variable(field: str) -> str:
    return _NOT_OURS.get(field, _PREFIX + field.upper())


def _refuse_unknown(given: Mapping[str, str]) -> None:
    known = setting_names()
    ours = {name for name in given if name.startswith(_PREFIX)}
    if unknown := sorted(ours - set(known)):
        near = {name: did_you_mean(name, known) for name in unknown}
        told = ", ".join(f"{name}{meant}" for name, meant in near.items())
        all_ = "" if all(near.values()) else f": the settings are {', '.join(known)}"
        raise InputError(f"unknown setting {told}{all_}")


def _path(given: Mapping[str, str], name: str) -> Path | None:
    text = given.get(_PREFIX + name)
    return _resolved(text, _PREFIX + name) if text else None


def _resolved(text: str, name: str) -> Path:
    """The whole path of what the variable *name* says."""
    try:
        return Path(text).expanduser().resolve()
    except FileNotFoundError as error:
        raise InputError(
            f"the working directory was removed: change into one that is there, or "
            f"give {name} a whole path"
        ) from error
    except RuntimeError as error:
        raise InputError(
            f"{name}={_quoted(text)}: it names an unknown user, or a link that leads "
            "to itself: give a whole path"
        ) from error


def _quoted(text: str) -> str:
    """A wrong value for a message: short, and without a password put there in error."""
    if "@" in text and ":" in text:
        return "(not shown, it may hold a password)"
    return repr(text if len(text) <= _LONGEST_TOLD else text[:_LONGEST_TOLD] + "…")


def _file(given: Mapping[str, str], name: str) -> Path | None:
    path = _path(given, name)
    if path is not None and not path.is_file():
        told = _quoted(str(path))
        raise InputError(f"{_PREFIX}{name}: there is no file {told}")
    return path


def _refuse_several_proxies(given: Mapping[str, str]) -> None:
    several = [name for name in _PROXIES if given.get(name)]
    if len(several) > 1:
        raise InputError(f"{' and '.join(several)}: set only one of them")


def _refuse_half_of_tls(given: Mapping[str, str]) -> None:
    there = [name for name in _TLS if given.get(name)]
    if len(there) == 1:
        raise InputError(f"{there[0]} alone does nothing: set {' and '.join(_TLS)}")


def _ip(given: Mapping[str, str], name: str) -> str | None:
    text = given.get(_PREFIX + name)
    if text and plain_ip(text) is None:
        raise InputError(
            f"{_PREFIX}{name}={_quoted(text)}: give an address, such as 192.168.1.2"
        )
    return plain_ip(text) if text else None


def _public_url(given: Mapping[str, str]) -> str | None:
    text = given.get("PHX_PUBLIC_URL")
    if text and public_origin(text) is None:
        raise InputError(
            f"PHX_PUBLIC_URL={_quoted(text)}: give an https URL without a path, such "
            "as https://phx.example.com; http only for localhost"
        )
    return public_origin(text) if text else None


def _choice(given: Mapping[str, str], name: str, *, among: Sequence[str]) -> str:
    """Read one of a few words; the first is the default."""
    word = given.get(_PREFIX + name) or among[0]
    if word not in among:
        raise InputError(f"{_PREFIX}{name}={_quoted(word)}: give {' or '.join(among)}")
    return word


def _https_url(given: Mapping[str, str], name: str) -> str | None:
    url = given.get(_PREFIX + name)
    if url and not url.startswith("https://"):
        raise InputError(f"{_PREFIX}{name}: give an https URL")
    return url or None


def _proxy(given: Mapping[str, str]) -> str | None:
    """Read the URL of a proxy; a wrong one is not shown, it may hold a password."""
    url = given.get("PHX_PROXY")
    if url and proxy_parts(url) is None:
        raise InputError(f"PHX_PROXY: give {HOW}")
    return url or None


def _home(named: str | None, *, on_postgres: bool) -> Path:
    # `phx env` exports the home too. If one of ours is named, it may stem from before
    # PHX_DAGSTER_PG_URL was set or unset, and would quietly lead to the other store.
    home = _resolved(named, "DAGSTER_HOME") if named else _PROJECT
    if home in {_PROJECT, _ON_POSTGRES}:
        return _ON_POSTGRES if on_postgres else _PROJECT
    return home


def _user(given: Mapping[str, str]) -> str:
    """Who rules here: as the environment says, else the system's name of the user."""
    name = given.get("PHX_USER") or _system_user()
    if len(name) > _LONGEST_USER or not name.isprintable() or not name.strip():
        raise InputError(
            f"PHX_USER={_quoted(name)}: give a name of at most {_LONGEST_USER} "
            "printable characters"
        )
    return name.strip()


def _system_user() -> str:
    uid = os.getuid()
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:  # a container may run under a number without a name
        return f"uid {uid}"


# A URL that cannot be used stays untold: it may hold a password.


def _database(given: Mapping[str, str]) -> str | None:
    url = given.get("PHX_CATALOG_URL")
    if not url:
        return None
    if not is_database(url):
        raise InputError(
            "PHX_CATALOG_URL: give a URL such as postgresql://USER@HOST:PORT/NAME "
            "or sqlite:////folder/phx.db; in a password write @ as %40, / as %2F"
        )
    if not is_relative(url):
        return url
    file = url.removeprefix("sqlite:///")
    return f"sqlite:///{_resolved(file, 'PHX_CATALOG_URL')}"


def _dagster_database(given: Mapping[str, str]) -> str | None:
    """The URL as Dagster must find it in the environment."""
    url = given.get("PHX_DAGSTER_PG_URL")
    if not url:
        return None
    if (found := for_dagster(url)) is None:
        raise InputError(
            "PHX_DAGSTER_PG_URL: give a URL such as postgresql://USER@HOST:PORT/NAME; "
            "in a password write @ as %40, / as %2F"
        )
    rest = url.partition("://")[2]
    if (given.get("PHX_CATALOG_URL") or "").partition("://")[2] == rest:
        raise InputError(
            "PHX_DAGSTER_PG_URL: give Dagster a database of its own, "
            "not that of PHX_CATALOG_URL"
        )
    return found


def _limit(given: Mapping[str, str], name: str, *, default: int) -> int:
    """How much one user may ask for; 0 is no limit."""
    return _whole(given, name, default=default, low=0, high=_MANY)


def _whole(
    given: Mapping[str, str], name: str, *, default: int, low: int, high: int
) -> int:
    text = given.get(_PREFIX + name)
    if not text:
        return default
    is_short = len(text) <= _MOST_DIGITS  # Python reads no number of thousands
    if not (is_short and text.isdecimal() and low <= int(text) <= high):
        raise InputError(
            f"{_PREFIX}{name}={_quoted(text)}: give a whole number from {low} to {high}"
        )
    return int(text)
