"""What stand-ins of the sources write their pages of: plain facts of made-up houses.

Which houses there are, how their photos are drawn and how all is served belongs to the
demo; how a site writes it, to the package of the source.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from phx_pipeline.model.facts import ListingFacts
from phx_pipeline.model.search import Criteria

_MLS_TAIL = 3  # a photo's folder on the CDN is the end of its MLS number


class RoomKind(StrEnum):
    """What a photo shows."""

    KITCHEN = "kitchen"
    LIVING = "living"
    DINING = "dining"
    BEDROOM = "bedroom"
    BATHROOM = "bathroom"
    LAUNDRY = "laundry"
    GARAGE = "garage"
    OFFICE = "office"
    HALLWAY = "hallway"
    FRONT = "front"
    YARD = "yard"
    POOL = "pool"
    FLOOR_PLAN = "floor_plan"


def copied_size(
    size: tuple[int, int], *, width: int, cropped: float = 0.0
) -> tuple[int, int]:
    """Return the width and height of a copy of a photo of *size*."""
    left, top = margins(size, cropped=cropped)
    return width, round((size[1] - 2 * top) * width / (size[0] - 2 * left))


def margins(size: tuple[int, int], *, cropped: float) -> tuple[int, int]:
    """Return the pixels that are cut off left and right, and above and below."""
    return round(size[0] * cropped / 2), round(size[1] * cropped / 2)


class Flaw(StrEnum):
    """What is wrong with a photo as the CDN delivers it."""

    NONE = "none"
    TRUNCATED = "truncated"
    HTML = "html"
    TINY = "tiny"
    GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """How a photo was uploaded a second time; `cropped` as in `rooms.copy`."""

    width: int
    cropped: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One photo of a gallery; `size` in pixels as a viewer shows the original.

    With `copied` it is the same drawing as another shot, uploaded once more.
    """

    kind: RoomKind
    seed: int
    size: tuple[int, int]
    tags: tuple[str, ...] = ()
    caption: str = ""
    orientation: int = 1
    copied: Copied | None = None
    flaw: Flaw = Flaw.NONE

    @property
    def uploaded_size(self) -> tuple[int, int]:
        """Width and height of the upload in pixels: a copy is smaller than `size`."""
        if self.copied is None:
            return self.size
        return copied_size(
            self.size, width=self.copied.width, cropped=self.copied.cropped
        )

    @property
    def drawing(self) -> tuple[RoomKind, int]:
        """What is depicted: equal for a photo and its copies, else different."""
        return (self.kind, self.seed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One MLS record of a house with its photos.

    `versions` are the last parts of the file names, taken in turn: the real site has
    digits and letters there, and they differ within one gallery. `is_pending` tells
    that the house on the market is under contract.
    """

    mls_id: str
    data_source_id: int
    listed_on: date
    price: int
    shots: tuple[Shot, ...]
    first_photo_id: int
    versions: tuple[str, ...] = ("0",)
    sold_on: date | None = None
    is_pending: bool = False

    @property
    def status(self) -> str:
        """Of a house on the market, in the words of RESO."""
        return "Pending" if self.is_pending else "Active"

    @property
    def folder(self) -> str:
        """The folder of its photos on the CDN."""
        return self.mls_id[-_MLS_TAIL:]

    def file_name(self, position: int) -> str:
        """Return the name of a photo; the first one has no number."""
        number = f"_{position}" if position else ""
        version = self.versions[position % len(self.versions)]
        return f"{self.mls_id}{number}_{version}.jpg"

    def photo_key(self, position: int) -> str:
        """Return a photo's identity on the site: data source and file stem."""
        stem = self.file_name(position).removesuffix(".jpg")
        return f"{self.data_source_id}-{stem}"


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """A made-up house: its address in parts, its current and its earlier listing.

    `hoa` is in dollars a month, 0 without one; `beds_on_zillow` is what that site says
    where it says something else.
    """

    number: str
    direction: str
    street: str
    street_type: str
    unit: str = ""
    city: str
    zip_code: str
    home_id: int
    listing_id: int
    beds: int
    baths: float
    sqft: int
    year_built: int
    latitude: float
    longitude: float
    apn: str
    record: Record
    earlier: Record
    lot_sqft: int = 7405
    garage: int = 2
    pool: bool = False
    hoa: int = 0
    sewer: str = "Public Sewer"
    beds_on_zillow: int | None = None

    @property
    def street_line(self) -> str:
        """Number and street without the unit."""
        parts = (self.number, self.direction, self.street, self.street_type)
        return " ".join(part for part in parts if part)

    @property
    def unit_line(self) -> str:
        """Number, street and unit, as a listing shows them."""
        return f"{self.street_line} #{self.unit}" if self.unit else self.street_line

    @property
    def address(self) -> str:
        """The whole address on one line."""
        return f"{self.unit_line}, {self.city}, AZ {self.zip_code}"

    @property
    def path(self) -> str:
        """Where the site has its page."""
        slug = self.street_line.replace(" ", "-")
        unit = f"/unit-{self.unit}" if self.unit else ""
        city = self.city.replace(" ", "-")
        return f"/AZ/{city}/{slug}-{self.zip_code}{unit}/home/{self.home_id}"


def matching(houses: Iterable[House], criteria: Criteria) -> tuple[House, ...]:
    """Return the houses that a site finds by a place and filters, the newest first."""
    found = [
        house
        for house in houses
        if (house.zip_code in criteria.zip_codes or house.city in criteria.cities)
        and not criteria.refused_by(_facts(house))
    ]
    return tuple(sorted(found, key=lambda it: it.record.listed_on, reverse=True))


def _facts(house: House) -> ListingFacts:
    return ListingFacts(
        list_price=house.record.price,
        bedrooms_total=house.beds,
        bathrooms_total=house.baths,
        living_area=house.sqft,
        lot_size_square_feet=house.lot_sqft,
        year_built=house.year_built,
        pool_private=house.pool,
    )
