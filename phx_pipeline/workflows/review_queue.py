"""Which pictures are worth a person's look, the one that teaches most first.

The queue is made of rows and rulings each time, and never stored. What a person says is
for `reviews`.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from phx_pipeline.categorize.fusion import fuse
from phx_pipeline.errors import StorageError
from phx_pipeline.imaging.captioned_sheet import captioned_sheet
from phx_pipeline.model.published import NamedPicture
from phx_pipeline.model.taxonomy import Subject
from phx_pipeline.model.vote import Vote
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.ruled_categories import RuledCategory, ruled_category
from phx_pipeline.workflows.duplicates import id_of

SURE: Final = 85  # percent, from which a name counts as known
_AT_ONCE: Final = 5  # pictures of one house, before those of others have had their turn
_AS_NEAR: Final = 5  # percent: what lies closer together is as near to the limit
_SHEET_BYTES: Final = 8_000_000


class Standing(StrEnum):
    """How a picture's name came about, in the order in which a look teaches most."""

    RULED_APART = "ruled differently"
    DISPUTED = "disputed"
    UNKNOWN = "unknown"
    UNSURE = "unsure"
    SURE = "sure"
    REVIEWED = "reviewed"


_RANK: Final = {it: rank for rank, it in enumerate(Standing)}
_OPEN: Final = frozenset(Standing) - {Standing.SURE, Standing.REVIEWED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A picture of the queue; `id` is that of its kept photo."""

    id: str
    picture: NamedPicture
    standing: Standing
    ruled: RuledCategory | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """The first entries, and how many there are in all."""

    entries: tuple[Entry, ...]
    total: int


def review_queue(
    context: StageContext,
    *,
    slug: str | None = None,
    subject: Subject | None = None,
    limit: int | None = None,
    everything: bool = False,
) -> Queue:
    """Return the pictures to look at, one of each cluster.

    First those that people named differently, then those that backends dispute, then
    the unknown, then the unsure: the nearest to `SURE` first, and of those as near the
    subjects with the fewest reviews. Of one house a few come at a time, so that it does
    not fill the top.

    Args:
        context: of any run; nothing is changed.
        slug: only those of one house.
        subject: only those named so now.
        limit: at most so many; None for all.
        everything: also what is sure or reviewed.
    """
    said = context.catalog.reviews.rulings()
    ruled = {
        cluster: found
        for cluster, rulings in said.items()
        if (found := ruled_category(rulings)) is not None
    }
    pictures = context.catalog.reviews.pictures(
        slug=slug,
        below=None if everything else SURE,
        also=sorted(cluster for cluster, it in ruled.items() if it.overruled),
    )
    disputes = _Disputes(context)
    entries = [
        _entry(it, ruled.get(it.cluster_id), disputes=disputes)
        for it in pictures
        if subject in {None, it.category.subject}
    ]
    wanted = [it for it in entries if everything or it.standing in _OPEN]
    reviews = Counter(it.category.subject for it in ruled.values())
    ordered = in_turns(by_worth(wanted, reviews=reviews))
    return Queue(entries=tuple(ordered[:limit]), total=len(ordered))


def by_worth(
    entries: Iterable[Entry], *, reviews: Mapping[Subject, int]
) -> list[Entry]:
    """Return entries by what a look at them teaches.

    Subjects take turns: each entry counts as a review of its subject for those behind.
    """
    seen = Counter(reviews)
    ordered: list[Entry] = []
    for group in _as_near(entries):
        places: list[tuple[int, int, Entry]] = []
        for entry in group:
            subject = entry.picture.category.subject
            places.append((seen[subject], len(places), entry))
            seen[subject] += 1
        ordered += [entry for _, _, entry in sorted(places, key=lambda it: it[:2])]
    return ordered


def in_turns(entries: Iterable[Entry]) -> list[Entry]:
    """Return entries so that each house has a few, in their order, then a few more."""
    taken = Counter[str]()
    turns = defaultdict[int, list[Entry]](list)
    for entry in entries:
        turns[taken[entry.picture.slug] // _AT_ONCE].append(entry)
        taken[entry.picture.slug] += 1
    return [entry for turn in sorted(turns) for entry in turns[turn]]


def file_of(context: StageContext, entry: Entry) -> Path:
    """Return the published file of an entry."""
    folder = context.layout.folder(entry.picture.folder)
    return (folder / entry.picture.file_name).absolute()


def queue_sheet(context: StageContext, entries: Sequence[Entry]) -> bytes:
    """Return a JPEG that shows entries in their order, each with id and name."""

    def pictures() -> Iterator[tuple[bytes, str]]:
        for it in entries:
            shown = it.picture.category
            told = f"{it.id} {shown.subject.value} {shown.confidence:02d}"
            yield _original(context, it), told

    return captioned_sheet(pictures(), count=len(entries), max_bytes=_SHEET_BYTES)


def _original(context: StageContext, entry: Entry) -> bytes:
    try:
        return context.blobs.read_raw(entry.picture.sha256)
    except StorageError:
        return b""


class _Disputes:
    """Tells on which pictures votes contradict each other, as fusion sees it."""

    def __init__(self, context: StageContext) -> None:
        self._knows = {it.name: it.knows for it in context.categorizers}
        self._calibration = context.calibration

    def about(self, votes: Sequence[Vote]) -> bool:
        """Whether two are sure of different things, and both could tell."""
        likeliest = {
            max(vote.probabilities, key=vote.probabilities.__getitem__)
            for vote in votes
            if vote.probabilities
        }
        if len(likeliest) < 2:  # noqa: PLR2004 - one is no dispute
            return False
        fused = fuse(votes, knows=self._knows, calibration=self._calibration)
        return fused.disputed


def _entry(
    picture: NamedPicture, ruled: RuledCategory | None, *, disputes: _Disputes
) -> Entry:
    return Entry(
        id=id_of(picture.slug, picture.photo),
        picture=picture,
        standing=_standing(picture, ruled, disputes=disputes),
        ruled=ruled,
    )


def _standing(
    picture: NamedPicture, ruled: RuledCategory | None, *, disputes: _Disputes
) -> Standing:
    if ruled is not None:
        return Standing.RULED_APART if ruled.overruled else Standing.REVIEWED
    if disputes.about(picture.named.votes):
        return Standing.DISPUTED
    if picture.category.subject is Subject.UNKNOWN:
        return Standing.UNKNOWN
    return Standing.UNSURE if picture.category.confidence < SURE else Standing.SURE


def _as_near(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """Yield entries in groups of equal worth, within which subjects take turns."""
    groups = defaultdict[tuple[int, int], list[Entry]](list)
    for entry in entries:
        distance = abs(SURE - entry.picture.category.confidence)
        is_named = entry.standing in {Standing.UNSURE, Standing.SURE}
        near = (distance - 1) // _AS_NEAR if is_named else 0
        groups[_RANK[entry.standing], near].append(entry)
    for worth in sorted(groups):
        yield sorted(groups[worth], key=_nearest_first)


def _nearest_first(entry: Entry) -> tuple[int, str, str]:
    picture = entry.picture
    return abs(SURE - picture.category.confidence), picture.slug, picture.file_name
