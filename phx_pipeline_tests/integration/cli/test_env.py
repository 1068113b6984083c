"""`phx env` makes a shell ready for the stock `dagster` commands."""

import subprocess
from pathlib import Path

from phx_pipeline.settings import exported, load_settings, told_to_shells
from phx_pipeline_tests.deployment import BIN, ROOT, Deployment


def test_a_shell_finds_every_setting_after_eval(tmp_path: Path) -> None:
    with Deployment(tmp_path / 'it\'s $HOME "here"', {}) as made:
        script = f"eval \"$('{BIN / 'phx'}' env)\"; env -0"

        done = subprocess.run(  # noqa: S603 - the tests' own command
            ["/bin/bash", "-euc", script],
            env=made.env,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )

        lines = [line for line in done.stdout.split("\0") if line]
        found = dict(line.split("=", maxsplit=1) for line in lines)
        assert found["DAGSTER_HOME"] == str(ROOT)
        assert found["PHX_DAGSTER_DIR"] == str(made.settings.dagster_dir)
        assert exported(made.settings).items() <= found.items()


def test_every_line_exports_one_variable(tmp_path: Path) -> None:
    with Deployment(tmp_path, {}) as made:
        lines = made.phx("env").stdout.splitlines()

        assert all(line.startswith("export ") for line in lines)
        assert len(lines) == len(told_to_shells(made.settings))
        assert load_settings(exported(made.settings)) == made.settings
