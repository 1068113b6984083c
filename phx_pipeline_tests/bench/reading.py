"""What commands that only show something take to start, beside their libraries.

    .venv/bin/python -m phx_pipeline_tests.bench.reading [--rounds 5]

Each is a process of its own on the stores of `PHX_DATA_DIR`. The ratio is its CPU time
over that of a process that only imports SQLAlchemy, click and rich, the least of all
rounds of both, in turns. Compiled files must be there: they are made first.
"""

import compileall
import os
from pathlib import Path

import click

import phx_pipeline
from phx_pipeline_tests.loading import READING, cpu_of, cpu_of_base


@click.command()
@click.option("--rounds", default=5, show_default=True)
def main(*, rounds: int) -> None:
    """Print a line for each command: CPU seconds, and how often those of the base."""
    compileall.compile_dir(Path(phx_pipeline.__file__).parent, quiet=1)
    measured: dict[str, list[float]] = {name: [] for name in READING}
    base = []
    for _ in range(rounds):
        base.append(cpu_of_base(os.environ))
        for name in READING:
            phx = ["-m", "phx_pipeline.cli.main", *name.split()]
            measured[name].append(cpu_of(phx, os.environ))
    click.echo(f"{'libraries alone':16} {min(base):.3f} s")
    for name, seconds in measured.items():
        click.echo(f"{name:16} {min(seconds):.3f} s  {min(seconds) / min(base):.2f}")


if __name__ == "__main__":
    main()
