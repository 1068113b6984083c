"""Where the stores lie: folders, databases, and the home of Dagster."""

from pathlib import Path

import pytest

from phx_pipeline.errors import InputError
from phx_pipeline.settings import (
    exported,
    load_settings,
    stored_in,
)
from phx_pipeline_tests.unit.settings.conftest import DAGSTER_URL, UTC


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


@pytest.mark.parametrize(
    ("name", "before"),
    [
        ("PHX_DATA_DIR", ""),
        ("PHX_DAGSTER_DIR", ""),
        ("DAGSTER_HOME", ""),
        ("PHX_CATALOG_URL", "sqlite:///"),
    ],
)
def test_a_file_where_a_setting_needs_a_folder_is_refused_with_its_name(
    name: str, before: str, tmp_path: Path
) -> None:
    file = tmp_path / "notes"
    file.write_text("mine")

    for below in ("a/phx.db", "phx.db", *([] if before else [""])):
        with pytest.raises(InputError, match=rf"{name}: '{file}' is a file, and a fo"):
            load_settings({name: f"{before}{file / below}"})


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

    assert settings.dagster_pg_url == f"postgresql+psycopg2://me:s%40@db/d?{UTC}"


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("", f"?{UTC}"),
        ("?host=/run/db", f"?host=/run/db&{UTC}"),
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

    moved = stored_in(plain, catalog_url="sqlite:////c.db", dagster_pg_url=DAGSTER_URL)
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


def test_a_relative_file_means_the_same_from_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    settings = load_settings({"PHX_CATALOG_URL": "sqlite:///a/phx.db"})

    assert settings.catalog_url == f"sqlite:///{tmp_path}/a/phx.db"
