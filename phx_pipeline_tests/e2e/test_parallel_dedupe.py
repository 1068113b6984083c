"""Several processes on one store at once: nothing lost, nothing double, one result."""

import asyncio
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phx_pipeline.demo.houses import HOUSES
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.model.address import Address
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.outcome import ListingOutcome, Verdict
from phx_pipeline.model.photo import Blob, Photo
from phx_pipeline.model.source import Source
from phx_pipeline.stages.categorize import categorize
from phx_pipeline.stages.collect import collect
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.dedupe import DedupeReport, dedupe
from phx_pipeline.stages.discover import discover
from phx_pipeline.stages.publish import publish
from phx_pipeline.stages.views import refresh_views
from phx_pipeline.workflows.intake import add_properties
from phx_pipeline.workflows.verify import content_digest, verify_property, verify_views
from phx_pipeline_tests.deployment import (
    ROOT,
    SMALLEST,
    Deployment,
    slug_of,
    with_shots,
)
from phx_pipeline_tests.forked import ended, start_phx

(_MARIGOLD_HOLLOW,) = (house for house in HOUSES if house.street == "Marigold Hollow")
# Ordinary ones, one turned by its EXIF tag, one damaged, and a copy; one that is gone.
TWO = (
    with_shots(SMALLEST, 0, 2, 3, 4, 5, 6, 9),
    with_shots(_MARIGOLD_HOLLOW, 0, 1, 2, 5, 6),
)

pytestmark = pytest.mark.xdist_group("parallel")  # all need the same reference

_LIMIT_S = 300
_numbers = count(1)

# Waits for a line, so that all begin together.
_DEDUPE = """
import sys

from phx_pipeline.settings import load_settings
from phx_pipeline.stages.dedupe import dedupe
from phx_pipeline.wiring.runs import build_context

context = build_context(load_settings(), run_id=sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
for slug in sys.argv[2:]:
    report = dedupe(context, slug)
    print(slug, report.decided, report.encoded)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Undisturbed:
    """What one process makes of both houses, one after the other."""

    made: Deployment
    digest: str
    pictures: Mapping[str, bytes]
    reports: Mapping[str, DedupeReport]
    asked: Counter[str]


def _collect(context: StageContext, slugs: Sequence[str]) -> None:
    for slug in slugs:
        asyncio.run(discover(context, slug))
        asyncio.run(collect(context, slug))


def _publish(context: StageContext, slugs: Sequence[str]) -> None:
    for slug in slugs:
        categorize(context, slug)
        publish(context, slug)


def _pictures(made: Deployment) -> dict[str, bytes]:
    """The published files; the views also tell times and runs."""
    files = made.files()
    return {path: files[path] for path in files if path.startswith("processed/")}


def _problems(context: StageContext) -> list[str]:
    refresh_views(context)
    found = [
        it for slug in context.catalog.slugs() for it in verify_property(context, slug)
    ]
    return [it.text for it in [*found, *verify_views(context)]]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Undisturbed]:
    with Deployment(tmp_path_factory.mktemp("undisturbed"), redfin_sites(TWO)) as made:
        slugs = made.add_houses(TWO)
        with made.context() as context:
            _collect(context, slugs)
            reports = {slug: dedupe(context, slug) for slug in slugs}
            _publish(context, slugs)
            digest = content_digest(context)
        yield Undisturbed(
            made=made,
            digest=digest,
            pictures=_pictures(made),
            reports=reports,
            asked=Counter(made.photos_asked()),
        )


@pytest.fixture
def deployment(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Deployment]:
    """An installation without properties, on each engine."""
    url = None
    if request.param == "postgres":
        server = request.getfixturevalue("postgres_server")
        url = server.create(f"parallel_{next(_numbers)}")
    with Deployment(tmp_path, redfin_sites(TWO), catalog_url=url) as made:
        yield made


def on_one(kind: str, *, otherwise: str) -> pytest.MarkDecorator:
    """On one engine; on the other in a soak: both lock alike, as leases show."""
    other = pytest.param(otherwise, marks=pytest.mark.soak)
    return pytest.mark.parametrize("deployment", [kind, other], indirect=True)


def _dedupe_at_once(
    made: Deployment, works: Sequence[Sequence[str]]
) -> list[tuple[str, int, int]]:
    """Dedupe each list of properties in a process of its own; return all reports."""
    runs = [
        subprocess.Popen(  # noqa: S603 - the tests' own command
            [sys.executable, "-c", _DEDUPE, f"run-{number}", *slugs],
            env=made.env,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number, slugs in enumerate(works)
    ]
    for run in runs:
        assert run.stdout is not None
        assert run.stdout.readline() == "ready\n"
    for run in runs:
        assert run.stdin is not None
        run.stdin.write("\n")
        run.stdin.flush()
    told = [run.communicate(timeout=_LIMIT_S)[0] for run in runs]
    assert [run.returncode for run in runs] == [0] * len(runs)
    lines = [line.split() for text in told for line in text.splitlines()]
    return [(slug, int(decided), int(encoded)) for slug, decided, encoded in lines]


@on_one("postgres", otherwise="sqlite")
def test_processes_that_dedupe_at_once_share_the_work(
    deployment: Deployment, undisturbed: Undisturbed
) -> None:
    slugs = deployment.add_houses(TWO)
    with deployment.context() as context:
        _collect(context, slugs)

    reports = _dedupe_at_once(deployment, [slugs, slugs[::-1]])

    decided, encoded = Counter[str](), Counter[str]()
    for slug, changed, made in reports:
        decided[slug] += changed
        encoded[slug] += made
    assert len(reports) == 4
    expected = undisturbed.reports
    assert decided == {slug: report.decided for slug, report in expected.items()}
    assert encoded == {slug: report.encoded for slug, report in expected.items()}
    with deployment.context() as context:
        _publish(context, slugs)
        assert _problems(context) == []
        assert content_digest(context) == undisturbed.digest
    assert _pictures(deployment) == undisturbed.pictures


@on_one("sqlite", otherwise="postgres")
def test_the_same_properties_may_be_extracted_twice_at_once(
    deployment: Deployment, undisturbed: Undisturbed
) -> None:
    deployment.add_houses(TWO)
    runs = [start_phx("extract", "--all", "--sync", env=deployment.env) for _ in "ab"]

    codes = [ended(run, patience_s=_LIMIT_S) for run in runs]

    assert codes == [0, 0]
    assert Counter(deployment.photos_asked()) == undisturbed.asked
    with deployment.context() as context:
        assert _problems(context) == []
        assert content_digest(context) == undisturbed.digest
    assert _pictures(deployment) == undisturbed.pictures


# --- any split


@dataclass(frozen=True, slots=True, kw_only=True)
class Collectors:
    """Two connections to one store that has the bytes of a gallery."""

    contexts: tuple[StageContext, StageContext]
    gallery: Sequence[Photo]
    blobs: Mapping[str, Blob]
    groups: frozenset[frozenset[str]]
    kept: frozenset[str]


@pytest.fixture(scope="module")
def collectors(undisturbed: Undisturbed) -> Iterator[Collectors]:
    """The smallest house, whose bytes are stored; what was decided in one go."""
    made, slug = undisturbed.made, slug_of(TWO[0])
    with made.context("left") as left, made.context("right") as right:
        kept, groups = _decided(left, slug)
        yield Collectors(
            contexts=(left, right),
            gallery=[photo for photo in left.catalog.photos(slug) if photo.sha256],
            blobs=left.catalog.blobs(slug),
            groups=groups,
            kept=kept,
        )


def _decided(
    context: StageContext, slug: str
) -> tuple[frozenset[str], frozenset[frozenset[str]]]:
    """Return the keys that are kept, and those of each cluster."""
    kept, groups = set(), defaultdict(set)
    for photo in context.catalog.photos(slug):
        if photo.verdict is Verdict.KEPT:
            kept.add(photo.ref.photo_key)
        if photo.cluster_id is not None:
            groups[photo.cluster_id].add(photo.ref.photo_key)
    return frozenset(kept), frozenset(map(frozenset, groups.values()))


def _another_house(context: StageContext, gallery: Sequence[Photo]) -> str:
    """Add a house that lists the same photos, none downloaded yet."""
    address = Address.parse(f"{next(_numbers)} W Split Rd, Phoenix, AZ 85001")
    add_properties(context, [address])
    listing = Listing(
        source=Source.REDFIN,
        outcome=ListingOutcome.LISTED,
        photos=tuple(photo.ref for photo in gallery),
        complete=True,
    )
    with context.holding(address.slug) as lease:
        context.catalog.record_listing(
            lease, address.slug, listing, stamp=context.stamp()
        )
    return address.slug


def _download(context: StageContext, slug: str, key: str, blob: Blob) -> None:
    photos = {photo.ref.photo_key: photo for photo in context.catalog.photos(slug)}
    url = photos[key].ref.url
    with context.holding(slug) as lease:
        context.catalog.record_download(
            lease, photos[key], blob, fetched_url=url, stamp=context.stamp()
        )


@settings(max_examples=12)
@given(data=st.data())
def test_any_split_between_two_collectors_keeps_the_same_photos(
    data: st.DataObject, collectors: Collectors
) -> None:
    gallery = collectors.gallery
    order = data.draw(st.permutations(gallery))
    turns = data.draw(
        st.lists(st.booleans(), min_size=len(gallery), max_size=len(gallery))
    )
    pauses = data.draw(st.sets(st.sampled_from(range(len(gallery))), max_size=3))
    slug = _another_house(collectors.contexts[0], gallery)

    for number, (photo, turn) in enumerate(zip(order, turns, strict=True)):
        context = collectors.contexts[turn]
        blob = collectors.blobs[str(photo.sha256)]
        _download(context, slug, photo.ref.photo_key, blob)
        if number in pauses:
            dedupe(collectors.contexts[not turn], slug)
    dedupe(collectors.contexts[turns[0]], slug)

    kept, groups = _decided(collectors.contexts[0], slug)
    assert kept == collectors.kept
    assert groups == collectors.groups
