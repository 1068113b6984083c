"""Photos arrive in any order over any number of runs: the same pictures are shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from hashlib import sha256
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from phx_pipeline.model.address import Address
from phx_pipeline.model.naming import ImageName
from phx_pipeline.model.outcome import Verdict
from phx_pipeline.model.photo import Blob, Photo, PhotoKey, PhotoRef, PictureHashes
from phx_pipeline.model.property import Property
from phx_pipeline.model.publication import Publication
from phx_pipeline.model.source import Source
from phx_pipeline.model.taxonomy import Category, Subject
from phx_pipeline.stages.dedupe import decide
from phx_pipeline.stages.publish import Plan, name_pictures

HOUSE = Property.at(Address.parse("4732 W Davis Rd, Glendale, AZ 85306"))
DAY = date(2025, 3, 8)
KITCHEN = Category(
    location=Subject.KITCHEN.location, subject=Subject.KITCHEN, confidence=90
)
_SOURCES = (Source.REDFIN, Source.ZILLOW)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """Photos in order of arrival, their bytes, and where one run ends."""

    photos: tuple[Photo, ...]
    blobs: Mapping[str, Blob]
    cuts: tuple[int, ...]

    @property
    def in_gallery_order(self) -> tuple[Photo, ...]:
        """The photos in gallery order."""
        return tuple(sorted(self.photos, key=lambda photo: photo.order))


@st.composite
def arrivals(draw: st.DrawFn) -> Arrival:
    """Photos of both sources; hashes differ by 4 bits a step: near ones meet."""
    shapes = draw(
        st.lists(
            st.tuples(
                st.sampled_from(_SOURCES),
                st.integers(0, 15),
                st.sampled_from([640, 800, 1024, 1536]),
            ),
            min_size=1,
            max_size=9,
        )
    )
    photos = [_photo(at, source) for at, (source, _, _) in enumerate(shapes)]
    blobs = {
        str(photo.sha256): _blob(str(photo.sha256), step=step, width=width)
        for photo, (_, step, width) in zip(photos, shapes, strict=True)
    }
    cuts = draw(st.sets(st.integers(1, len(photos)), max_size=3))
    return Arrival(
        photos=tuple(draw(st.permutations(photos))),
        blobs=blobs,
        cuts=tuple(sorted({0, len(photos), *cuts})),
    )


def _photo(number: int, source: Source) -> Photo:
    ref = PhotoRef(
        source=source,
        photo_key=f"photo{number}",
        url=f"https://photos.example/{number}.jpg",
        position=number,
    )
    return Photo(
        property_slug=HOUSE.slug,
        ref=ref,
        listed_on=DAY,
        first_seen_on=DAY,
        present=True,
        verdict=Verdict.PENDING,
        sha256=sha256(str(number).encode()).hexdigest(),
    )


def _blob(sha: str, *, step: int, width: int) -> Blob:
    bits = (1 << 4 * step) - 1
    hashes = PictureHashes(
        phash=bits, dhash=bits, trimmed_phash=bits, trimmed_dhash=bits
    )
    return Blob(
        sha256=sha,
        size_bytes=1,
        media_type="image/jpeg",
        width=width,
        height=600,
        hashes=hashes,
    )


def published(
    photos: Sequence[Photo], blobs: Mapping[str, Blob], before: Sequence[Publication]
) -> list[Publication]:
    """Decide for *photos* and name the kept ones, as one run does it."""
    decisions = decide(HOUSE.slug, photos, blobs, judgements={})
    members: dict[str | None, set[PhotoKey]] = {}
    for key, decision in decisions.items():
        members.setdefault(decision.cluster_id, set()).add(key)
    plans = [
        _plan(photo, members=frozenset(members[decisions[photo.key].cluster_id]))
        for photo in sorted(photos, key=lambda photo: photo.order)
        if decisions[photo.key].verdict is Verdict.KEPT
    ]
    return name_pictures(plans, before)


def _plan(photo: Photo, *, members: frozenset[PhotoKey]) -> Plan:
    name = ImageName(
        folder=HOUSE.folder,
        location=KITCHEN.location,
        subject=KITCHEN.subject,
        confidence=KITCHEN.confidence,
        source=photo.ref.source,
        date=DAY,
    )
    unnumbered = Publication(
        slug=HOUSE.slug,
        location=KITCHEN.location,
        subject=KITCHEN.subject,
        sequence=1,
        active=True,
        source=photo.ref.source,
        photo_key=photo.ref.photo_key,
        file_name=str(name),
        sha256=str(photo.sha256),
        recipe="made-for-tests",
        processed_at=datetime(2025, 3, 10, tzinfo=UTC),
        run_id="test",
    )
    return Plan(category=KITCHEN, name=name, members=members, unnumbered=unnumbered)


def series(arrival: Arrival) -> list[list[Publication]]:
    """All rows after each run."""
    rows: list[list[Publication]] = []
    for _, end in pairwise(arrival.cuts):
        before = rows[-1] if rows else []
        rows.append(published(arrival.photos[:end], arrival.blobs, before))
    return rows


def shown(rows: Sequence[Publication]) -> dict[PhotoKey, str]:
    """The bytes shown, by photo."""
    return {row.holder: row.sha256 for row in rows if row.active}


@given(arrivals())
def test_the_same_photos_are_shown_however_they_came(arrival: Arrival) -> None:
    at_once = published(arrival.in_gallery_order, arrival.blobs, [])

    *_, last = series(arrival)

    assert shown(last) == shown(at_once)


@given(arrivals())
def test_one_run_gives_the_same_numbers_in_any_order_of_arrival(
    arrival: Arrival,
) -> None:
    in_order = published(arrival.in_gallery_order, arrival.blobs, [])

    assert published(arrival.photos, arrival.blobs, []) == in_order


@given(arrivals())
def test_no_number_moves_to_a_picture_without_the_photo_that_had_it(
    arrival: Arrival,
) -> None:
    for (before, after), end in zip(
        pairwise(series(arrival)), arrival.cuts[2:], strict=True
    ):
        decisions = decide(
            HOUSE.slug, arrival.photos[:end], arrival.blobs, judgements={}
        )
        now = {row.number: row for row in after}

        assert {row.number for row in before} <= set(now)
        for row in before:
            new = now[row.number]
            if new.active:
                assert (
                    decisions[row.holder].cluster_id == decisions[new.holder].cluster_id
                )


@given(arrivals())
def test_a_picture_shown_before_is_shown_under_a_number_it_had(
    arrival: Arrival,
) -> None:
    for (before, after), end in zip(
        pairwise(series(arrival)), arrival.cuts[2:], strict=True
    ):
        decisions = decide(
            HOUSE.slug, arrival.photos[:end], arrival.blobs, judgements={}
        )
        had: dict[str | None, set[int]] = {}
        for row in before:
            if row.active:
                cluster_id = decisions[row.holder].cluster_id
                had.setdefault(cluster_id, set()).add(row.sequence)

        for row in after:
            numbers = had.get(decisions[row.holder].cluster_id)
            if row.active and numbers:
                assert row.sequence in numbers


@given(arrivals())
def test_naming_again_after_the_last_run_changes_nothing(arrival: Arrival) -> None:
    *_, last = series(arrival)

    again = published(arrival.in_gallery_order, arrival.blobs, last)

    assert again == last


def test_a_larger_copy_in_a_later_run_has_the_number_of_the_smaller() -> None:
    small, other, large = (_photo(number, Source.REDFIN) for number in (0, 1, 2))
    blobs = {
        str(small.sha256): _blob(str(small.sha256), step=0, width=640),
        str(other.sha256): _blob(str(other.sha256), step=15, width=640),
        str(large.sha256): _blob(str(large.sha256), step=0, width=1536),
    }
    before = published([other, small], blobs, [])

    after = published([other, small, replace(large, listed_on=None)], blobs, before)

    assert shown(before).keys() == {small.key, other.key}
    assert {row.holder: row.sequence for row in after if row.active} == {
        large.key: 1,
        other.key: 2,
    }
    assert len(after) == len(before)
