"""`phx init` leaves a `.env` by which the stock commands find the same stores."""

import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from dotenv import dotenv_values

from phx_pipeline.cli.dotenv import write_dotenv
from phx_pipeline.settings import Settings, load_settings

SECRET = "hunter2"  # noqa: S105 - what must not be found

Read = Callable[..., dict[str, str | None]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder the stock commands are used in."""
    for name in ("dagster.yaml", "workspace.yaml"):
        (tmp_path / name).touch()
    return tmp_path


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    data = tmp_path / 'it\'s "my" $HOME \\ data'
    return replace(load_settings({}), data_dir=data, dagster_dir=data / "dagster")


@pytest.fixture
def read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Read:
    """Read the file as Dagster does, with some of the environment."""

    def load(**environment: str) -> dict[str, str | None]:
        for name in ("PHX_DATA_DIR", "PHX_DAGSTER_DIR", "DAGSTER_HOME"):
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return dict(dotenv_values(folder / ".env"))

    return load


def test_it_names_the_stores_to_dagster(
    folder: Path, settings: Settings, read: Read
) -> None:
    told = write_dotenv(settings, folder)

    assert read() == {
        "DAGSTER_HOME": str(settings.dagster_home),
        "PHX_DATA_DIR": str(settings.data_dir),
    }
    assert "ready" in told
    assert stat.S_IMODE((folder / ".env").stat().st_mode) == 0o600


def test_the_environment_wins(folder: Path, settings: Settings, read: Read) -> None:
    write_dotenv(replace(settings, dagster_dir=Path("/runs")), folder)

    found = read(PHX_DATA_DIR="/other", PHX_DAGSTER_DIR="/other/dagster")

    assert found["PHX_DATA_DIR"] == "/other"
    assert found["PHX_DAGSTER_DIR"] == "/other/dagster"
    assert read()["PHX_DAGSTER_DIR"] == "/runs"


def test_no_secret_gets_into_it(folder: Path, settings: Settings, read: Read) -> None:
    write_dotenv(
        replace(
            settings,
            catalog_url=f"postgresql://phx:{SECRET}@db/phx",
            dagster_pg_url="postgresql+psycopg2://phx@db/dagster?options=-c%20x",
            proxy=f"http://me:{SECRET}@proxy:1",
        ),
        folder,
    )

    text = (folder / ".env").read_text(encoding="utf-8")
    assert SECRET not in text
    assert "# PHX_CATALOG_URL is left out, it holds a password" in text
    assert "# Proxies are left out" in text
    assert read()["PHX_DAGSTER_PG_URL"] == (
        "postgresql+psycopg2://phx@db/dagster?options=-c%20x"
    )


@pytest.mark.parametrize("secret", [f"?password={SECRET}", f"?a=1&password={SECRET}"])
def test_a_password_in_the_query_is_one_too(
    folder: Path, settings: Settings, secret: str
) -> None:
    write_dotenv(replace(settings, catalog_url=f"postgresql://u@db/x{secret}"), folder)

    assert SECRET not in (folder / ".env").read_text(encoding="utf-8")


def test_what_people_wrote_stays(folder: Path, settings: Settings) -> None:
    (folder / ".env").write_text("MINE=1\n", encoding="utf-8")

    told = write_dotenv(settings, folder)

    assert (folder / ".env").read_text(encoding="utf-8") == "MINE=1\n"
    assert "is yours and stays; for stock commands add: DAGSTER_HOME=" in told
    assert "\n" not in told


def test_our_lines_are_renewed_between_theirs(
    folder: Path, settings: Settings, read: Read
) -> None:
    write_dotenv(settings, folder)
    file = folder / ".env"
    text = file.read_text(encoding="utf-8")
    file.write_text(f"MINE=1\n{text}LAST=2\n", encoding="utf-8")

    write_dotenv(replace(settings, data_dir=Path("/new")), folder)

    found = read()
    assert (found["MINE"], found["LAST"], found["PHX_DATA_DIR"]) == ("1", "2", "/new")
    assert list(found) == [
        "MINE",
        "DAGSTER_HOME",
        "PHX_DATA_DIR",
        "PHX_DAGSTER_DIR",
        "LAST",
    ]


def test_a_path_the_file_cannot_hold_is_said_to_be_left_out(
    folder: Path, settings: Settings, read: Read
) -> None:
    write_dotenv(replace(settings, data_dir=Path("/a}b")), folder)

    assert "PHX_DATA_DIR" not in read()
    assert "# PHX_DATA_DIR is left out" in (folder / ".env").read_text(encoding="utf-8")


def test_elsewhere_nothing_is_written(tmp_path: Path, settings: Settings) -> None:
    told = write_dotenv(settings, tmp_path)

    assert 'eval "$(phx env)"' in told
    assert not (tmp_path / ".env").exists()


def test_a_folder_of_that_name_stays(folder: Path, settings: Settings) -> None:
    (folder / ".env").mkdir()

    told = write_dotenv(settings, folder)

    assert "is yours and stays" in told
    assert {it.name for it in folder.iterdir()} == {
        ".env",
        "dagster.yaml",
        "workspace.yaml",
    }
