"""The stock `dagster` commands find the stores of `phx init`, or say there are none."""

import os
import subprocess
from pathlib import Path

import pytest

from phx_pipeline.model.address import Address
from phx_pipeline_tests.commands import Phx, environment_put_back
from phx_pipeline_tests.deployment import BIN, ROOT

ADDRESS = Address.parse("4732 W Davis Rd, Glendale, AZ 85306")


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as a fresh clone has it, where this process is."""
    for name in ("dagster.yaml", "workspace.yaml", "pyproject.toml"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def dagster(*arguments: str) -> subprocess.CompletedProcess[str]:
    names = ("PATH", "HOME")
    return subprocess.run(  # noqa: S603 - the tests' own commands
        [BIN / "dagster", *arguments],
        env={name: os.environ[name] for name in names if name in os.environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.mark.parametrize(
    "command",
    ["definitions validate", "job list -w workspace.yaml"],
)
def test_before_phx_init_one_line_names_it(clone: Path, command: str) -> None:
    ended = dagster(*command.split())

    assert ended.returncode == 1
    last = ended.stderr.splitlines()[-1]
    assert last.startswith(f"phx: there is no store of Dagster in {clone}/data/dagster")
    assert "run `phx init` in this folder" in last
    assert "Traceback" not in ended.stderr
    assert not (clone / "data").exists()


def test_after_phx_init_they_use_the_same_stores(clone: Path, phx: Phx) -> None:
    with environment_put_back():
        assert phx("init").code == 0
        assert phx("properties", "add", str(ADDRESS)).code == 0

    validated = dagster("definitions", "validate")
    made = dagster(
        *("asset", "materialize", "-m", "phx_pipeline.definitions"),
        *("--select", "deduped_images", "--partition", ADDRESS.slug),
    )

    assert validated.returncode == 0, validated.stderr
    assert made.returncode == 0, made.stderr
    runs = {path.stem for path in (clone / "data/dagster/history/runs").glob("*.db")}
    assert any(run_id in made.stderr for run_id in runs - {"index"})
    kept = {path.name for path in clone.iterdir()}
    assert kept == {
        ".env",
        "dagster.yaml",
        "workspace.yaml",
        "pyproject.toml",
        "data",
    }
