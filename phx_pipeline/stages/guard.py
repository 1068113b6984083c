"""The right house: which photos of a property may be of another, and are held.

Held photos have the verdict `rejected:foreign` and are not published until a person
decides. Held is a function of all rows, never of what was looked at first:

- a photo key that two properties have is held on both;
- within one listing, a photo under another MLS id than the page states for itself, be
  it every photo; or, where it states none, under another than nearly all the others;
- within one listing, a photo under no id, where nearly all that have one are under
  another than the page states: the gallery is another house's;
- within one listing, a photo of another data source (MLS) than nearly all the others:
  the same number there is another house;
- within one listing, a photo uploaded long before or after the others.

Pictures that only look alike (agents' logos, the pool of a community) are recorded and
shown, not held.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import pairwise
from string import ascii_letters
from typing import Final

import numpy as np

from phx_pipeline.catalog.leases import Lease
from phx_pipeline.catalog.lookup import BAND_DISTANCE, HashLookup
from phx_pipeline.dedup.hashes import distance
from phx_pipeline.dedup.lookup import near
from phx_pipeline.model.mark import Mark
from phx_pipeline.model.outcome import Verdict, VerdictKind
from phx_pipeline.model.photo import Blob, Photo, PhotoKey, PhotoRef
from phx_pipeline.model.quarantine import (
    Likeness,
    Lookalike,
    PhotoAt,
    Reason,
    Suspicion,
)
from phx_pipeline.model.source import Source
from phx_pipeline.sources.registry import marks_of
from phx_pipeline.stages.context import StageContext

MAX_PHASH_DISTANCE: Final = BAND_DISTANCE
MAX_DHASH_DISTANCE: Final = BAND_DISTANCE

_MAJORITY = 0.8  # of a gallery, to say what is usual in it; of fewer than five, all
_FAR_DAYS = 180  # between uploads; photos are added to a listing for months
_BATCH_DAYS = 30


def guard(context: StageContext, lease: Lease, slug: str) -> bool:
    """Hold what must be held of *slug*, free the rest; return whether that changed."""
    suspects = suspects_of(context, slug)
    return context.catalog.quarantine.hold(lease, slug, suspects, stamp=context.stamp())


def suspects_of(context: StageContext, slug: str) -> dict[PhotoKey, Suspicion]:
    """Return every photo of *slug* that should be held, but for rulings, and why."""
    told: dict[PhotoKey, list[Suspicion]] = defaultdict(list)
    shared: dict[PhotoKey, list[str]] = defaultdict(list)
    for key, other in context.catalog.quarantine.shared_keys(slug):
        shared[key].append(other.slug)
    for key, others in shared.items():
        detail = f"the same photo is on {', '.join(others)}"
        told[key].append(Suspicion(reason=Reason.PHOTO_KEY, detail=detail))
    mls_ids = context.catalog.quarantine.mls_ids(slug)
    photos = context.catalog.photos(slug)
    for source, gallery in _galleries(photos).items():
        marks = marks_of(source, among=context.registered)
        mls_id = mls_ids.get(source)
        for key, suspicion in outliers(gallery, mls_id=mls_id, marks=marks):
            told[key].append(suspicion)
    # Of what its licence withdrew nothing is left to hold.
    gone = {p.key for p in photos if p.verdict is Verdict.WITHDRAWN}
    return {key: _joined(told[key]) for key in told.keys() - gone}


def outliers(
    gallery: Sequence[Photo],
    *,
    mls_id: str | None,
    marks: Callable[[PhotoRef], Mark],
) -> Iterator[tuple[PhotoKey, Suspicion]]:
    """Yield the photos of one listing that stand out, and in what.

    Args:
        gallery: the photos a source lists for a property.
        mls_id: the listing's own id in the MLS, if the source states it.
        marks: reads what a photo of the source tells of its listing.
    """
    told = {photo.key: marks(photo.ref) for photo in gallery}
    yield from _by_listing(gallery, told, mls_id=mls_id)
    yield from _by_origin(told)


def _by_listing(
    gallery: Sequence[Photo], marks: Mapping[PhotoKey, Mark], *, mls_id: str | None
) -> Iterator[tuple[PhotoKey, Suspicion]]:
    listings = {key: mark.listing for key, mark in marks.items() if mark.listing}
    yield from _under_another(listings, mls_id=mls_id)
    if mls_id:
        for present in (True, False):  # now, and what is held of a former listing
            keys = [photo.key for photo in gallery if photo.present is present]
            yield from _under_none(keys, listings, mls_id=mls_id)


def _by_origin(
    marks: Mapping[PhotoKey, Mark],
) -> Iterator[tuple[PhotoKey, Suspicion]]:
    """Yield the photos of another data source, or of other days, than the others."""
    owners = {key: mark.owner for key, mark in marks.items() if mark.owner}
    if usual := _usual_listing(list(owners.values())):
        for key, owner in owners.items():
            if owner != usual:
                told = f"of data source {owner}, the others of {usual}"
                yield key, Suspicion(reason=Reason.LISTING_ID, detail=told)
    days = {key: mark.uploaded for key, mark in marks.items() if mark.uploaded}
    if batch := _usual_days(list(days.values())):
        for key, day in days.items():
            if _days_apart(day, batch) > _FAR_DAYS:
                told = f"uploaded {day}, the others {batch[0]} to {batch[1]}"
                yield key, Suspicion(reason=Reason.UPLOAD_DATE, detail=told)


def _under_another(
    listings: Mapping[PhotoKey, str], *, mls_id: str | None
) -> Iterator[tuple[PhotoKey, Suspicion]]:
    """Yield the photos filed under another listing than this or nearly all others."""
    usual = mls_id or _usual_listing(list(listings.values()))
    if usual is None:
        return
    whose = "the page is of" if mls_id else "the others under"
    for key, listing in listings.items():
        if not _same_listing(listing, usual):
            told = f"filed under listing {listing}, {whose} {usual}"
            yield key, Suspicion(reason=Reason.LISTING_ID, detail=told)


def _under_none(
    keys: Sequence[PhotoKey], listings: Mapping[PhotoKey, str], *, mls_id: str
) -> Iterator[tuple[PhotoKey, Suspicion]]:
    """Yield the photos under no listing where nearly all others are under a foreign."""
    filed = [listings[key] for key in keys if key in listings]
    others = [each for each in filed if not _same_listing(each, mls_id)]
    if not others or len(others) < _MAJORITY * len(filed):
        return
    told = f"under no listing, the others under {others[0]}, the page is of {mls_id}"
    for key in keys:
        if key not in listings:
            yield key, Suspicion(reason=Reason.LISTING_ID, detail=told)


def note_lookalikes(context: StageContext, lease: Lease, slug: str) -> None:
    """Record the photos of other properties that agree with ones of *slug*."""
    book = context.catalog.quarantine
    photos = context.catalog.photos(slug)
    blobs = context.catalog.blobs(slug)
    shown = [
        photo
        for photo in photos
        if photo.verdict.kind in {VerdictKind.KEPT, VerdictKind.DUPLICATE}
    ]
    found_near = near_identical(
        {str(p.sha256): blobs[str(p.sha256)] for p in shown}, context.catalog.lookup
    )
    holders: dict[str, list[PhotoAt]] = defaultdict(list)
    for sha256, at in book.shown_with({other for _, other in found_near}):
        if at.slug != slug:
            holders[sha256].append(at)
    found = {
        (pair.one, pair.other): pair
        for pair in [
            *_alike_pairs(shown, found_near, holders),
            *_shared_pairs(slug, book.shared_keys(slug)),
        ]
    }
    book.record_lookalikes(lease, slug, found.values(), at=context.stamp().at)


def near_identical(
    own: Mapping[str, Blob], lookup: HashLookup
) -> dict[tuple[str, str], tuple[int, int]]:
    """Return the distances (pHash, dHash) of all near-identical bytes, by SHA-256s.

    Each of *own* is compared with all bytes in the catalogue, itself included.
    """
    if not own:
        return {}
    known = lookup.sharing_bands(
        {(blob.hashes.phash, blob.hashes.dhash) for blob in own.values()}
    )
    wanted = np.array([blob.hashes.phash for blob in own.values()], dtype=np.uint64)
    stored = np.array([blob.phash for blob in known], dtype=np.uint64)
    hits = near(wanted, stored, max_distance=MAX_PHASH_DISTANCE)
    blobs = list(own.values())
    pairs = {}
    for mine, theirs, phash in zip(
        hits.wanted, hits.stored, hits.distances, strict=True
    ):
        dhash = distance(blobs[mine].hashes.dhash, known[theirs].dhash)
        if dhash <= MAX_DHASH_DISTANCE:
            pairs[blobs[mine].sha256, known[theirs].sha256] = (int(phash), dhash)
    return pairs


def _alike_pairs(
    shown: Iterable[Photo],
    near_ones: Mapping[tuple[str, str], tuple[int, int]],
    holders: Mapping[str, Sequence[PhotoAt]],
) -> Iterator[Lookalike]:
    by_own: dict[str, list[tuple[str, tuple[int, int]]]] = defaultdict(list)
    for (own, known), distances in near_ones.items():
        by_own[own].append((known, distances))
    for photo in shown:
        for sha256, (phash, dhash) in by_own[str(photo.sha256)]:
            same = sha256 == photo.sha256
            for other in holders.get(sha256, ()):
                yield _pair(
                    _at(photo),
                    other,
                    likeness=Likeness.SAME_BYTES if same else Likeness.NEAR_IDENTICAL,
                    distances=(phash, dhash),
                )


def _shared_pairs(
    slug: str, shared: Iterable[tuple[PhotoKey, PhotoAt]]
) -> Iterator[Lookalike]:
    for (source, photo_key), other in shared:
        own = PhotoAt(slug=slug, source=source, photo_key=photo_key)
        yield _pair(own, other, likeness=Likeness.PHOTO_KEY, distances=(None, None))


def _pair(
    own: PhotoAt,
    other: PhotoAt,
    *,
    likeness: Likeness,
    distances: tuple[int | None, int | None],
) -> Lookalike:
    one, two = (own, other) if own < other else (other, own)
    return Lookalike(
        one=one,
        other=two,
        likeness=likeness,
        phash_distance=distances[0],
        dhash_distance=distances[1],
    )


def _at(photo: Photo) -> PhotoAt:
    return PhotoAt(
        slug=photo.property_slug,
        source=photo.ref.source,
        photo_key=photo.ref.photo_key,
    )


def _galleries(photos: Iterable[Photo]) -> dict[Source, list[Photo]]:
    """Return what each source lists now, and what is held of what it listed before.

    A house that is listed anew gets another number, and photos of another year: those
    of its former listing were judged by that one.
    """
    galleries: dict[Source, list[Photo]] = defaultdict(list)
    for photo in photos:
        if photo.present or photo.verdict is Verdict.FOREIGN:
            galleries[photo.ref.source].append(photo)
    return galleries


def _same_listing(one: str, other: str) -> bool:
    """Whether both are one number; some sites put letters of the MLS before it."""
    if one.isdecimal() != other.isdecimal():
        one, other = (text.lstrip(f"{ascii_letters}-._") for text in (one, other))
    return one.lstrip("0").lower() == other.lstrip("0").lower()


def _usual_listing(listings: Sequence[str]) -> str | None:
    """The listing nearly all photos of a gallery are filed under, if there is one."""
    if not listings:
        return None
    listing, photos = Counter(listings).most_common(1)[0]
    return listing if photos >= _MAJORITY * len(listings) else None


def _usual_days(days: Sequence[date]) -> tuple[date, date] | None:
    """First and last day of the batch most photos were uploaded in, if there is one."""
    if not days:
        return None
    batch = max(_batches(sorted(days)), key=len)
    return (batch[0], batch[-1]) if len(batch) >= _MAJORITY * len(days) else None


def _batches(days: Sequence[date]) -> list[list[date]]:
    batches = [[days[0]]]
    for before, day in pairwise(days):
        if (day - before).days > _BATCH_DAYS:
            batches.append([])
        batches[-1].append(day)
    return batches


def _days_apart(day: date, batch: tuple[date, date]) -> int:
    return max((batch[0] - day).days, (day - batch[1]).days, 0)


def _joined(suspicions: Sequence[Suspicion]) -> Suspicion:
    detail = "; ".join(suspicion.detail for suspicion in suspicions)
    return Suspicion(reason=suspicions[0].reason, detail=detail)
