"""Pages of hostile fields, the whole way: store, terminal, UI, views and log."""

import dataclasses
import itertools
import json
import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pytest
import sqlalchemy as sa
from markdown_it import MarkdownIt
from PIL import Image

from phx_pipeline.catalog import tables
from phx_pipeline.definitions import build_definitions
from phx_pipeline.defs.jobs import extract_property
from phx_pipeline.defs.partitions import PROPERTIES
from phx_pipeline.demo.loopback import Answer, Asked, Handler
from phx_pipeline.model.address import Address
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.printable import shown_only
from phx_pipeline.model.source import Source
from phx_pipeline.stages.context import StageContext
from phx_pipeline_tests.commands import Phx
from phx_pipeline_tests.deployment import Deployment
from phx_pipeline_tests.hostile import (
    TEXTS,
    RedfinPage,
    RedfinSearch,
    ZillowPage,
    changed,
)

HOUSE = Address.parse("1418 E Quail Whistle Ln, Phoenix, AZ 85042")
SLUG = HOUSE.slug
HOSTILE = re.compile(r"evil\.example|alert\(|comment -->|---\|")
TAKEN = frozenset({ListingOutcome.LISTED, ListingOutcome.OFF_MARKET})
COMMANDS = (
    ("extract", "--all", "--sync", "--fresh"),
    ("status", "--all"),
    ("status", "--all", "--json"),
    ("images", SLUG),
    ("images", SLUG, "--json"),
    ("images", SLUG, "--not-kept"),
    ("images", SLUG, "--not-kept", "--json"),
    ("properties", "show", SLUG),
    ("properties", "show", SLUG, "--json"),
    ("quarantine", "list", "--all"),
    ("verify",),
)


class Sites:
    """Both sites; every field that does not say whose page it is holds a text."""

    def __init__(self, start: int) -> None:
        self.texts = itertools.islice(itertools.cycle(TEXTS), start, None)

    def handlers(self) -> dict[str, Handler]:
        """What answers for each host."""
        return {
            "www.redfin.com": self.redfin,
            "www.zillow.com": self.zillow,
            "ssl.cdn-redfin.com": photo,
            "photos.zillowstatic.com": photo,
        }

    def redfin(self, asked: Asked) -> Answer:
        """The address search, or the listing."""
        is_search = asked.target.startswith("/stingray")
        return self._hostile(RedfinSearch() if is_search else RedfinPage())

    def zillow(self, _asked: Asked) -> Answer:
        """The listing, wherever it was asked for."""
        return self._hostile(ZillowPage())

    def _hostile(self, page: RedfinSearch | RedfinPage | ZillowPage) -> Answer:
        kept = page.whose | page.where
        tree = changed(
            page.tree, lambda name, it: it if name in kept else next(self.texts)
        )
        headers = {"content-type": "text/html; charset=utf-8"}
        return Answer(body=page.body(tree), headers=headers)


def photo(asked: Asked) -> Answer:
    """A picture like no other."""
    seed = int(sha256(asked.target.encode()).hexdigest()[:8], 16)
    small = np.random.default_rng(seed).integers(0, 256, (24, 36, 3), dtype=np.uint8)
    body = BytesIO()
    Image.fromarray(small).resize((480, 320), Image.Resampling.BICUBIC).save(
        body, "JPEG"
    )
    return Answer(body=body.getvalue(), headers={"content-type": "image/jpeg"})


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """What a run in Dagster left, and what it wrote to Dagster and to the log."""

    deployment: Deployment
    instance: dg.DagsterInstance
    run: dg.ExecuteInProcessResult


@pytest.fixture(params=range(0, len(TEXTS), 100))
def collected(
    request: pytest.FixtureRequest, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> Iterator[Collected]:
    caplog.set_level(logging.DEBUG, logger="phx_pipeline")
    logs = {"managed_python_loggers": ["phx_pipeline"], "python_log_level": "DEBUG"}
    sites = Sites(request.param).handlers()
    sources = (Source.REDFIN, Source.ZILLOW)
    with (
        Deployment(tmp_path, sites, sources=sources) as made,
        dg.DagsterInstance.ephemeral(settings={"python_logs": logs}) as instance,
    ):
        made.add([str(HOUSE)])
        instance.add_dynamic_partitions(str(PROPERTIES.name), [SLUG])
        with made.context() as context:
            run = run_in(context, instance)
        yield Collected(deployment=made, instance=instance, run=run)


def run_in(
    context: StageContext, instance: dg.DagsterInstance
) -> dg.ExecuteInProcessResult:
    defs = build_definitions(resources={"pipeline": context})
    job = defs.resolve_job_def(extract_property.name)
    return job.execute_in_process(
        partition_key=SLUG, instance=instance, raise_on_error=False
    )


def strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from strings(list(value.items()))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from strings(inner)


def raw(texts: Iterable[str]) -> list[str]:
    """Those that hold what an eye or a terminal is misled by."""
    return [text for text in texts if text != shown_only(text)]


def rows(context: StageContext) -> Iterator[str]:
    """Every text of every row of the store."""
    with context.catalog._engine.connect() as connection:  # all, whatever it is
        for table in tables.metadata.sorted_tables:
            for row in connection.execute(sa.select(table)):
                yield from strings(list(row))


def events(collected: Collected) -> list[Any]:
    """Every event of the run and every line it logged, as Dagster stores them."""
    entries = collected.instance.all_logs(collected.run.run_id)
    return [json.loads(dg.serialize_value(entry)) for entry in entries]


def rendered(collected: Collected) -> Iterator[str]:
    """The metadata a browser renders: Markdown, and the cells of tables."""
    for entry in collected.instance.all_logs(collected.run.run_id):
        event = entry.dagster_event
        data: Any = event and event.event_specific_data
        made = getattr(data, "materialization", data)
        for value in (getattr(made, "metadata", None) or {}).values():
            if isinstance(value, dg.MarkdownMetadataValue):
                yield value.md_str or ""
            if isinstance(value, dg.TableMetadataValue):
                yield from strings([dict(record.data) for record in value.records])


def test_a_site_leaves_nothing_but_plain_text_anywhere(
    collected: Collected, phx_on: Phx, caplog: pytest.LogCaptureFixture
) -> None:
    ended = {line: phx_on(collected.deployment, *line) for line in COMMANDS}

    with collected.deployment.context() as context:
        sources = context.tally(SLUG).sources
        photos = context.catalog.photos(SLUG)
        stored = list(rows(context))
    assert collected.run.success
    assert (len(sources), len(photos)) == (2, 10)
    assert all(it.outcome in TAKEN for it in sources)
    assert ended["verify",].code == 0
    views = collected.deployment.views()
    # What was said did get here, as what it is.
    assert any(map(HOSTILE.search, stored))
    assert any(map(HOSTILE.search, views.values()))
    assert raw(stored) == []
    assert raw(views.values()) == []
    assert raw(strings([json.loads(text) for text in views.values()])) == []
    assert raw(text for it in ended.values() for text in (it.out, it.err)) == []
    assert raw(strings(events(collected))) == []
    logged = [record.getMessage() for record in caplog.records]
    assert raw(logged) == []
    assert any("photos; status" in line for line in logged)
    assert_only_text(rendered(collected))


def assert_only_text(shown: Iterator[str]) -> None:
    parser = MarkdownIt("commonmark", {"html": True}).enable("table")
    blocks = [block for text in shown for block in parser.parse(text)]
    tokens = [token for block in blocks for token in block.children or ()]

    assert not [block for block in blocks if block.type == "html_block"]
    assert {it.type for it in tokens} <= {"text", "code_inline", "image"}
    pictures = [str(it.attrs["src"]) for it in tokens if it.type == "image"]
    assert pictures != []
    assert all(source.startswith("data:image/jpeg;base64,") for source in pictures)
