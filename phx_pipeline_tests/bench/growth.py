"""What one property costs in a catalogue that grows.

    .venv/bin/python -m phx_pipeline_tests.bench.growth 10 1000 10000 [--runs 1000]

For each number of properties, each with 40 kept photos: what it costs to publish one of
them (rows, folder of 40 files, look-alikes), in processor time, and as a ratio to the
first number; `phx rebuild --views`, with the memory it takes, and again with nothing
new; the views of the history alone; `phx status`; and `phx properties add` of a
10,000-row CSV. The rows are written straight into the tables.
"""

import csv
import json
import random
import resource
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import click
import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.door import recount
from phx_pipeline.catalog.engine import open_engine, writing
from phx_pipeline.catalog.rows import property_values, signed
from phx_pipeline.imaging.recipe import recipe_name
from phx_pipeline.model.address import Address
from phx_pipeline.model.identity import image_id, property_lease
from phx_pipeline.model.job import Mode
from phx_pipeline.model.property import Property
from phx_pipeline.model.source import Source
from phx_pipeline.model.taxonomy import Location, Subject
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.publish import publish
from phx_pipeline.stages.views import refresh_views
from phx_pipeline_tests.deployment import ROOT, Deployment
from phx_pipeline_tests.postgres import throwaway_postgres

_PHOTOS: Final = 40
_ROUNDS: Final = 9
_ADDED: Final = 10_000
_CITIES = ("Phoenix", "Glendale", "Mesa", "Peoria", "Tempe")
_STREETS = ("Davis Rd", "Corrine Dr", "Sunrise Dr", "Gary Cir", "Claremont St")
_AT = datetime(2026, 1, 15, tzinfo=UTC)
_DAY = date(2026, 1, 15)
_PATIENCE_S: Final = 3600.0
_BATCH: Final = 500  # properties in one transaction
_RUN = {"run_id": "growth"}
_SIZE = {"width": 1024, "height": 768}


@click.command()
@click.argument("sizes", nargs=-1, type=int, required=True)
@click.option("--engine", type=click.Choice(["sqlite", "postgres"]), default="sqlite")
@click.option("--runs", default=0, show_default=True, help="Of the history.")
def main(sizes: tuple[int, ...], *, engine: str, runs: int) -> None:
    """Measure at each of SIZES, a JSON line each; ratios are to the first."""
    first = 0.0
    for size in sizes:
        with _deployment(engine) as made:
            figures = _measure(made, size, runs=runs)
        first = first or figures["publish, CPU s"]
        figures["publish, ratio"] = figures["publish, CPU s"] / first
        rounded = {name: round(value, 3) for name, value in figures.items()}
        whose = {"engine": engine, "properties": size, "runs": runs}
        click.echo(json.dumps({**whose, **rounded}))


@contextmanager
def _deployment(engine: str) -> Iterator[Deployment]:
    with tempfile.TemporaryDirectory() as folder:
        if engine == "sqlite":
            with Deployment(Path(folder), {}) as made:
                yield made
            return
        with (
            throwaway_postgres() as server,
            Deployment(Path(folder), {}, catalog_url=server.create("growth")) as made,
        ):
            yield made


def _measure(made: Deployment, size: int, *, runs: int) -> dict[str, float]:
    with made.context() as context:
        engine = _engine(made)
        slugs = fill(context, engine, size)
        _fill_runs(engine, slugs, runs)
        engine.dispose()
        rebuilt = _rebuilding(made)
        published = _publishing(context, slugs)
        refresh_views(context)
        with context.catalog.leases.hold(property_lease(slugs[0]), owner="me") as lease:
            context.catalog.runs.record_started(
                lease,
                slugs[0],
                mode=Mode.RESUME,
                job_id=None,
                photos=(),
                interrupted={},
                stamp=context.stamp(),
            )
        history = _cpu_s(lambda: refresh_views(context))
    return {
        "publish, CPU s": published,
        **rebuilt,
        "history, CPU s": history,
        "status, s": _seconds(lambda: _command(made, "status")),
        "status --json, s": _seconds(lambda: _command(made, "status", "--json")),
        f"add {_ADDED} rows, s": _adding(made),
    }


def _publishing(context: StageContext, slugs: Sequence[str]) -> float:
    """The median time to publish a property whose folder is to be made."""
    spent = []
    for slug in random.Random(5).sample(slugs, k=min(_ROUNDS, len(slugs))):  # noqa: S311 - a choice, not a secret
        _store_pictures(context, slug)
        shutil.rmtree(context.layout.folder(context.house(slug).folder), True)
        spent.append(_cpu_s(partial(publish, context, slug)))
    return statistics.median(spent)


def _rebuilding(made: Deployment) -> dict[str, float]:
    """What `phx rebuild --views` takes, of a process of its own."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    _command(made, "rebuild", "--views")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    _command(made, "rebuild", "--views")
    again = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "rebuild --views, CPU s": _spent(after) - _spent(before),
        "again, CPU s": _spent(again) - _spent(after),
        "rebuild --views, MB": again.ru_maxrss / 1000,  # the most of any child
    }


def _spent(used: resource.struct_rusage) -> float:
    return used.ru_utime + used.ru_stime


def _cpu_s(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def _adding(made: Deployment) -> float:
    path = made.root / "houses.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["full_address"])
        houses = _houses(_ADDED, zip_code=85201)
        rows.writerows([str(house.address)] for house in houses)
    return _seconds(lambda: _command(made, "properties", "add", str(path)))


def _command(made: Deployment, *arguments: str) -> None:
    # A child of its own: the forks that tests make are another process's.
    done = subprocess.run(  # noqa: S603 - our own command
        made.command(*arguments),
        env=made.env,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=_PATIENCE_S,
        check=False,
    )
    if done.returncode:
        raise click.ClickException(f"phx {' '.join(arguments)}: {done.stderr}")


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _engine(made: Deployment) -> sa.Engine:
    return open_engine(
        made.settings.catalog_url or f"sqlite:///{made.settings.data_dir / 'phx.db'}"
    )


# --- rows


def fill(context: StageContext, engine: sa.Engine, size: int) -> list[str]:
    """Write *size* properties with 40 kept, categorized and published photos each."""
    slugs = fill_rows(engine, size, recipe=recipe_name(max_side=context.max_side))
    engine.dispose()
    return slugs


def fill_rows(engine: sa.Engine, size: int, *, recipe: str) -> list[str]:
    """As `fill`, for an engine that goes on being used."""
    chance = random.Random(11)  # noqa: S311 - pictures, not secrets
    houses = list(_houses(size, zip_code=85001))
    for start in range(0, size, _BATCH):
        with writing(engine) as connection:
            for table, rows in _rows(houses[start : start + _BATCH], recipe, chance):
                connection.execute(sa.insert(table), rows)
            for house in houses[start : start + _BATCH]:
                recount(connection, house.slug)
    return [house.slug for house in houses]


def _fill_runs(engine: sa.Engine, slugs: Sequence[str], count: int) -> None:
    """Write *count* runs that ended, one after the other, of one house each."""
    counts = {"new": _PHOTOS, "unchanged": 0}
    source = {"outcome": "listed", "detail": "", "seconds": 1.0, "removed": 0}
    rows = [
        {
            "run_id": str(uuid4()),
            "slug": (slug := slugs[number % len(slugs)]),
            "mode": "resume",
            "outcome": "complete",
            "started_at": (at := _AT + timedelta(minutes=number)),
            "ended_at": at + timedelta(seconds=50),
            "result": {
                "sources": {"redfin": {**source, "counts": counts}},
                "new_image_ids": [image_id(slug, str(n)) for n in range(_PHOTOS)],
            },
        }
        for number in range(count)
    ]
    if rows:
        with writing(engine) as connection:
            connection.execute(sa.insert(tables.run), rows)


def _houses(size: int, *, zip_code: int) -> Iterator[Property]:
    for number in range(size):
        street, city = _STREETS[number % 5], _CITIES[number // 5 % 5]
        yield Property.at(
            Address.parse(f"{100 + number} W {street}, {city}, AZ {zip_code}")
        )


def _rows(
    houses: Sequence[Property], recipe: str, chance: random.Random
) -> Iterator[tuple[sa.Table, list[dict[str, Any]]]]:
    photos = [(house, number) for house in houses for number in range(_PHOTOS)]
    yield tables.house, [{**property_values(it), "added_at": _AT} for it in houses]
    yield tables.listing, [_listing(house) for house in houses]
    yield tables.blob, [_blob(*it, chance=chance) for it in photos]
    yield tables.picture, [_picture(*it, recipe=recipe) for it in photos]
    yield tables.photo, [_photo(*it) for it in photos]
    yield tables.attempt, [_attempt(*it) for it in photos]
    yield tables.category, [_category(*it) for it in photos]
    yield tables.publication, [_publication(*it, recipe=recipe) for it in photos]


def _key(house: Property, number: int) -> dict[str, str]:
    key = f"57-{house.folder}_{number}"
    return {"slug": house.slug, "source": Source.REDFIN.value, "photo_key": key}


def _raw(house: Property, number: int) -> str:
    return sha256(f"{house.slug} {number}".encode()).hexdigest()


def _listing(house: Property) -> dict[str, Any]:
    said = {"outcome": "listed", "detail": "", "complete": True, "challenged": False}
    whose = {"slug": house.slug, "source": Source.REDFIN.value}
    return {**whose, **said, "checked_at": _AT, **_RUN}


def _blob(house: Property, number: int, *, chance: random.Random) -> dict[str, Any]:
    # Real pHashes: the top bit is always set, the others about as often as not.
    hashes = {name: signed(chance.getrandbits(64)) for name in ("dhash", *_TRIMMED)}
    return {
        "sha256": _raw(house, number),
        "phash": signed(chance.getrandbits(63) | 1 << 63),
        **hashes,
        **_SIZE,
        "size_bytes": 180_000,
        "media_type": "image/jpeg",
    }


_TRIMMED = ("trimmed_phash", "trimmed_dhash")


def _picture(house: Property, number: int, *, recipe: str) -> dict[str, Any]:
    raw = _raw(house, number)
    whose = {"sha256": raw, "recipe": recipe, "png_sha256": raw[::-1]}
    return {**whose, "size_bytes": 900_000, **_SIZE}


def _photo(house: Property, number: int) -> dict[str, Any]:
    raw = _raw(house, number)
    url = f"https://ssl.cdn-redfin.com/photo/57/bigphoto/{house.folder}_{number}.jpg"
    return {
        **_key(house, number),
        "url": url,
        "asked_url": url,
        "fetched_url": url,
        "fallback_urls": [],
        "position": number,
        "caption": "",
        "tags": [],
        "present": True,
        "listed_on": _DAY,
        "first_seen_on": _DAY,
        "downloaded_at": _AT,
        "verdict": "kept",
        "detail": "",
        "sha256": raw,
        **_SIZE,
        **_RUN,
        "cluster_id": image_id(house.slug, raw),
    }


def _attempt(house: Property, number: int) -> dict[str, Any]:
    url = _photo(house, number)["url"]
    what = {"url": url, "at": _AT, "result": "ok"}
    return {**_key(house, number), **what, **_RUN}


def _category(house: Property, number: int) -> dict[str, Any]:
    what = {"location": Location.INTERIOR.value, "subject": _subject(number).value}
    return {**_key(house, number), **what, "confidence": 95, "votes": []}


def _subject(number: int) -> Subject:
    return (Subject.KITCHEN, Subject.BEDROOM, Subject.BATHROOM, Subject.LIVING)[
        number % 4
    ]


def _publication(house: Property, number: int, *, recipe: str) -> dict[str, Any]:
    sequence = number // 4 + 1
    tail = f"_{sequence:02}" if sequence > 1 else ""
    subject = _subject(number).value
    name = f"{house.folder}_int_{subject}_95_r_20260115{tail}.png"
    return {
        **_key(house, number),
        "location": "int",
        "subject": subject,
        "sequence": sequence,
        "active": True,
        "file_name": name,
        "sha256": _raw(house, number),
        "recipe": recipe,
        "processed_at": _AT,
        **_RUN,
    }


def _store_pictures(context: StageContext, slug: str) -> None:
    recipe = recipe_name(max_side=context.max_side)
    for photo in context.catalog.photos(slug):
        raw = str(photo.sha256)
        context.blobs.put_standardized(raw, recipe, raw.encode())


if __name__ == "__main__":
    main()
