#!/usr/bin/env python
"""The lookup across properties at several sizes, on SQLite and PostgreSQL.

    python -m phx_pipeline_tests.bench.lookup 3000 100000 1000000

The same figures as `phx bench lookup`, a JSON line per engine and size.
"""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

import click

from phx_pipeline.cli.bench.lookup import measure_lookup
from phx_pipeline_tests.postgres import NoPostgresError, throwaway_postgres


@click.command()
@click.argument("sizes", nargs=-1, type=int, required=True)
@click.option("--engine", type=click.Choice(["sqlite", "postgres"]), multiple=True)
def main(sizes: tuple[int, ...], *, engine: tuple[str, ...]) -> None:
    """Measure each of SIZES on each engine; without a server PostgreSQL is left out."""
    for name in engine or ("sqlite", "postgres"):
        for size in sizes:
            try:
                with _database(name) as url:
                    figures = asdict(measure_lookup(size, url=url))
            except NoPostgresError as error:
                click.echo(f"{name}: left out: {error}", err=True)
                break
            rounded = {key: round(value, 3) for key, value in figures.items()}
            click.echo(json.dumps({"engine": name, **rounded}))


@contextmanager
def _database(engine: str) -> Iterator[str]:
    if engine == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            yield f"sqlite:///{folder}/phx.db"
        return
    with throwaway_postgres() as server:
        yield server.create("bench")


if __name__ == "__main__":
    main()
