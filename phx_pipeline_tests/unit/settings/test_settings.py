"""The environment is read once, whole, and refused with a reason."""

import os
import pwd
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

import pytest

from phx_pipeline.errors import InputError
from phx_pipeline.model.isolation import IsolationMode
from phx_pipeline.model.message import MailSecurity, WebhookStyle
from phx_pipeline.model.source import Source
from phx_pipeline.settings import (
    Settings,
    load_settings,
    setting_names,
)
from phx_pipeline_tests.unit.settings.conftest import (
    DAGSTER_URL,
    NUMBERS,
    OTHER_PROXIES,
    TOKENS,
)

_DEFAULTS: dict[str, object] = {
    "catalog_url": None,
    "dagster_pg_url": None,
    "sources": (),
    "categorizers": (),
    "maricopa_token": None,
    "reso_token": None,
    "spark_token": None,
    "proxy": None,
    "webshare_token": None,
    "webshare_mode": "direct",
    "proxies_file": None,
    "probe_url": None,
    "code_url": None,
    "ca_file": None,
    "browser": "auto",
    "chromium": None,
    "isolation": IsolationMode.VIRTUAL,
    "downloads": 12,
    "pace_percent": 100,
    "attempts": 3,
    "max_side": 1024,
    "image_format": "png",
    "stale_days": 7,
    "final_after_days": 3,
    "keep_runs_days": 30,
    "look_cron": "0 6 * * *",
    "look_minutes": 30,
    "daily_pages": 20_000,
    "search_cron": "30 5 * * *",
    "jobs_per_hour": 10,
    "jobs_per_day": 50,
    "jobs_at_once": 5,
    "images_per_day": 20_000,
    "lease_ttl_s": 30,
    "lease_wait_s": 600,
    "webserver_port": 3000,
    "host": "127.0.0.1",
    "public_url": None,
    "trusted_proxy": None,
    "tls_cert": None,
    "tls_key": None,
    "server": None,
    "key": None,
    "digest_cron": "0 7 * * *",
    "alerts": ("price_cut", "back_on_market", "new_match"),
    "smtp_host": None,
    "smtp_port": 587,
    "smtp_security": MailSecurity.STARTTLS,
    "smtp_user": None,
    "smtp_password": None,
    "smtp_from": None,
    "smtp_to": (),
    "webhook_url": None,
    "webhook_style": WebhookStyle.JSON,
    "webhook_token": None,
    "webhook_address": None,
    "supervisor_id": None,
    "standins": None,
}
# The value that is read of each text.
_READ: Mapping[str, tuple[str, object]] = {
    "PHX_CATALOG_URL": ("postgresql://phx@localhost/phx",) * 2,
    "PHX_DAGSTER_PG_URL": (DAGSTER_URL, DAGSTER_URL),
    "PHX_SOURCES": ("zillow,redfin", (Source.ZILLOW, Source.REDFIN)),
    "PHX_CATEGORIZERS": ("clip, listing_text,,clip", ("clip", "listing_text")),
    **{f"PHX_{name.upper()}": (f" {it}\n", it) for name, it in TOKENS.items()},
    "PHX_PROXY": ("http://127.0.0.1:3128",) * 2,
    "PHX_WEBSHARE_MODE": ("backbone", "backbone"),
    "PHX_PROBE_URL": ("https://probe.example/",) * 2,
    "PHX_CODE_URL": ("https://code.example/phx/", "https://code.example/phx"),
    "PHX_IMAGE_FORMAT": ("original", "original"),
    "PHX_LOOK_CRON": (" 30  5 1-15/2 * 1,5", "30 5 1-15/2 * 1,5"),
    "PHX_SEARCH_CRON": ("off", "off"),
    "PHX_BROWSER": ("off", "off"),
    "PHX_ISOLATION": ("off_screen", IsolationMode.OFF_SCREEN),
    "PHX_SERVER": ("https://pictures.example:8443/", "https://pictures.example:8443"),
    "PHX_KEY": ("phx_k3y", "phx_k3y"),
    "PHX_USER": ("ada", "ada"),
    "PHX_HOST": ("::", "::"),
    "PHX_PUBLIC_URL": ("https://phx.example:8443/", "https://phx.example:8443"),
    "PHX_TRUSTED_PROXY": ("10.0.0.1", "10.0.0.1"),
    "PHX_DIGEST_CRON": (" 30  6 * * 1-5 ", "30 6 * * 1-5"),
    "PHX_ALERTS": ("new_match,facts", ("new_match", "facts")),
    "PHX_SMTP_HOST": ("smtp.example.com", "smtp.example.com"),
    "PHX_SMTP_SECURITY": ("tls", MailSecurity.TLS),
    "PHX_SMTP_USER": ("me", "me"),
    "PHX_SMTP_PASSWORD": ("a password with blanks",) * 2,
    "PHX_SMTP_FROM": ("phx@example.com", "phx@example.com"),
    "PHX_SMTP_TO": (
        "me@example.com, you+phx@example.co.uk",
        ("me@example.com", "you+phx@example.co.uk"),
    ),
    "PHX_WEBHOOK_URL": ("https://ntfy.example/houses",) * 2,
    "PHX_WEBHOOK_STYLE": ("ntfy", WebhookStyle.NTFY),
    "PHX_WEBHOOK_TOKEN": ("tk_1", "tk_1"),
    "PHX_WEBHOOK_ADDRESS": ("192.168.1.20", "192.168.1.20"),
    "PHX_SUPERVISOR_ID": ("5e28145c", "5e28145c"),
    "PHX_STANDINS": ("http://127.0.0.1:8080",) * 2,
    **{name: (str(high), high) for name, (_, _, high) in NUMBERS.items()},
}


def _all_of(settings: Settings) -> dict[str, object]:
    return {it.name: getattr(settings, it.name) for it in fields(settings)}


def _field(variable: str) -> str:
    return variable.removeprefix("PHX_").lower()


def test_an_empty_environment_gives_the_defaults(repo_dir: Path) -> None:
    data = Path("data").resolve()

    assert _all_of(load_settings({})) == _DEFAULTS | {
        "data_dir": data,
        "dagster_home": repo_dir,
        "dagster_dir": data / "dagster",
        "user": pwd.getpwuid(os.getuid()).pw_name,
    }


def test_every_variable_is_read(tmp_path: Path) -> None:
    files = {
        f"PHX_{name}": tmp_path / name
        for name in ("CA_FILE", "CHROMIUM", "TLS_CERT", "TLS_KEY")
    }
    for file in files.values():
        file.touch()
    places = files | {
        "PHX_DATA_DIR": tmp_path / "d",
        "PHX_DAGSTER_DIR": tmp_path / "g",
        "DAGSTER_HOME": tmp_path / "h",
    }
    given = {name: text for name, (text, _) in _READ.items()}
    given |= {name: str(place) for name, place in places.items()}

    settings = load_settings(given | {"PATH": "/bin", "HOME": "/tmp"})  # noqa: S108 - others' variables

    assert {*given, *OTHER_PROXIES} == set(setting_names())
    read = {name: value for name, (_, value) in _READ.items()} | places
    expected = {_field(name): value for name, value in read.items()}
    left = {_field(name) for name in OTHER_PROXIES}
    assert _all_of(settings) == expected | {name: _DEFAULTS[name] for name in left}


def test_an_empty_value_counts_as_not_given() -> None:
    given = dict.fromkeys(setting_names(), "")

    assert load_settings(given) == load_settings({})


def test_passwords_and_tokens_are_not_in_the_text_of_settings() -> None:
    with_proxy = load_settings({"PHX_PROXY": "http://anna:hush@127.0.0.1:80"})
    with_token = load_settings({"PHX_WEBSHARE_TOKEN": "t0ken"})
    with_databases = load_settings(
        {
            "PHX_CATALOG_URL": "postgresql://me:secret@db.example/phx",
            "PHX_DAGSTER_PG_URL": "postgresql://me:secret@db.example/dagster",
        }
    )

    assert "secret" not in repr(with_databases)
    assert "hush" not in repr(with_proxy)
    assert "t0ken" not in repr(with_token)


def test_an_unknown_name_of_ours_is_refused_and_the_known_are_told() -> None:
    with pytest.raises(InputError, match=r"PHX_DATADIR .*, PHX_X") as told:
        load_settings({"PHX_X": "1", "PHX_DATADIR": "d", "PHXSOMETHING": "1"})

    assert "PHX_DATADIR (did you mean PHX_DATA_DIR?)" in str(told.value)


def test_every_field_has_a_variable() -> None:
    assert len(setting_names()) == len(fields(Settings))
