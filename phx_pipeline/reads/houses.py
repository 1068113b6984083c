"""Which houses there are, and which one is meant by what a person typed."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Final

from phx_pipeline.catalog.properties import Known
from phx_pipeline.catalog.store import Catalog
from phx_pipeline.errors import InputError, UnknownPropertyError
from phx_pipeline.model.moments import phoenix_day
from phx_pipeline.model.property import Property
from phx_pipeline.reads.base import Reads, TypedAddress
from phx_pipeline.reads.paging import LIMIT, Page, checked_limit, page_of, place_at

_MOST_COMPARED: Final = 2_000  # houses: some 20 ms, whoever asks
_ALIKE: Final = 0.85


def house_of(catalog: Catalog, key: str) -> Property:
    """Return the property with this key.

    Raises:
        InputError: there is none; the text tells what became of it.
    """
    house = catalog.property(key)
    if house is None:
        raise _unknown(catalog, key)
    return house


def known_house(catalog: Catalog, text: str, *, typed_address: TypedAddress) -> Known:
    """Return the property meant by a key, former key, folder, address or listing's URL.

    It may be a removed one.

    Args:
        catalog: where it is looked up.
        text: what a person typed.
        typed_address: as in `Reads`.

    Raises:
        InputError: nothing in the catalogue is meant by *text*.
    """
    wanted = text.strip()
    known = catalog.houses.find(wanted.lower())
    if known is None and (address := typed_address(wanted)) is not None:
        known = catalog.houses.find_address(address)
        wanted = address.slug
    if known is None:
        house_of(catalog, wanted)  # raises, and tells the remedy
        raise InputError(f"unknown property {wanted!r}")
    return known


def meant_house(reads: Reads, text: str) -> Property:
    """Return the property meant by a key, a folder id, an address or a listing's URL.

    Raises:
        InputError: nothing in the catalogue is meant by *text*, or it is removed.
    """
    known = known_house(reads.catalog, text, typed_address=reads.typed_address)
    return house_of(reads.catalog, known.house.slug)


def meant_slugs(reads: Reads, texts: Sequence[str]) -> tuple[str, ...]:
    """Return the keys of the properties meant by *texts*, as `meant_house`; each once.

    Those that are keys are looked up together.

    Raises:
        InputError: nothing in the catalogue is meant by one of them, or it is removed.
    """
    keys = [text.strip().lower() for text in texts]
    known = reads.catalog.jobs.followed(keys)
    return tuple(
        dict.fromkeys(
            key if key in known else meant_house(reads, text).slug
            for text, key in zip(texts, keys, strict=True)
        )
    )


def read_houses(
    reads: Reads, *, limit: int = LIMIT, cursor: str | None = None
) -> Page[Property]:
    """Return a page of the houses that are followed, by key.

    Raises:
        InputError: the limit or the cursor is none.
    """
    place = place_at(cursor, parts=1)
    found = reads.catalog.pages.houses(
        limit=checked_limit(limit) + 1, after=place[0] if place else None
    )
    return page_of(found, limit=limit, ends=lambda house: (house.slug,))


def read_removed(
    reads: Reads, *, limit: int = LIMIT, cursor: str | None = None
) -> Page[Known]:
    """Return a page of the removed houses, by key.

    Raises:
        InputError: the limit or the cursor is none.
    """
    place = place_at(cursor, parts=1)
    found = reads.catalog.pages.removed(
        limit=checked_limit(limit) + 1, after=place[0] if place else None
    )
    return page_of(found, limit=limit, ends=lambda known: (known.house.slug,))


def _near(catalog: Catalog, key: str) -> str:
    """The house that was meant, if its key is all but the one that was given.

    Every second house of a street is somewhat alike.
    """
    slugs = catalog.slugs()
    if len(slugs) > _MOST_COMPARED:
        return ""
    words = key.lower().replace(",", " ").split()
    near = get_close_matches("-".join(words), slugs, n=1, cutoff=_ALIKE)
    return f" (did you mean {near[0]}?)" if near else ""


def _unknown(catalog: Catalog, key: str) -> InputError:
    """Return the error that tells what became of the house of a key."""
    known, what = catalog.houses.find(key), f"unknown property {key!r}"
    if known is None:
        return UnknownPropertyError(
            what + _near(catalog, key),
            'see `phx properties list`, or add it with `phx properties add "ADDRESS"`',
        )
    house = known.house
    if known.removed_at is None:
        if key == house.folder:
            return InputError(
                f"{what}: that is the name of its folder, its key is {house.slug}"
            )
        return InputError(f"{what}: its key is {house.slug} now")
    day = phoenix_day(known.removed_at)
    return UnknownPropertyError(
        f"property {house.slug} was removed on {day}",
        f'`phx properties add "{house.address}"` takes it up again',
    )
