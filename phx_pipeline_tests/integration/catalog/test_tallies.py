from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count, product
from typing import Any

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.door import kinds_of, recount
from phx_pipeline.catalog.engine import reading, writing
from phx_pipeline.catalog.leases import Leases
from phx_pipeline.catalog.rows import blob_values, ref_values
from phx_pipeline.catalog.store import Catalog
from phx_pipeline.model.due import is_photo_due
from phx_pipeline.model.outcome import ListingOutcome, Verdict, VerdictKind
from phx_pipeline.model.source import LETTERED, Source
from phx_pipeline_tests.integration.conftest import (
    STAMP,
    TTL_S,
    Scene,
    blob_of,
    gallery,
    house_at,
    ref,
)

BLOB = blob_of("bytes")
URL = "https://photos.example/now.jpg"
_houses = count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What decides whether a photo is wanted."""

    source: Source
    verdict: Verdict
    asked_url: str | None
    has_bytes: bool
    fault_days: int = 0


ALL_STATES = [
    State(
        source=Source.REDFIN,
        verdict=verdict,
        asked_url=asked_url,
        has_bytes=has_bytes,
        fault_days=days,
    )
    for verdict, asked_url, has_bytes, days in product(
        Verdict,
        (None, URL, "https://photos.example/earlier.jpg"),
        (True, False),
        (0, 1, 2, 3, 30),
    )
]
any_state = st.builds(
    replace,
    st.sampled_from(ALL_STATES),
    source=st.sampled_from([Source.REDFIN, Source.ZILLOW]),
)


def _put(engine: sa.Engine, slug: str, states: Sequence[State]) -> None:
    _put_all(engine, {slug: states})


def _put_all(engine: sa.Engine, states: Mapping[str, Sequence[State]]) -> None:
    """Write photo rows of each slug, also such as no method would write."""
    rows = [
        _values(slug, str(number), state)
        for slug, own in states.items()
        for number, state in enumerate(own)
    ]
    with writing(engine) as connection:
        if connection.execute(sa.select(tables.blob)).first() is None:
            connection.execute(sa.insert(tables.blob).values(blob_values(BLOB)))
        if rows:
            connection.execute(sa.insert(tables.photo), rows)
        for slug in states:
            recount(connection, slug)


def _values(slug: str, key: str, state: State) -> dict[str, Any]:
    return {
        "slug": slug,
        "first_seen_on": STAMP.today,
        "present": True,
        "detail": "",
        "run_id": STAMP.run_id,
        "source": state.source.value,
        "photo_key": key,
        **ref_values(ref(key, url=URL)),
        "verdict": state.verdict.value,
        "asked_url": state.asked_url,
        "sha256": BLOB.sha256 if state.has_bytes else None,
        "fault_days": state.fault_days,
        "faulted_on": STAMP.today if state.fault_days else None,
    }


def _new_house(catalog: Catalog) -> str:
    (house,) = catalog.add_properties([house_at(next(_houses))], at=STAMP.at)
    return house.slug


def test_every_state_is_counted_as_what_it_is(
    engine: sa.Engine, catalog: Catalog
) -> None:
    houses = [house_at(next(_houses)) for _ in ALL_STATES]
    catalog.add_properties(houses, at=STAMP.at)
    states = {
        house.slug: [state] for house, state in zip(houses, ALL_STATES, strict=True)
    }
    _put_all(engine, states)
    photos = {slug: catalog.photos(slug)[0] for slug in states}

    counted: dict[str, list[str]] = {slug: [] for slug in states}
    with reading(engine) as connection:
        for row in connection.execute(sa.select(tables.photo_count)).all():
            counted[row.slug] += [row.kind] * row.photos

    # What a photo adds as it changes is what a full count puts it in.
    assert {slug: sorted(kinds) for slug, kinds in counted.items()} == {
        slug: sorted(kinds_of(photo)) for slug, photo in photos.items()
    }
    for days in (1, 2, 3, 30):
        assert _wanting(catalog, final_after_days=days) == {
            slug: is_photo_due(photo, final_after_days=days)
            for slug, photo in photos.items()
        }


def _wanting(catalog: Catalog, *, final_after_days: int) -> dict[str, bool]:
    """Whether any photo of each property is counted as wanting."""
    return {
        tally.slug: any(source.wanting for source in tally.sources)
        for tally in catalog.tallies([], final_after_days=final_after_days)
    }


def test_photos_that_gave_no_picture_are_told_apart_with_their_last_day(
    engine: sa.Engine, catalog: Catalog
) -> None:
    slug = _new_house(catalog)
    states = [
        State(
            source=Source.REDFIN,
            verdict=verdict,
            asked_url=URL,
            has_bytes=verdict is Verdict.KEPT,
            fault_days=days,
        )
        for verdict, days in (
            (Verdict.GONE, 1),
            (Verdict.KEPT, 2),
            (Verdict.DAMAGED, 3),
            (Verdict.TIMEOUT, 1),
        )
    ]

    _put(engine, slug, states)

    (tally,) = catalog.tallies([], slugs=[slug])
    (redfin,) = tally.sources
    assert (redfin.wanting, redfin.faulted) == (3, 2)
    assert redfin.faulted_on == STAMP.today


# Each example has a house of its own, so one database serves them all.
@settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(states=st.lists(any_state, max_size=12), days=st.integers(1, 30))
def test_any_mix_of_verdicts_adds_up(
    engine: sa.Engine, catalog: Catalog, states: list[State], days: int
) -> None:
    slug = _new_house(catalog)

    _put(engine, slug, states)

    photos = catalog.photos(slug)
    (tally,) = catalog.tallies(LETTERED, slugs=[slug], final_after_days=days)
    assert tally.discovered == len(states) == sum(map(tally.count, VerdictKind))
    for of_source in tally.sources:
        own = [photo for photo in photos if photo.ref.source is of_source.source]
        kinds = Counter(photo.verdict.kind for photo in own)
        assert {kind: of_source.count(kind) for kind in VerdictKind} == {
            kind: kinds[kind] for kind in VerdictKind
        }
        assert of_source.wanting == sum(
            is_photo_due(photo, final_after_days=days) for photo in own
        )


def test_a_source_never_asked_is_listed_without_outcome(scene: Scene) -> None:
    (tally,) = scene.catalog.tallies([Source.REDFIN])

    (redfin,) = tally.sources
    assert (redfin.outcome, redfin.checked_at, redfin.discovered) == (None, None, 0)
    assert not tally.is_complete


def test_a_tally_tells_how_the_source_ended(scene: Scene) -> None:
    scene.say(gallery("a", outcome=ListingOutcome.BLOCKED, detail="challenge"))

    (tally,) = scene.catalog.tallies([])

    (redfin,) = tally.sources
    assert redfin.outcome is ListingOutcome.BLOCKED
    assert redfin.detail == "challenge"
    assert redfin.checked_at == STAMP.at
    assert redfin.count(VerdictKind.PENDING) == 1


def test_a_source_no_longer_enabled_still_counts(scene: Scene) -> None:
    scene.list_photos("a", source=Source.ZILLOW)

    (tally,) = scene.catalog.tallies([Source.REDFIN])

    assert [source.source for source in tally.sources] == [
        Source.ZILLOW,
        Source.REDFIN,
    ]
    assert tally.discovered == 1


def test_all_properties_are_tallied_by_key(catalog: Catalog) -> None:
    catalog.add_properties([house_at(n) for n in (20, 3, 100)], at=STAMP.at)

    tallies = catalog.tallies([Source.REDFIN])

    assert [tally.slug for tally in tallies] == sorted(catalog.slugs())


def test_only_the_properties_asked_for_are_tallied(catalog: Catalog) -> None:
    scenes = [Scene.of(catalog, number=number) for number in (20, 3, 100)]
    for scene in scenes:
        scene.list_photos("a", "b")

    tallies = catalog.tallies([], slugs=[scenes[0].slug, scenes[1].slug])

    assert [(t.slug, t.discovered) for t in tallies] == [
        (scenes[0].slug, 2),
        (scenes[1].slug, 2),
    ]


def test_a_tally_is_of_one_moment(
    scene: Scene, engine: sa.Engine, url: str, opened: Callable[[str], sa.Engine]
) -> None:
    other = opened(url)
    elsewhere = Scene(
        catalog=Catalog(other, leases=Leases(other, ttl_s=TTL_S)),
        house=scene.house,
        lease=scene.lease,
    )
    queries = []

    @sa.event.listens_for(engine, "after_cursor_execute")
    def write_between_two_queries(*call: Any) -> None:
        queries.append(call[2])
        if sum(query.startswith("SELECT") for query in queries) == 1:
            elsewhere.list_photos("a")

    (tally,) = scene.catalog.tallies([Source.REDFIN])

    assert elsewhere.photo("a").present  # the write happened
    (redfin,) = tally.sources
    assert (redfin.outcome is None) == (redfin.discovered == 0)
