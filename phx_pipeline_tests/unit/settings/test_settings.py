"""The environment is read once, whole, and refused with a reason."""

import os
import pwd
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


def test_an_empty_environment_gives_the_defaults(repo_dir: Path) -> None:
    data = Path("data").resolve()

    assert load_settings({}) == Settings(
        data_dir=data,
        dagster_home=repo_dir,
        dagster_dir=data / "dagster",
        catalog_url=None,
        dagster_pg_url=None,
        sources=(),
        categorizers=(),
        maricopa_token=None,
        reso_token=None,
        spark_token=None,
        proxy=None,
        webshare_token=None,
        webshare_mode="direct",
        proxies_file=None,
        probe_url=None,
        code_url=None,
        ca_file=None,
        browser="auto",
        chromium=None,
        isolation=IsolationMode.VIRTUAL,
        downloads=12,
        pace_percent=100,
        attempts=3,
        max_side=1024,
        image_format="png",
        stale_days=7,
        final_after_days=3,
        keep_runs_days=30,
        look_cron="0 6 * * *",
        look_minutes=30,
        daily_pages=20_000,
        search_cron="30 5 * * *",
        jobs_per_hour=10,
        jobs_per_day=50,
        jobs_at_once=5,
        images_per_day=20_000,
        lease_ttl_s=30,
        lease_wait_s=600,
        webserver_port=3000,
        host="127.0.0.1",
        public_url=None,
        trusted_proxy=None,
        tls_cert=None,
        tls_key=None,
        server=None,
        key=None,
        digest_cron="0 7 * * *",
        alerts=("price_cut", "back_on_market", "new_match"),
        smtp_host=None,
        smtp_port=587,
        smtp_security=MailSecurity.STARTTLS,
        smtp_user=None,
        smtp_password=None,
        smtp_from=None,
        smtp_to=(),
        webhook_url=None,
        webhook_style=WebhookStyle.JSON,
        webhook_token=None,
        webhook_address=None,
        user=pwd.getpwuid(os.getuid()).pw_name,
        supervisor_id=None,
        standins=None,
    )


def test_every_variable_is_read(tmp_path: Path) -> None:
    ca_file = tmp_path / "ca.pem"
    ca_file.touch()
    chromium = tmp_path / "chromium"
    chromium.touch()
    tls = {name: tmp_path / f"{name}.pem" for name in ("tls_cert", "tls_key")}
    for file in tls.values():
        file.touch()
    given = {
        "PHX_DATA_DIR": str(tmp_path / "d"),
        "PHX_DAGSTER_DIR": str(tmp_path / "g"),
        "DAGSTER_HOME": str(tmp_path / "h"),
        "PHX_CATALOG_URL": "postgresql://phx@localhost/phx",
        "PHX_DAGSTER_PG_URL": DAGSTER_URL,
        "PHX_SOURCES": "zillow,redfin",
        "PHX_CATEGORIZERS": "clip, listing_text,,clip",
        **{f"PHX_{name.upper()}": f" {token}\n" for name, token in TOKENS.items()},
        "PHX_PROXY": "http://127.0.0.1:3128",
        "PHX_WEBSHARE_MODE": "backbone",
        "PHX_PROBE_URL": "https://probe.example/",
        "PHX_CODE_URL": "https://code.example/phx/",
        "PHX_IMAGE_FORMAT": "original",
        "PHX_LOOK_CRON": " 30  5 1-15/2 * 1,5",
        "PHX_SEARCH_CRON": "off",
        "PHX_CA_FILE": str(ca_file),
        "PHX_BROWSER": "off",
        "PHX_CHROMIUM": str(chromium),
        "PHX_ISOLATION": "off_screen",
        "PHX_SERVER": "https://pictures.example:8443/",
        "PHX_KEY": "phx_k3y",
        "PHX_USER": "ada",
        "PHX_HOST": "::",
        "PHX_PUBLIC_URL": "https://phx.example:8443/",
        "PHX_TRUSTED_PROXY": "10.0.0.1",
        **{f"PHX_{name.upper()}": str(file) for name, file in tls.items()},
        "PHX_DIGEST_CRON": " 30  6 * * 1-5 ",
        "PHX_ALERTS": "new_match,facts",
        "PHX_SMTP_HOST": "smtp.example.com",
        "PHX_SMTP_SECURITY": "tls",
        "PHX_SMTP_USER": "me",
        "PHX_SMTP_PASSWORD": "a password with blanks",
        "PHX_SMTP_FROM": "phx@example.com",
        "PHX_SMTP_TO": "me@example.com, you+phx@example.co.uk",
        "PHX_WEBHOOK_URL": "https://ntfy.example/houses",
        "PHX_WEBHOOK_STYLE": "ntfy",
        "PHX_WEBHOOK_TOKEN": "tk_1",
        "PHX_WEBHOOK_ADDRESS": "192.168.1.20",
        "PHX_SUPERVISOR_ID": "5e28145c",
        "PHX_STANDINS": "http://127.0.0.1:8080",
        **{name: str(high) for name, (_, _, high) in NUMBERS.items()},
    }

    settings = load_settings(given | {"PATH": "/bin", "HOME": "/tmp"})  # noqa: S108 - others' variables

    assert {*given, *OTHER_PROXIES} == set(setting_names())
    assert settings == Settings(
        data_dir=tmp_path / "d",
        dagster_home=tmp_path / "h",
        dagster_dir=tmp_path / "g",
        catalog_url="postgresql://phx@localhost/phx",
        dagster_pg_url=DAGSTER_URL,
        sources=(Source.ZILLOW, Source.REDFIN),
        categorizers=("clip", "listing_text"),
        maricopa_token=TOKENS["maricopa_token"],
        reso_token=TOKENS["reso_token"],
        spark_token=TOKENS["spark_token"],
        proxy="http://127.0.0.1:3128",
        webshare_token=None,
        webshare_mode="backbone",
        proxies_file=None,
        probe_url="https://probe.example/",
        code_url="https://code.example/phx",
        ca_file=ca_file,
        browser="off",
        chromium=chromium,
        isolation=IsolationMode.OFF_SCREEN,
        downloads=20,
        pace_percent=1000,
        attempts=3,
        max_side=8192,
        image_format="original",
        stale_days=3650,
        final_after_days=30,
        keep_runs_days=3650,
        look_cron="30 5 1-15/2 * 1,5",
        look_minutes=1440,
        daily_pages=10**9,
        search_cron="off",
        jobs_per_hour=10**9,
        jobs_per_day=10**9,
        jobs_at_once=10**9,
        images_per_day=10**9,
        lease_ttl_s=3600,
        lease_wait_s=86400,
        webserver_port=65535,
        host="::",
        public_url="https://phx.example:8443",
        trusted_proxy="10.0.0.1",
        tls_cert=tls["tls_cert"],
        tls_key=tls["tls_key"],
        server="https://pictures.example:8443",
        key="phx_k3y",
        digest_cron="30 6 * * 1-5",
        alerts=("new_match", "facts"),
        smtp_host="smtp.example.com",
        smtp_port=65535,
        smtp_security=MailSecurity.TLS,
        smtp_user="me",
        smtp_password="a password with blanks",  # noqa: S106 - of this test
        smtp_from="phx@example.com",
        smtp_to=("me@example.com", "you+phx@example.co.uk"),
        webhook_url="https://ntfy.example/houses",
        webhook_style=WebhookStyle.NTFY,
        webhook_token="tk_1",  # noqa: S106
        webhook_address="192.168.1.20",
        user="ada",
        supervisor_id="5e28145c",
        standins="http://127.0.0.1:8080",
    )


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
