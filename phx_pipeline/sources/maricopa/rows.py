"""The rows of the county's answers: where each is, before anything else is read of it.

What a row holds beside its place and its parcel is read by who asked for it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from phx_pipeline.errors import SourceChangedError
from phx_pipeline.model.address import Address, Match
from phx_pipeline.model.property import Property
from phx_pipeline.sources.json_values import JsonObject, mapping
from phx_pipeline.sources.maricopa.answers import bare, member


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a row says that it is; `is_whole` if it tells the ZIP itself."""

    address: Address
    is_whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The rows of an answer that can be read: parcel and place of each.

    `doubt` is why another row, which may be the house's, cannot be; empty if all can.
    """

    rows: tuple[tuple[str, Place, JsonObject], ...]
    doubt: str


def sifted(
    rows: Iterable[object],
    place_of: Callable[[JsonObject], Place | None],
    *,
    house: Property,
    what: str,
) -> Found:
    """Return the rows that have an address; an odd one of another house does not count.

    Args:
        rows: as decoded from JSON.
        place_of: reads where a row is, None for one without an address.
        house: the one asked for.
        what: names a row.

    Raises:
        SourceChangedError: a row of this very house is odd, or all rows are.
    """
    found: list[tuple[str, Place, JsonObject]] = []
    doubts: list[str] = []
    odd: list[str] = []
    seen = 0
    for row in rows:
        seen += 1
        place = None
        try:
            told = mapping(row, what=what)
            if (place := place_of(told)) is not None:
                found.append((_parcel_of(told, what=what), place, told))
        except SourceChangedError as error:
            match = house.means(place.address) if place else Match.NEAR
            if match is Match.SAME:
                raise
            odd.append(str(error))
            doubts += [str(error)] if match is Match.NEAR else []
    if odd and len(odd) == seen:
        raise SourceChangedError(odd[0])
    return Found(rows=tuple(found), doubt=doubts[0] if doubts else "")


def _parcel_of(row: JsonObject, *, what: str) -> str:
    """Return the parcel number of a row.

    Raises:
        SourceChangedError: it has none.
    """
    parcel = bare(member(row, "APN", what=what))
    if parcel is None:
        raise SourceChangedError(f"{what} has an APN that is no parcel number")
    return parcel
