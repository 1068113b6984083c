"""A catalogue that cannot be used is closed again."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from phx_pipeline.errors import InputError, RevisionError
from phx_pipeline.settings import Settings, load_settings
from phx_pipeline.storage.layout import Layout
from phx_pipeline.wiring import runs
from phx_pipeline.wiring.catalog import build_catalog
from phx_pipeline.wiring.runs import build_context
from phx_pipeline_tests.deployment import Deployment


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return replace(load_settings({}), data_dir=tmp_path)


def _open_files(settings: Settings) -> list[str]:
    opened = (it.path for it in psutil.Process().open_files())
    return [it for it in opened if it.startswith(str(settings.data_dir))]


def test_a_catalogue_of_another_version_is_closed(settings: Settings) -> None:
    with closing(sqlite3.connect(Layout(settings.data_dir).catalogue)) as file:
        file.execute("CREATE TABLE alembic_version (version_num TEXT)")
        file.execute("INSERT INTO alembic_version VALUES ('9999')")
        file.commit()

    with pytest.raises(RevisionError):
        build_catalog(settings)

    assert _open_files(settings) == []


def test_a_catalogue_is_closed_for_which_the_rest_is_lacking(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise InputError("no equipment")

    monkeypatch.setattr(runs, "build_equipment", refuse)

    with Deployment(tmp_path, {}) as made:
        with pytest.raises(InputError, match="no equipment"):
            build_context(made.settings, run_id="test")

        assert _open_files(made.settings) == []
