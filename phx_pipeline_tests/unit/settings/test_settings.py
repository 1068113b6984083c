"""The environment is read once, whole, and refused with a reason."""

import os
import pwd
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phx_pipeline.errors import InputError
from phx_pipeline.model.isolation import IsolationMode
from phx_pipeline.model.message import Channel, MailSecurity, WebhookStyle
from phx_pipeline.model.source import LETTERED, Source, in_order
from phx_pipeline.settings import (
    Settings,
    complete_environment,
    environment,
    export,
    exported,
    load_settings,
    parse_sources,
    setting_names,
    stored_in,
    told_to_shells,
)
from phx_pipeline.sources.registry import available_sources

_NUMBERS = {
    "PHX_DOWNLOADS": ("downloads", 1, 20),
    "PHX_PACE_PERCENT": ("pace_percent", 0, 1000),
    "PHX_ATTEMPTS": ("attempts", 1, 3),
    "PHX_MAX_SIDE": ("max_side", 200, 8192),
    "PHX_STALE_DAYS": ("stale_days", 0, 3650),
    "PHX_FINAL_AFTER_DAYS": ("final_after_days", 1, 30),
    "PHX_KEEP_RUNS_DAYS": ("keep_runs_days", 1, 3650),
    "PHX_LOOK_MINUTES": ("look_minutes", 1, 1440),
    "PHX_DAILY_PAGES": ("daily_pages", 1, 1_000_000_000),
    "PHX_JOBS_PER_HOUR": ("jobs_per_hour", 0, 10**9),
    "PHX_JOBS_PER_DAY": ("jobs_per_day", 0, 10**9),
    "PHX_JOBS_AT_ONCE": ("jobs_at_once", 0, 10**9),
    "PHX_IMAGES_PER_DAY": ("images_per_day", 0, 10**9),
    "PHX_LEASE_TTL_S": ("lease_ttl_s", 1, 3600),
    "PHX_LEASE_WAIT_S": ("lease_wait_s", 0, 86400),
    "PHX_WEBSERVER_PORT": ("webserver_port", 1, 65535),
    "PHX_SMTP_PORT": ("smtp_port", 1, 65535),
}


_UTC = "options=-c%20timezone%3DUTC"
_DAGSTER_URL = f"postgresql+psycopg2://phx@localhost/dagster?{_UTC}"
_TOKENS = {name: f"{name}!" for name in ("maricopa_token", "reso_token", "spark_token")}
_OTHER_PROXIES = {"PHX_PROXIES_FILE", "PHX_WEBSHARE_TOKEN"}  # not beside PHX_PROXY


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
        "PHX_DAGSTER_PG_URL": _DAGSTER_URL,
        "PHX_SOURCES": "zillow,redfin",
        "PHX_CATEGORIZERS": "clip, listing_text,,clip",
        **{f"PHX_{name.upper()}": f" {token}\n" for name, token in _TOKENS.items()},
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
        "PHX_SERVER": "https://pictures.example:8443/phx/",
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
        **{name: str(high) for name, (_, _, high) in _NUMBERS.items()},
    }

    settings = load_settings(given | {"PATH": "/bin", "HOME": "/tmp"})  # noqa: S108 - others' variables

    assert {*given, *_OTHER_PROXIES} == set(setting_names())
    assert settings == Settings(
        data_dir=tmp_path / "d",
        dagster_home=tmp_path / "h",
        dagster_dir=tmp_path / "g",
        catalog_url="postgresql://phx@localhost/phx",
        dagster_pg_url=_DAGSTER_URL,
        sources=(Source.ZILLOW, Source.REDFIN),
        categorizers=("clip", "listing_text"),
        maricopa_token=_TOKENS["maricopa_token"],
        reso_token=_TOKENS["reso_token"],
        spark_token=_TOKENS["spark_token"],
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
        server="https://pictures.example:8443/phx",
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


def test_folders_are_absolute_whatever_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "me"))

    settings = load_settings({"PHX_DATA_DIR": "here/../d", "PHX_DAGSTER_DIR": "~/g"})

    assert settings.data_dir == tmp_path / "d"
    assert settings.dagster_dir == tmp_path / "me" / "g"


def test_dagsters_stores_lie_below_the_data_unless_told_otherwise(
    tmp_path: Path,
) -> None:
    settings = load_settings({"PHX_DATA_DIR": str(tmp_path)})

    assert settings.dagster_dir == tmp_path / "dagster"


@pytest.mark.parametrize("name", _NUMBERS)
def test_a_number_outside_its_range_is_refused_with_name_and_range(name: str) -> None:
    field, low, high = _NUMBERS[name]
    wrong = [str(low - 1), str(high + 1), "-3", "1.5", "many", "1e3", " "]

    for text in wrong:
        with pytest.raises(InputError, match=f"{name}=.*from {low} to {high}"):
            load_settings({name: text})

    for number in (low, high):
        assert getattr(load_settings({name: str(number)}), field) == number


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(
            ("PHX_LOOK_CRON", text)
            for text in (
                *("daily", "6 * * *", "60 6 * * *", "* * * * * *", "5-1 * * * *"),
                *(
                    "*/0 * * * *",
                    "0 6 * * mon",
                    "0 24 * * *",
                    "0 6 0 * *",
                    "1,, * * * *",
                    "0 0 30 2 *",
                    "0 7 31 4,6 *",
                    "\u0660 6 * * *",
                ),
            )
        ),
        ("PHX_SEARCH_CRON", "60 5 * * *"),
        ("PHX_CA_FILE", "nowhere.pem"),
        ("PHX_PROXIES_FILE", "nowhere.txt"),
        ("PHX_CHROMIUM", "nowhere"),
        ("PHX_BROWSER", "on"),
        ("PHX_ISOLATION", "invisible"),
        ("PHX_WEBSHARE_MODE", "rotating"),
        ("PHX_IMAGE_FORMAT", "jpeg"),
        ("PHX_PROBE_URL", "http://probe.example/"),
        ("PHX_CODE_URL", "javascript:alert(1)"),
        ("PHX_CATALOG_URL", "nonsense"),
        ("PHX_CATALOG_URL", "mysql://localhost/phx"),
        ("PHX_CATALOG_URL", "sqlite:/phx.db"),
        ("PHX_CATALOG_URL", "postgresql://localhost:port/phx"),
        ("PHX_CATALOG_URL", "postgresql://me:se@cret@localhost/phx"),
        ("PHX_DAGSTER_PG_URL", "nonsense"),
        ("PHX_DAGSTER_PG_URL", "sqlite:////phx/dagster.db"),
        ("PHX_DAGSTER_PG_URL", "postgresql://localhost:port/dagster"),
        ("PHX_DAGSTER_PG_URL", "postgresql://me:se@cret@localhost/dagster"),
        ("PHX_DAGSTER_PG_URL", "postgresql://localhost"),
        ("PHX_DAGSTER_PG_URL", "postgresql://localhost/"),
        ("PHX_USER", "ada\x1b[2J"),
        ("PHX_USER", " "),
        ("PHX_USER", "a" * 65),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_with_its_name(
    name: str, value: str
) -> None:
    with pytest.raises(InputError, match=name):
        load_settings({name: value})


@pytest.mark.parametrize("name", [*_NUMBERS, "PHX_IMAGE_FORMAT", "PHX_SOURCES"])
@pytest.mark.parametrize("value", ["9" * 5000, "x" * 5000, "http://me:secret@proxy:1"])
def test_a_value_of_another_kind_is_told_shortly_and_without_passwords(
    name: str, value: str
) -> None:
    with pytest.raises(InputError, match=r"give|choose") as refused:
        load_settings({name: value})

    assert len(str(refused.value)) < 300
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("name", ["PHX_CA_FILE", "PHX_PROXIES_FILE"])
def test_a_file_that_is_not_there_is_told_without_a_password_put_there(
    name: str,
) -> None:
    with pytest.raises(InputError, match=f"{name}: there is no file") as refused:
        load_settings({name: "http://me:secret@proxy:1"})

    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "name", ["PHX_DATA_DIR", "PHX_DAGSTER_DIR", "PHX_CA_FILE", "DAGSTER_HOME"]
)
def test_a_path_that_leads_nowhere_is_refused_with_its_name(
    name: str, tmp_path: Path
) -> None:
    link = tmp_path / "link"
    link.symlink_to(link)

    with pytest.raises(InputError, match=name):
        load_settings({name: str(link / "below")})


@pytest.mark.parametrize("name", ["PHX_DATA_DIR", "PHX_DAGSTER_DIR"])
def test_a_folder_whose_databases_would_lie_elsewhere_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=rf"{name}: '/srv/a\?b' has a question mark"):
        load_settings({name: "/srv/a?b"})


def test_a_home_of_nobody_is_refused_with_the_name_of_the_variable() -> None:
    with pytest.raises(InputError, match=r"PHX_DATA_DIR='~no such/x': it names an unk"):
        load_settings({"PHX_DATA_DIR": "~no such/x"})


def test_a_working_directory_that_was_removed_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()

    with pytest.raises(InputError, match=r"directory was removed: .* PHX_DATA_DIR a"):
        load_settings({})
    assert load_settings({"PHX_DATA_DIR": str(tmp_path)}).data_dir == tmp_path


@pytest.mark.parametrize("name", ["PHX_CATALOG_URL", "PHX_DAGSTER_PG_URL"])
def test_the_password_of_a_refused_url_is_not_told(name: str) -> None:
    with pytest.raises(InputError) as raised:
        load_settings({name: "mysql://me:secret@localhost/phx"})

    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg2"])
def test_dagsters_database_gets_the_driver_that_is_installed(scheme: str) -> None:
    settings = load_settings({"PHX_DAGSTER_PG_URL": f"{scheme}://me:s%40@db/d"})

    assert settings.dagster_pg_url == f"postgresql+psycopg2://me:s%40@db/d?{_UTC}"


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("", f"?{_UTC}"),
        ("?host=/run/db", f"?host=/run/db&{_UTC}"),
        ("?options=-c%20x%3D1", "?options=-c%20x%3D1"),
    ],
)
def test_dagster_talks_to_its_database_in_utc(given: str, used: str) -> None:
    url = f"postgresql+psycopg2:///dagster{given}"

    settings = load_settings({"PHX_DAGSTER_PG_URL": url})

    assert settings.dagster_pg_url == f"postgresql+psycopg2:///dagster{used}"


def test_dagster_may_not_share_the_catalogues_database() -> None:
    given = {
        "PHX_CATALOG_URL": "postgresql://me:secret@db.example/phx",
        "PHX_DAGSTER_PG_URL": "postgresql+psycopg2://me:secret@db.example/phx",
    }

    with pytest.raises(InputError, match="a database of its own") as raised:
        load_settings(given)

    assert "secret" not in str(raised.value)


def test_dagsters_home_follows_its_database(repo_dir: Path, tmp_path: Path) -> None:
    url = {"PHX_DAGSTER_PG_URL": "postgresql://db.example/dagster"}
    both = [{}, *({"DAGSTER_HOME": str(repo_dir / f)} for f in ("", "deploy/postgres"))]
    other = {"DAGSTER_HOME": str(tmp_path)}

    for named in both:  # also one that an earlier `phx env` exported
        assert load_settings(named).dagster_home == repo_dir
        assert load_settings(named | url).dagster_home == repo_dir / "deploy/postgres"
    assert load_settings(other | url).dagster_home == tmp_path


def test_other_databases_bring_the_home_that_fits_them() -> None:
    plain = load_settings({})

    moved = stored_in(plain, catalog_url="sqlite:////c.db", dagster_pg_url=_DAGSTER_URL)
    back = stored_in(moved, catalog_url=None, dagster_pg_url=None)

    assert moved.catalog_url == "sqlite:////c.db"
    assert load_settings(exported(moved)) == moved
    assert back == plain


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:////phx/phx.db",
        "sqlite:///:memory:",
        "postgresql://me:secret@db.example/phx",
        "postgres://db.example/phx",
        "postgresql+psycopg2:///phx?host=/run/db",
    ],
)
def test_the_database_may_be_sqlite_or_postgresql(url: str) -> None:
    assert load_settings({"PHX_CATALOG_URL": url}).catalog_url == url


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


def test_the_home_for_postgres_needs_its_database(
    repo_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(repo_dir / "deploy" / "postgres"))
    monkeypatch.delenv("PHX_DAGSTER_PG_URL", raising=False)

    with pytest.raises(InputError, match="needs PHX_DAGSTER_PG_URL"):
        complete_environment()


def test_a_relative_file_means_the_same_from_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    settings = load_settings({"PHX_CATALOG_URL": "sqlite:///a/phx.db"})

    assert settings.catalog_url == f"sqlite:///{tmp_path}/a/phx.db"


def test_a_webshare_token_or_a_file_of_proxies_is_read(tmp_path: Path) -> None:
    file = tmp_path / "proxies.txt"
    file.touch()

    by_token = load_settings({"PHX_WEBSHARE_TOKEN": "t0ken"})
    by_file = load_settings({"PHX_PROXIES_FILE": str(file)})

    assert by_token.webshare_token == "t0ken"  # noqa: S105 - of this test only
    assert by_file.proxies_file == file


def test_only_one_way_of_naming_proxies_may_be_set(tmp_path: Path) -> None:
    file = tmp_path / "proxies.txt"
    file.touch()
    given = {
        "PHX_PROXY": "http://anna:hush@127.0.0.1:80",
        "PHX_PROXIES_FILE": str(file),
        "PHX_WEBSHARE_TOKEN": "t0ken",
    }

    for name in given:
        two = {key: value for key, value in given.items() if key != name}
        with pytest.raises(InputError, match=r" and PHX_.* only one of them") as told:
            load_settings(two)
        assert "hush" not in str(told.value)
        assert "t0ken" not in str(told.value)


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


@pytest.mark.parametrize("text", ["redfn", "redfin,trulia", "unknown", "Redfin", ", ,"])
def test_an_unknown_source_is_refused_and_the_known_are_told(text: str) -> None:
    known = ", ".join(in_order(available_sources()))
    with pytest.raises(
        InputError, match=rf"^PHX_SOURCES: unknown source '.*' ?.*from {known}$"
    ):
        load_settings({"PHX_SOURCES": text})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("redfn", "'redfn' (did you mean redfin?): choose"),
        ("Redfin,Zilow", "'Redfin' (did you mean redfin?), 'Zilow' (did you mean zi"),
        ("trulia", "'trulia': choose"),
        ("http://me:secret@proxy:1", "unknown source (not shown"),
    ],
)
def test_each_wrong_source_is_quoted_with_the_one_that_is_like_it(
    text: str, told: str
) -> None:
    with pytest.raises(InputError) as refused:
        parse_sources(text, by="--sources")

    assert str(refused.value).startswith("--sources: unknown source ")
    assert told in str(refused.value)


def test_order_and_repeats_of_sources_do_not_matter() -> None:
    messy = parse_sources(" redfin, zillow,redfin ,", by="x")

    assert messy == parse_sources("zillow,redfin", by="x")


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
        dagster_pg_url=st.none() | st.just(_DAGSTER_URL),
        categorizers=st.sets(st.sampled_from(["clip", "listing_text"])).map(tuple),
        sources=st.sets(st.sampled_from(_REAL)).map(
            lambda chosen: tuple(source for source in LETTERED if source in chosen)
        ),
        search_cron=st.sampled_from(["off", "30 5 * * *"]),
        **_ONE_PROXY,
        **dict.fromkeys(
            _TOKENS, st.none() | st.from_regex(r"[!-~]{1,9}", fullmatch=True)
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
        **{field: st.integers(low, high) for field, low, high in _NUMBERS.values()},
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
        *_OTHER_PROXIES,
        *(f"PHX_{name.upper()}" for name in _TOKENS),
    }


def test_every_field_has_a_variable() -> None:
    assert len(setting_names()) == len(fields(Settings))


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


@pytest.mark.parametrize(
    "url", ["127.0.0.1:3128", "me:secret@proxy:1", "ftp://secret:1", "http://secret"]
)
def test_a_proxy_nobody_could_use_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(InputError, match=r"^PHX_PROXY: give SCHEME://") as told:
        load_settings({"PHX_PROXY": url})

    assert "secret" not in str(told.value)


@pytest.mark.parametrize(
    "url",
    [
        "pictures.example",
        "http://pictures.example:3000",
        "http://10.0.0.7",
        "https://me:secret@pictures.example",
        "https://pictures.example/?key=1",
        "https://pictures.example:0",
        "https://pictures.example:https",
        "ftp://127.0.0.1",
        "https://",
    ],
)
def test_a_server_to_which_the_key_would_go_in_the_clear_is_refused(url: str) -> None:
    with pytest.raises(InputError, match=r"^PHX_SERVER=.*: give https://HOST") as told:
        load_settings({"PHX_SERVER": url})

    assert "secret" not in str(told.value)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:3000/", "http://[::1]:1", "http://localhost:3000"]
)
def test_a_server_on_this_machine_may_speak_plain_http(url: str) -> None:
    assert load_settings({"PHX_SERVER": url}).server == url.rstrip("/")


@pytest.mark.parametrize("token", ["two words", "töken", "x" * 5000, "a\x00b"])
def test_a_token_that_is_none_is_refused_and_not_shown(token: str) -> None:
    with pytest.raises(InputError, match="PHX_MARICOPA_TOKEN: give the token") as told:
        load_settings({"PHX_MARICOPA_TOKEN": token})

    assert token not in str(told.value)


def test_tokens_are_named_by_their_settings_and_never_printed() -> None:
    settings = load_settings({"PHX_RESO_TOKEN": "s3cret", "PHX_SPARK_TOKEN": ""})

    assert settings.secrets == {"PHX_RESO_TOKEN": "s3cret"}
    assert "s3cret" not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HOST", "phx.example"),
        ("HOST", "localhost"),
        ("HOST", "127.1"),
        ("TRUSTED_PROXY", "10.0.0.0/8"),
        ("PUBLIC_URL", "phx.example"),
        ("PUBLIC_URL", "http://phx.example"),
        ("PUBLIC_URL", "https://phx.example/ui"),
        ("PUBLIC_URL", "https://phx.example:0x50"),
        ("PUBLIC_URL", "https://me@phx.example"),
        ("PUBLIC_URL", "https://phx.example/?a"),
        ("TLS_CERT", __file__),
    ],
)
def test_where_it_is_served_is_refused_with_the_remedy(name: str, value: str) -> None:
    with pytest.raises(InputError, match=f"^PHX_{name}.*(give|set) "):
        load_settings({f"PHX_{name}": value})


@pytest.mark.parametrize(
    "url", ["https://phx.example", "https://[fd00::1]:8443", "http://localhost:4000"]
)
def test_a_public_url_is_an_origin(url: str) -> None:
    assert load_settings({"PHX_PUBLIC_URL": f"{url}/"}).public_url == url


MAIL = {
    "PHX_SMTP_HOST": "smtp.example.com",
    "PHX_SMTP_FROM": "phx@example.com",
    "PHX_SMTP_TO": "me@example.com",
}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SMTP_HOST", "smtp.example.com/25"),
        ("SMTP_SECURITY", "none"),
        ("SMTP_FROM", "a@example.com,b@example.com"),
        ("SMTP_FROM", "Me <me@example.com>"),
        ("SMTP_TO", ""),
        ("SMTP_TO", "me@example.com\r\nBcc: all@example.com"),
        ("SMTP_TO", ",".join(f"{n}@example.com" for n in range(21))),
        ("SMTP_PASSWORD", "h\u00fcnter2"),
        ("DIGEST_CRON", "7:00"),
        ("DIGEST_CRON", "0 24 * * *"),
        ("DIGEST_CRON", "*/0 7 * * *"),
        ("DIGEST_CRON", "0 9-7 * * *"),
        ("ALERTS", "price_cut,nothing"),
        ("WEBHOOK_STYLE", "discord"),
        ("WEBHOOK_ADDRESS", "hooks.example"),
        ("WEBHOOK_URL", "http://hooks.example/s3cret"),
    ],
)
def test_how_people_are_told_is_refused_with_the_remedy(name: str, value: str) -> None:
    with pytest.raises(
        InputError, match=r"PHX_[A-Z_]+.*(give|set|needs|choose|must)"
    ) as told:
        load_settings(MAIL | {f"PHX_{name}": value})

    assert f"PHX_{name}" in str(told.value)
    assert "s3cret" not in str(told.value)
    assert "\u00fc" not in str(told.value)


def test_secrets_of_channels_are_shown_nowhere_and_given_to_our_own_processes() -> None:
    secret = {
        "PHX_SMTP_PASSWORD": "hunter2",
        "PHX_WEBHOOK_URL": "https://hooks.example/hunter2",
        "PHX_WEBHOOK_TOKEN": "hunter2",
    }
    settings = load_settings(MAIL | secret)

    assert "hunter2" not in repr(settings)
    assert "hunter2" not in "".join(told_to_shells(settings).values())
    assert secret.items() <= exported(settings).items()
    assert settings.channels == (Channel.SMTP, Channel.WEBHOOK)
    assert load_settings({"PHX_ALERTS": "off"}).told_at_once == ()
