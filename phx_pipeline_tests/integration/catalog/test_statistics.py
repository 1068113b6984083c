from collections import Counter
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.door import recount
from phx_pipeline.catalog.engine import writing
from phx_pipeline.catalog.rows import ref_values
from phx_pipeline.catalog.store import Catalog
from phx_pipeline.model.outcome import Verdict, VerdictKind
from phx_pipeline.model.quarantine import Likeness, Lookalike, PhotoAt
from phx_pipeline.model.source import LETTERED, Source
from phx_pipeline.model.totals import PhotoTotals, Statistics
from phx_pipeline_tests.bare_hashes import add_hashes
from phx_pipeline_tests.integration.conftest import STAMP, Scene, house_at, ref


def _put(
    engine: sa.Engine, slug: str, *, source: Source, verdicts: Sequence[Verdict]
) -> None:
    """Write photo rows as they are."""
    rows: list[dict[str, Any]] = [
        {
            "slug": slug,
            "first_seen_on": STAMP.today,
            "present": True,
            "run_id": STAMP.run_id,
            "source": source.value,
            "photo_key": str(number),
            **ref_values(ref(str(number))),
            "verdict": verdict.value,
        }
        for number, verdict in enumerate(verdicts)
    ]
    with writing(engine) as connection:
        connection.execute(sa.insert(tables.photo), rows)
        recount(connection, slug)


def _add_houses(catalog: Catalog, count: int) -> list[str]:
    houses = [house_at(number) for number in range(1, count + 1)]
    return [house.slug for house in catalog.add_properties(houses, at=STAMP.at)]


def _bins(totals: PhotoTotals) -> dict[str, int]:
    return {kind.value: count for kind, count in totals.counts.items() if count}


def test_an_empty_catalogue_has_nothing(catalog: Catalog) -> None:
    found = catalog.statistics.read()

    assert found == Statistics(
        properties=0,
        removed=0,
        photos=PhotoTotals(properties=0, counts=dict.fromkeys(VerdictKind, 0)),
        by_source={},
        hashes=0,
        distinct_phashes=0,
        alike=dict.fromkeys(Likeness, 0),
    )


def test_every_photo_is_in_one_bin_of_its_source(
    engine: sa.Engine, catalog: Catalog
) -> None:
    one, two, _ = _add_houses(catalog, 3)
    _put(engine, one, source=Source.REDFIN, verdicts=list(Verdict))
    _put(engine, one, source=Source.ZILLOW, verdicts=[Verdict.KEPT, Verdict.KEPT])
    _put(engine, two, source=Source.ZILLOW, verdicts=[Verdict.DUPLICATE])

    found = catalog.statistics.read()

    expected = Counter(verdict.kind.value for verdict in Verdict)
    assert list(found.by_source) == [Source.ZILLOW, Source.REDFIN]
    assert _bins(found.by_source[Source.REDFIN]) == expected
    assert _bins(found.by_source[Source.ZILLOW]) == {"kept": 2, "duplicate": 1}
    assert _bins(found.photos) == expected + Counter(kept=2, duplicate=1)
    assert found.photos.discovered == len(Verdict) + 3


def test_the_sums_are_those_of_the_tallies(engine: sa.Engine, catalog: Catalog) -> None:
    for number, slug in enumerate(_add_houses(catalog, 4)):
        verdicts = list(Verdict)[number : number + 3]
        _put(engine, slug, source=Source.REDFIN, verdicts=verdicts)
        _put(engine, slug, source=Source.MARICOPA, verdicts=verdicts[number % 3 :])

    found = catalog.statistics.read()

    tallies = catalog.tallies(LETTERED)
    for kind in VerdictKind:
        assert found.photos.counts[kind] == sum(it.count(kind) for it in tallies)
    assert found.photos.discovered == sum(it.discovered for it in tallies)


def test_a_property_counts_once_however_many_sources_have_photos_of_it(
    engine: sa.Engine, catalog: Catalog
) -> None:
    one, two, three, _ = _add_houses(catalog, 4)
    for slug, source in (
        (one, Source.REDFIN),
        (one, Source.ZILLOW),
        (two, Source.ZILLOW),
        (three, Source.ZILLOW),
    ):
        _put(engine, slug, source=source, verdicts=[Verdict.KEPT] * 3)

    found = catalog.statistics.read()

    owners = {source: totals.properties for source, totals in found.by_source.items()}
    assert owners == {Source.REDFIN: 1, Source.ZILLOW: 3}
    assert (found.photos.properties, found.properties) == (3, 4)


def test_a_removed_property_is_counted_apart(
    engine: sa.Engine, catalog: Catalog
) -> None:
    slug, _ = _add_houses(catalog, 2)
    with writing(engine) as connection:
        house = tables.house
        removed = sa.update(house).where(house.c.slug == slug)
        connection.execute(removed.values(removed_at=STAMP.at))

    found = catalog.statistics.read()

    assert (found.properties, found.removed) == (1, 1)


def test_equal_hashes_of_different_bytes_are_one_phash(
    engine: sa.Engine, catalog: Catalog
) -> None:
    hashes = [0, 0, 2**63, 2**64 - 1]
    rows = enumerate(hashes)
    add_hashes(engine, ((str(number) * 64, value, 0) for number, value in rows))

    found = catalog.statistics.read()

    assert (found.hashes, found.distinct_phashes) == (4, 3)


def test_pairs_that_agree_are_counted_by_likeness(scene: Scene) -> None:
    other = house_at(9)
    scene.catalog.add_properties([other], at=STAMP.at)
    pairs = [
        Lookalike(
            one=PhotoAt(slug=scene.slug, source=Source.REDFIN, photo_key=str(number)),
            other=PhotoAt(slug=other.slug, source=Source.REDFIN, photo_key="a"),
            likeness=likeness,
        )
        for number, likeness in enumerate(
            [Likeness.SAME_BYTES, Likeness.SAME_BYTES, Likeness.NEAR_IDENTICAL]
        )
    ]
    scene.catalog.quarantine.record_lookalikes(
        scene.lease, scene.slug, pairs, at=STAMP.at
    )

    found = scene.catalog.statistics.read()

    assert found.alike == {
        Likeness.PHOTO_KEY: 0,
        Likeness.SAME_BYTES: 2,
        Likeness.NEAR_IDENTICAL: 1,
    }
