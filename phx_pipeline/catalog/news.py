"""What an answer says that was otherwise before: noted in the transaction it comes in.

Price, facts, whether the house is offered, the number of its listing, how many photos
its gallery has; and whether new bytes are another picture. What is said for the first
time is no news. What people are told of it is decided in `model.history`.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.door import Passage
from phx_pipeline.catalog.facts import SAID
from phx_pipeline.catalog.rows import AnyRow
from phx_pipeline.model.change import What
from phx_pipeline.model.fact_words import shown_value
from phx_pipeline.model.facts import FactValue
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.market import market_after
from phx_pipeline.model.photo import Blob, PhotoKey
from phx_pipeline.model.source import Source

# Told apart: the status with the outcome, the number with that of the listing. Days on
# the market pass by themselves.
_NOT_COMPARED = frozenset({"days_on_market", "mls_number", "standard_status"})
_PRICE: Final = "list_price"
# Sources whose numbers are those of the house, not of an offer.
_OF_THE_HOUSE = frozenset({Source.MARICOPA})
# Farther apart than the strict tier of copies: `dedup.bars`.
_SAME_PHASH, _SAME_DHASH = 8, 10


def note_said(door: Passage, listing: Listing, *, before: AnyRow | None) -> str | None:
    """Note what of facts, offer and number changed; return the word for the offer.

    To be called before the facts of *listing* are written.

    Args:
        door: of the property.
        listing: the answer.
        before: the row of the listing until now.
    """
    was = before.market if before is not None else None
    status = listing.facts.standard_status if listing.facts else None
    market = market_after(was, listing.outcome, status)
    if before is None:
        return market
    _note_number(door, listing, before=before)
    if was is not None and market is not None and market != was:
        door.note(listing.source, What.MARKET, before=was, after=market)
    if listing.facts is not None:
        _note_facts(door, listing.source, listing.facts.stated)
    return market


def _note_number(door: Passage, listing: Listing, *, before: AnyRow) -> None:
    """An MLS's number comes first: the other may be the site's own of the house."""
    if listing.source in _OF_THE_HOUSE:
        return
    old, new = before.mls_id, listing.mls_id
    if old is None or new is None:
        old, new = before.listing_id, listing.listing_id
    if old and new and _plain(old) != _plain(new):
        door.note(listing.source, What.NUMBER, before=old, after=new)


def _plain(number: str) -> str:
    return "".join(filter(str.isalnum, number)).casefold()


def _note_facts(door: Passage, source: Source, stated: Mapping[str, FactValue]) -> None:
    compared = {name: it for name, it in stated.items() if name not in _NOT_COMPARED}
    known = _said_last(door, source, compared)
    for name, value in compared.items():
        was = known.get(name)
        if was is None or was == value:
            continue
        if name == _PRICE:
            told = str(int(was)), str(int(value))
            door.note(source, What.PRICE, before=told[0], after=told[1])
            continue
        before, after = shown_value(name, was), shown_value(name, value)
        if before.casefold() != after.casefold():
            door.note(source, What.FACT, before=before, after=after, key=name)


def _said_last(
    door: Passage, source: Source, names: Collection[str]
) -> dict[str, FactValue]:
    """What was said last of facts: mostly all on one day, else each on its own."""
    own = sa.and_(SAID.c.slug == door.slug, SAID.c.source == source.value)
    own = sa.and_(own, SAID.c.seen_on <= door.stamp.today)  # but of a clock ahead
    latest = sa.select(SAID).where(own).order_by(sa.desc(SAID.c.seen_on)).limit(1)
    row = door.connection.execute(latest).one_or_none()
    if row is None:
        return {}
    found = {name: getattr(row, name) for name in names}
    for name in [name for name, value in found.items() if value is None]:
        said = latest.with_only_columns(SAID.c[name]).where(SAID.c[name].is_not(None))
        found[name] = door.connection.execute(said).scalar()
    return {name: value for name, value in found.items() if value is not None}


def note_gallery(
    door: Passage,
    source: Source,
    *,
    before: Collection[str],
    after: Collection[str],
    seen_at: datetime,
) -> None:
    """Note how many photos are present, if others are, once a whole gallery was seen.

    If the house was merged with another one since then, *before* was never a gallery.

    Args:
        door: of the property.
        source: whose gallery it is.
        before: the keys of the photos that were present.
        after: the keys of those that are.
        seen_at: when the gallery was last seen whole.
    """
    if set(before) != set(after) and not _is_joined(door, since=seen_at):
        told = str(len(before)), str(len(after))
        door.note(source, What.GALLERY, before=told[0], after=told[1])


def _is_joined(door: Passage, *, since: datetime) -> bool:
    """Whether the house got another name; of those that got one few were merged."""
    alias = tables.alias.c
    names = sa.select(alias.alias).where(alias.slug == door.slug, alias.at >= since)
    return door.connection.execute(names.limit(1)).first() is not None


def note_bytes(door: Passage, key: PhotoKey, *, old: AnyRow, blob: Blob) -> None:
    """Note that a photo has other bytes: another picture, or another size of it.

    Args:
        door: of the property.
        key: of the photo.
        old: the row of the bytes it had.
        blob: those it has now.
    """
    if _is_another(old, blob):
        told = old.sha256[:16], blob.sha256[:16]
        what = What.PICTURE
    else:
        told = f"{old.width}x{old.height}", f"{blob.width}x{blob.height}"
        what = What.SIZE
    door.note(key[0], what, before=told[0], after=told[1], key=key[1])


def _is_another(old: AnyRow, blob: Blob) -> bool:
    return (
        _distance(old.phash, blob.hashes.phash) > _SAME_PHASH
        or _distance(old.dhash, blob.hashes.dhash) > _SAME_DHASH
    )


def _distance(stored: int, other: int) -> int:
    """Bits that differ; a stored hash is signed."""
    return ((stored ^ other) & (2**64 - 1)).bit_count()


def known_blob(connection: sa.Connection, sha256: str | None) -> Any:
    """The row of bytes; None without them."""
    if sha256 is None:
        return None
    this = sa.select(tables.blob).where(tables.blob.c.sha256 == sha256)
    return connection.execute(this).one_or_none()
