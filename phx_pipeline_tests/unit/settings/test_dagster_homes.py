"""The two Dagster instances differ in where rows are stored, and in nothing else."""

from pathlib import Path
from typing import Any

import pytest
from dagster._core.instance.config import dagster_instance_config

_HOMES = ("", "deploy/postgres")


def _instance(repo_dir: Path, home: str) -> dict[str, Any]:
    config, _ = dagster_instance_config(str(repo_dir / home))
    return dict(config)


def test_both_instances_are_alike_but_for_their_storage(
    repo_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHX_DAGSTER_DIR", str(tmp_path))
    on_sqlite, on_postgres = (_instance(repo_dir, home) for home in _HOMES)

    assert on_sqlite.pop("storage") == {
        "sqlite": {"base_dir": {"env": "PHX_DAGSTER_DIR"}}
    }
    assert on_postgres.pop("storage") == {
        "postgres": {"postgres_url": {"env": "PHX_DAGSTER_PG_URL"}}
    }
    assert on_postgres == on_sqlite


def test_the_home_leads_to_the_documented_file(repo_dir: Path) -> None:
    home = repo_dir / "deploy" / "postgres" / "dagster.yaml"

    assert home.resolve() == repo_dir / "deploy" / "dagster.postgres.yaml"
