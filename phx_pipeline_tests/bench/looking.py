"""What a look at houses at which nothing changed takes in Dagster, start included.

    python -m phx_pipeline_tests.bench.looking [--houses 35] [--photos 3]

The stand-in of Redfin shows the houses, and they were collected a day ago: what says so
is moved back in the tables. Then `dagster job execute` does the job in a process of its
own, which has no warm worker to start from. `daily` measures the look alone, and many
more houses.
"""

import asyncio
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import open_engine, writing
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.settings.handed_on import environment
from phx_pipeline.stages.extract import extract
from phx_pipeline_tests.bench.throughput import children_cpu_s, full_houses
from phx_pipeline_tests.deployment import ROOT, Deployment

_DAY = timedelta(days=1)


@click.command()
@click.option("--houses", "count", default=35, show_default=True)
@click.option("--photos", default=3, show_default=True)
def main(*, count: int, photos: int) -> None:
    """Print what the look told, and its CPU seconds."""
    houses = full_houses(count, photos=photos)
    sites = redfin_sites(houses)
    with TemporaryDirectory() as folder, Deployment(Path(folder), sites) as made:
        made.add_houses(houses)
        with made.context() as context:
            for slug in context.catalog.slugs():
                asyncio.run(extract(context, slug))
        _let_a_day_pass(made)
        before_s = children_cpu_s()
        _look(made)
        spent_s = children_cpu_s() - before_s
        with made.context() as context:
            day = context.catalog.looks.last_day()
        click.echo(f"{day}\n{spent_s:.1f} CPU s")


def _let_a_day_pass(made: Deployment) -> None:
    engine = open_engine(f"sqlite:///{made.settings.data_dir / 'phx.db'}")
    listing, day = tables.listing, tables.fact_day
    with writing(engine) as connection:
        for row in connection.execute(sa.select(listing)).all():
            shown_at = row.gallery_seen_at and row.gallery_seen_at - _DAY
            moved = {"checked_at": row.checked_at - _DAY, "gallery_seen_at": shown_at}
            this = sa.and_(listing.c.slug == row.slug, listing.c.source == row.source)
            connection.execute(sa.update(listing).where(this).values(moved))
        for said in connection.execute(sa.select(day)).all():
            own = sa.update(day).where(day.c.slug == said.slug)
            connection.execute(own.values(seen_on=said.seen_on - _DAY))
    engine.dispose()


def _look(made: Deployment) -> None:
    execute = ["-m", "dagster", "job", "execute", "-m", "phx_pipeline.definitions"]
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, *execute, "-j", "look_at_houses"],
        env=made.env | environment(made.settings),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise click.ClickException(done.stderr[-3000:])


if __name__ == "__main__":
    main()
