"""The units that start `phx up` at boot are understood by systemd."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from phx_pipeline_tests.deployment import BIN, ROOT

_UNITS = ROOT / "deploy" / "systemd"


def complaints(unit: Path, *, scope: str, folder: Path) -> str:
    """What systemd says of *unit*, its program being the one of this environment."""
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("no systemd-analyze on this computer")
    start = next(
        line for line in unit.read_text().splitlines() if line.startswith("ExecStart=")
    )
    text = unit.read_text().replace(start, f"ExecStart={BIN / 'phx'} up")
    (folder / unit.name).write_text(text)
    verified = subprocess.run(  # noqa: S603 - the tests' own command
        [analyze, "verify", "--man=no", f"--{scope}", str(folder / unit.name)],
        env={**os.environ, "XDG_RUNTIME_DIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    return verified.stdout + verified.stderr


@pytest.mark.parametrize("scope", ["user", "system"])
def test_a_unit_is_understood_whole(scope: str, tmp_path: Path) -> None:
    unit = _UNITS / scope / "phx.service"

    assert complaints(unit, scope=scope, folder=tmp_path) == ""


def test_a_word_systemd_does_not_know_is_noticed(tmp_path: Path) -> None:
    unit = tmp_path / "wrong" / "phx.service"
    unit.parent.mkdir()
    text = (_UNITS / "system" / "phx.service").read_text()
    unit.write_text(text.replace("KillMode=mixed", "KillMode=some"))

    assert "kill mode" in complaints(unit, scope="system", folder=tmp_path)


@pytest.mark.parametrize("scope", ["user", "system"])
def test_a_unit_stops_the_supervisor_first_and_then_what_is_left(scope: str) -> None:
    lines = (_UNITS / scope / "phx.service").read_text().splitlines()

    (start,) = [line for line in lines if line.startswith("ExecStart=")]
    assert start.endswith("/.venv/bin/phx up")
    assert "KillMode=mixed" in lines
    assert "Restart=on-failure" in lines
