"""What `phx changes` takes in a catalogue of many houses, after a year of changes.

    python -m phx_pipeline_tests.bench.changes [--houses 10000] [--days 365]

On each day two houses of a hundred cost less and have three more photos; beside what is
told of that, other rows note verdicts, as they do in a catalogue that was lived in. The
rows are written straight into the tables. Each command is a process of its own; the
least of its rounds is printed, its start included.
"""

import random
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import click
import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import open_engine, writing
from phx_pipeline.catalog.rows import property_values
from phx_pipeline.model.change import What
from phx_pipeline.model.moments import PHOENIX
from phx_pipeline_tests.deployment import Deployment
from phx_pipeline_tests.loading import cpu_of
from phx_pipeline_tests.mornings import houses

_CHANGED, _MORE = 0.02, 3  # of the houses on a day, photos of such a house
_VERDICTS: Final = 0.52  # a house and day
_DAY: Final = timedelta(days=1)
_ROUNDS: Final = 3


@click.command()
@click.option("--houses", "count", default=10_000, show_default=True)
@click.option("--days", default=365, show_default=True)
def main(*, count: int, days: int) -> None:
    """Print how many rows there are, and the CPU seconds of each command."""
    with TemporaryDirectory() as folder, Deployment(Path(folder), {}) as made:
        rows = _fill(made, count, days)
        click.echo(f"{count} houses, {rows} rows")
        week = (datetime.now(PHOENIX) - 7 * _DAY).date().isoformat()
        for more in ((), ("--since", week), ("--since", week, "--limit", "10000")):
            phx = ["-m", "phx_pipeline.cli.main", "changes", *more]
            spent = min(cpu_of(phx, made.env) for _ in range(_ROUNDS))
            click.echo(f"phx changes {' '.join(more)}: {spent:.2f} CPU s")
            sys.stdout.flush()


def _fill(made: Deployment, count: int, days: int) -> int:
    engine = open_engine(f"sqlite:///{made.settings.data_dir / 'phx.db'}")
    first = datetime.now(UTC) - days * _DAY
    some, dice, written = houses(count), random.Random(7), 0  # noqa: S311 - rows, not secrets
    with writing(engine) as connection:
        own = [{**property_values(it), "added_at": first} for it in some]
        connection.execute(sa.insert(tables.house), own)
    slugs = [it.slug for it in some]
    for number in range(days):
        rows = list(_day(slugs, first + number * _DAY, dice))
        with writing(engine) as connection:
            connection.execute(sa.insert(tables.change), rows)
        written += len(rows)
    engine.dispose()
    return written


def _day(
    slugs: list[str], at: datetime, dice: random.Random
) -> Iterator[dict[str, Any]]:
    for slug in dice.choices(slugs, k=int(len(slugs) * _VERDICTS)):
        key = f"p{dice.randrange(40)}"
        yield _row(slug, What.VERDICT, "pending", "kept", at, key)
    for slug in dice.sample(slugs, k=int(len(slugs) * _CHANGED)):
        price = dice.randrange(300, 900) * 1000
        yield _row(slug, What.PRICE, str(price), str(price - 5000), at)
        for number in range(_MORE):
            yield _row(slug, What.ADDED, "", "", at, f"{at:%j}-{number}")
        yield _row(slug, What.GALLERY, "40", str(40 + _MORE), at)


def _row(
    slug: str, what: What, before: str, after: str, at: datetime, key: str = ""
) -> dict[str, Any]:
    own = {"slug": slug, "source": "redfin", "photo_key": key, "what": what.value}
    return {**own, "before": before, "after": after, "at": at, "run_id": "bench"}


if __name__ == "__main__":
    main()
