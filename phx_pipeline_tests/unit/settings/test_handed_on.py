"""What other processes are told, and what they are not."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phx_pipeline.errors import InputError
from phx_pipeline.model.isolation import IsolationMode
from phx_pipeline.model.message import MailSecurity, WebhookStyle
from phx_pipeline.model.source import LETTERED, Source
from phx_pipeline.settings import (
    Settings,
    complete_environment,
    environment,
    export,
    exported,
    load_settings,
    setting_names,
    use_one_thread,
)
from phx_pipeline_tests.unit.settings.conftest import (
    DAGSTER_URL,
    NUMBERS,
    OTHER_PROXIES,
    TOKENS,
)


def test_a_stock_command_is_told_where_the_stores_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHX_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("PHX_DAGSTER_DIR", "")

    with pytest.raises(InputError, match="run `phx init`"):
        complete_environment()
    (tmp_path / "dagster").mkdir()
    complete_environment()

    assert os.environ["PHX_DAGSTER_DIR"] == str(tmp_path / "dagster")


@pytest.mark.parametrize("chosen", [None, "2"])
def test_products_are_reckoned_on_one_thread_unless_the_user_set_more(
    chosen: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", chosen or "")
    if chosen is None:
        monkeypatch.delenv("OPENBLAS_NUM_THREADS")

    handed_on = environment(load_settings({}))["OPENBLAS_NUM_THREADS"]
    use_one_thread()

    assert handed_on == os.environ["OPENBLAS_NUM_THREADS"] == (chosen or "1")


def test_the_home_for_postgres_needs_its_database(
    repo_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(repo_dir / "deploy" / "postgres"))
    monkeypatch.delenv("PHX_DAGSTER_PG_URL", raising=False)

    with pytest.raises(InputError, match="needs PHX_DAGSTER_PG_URL"):
        complete_environment()


_WORDS = st.text("abcdefghij0123456789-_ '$", min_size=1, max_size=12)
_FOLDERS = _WORDS.map(lambda word: Path("/phx") / word)
_REAL = [source for source in LETTERED if source is not Source.UNKNOWN]
_HERE = Path(__file__).resolve()

_SERVED = {
    "host": st.sampled_from(["127.0.0.1", "::1", "0.0.0.0"]),  # noqa: S104 - not bound
    "public_url": st.none() | st.just("https://phx.example:8443"),
    "trusted_proxy": st.none() | st.just("10.0.0.1"),
    "tls_cert": st.just(_HERE),
    "tls_key": st.just(_HERE),
}

_ONE_PROXY = {
    "proxy": st.none() | st.integers(1, 65535).map("http://a:b@127.0.0.1:{}".format),
    "webshare_token": st.none(),
    "proxies_file": st.none(),
}

_TOLD: Mapping[str, st.SearchStrategy[Any]] = {
    "digest_cron": st.sampled_from(["off", "0 7 * * *"]),
    "alerts": st.sampled_from([("off",), ("facts", "new_match")]),
    "smtp_host": st.none() | st.just("smtp.example.com"),
    "smtp_security": st.sampled_from([MailSecurity.STARTTLS, MailSecurity.TLS]),
    "smtp_user": st.none() | st.just("me"),
    "smtp_password": st.none() | st.just("two words"),
    "smtp_from": st.just("phx@example.com"),
    "smtp_to": st.just(("me@example.com", "you@example.com")),
    "webhook_url": st.none() | st.just("https://hooks.example/a"),
    "webhook_style": st.sampled_from(WebhookStyle),
    "webhook_token": st.none() | st.just("tk_1"),
    "webhook_address": st.none() | st.just("10.0.0.1"),
}


@given(
    st.builds(
        Settings,
        data_dir=_FOLDERS,
        dagster_home=_FOLDERS,
        dagster_dir=_FOLDERS,
        catalog_url=st.none() | st.just("sqlite:////phx/other.db"),
        dagster_pg_url=st.none() | st.just(DAGSTER_URL),
        categorizers=st.sets(st.sampled_from(["clip", "listing_text"])).map(tuple),
        sources=st.sets(st.sampled_from(_REAL)).map(
            lambda chosen: tuple(source for source in LETTERED if source in chosen)
        ),
        search_cron=st.sampled_from(["off", "30 5 * * *"]),
        **_ONE_PROXY,
        **dict.fromkeys(
            TOKENS, st.none() | st.from_regex(r"[#-&(-~][!-~]{0,8}", fullmatch=True)
        ),
        webshare_mode=st.sampled_from(["direct", "backbone"]),
        image_format=st.sampled_from(["png", "original"]),
        look_cron=st.sampled_from(["off", "0 6 * * *", "*/5 1-3 1,15 * 0-6/2"]),
        probe_url=st.none() | st.just("https://probe.example/"),
        code_url=st.none() | st.just("https://code.example/phx"),
        ca_file=st.none() | st.just(Path(__file__).resolve()),
        browser=st.sampled_from(["auto", "off"]),
        chromium=st.none() | st.just(Path(__file__).resolve()),
        isolation=st.sampled_from(IsolationMode),
        **_SERVED,
        **_TOLD,
        server=st.none() | st.just("https://pictures.example"),
        key=st.none() | st.just("phx_k3y"),
        user=_WORDS.map(str.strip).filter(bool),
        supervisor_id=st.none() | st.just("5e28145c"),
        standins=st.none() | st.just("http://127.0.0.1:8080"),
        **{field: st.integers(low, high) for field, low, high in NUMBERS.values()},
    )
)
def test_exported_settings_read_back_as_themselves(settings: Settings) -> None:
    assert load_settings(exported(settings)) == settings


def test_what_is_unset_is_not_exported() -> None:
    left_out = set(setting_names()) - set(exported(load_settings({})))

    assert left_out == {
        "PHX_CATALOG_URL",
        "PHX_DAGSTER_PG_URL",
        "PHX_PROXY",
        "PHX_CA_FILE",
        "PHX_CHROMIUM",
        "PHX_PROBE_URL",
        "PHX_CODE_URL",
        "PHX_PUBLIC_URL",
        "PHX_TRUSTED_PROXY",
        "PHX_SERVER",
        "PHX_KEY",
        "PHX_TLS_CERT",
        "PHX_TLS_KEY",
        "PHX_SMTP_HOST",
        "PHX_SMTP_USER",
        "PHX_SMTP_PASSWORD",
        "PHX_SMTP_FROM",
        "PHX_WEBHOOK_URL",
        "PHX_WEBHOOK_TOKEN",
        "PHX_WEBHOOK_ADDRESS",
        "PHX_SUPERVISOR_ID",
        "PHX_STANDINS",
        *OTHER_PROXIES,
        *(f"PHX_{name.upper()}" for name in TOKENS),
    }


def test_other_processes_get_these_settings_in_place_of_our_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PHX_PROXY", "http://old.example:1")
    monkeypatch.setenv("SOMETHING", "else")
    settings = replace(load_settings({}), data_dir=tmp_path)

    env = environment(settings)

    assert "PHX_PROXY" not in env
    assert env["SOMETHING"] == "else"
    assert env["PHX_DATA_DIR"] == str(tmp_path)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("", None),
        (":/opt/lib", "/opt/lib"),
        ("/opt/lib:", "/opt/lib"),
        (".:/opt/lib:/srv/lib", "/opt/lib:/srv/lib"),
    ],
)
def test_other_processes_import_nothing_from_where_they_are_started(
    monkeypatch: pytest.MonkeyPatch, given: str, kept: str | None
) -> None:
    monkeypatch.setenv("PYTHONPATH", given)

    env = environment(load_settings({}))

    assert env["PYTHONSAFEPATH"] == "1"
    assert env.get("PYTHONPATH") == kept


def test_exporting_leaves_nothing_of_other_settings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in setting_names():
        monkeypatch.setenv(name, "old")
    settings = replace(load_settings({}), data_dir=tmp_path)

    export(settings)

    assert load_settings() == settings
