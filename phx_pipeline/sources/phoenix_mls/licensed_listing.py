"""From a record and its gallery to the listing, the same for both licensed feeds."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from phx_pipeline.model.counted import counted
from phx_pipeline.model.listing import EVERY_PHOTO, Listing
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.photo import PhotoRef
from phx_pipeline.model.source import Source
from phx_pipeline.sources.phoenix_mls.licensed import Choice, Record
from phx_pipeline.sources.phoenix_mls.licensed_facts import record_facts
from phx_pipeline.sources.stated import members, whole

UNREADABLE: Final = "cannot be read"
ELSEWHERE: Final = "not at Spark's hosts"
# What a record is chosen by, and something else stands in for.
_OF_RECORD = (
    *("StandardStatus", "MlsStatus", "MlgCanView", "PropertyType"),
    *("ListingContractDate", "StreetNumber", "StreetName", "UnparsedAddress"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """The gallery of a record.

    Attributes:
        photos: those that may be shown, in the order of the record.
        withdrawn: the keys of photos that may not, each with the reason.
        left_out: how many media were not taken, by the reason.
        total: how many photos the feed says it has of the record.
        also_read: which members its entries have, see `Listing.also_read`.
    """

    photos: tuple[PhotoRef, ...]
    withdrawn: Mapping[str, str] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)
    total: int | None = None
    also_read: Mapping[str, bool] = field(default_factory=dict)

    @property
    def keys(self) -> frozenset[str]:
        """The keys of all photos, shown or not."""
        return frozenset(photo.photo_key for photo in self.photos) | {*self.withdrawn}


def listing_of(
    chosen: Choice,
    media: Media,
    *,
    page_kind: str,
    held_back: Mapping[str, Collection[str]],
) -> Listing:
    """Return what a feed says of a house.

    Args:
        chosen: its current record, and those the licence holds back.
        media: the gallery of the current one.
        page_kind: of the listing.
        held_back: by the key of a record that is held back the keys of its photos, as
            far as the feed tells.
    """
    record = chosen.current
    counts = [whole(record.fields.get("PhotosCount")), media.total]
    stated = max((it for it in counts if it is not None), default=None)
    is_whole = not media.left_out and _is_all(len(media.keys), stated=stated)
    outcome = _outcome(record, media, stated=stated)
    return Listing(
        source=Source.PHOENIX_MLS,
        outcome=outcome,
        detail=_detail(media, stated=stated),
        listing_id=record.key or None,
        mls_id=record.mls_id,
        listed_on=record.listed_on,
        photos=media.photos,
        complete=is_whole and outcome.saw_gallery,
        facts=record_facts(record),
        page_kind=page_kind,
        stated_photos=stated,
        also_read={**members(record.fields, _OF_RECORD), **media.also_read},
        withdrawn=_withdrawn(chosen, media, is_whole=is_whole, held_back=held_back),
    )


def _outcome(record: Record, media: Media, *, stated: int | None) -> ListingOutcome:
    """Return how it ends; photos of which none can be read are no empty gallery.

    Of what is sold a feed may tell the number of photos it has no more.
    """
    outcome = record.outcome
    if outcome is not ListingOutcome.LISTED or media.photos:
        return outcome
    are_there = media.left_out or (stated and record.is_on_market)
    is_unread = are_there and not media.keys
    return ListingOutcome.PAGE_CHANGED if is_unread else ListingOutcome.LISTED_EMPTY


def _is_all(seen: int, *, stated: int | None) -> bool:
    """Whether a gallery was seen whole; one that is empty only if that is said."""
    return seen > 0 if stated is None else seen >= stated


def _withdrawn(
    chosen: Choice,
    media: Media,
    *,
    is_whole: bool,
    held_back: Mapping[str, Collection[str]],
) -> Mapping[str, str]:
    """Return what may not be held: media by their words, records by their flags.

    Where photos of a record that is held back are not told, they can only be what the
    current one does not show; so its gallery has to be seen whole.
    """
    told: dict[str, str] = {}
    shown = {photo.photo_key for photo in media.photos}
    for record in chosen.held_back:
        if keys := held_back.get(record.key):
            told |= dict.fromkeys(sorted({*keys} - shown), record.withdrawn)
        elif is_whole:
            told[EVERY_PHOTO] = record.withdrawn
    return told | dict(media.withdrawn)


def _detail(media: Media, *, stated: int | None) -> str:
    """Return what a person should know of a gallery, in none of the feed's words."""
    seen = len(media.keys)
    fewer = stated is not None and seen < stated
    left_out = [f"{number} {why}" for why, number in sorted(media.left_out.items())]
    notes = (
        f"{seen} of {counted(stated or 0, 'photo')} stated" if fewer else "",
        f"left out: {', '.join(left_out)}" if left_out else "",
        f"withheld by the licence: {len(media.withdrawn)}" if media.withdrawn else "",
    )
    return "; ".join(filter(None, notes))
