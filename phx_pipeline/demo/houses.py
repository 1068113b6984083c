"""Six made-up Phoenix houses: addresses, listing facts and what is in each gallery.

Nothing here exists: streets and numbers are invented, only cities and ZIPs are real.
Pure values; `rooms` draws the pictures, the stand-ins of the sources write the pages.
"""

from dataclasses import replace
from datetime import date

from phx_pipeline.sources.standins import Copied, Flaw, House, Record, RoomKind, Shot

__all__ = ["HOUSES", "NEWCOMERS", "Copied", "Flaw", "House", "Record", "Shot"]

LARGE = (1280, 853)
MEDIUM = (1024, 682)
HUGE = (1600, 1066)
UPRIGHT = (853, 1280)
SMALLEST = (150, 100)

_TURNED = 6  # EXIF: the camera was held upright

_ROOM_TAGS: dict[RoomKind, tuple[str, ...]] = {
    RoomKind.KITCHEN: ("All", "Kitchen", "Interior"),
    RoomKind.LIVING: ("All", "Living", "Interior"),
    RoomKind.DINING: ("All", "Dining", "Interior"),
    RoomKind.BEDROOM: ("All", "Bed", "Interior"),
    RoomKind.BATHROOM: ("All", "Bath", "Interior"),
    RoomKind.FRONT: ("All", "Exterior"),
    RoomKind.YARD: ("All", "Exterior"),
    RoomKind.POOL: ("All", "Exterior"),
    RoomKind.FLOOR_PLAN: ("All", "Floor plans"),
}
_INSIDE = ("All", "Interior")  # the site has no tag for a garage or a laundry

_CAPTIONS: dict[RoomKind, tuple[str, ...]] = {
    RoomKind.KITCHEN: ("Kitchen with island", "Kitchen cabinets and stone counter"),
    RoomKind.LIVING: ("Living room with sofa", "Bright living room"),
    RoomKind.DINING: ("Dining table and chairs",),
    RoomKind.BEDROOM: ("Bedroom with window", "Primary bedroom", "Guest bedroom"),
    RoomKind.BATHROOM: ("Bathroom vanity and mirror", "Bathroom with tub"),
    RoomKind.LAUNDRY: ("Laundry room with washer and dryer",),
    RoomKind.GARAGE: ("Garage with parked car",),
    RoomKind.OFFICE: ("Home office with desk",),
    RoomKind.HALLWAY: ("Hallway with doors",),
    RoomKind.FRONT: ("Front of house with driveway",),
    RoomKind.YARD: ("Backyard with block wall", "Desert landscaping"),
    RoomKind.POOL: ("Swimming pool in backyard",),
    RoomKind.FLOOR_PLAN: ("Floor plan",),
}


def _shot(kind: RoomKind, seed: int, size: tuple[int, int] = LARGE) -> Shot:
    captions = _CAPTIONS[kind]
    return Shot(
        kind=kind,
        seed=seed,
        size=size,
        tags=_ROOM_TAGS.get(kind, _INSIDE),
        caption=captions[seed % len(captions)],
    )


def _bare(kind: RoomKind, seed: int, size: tuple[int, int] = LARGE) -> Shot:
    """Return a photo the site says nothing about."""
    return Shot(kind=kind, seed=seed, size=size)


def _upright(kind: RoomKind, seed: int) -> Shot:
    return replace(_shot(kind, seed, UPRIGHT), orientation=_TURNED)


def _again(first: Shot, *, width: int, cropped: float = 0.0) -> Shot:
    """Return the same photo uploaded once more, smaller or cut."""
    return replace(first, copied=Copied(width=width, cropped=cropped))


def _flawed(kind: RoomKind, seed: int, *, flaw: Flaw) -> Shot:
    size = SMALLEST if flaw is Flaw.TINY else LARGE
    return replace(_shot(kind, seed, size), flaw=flaw)


_LARKSTONE = House(
    number="4871",
    direction="W",
    street="Larkstone",
    street_type="Rd",
    city="Glendale",
    zip_code="85306",
    home_id=190481101,
    listing_id=218840411,
    beds=4,
    baths=2.5,
    sqft=2146,
    year_built=1984,
    latitude=33.6231,
    longitude=-112.1627,
    apn="200-90-117",
    pool=True,
    lot_sqft=8712,
    record=Record(
        mls_id="6981407",
        data_source_id=57,
        listed_on=date(2026, 1, 15),
        price=489000,
        first_photo_id=3104411200,
        shots=(
            _shot(RoomKind.FRONT, 101),
            _shot(RoomKind.LIVING, 102),
            _shot(RoomKind.KITCHEN, 103),
            _shot(RoomKind.KITCHEN, 104),
            _shot(RoomKind.DINING, 105),
            _bare(RoomKind.HALLWAY, 106),
            _shot(RoomKind.BEDROOM, 107, MEDIUM),
            _shot(RoomKind.BATHROOM, 108, MEDIUM),
            _shot(RoomKind.BEDROOM, 109),
            _shot(RoomKind.BEDROOM, 110),
            _shot(RoomKind.BATHROOM, 111),
            _shot(RoomKind.LAUNDRY, 112),
            _bare(RoomKind.GARAGE, 113),
            _again(_shot(RoomKind.KITCHEN, 103), width=960),
            _shot(RoomKind.YARD, 114),
            _shot(RoomKind.POOL, 115),
        ),
    ),
    earlier=Record(
        mls_id="5514830",
        data_source_id=57,
        listed_on=date(2017, 3, 2),
        sold_on=date(2017, 4, 21),
        price=251000,
        first_photo_id=1204411200,
        shots=(
            _bare(RoomKind.FRONT, 191, MEDIUM),
            _bare(RoomKind.LIVING, 192, MEDIUM),
            _bare(RoomKind.KITCHEN, 193, MEDIUM),
        ),
    ),
)

_QUAIL_LANTERN = House(
    number="15238",
    direction="N",
    street="Quail Lantern",
    street_type="Dr",
    city="Phoenix",
    zip_code="85032",
    home_id=190481102,
    listing_id=218851973,
    beds=3,
    baths=2.0,
    sqft=1688,
    year_built=1978,
    latitude=33.6272,
    longitude=-112.0031,
    apn="214-13-268",
    sewer="Septic Tank",
    beds_on_zillow=4,  # with the den
    record=Record(
        mls_id="6983352",
        data_source_id=57,
        listed_on=date(2026, 1, 28),
        price=434900,
        first_photo_id=3107730500,
        versions=("I", "I", "J"),
        shots=(
            _shot(RoomKind.FRONT, 201, HUGE),
            _shot(RoomKind.YARD, 202, HUGE),
            _shot(RoomKind.LIVING, 203, HUGE),
            _shot(RoomKind.KITCHEN, 204),
            _upright(RoomKind.BATHROOM, 205),
            _shot(RoomKind.BEDROOM, 206),
            _flawed(RoomKind.BEDROOM, 207, flaw=Flaw.TRUNCATED),
            _shot(RoomKind.BEDROOM, 208),
            _bare(RoomKind.OFFICE, 209),
            _again(_shot(RoomKind.LIVING, 203, HUGE), width=1200, cropped=0.03),
            _shot(RoomKind.GARAGE, 210),
            _shot(RoomKind.FLOOR_PLAN, 211, MEDIUM),
        ),
    ),
    earlier=Record(
        mls_id="4719288",
        data_source_id=57,
        listed_on=date(2012, 2, 9),
        sold_on=date(2012, 3, 30),
        price=139000,
        first_photo_id=804411200,
        shots=(
            _bare(RoomKind.FRONT, 291, MEDIUM),
            _bare(RoomKind.YARD, 292, MEDIUM),
        ),
    ),
)

_COPPER_THRUSH = House(
    number="7316",
    direction="E",
    street="Copper Thrush",
    street_type="Ave",
    unit="204",
    city="Scottsdale",
    zip_code="85251",
    home_id=190481103,
    listing_id=218866240,
    beds=2,
    baths=2.0,
    sqft=1124,
    year_built=2006,
    latitude=33.4935,
    longitude=-111.9214,
    apn="173-51-204",
    lot_sqft=1124,
    garage=1,
    hoa=310,
    record=Record(
        mls_id="6985019",
        data_source_id=57,
        listed_on=date(2026, 2, 6),
        price=379500,
        first_photo_id=3109908000,
        versions=("0", "1"),
        shots=(
            _shot(RoomKind.FRONT, 301, MEDIUM),
            _shot(RoomKind.LIVING, 302, MEDIUM),
            _shot(RoomKind.LIVING, 303, MEDIUM),
            _shot(RoomKind.KITCHEN, 304, MEDIUM),
            _shot(RoomKind.DINING, 305, MEDIUM),
            _shot(RoomKind.BEDROOM, 306, MEDIUM),
            _shot(RoomKind.BATHROOM, 307, MEDIUM),
            _flawed(RoomKind.OFFICE, 308, flaw=Flaw.HTML),
            _shot(RoomKind.BEDROOM, 309, MEDIUM),
            _shot(RoomKind.BATHROOM, 310, MEDIUM),
            _bare(RoomKind.LAUNDRY, 311, MEDIUM),
            _bare(RoomKind.HALLWAY, 312, MEDIUM),
            _shot(RoomKind.POOL, 313, MEDIUM),
            _shot(RoomKind.FLOOR_PLAN, 314, MEDIUM),
        ),
    ),
    earlier=Record(
        mls_id="6102277",
        data_source_id=57,
        listed_on=date(2020, 7, 10),
        sold_on=date(2020, 8, 14),
        price=268000,
        first_photo_id=2104411200,
        shots=(
            _bare(RoomKind.LIVING, 391, MEDIUM),
            _bare(RoomKind.BEDROOM, 392, MEDIUM),
        ),
    ),
)

_DUSTY_JUNIPER = House(
    number="2209",
    direction="S",
    street="Dusty Juniper",
    street_type="Ln",
    city="Mesa",
    zip_code="85204",
    home_id=190481104,
    listing_id=218871658,
    beds=5,
    baths=3.0,
    sqft=2870,
    year_built=1996,
    latitude=33.3763,
    longitude=-111.7838,
    apn="139-08-412",
    pool=True,
    lot_sqft=10890,
    garage=3,
    hoa=45,
    record=Record(
        mls_id="6986660",
        data_source_id=57,
        listed_on=date(2026, 2, 12),
        price=612000,
        first_photo_id=3111402900,
        shots=(
            _shot(RoomKind.FRONT, 401),
            _shot(RoomKind.FRONT, 402),
            _shot(RoomKind.LIVING, 403),
            _shot(RoomKind.LIVING, 404),
            _shot(RoomKind.KITCHEN, 405),
            _shot(RoomKind.KITCHEN, 406),
            _shot(RoomKind.DINING, 407),
            _shot(RoomKind.BEDROOM, 408),
            _shot(RoomKind.BEDROOM, 409),
            _shot(RoomKind.BEDROOM, 410),
            _shot(RoomKind.BEDROOM, 411),
            _upright(RoomKind.HALLWAY, 412),
            _shot(RoomKind.BATHROOM, 413),
            _shot(RoomKind.BATHROOM, 414),
            _bare(RoomKind.BATHROOM, 415),
            _shot(RoomKind.OFFICE, 416),
            _shot(RoomKind.LAUNDRY, 417),
            _shot(RoomKind.GARAGE, 418),
            _again(_shot(RoomKind.FRONT, 401), width=800),
            _again(_shot(RoomKind.DINING, 407), width=1180, cropped=0.02),
            _flawed(RoomKind.LIVING, 419, flaw=Flaw.TINY),
            _shot(RoomKind.YARD, 420),
            _shot(RoomKind.POOL, 421),
            _shot(RoomKind.POOL, 422),
        ),
    ),
    earlier=Record(
        mls_id="5987712",
        data_source_id=57,
        listed_on=date(2019, 10, 4),
        sold_on=date(2019, 11, 15),
        price=398000,
        first_photo_id=1804411200,
        shots=(
            _bare(RoomKind.FRONT, 491, MEDIUM),
            _bare(RoomKind.KITCHEN, 492, MEDIUM),
            _bare(RoomKind.POOL, 493, MEDIUM),
            _bare(RoomKind.YARD, 494, MEDIUM),
        ),
    ),
)

_MARIGOLD_HOLLOW = House(
    number="10644",
    direction="W",
    street="Marigold Hollow",
    street_type="St",
    city="Peoria",
    zip_code="85345",
    home_id=190481105,
    listing_id=218879002,
    beds=3,
    baths=2.0,
    sqft=1540,
    year_built=1989,
    latitude=33.5762,
    longitude=-112.2866,
    apn="142-31-590",
    record=Record(
        mls_id="A6988124",
        data_source_id=193,
        listed_on=date(2026, 2, 20),
        price=402000,
        first_photo_id=3113015700,
        versions=("M",),
        shots=(
            _shot(RoomKind.FRONT, 501),
            _bare(RoomKind.LIVING, 502),
            _shot(RoomKind.KITCHEN, 503),
            _bare(RoomKind.KITCHEN, 504),
            _shot(RoomKind.DINING, 505),
            _flawed(RoomKind.DINING, 506, flaw=Flaw.GONE),
            _shot(RoomKind.BEDROOM, 507),
            _shot(RoomKind.BEDROOM, 508),
            _shot(RoomKind.BATHROOM, 509),
            _shot(RoomKind.GARAGE, 510),
            _shot(RoomKind.YARD, 511),
            _shot(RoomKind.YARD, 512),
            _shot(RoomKind.HALLWAY, 513, MEDIUM),
        ),
    ),
    earlier=Record(
        mls_id="5240916",
        data_source_id=57,
        listed_on=date(2015, 2, 20),
        sold_on=date(2015, 3, 27),
        price=168000,
        first_photo_id=1004411200,
        shots=(
            _bare(RoomKind.FRONT, 591, MEDIUM),
            _bare(RoomKind.BEDROOM, 592, MEDIUM),
        ),
    ),
)

_OCOTILLO_BEND = House(
    number="318",
    direction="N",
    street="Ocotillo Bend",
    street_type="Ct",
    city="Chandler",
    zip_code="85225",
    home_id=190481106,
    listing_id=218884417,
    beds=4,
    baths=3.0,
    sqft=2384,
    year_built=2003,
    latitude=33.3092,
    longitude=-111.8361,
    apn="302-79-145",
    pool=True,
    hoa=62,
    record=Record(
        mls_id="6989937",
        data_source_id=57,
        listed_on=date(2026, 3, 3),
        price=568500,
        first_photo_id=3114820100,
        versions=("0", "0", "0", "2"),
        shots=(
            _shot(RoomKind.FRONT, 601, HUGE),
            _shot(RoomKind.HALLWAY, 602),
            _shot(RoomKind.LIVING, 603),
            _shot(RoomKind.LIVING, 604),
            _shot(RoomKind.KITCHEN, 605),
            _shot(RoomKind.KITCHEN, 606),
            _shot(RoomKind.DINING, 607),
            _shot(RoomKind.BEDROOM, 608),
            _shot(RoomKind.BEDROOM, 609),
            _shot(RoomKind.BEDROOM, 610),
            _upright(RoomKind.BATHROOM, 611),
            _shot(RoomKind.BATHROOM, 612),
            _bare(RoomKind.OFFICE, 613),
            _shot(RoomKind.LAUNDRY, 614),
            _again(_shot(RoomKind.KITCHEN, 605), width=1100, cropped=0.03),
            _shot(RoomKind.YARD, 615),
            _shot(RoomKind.POOL, 616),
            _shot(RoomKind.FLOOR_PLAN, 617, MEDIUM),
        ),
    ),
    earlier=Record(
        mls_id="6243371",
        data_source_id=57,
        listed_on=date(2021, 5, 28),
        sold_on=date(2021, 6, 30),
        price=455000,
        first_photo_id=2304411200,
        shots=(
            _bare(RoomKind.FRONT, 691, MEDIUM),
            _bare(RoomKind.LIVING, 692, MEDIUM),
            _bare(RoomKind.POOL, 693, MEDIUM),
        ),
    ),
)

HOUSES: tuple[House, ...] = (
    _LARKSTONE,
    _QUAIL_LANTERN,
    _COPPER_THRUSH,
    _DUSTY_JUNIPER,
    _MARIGOLD_HOLLOW,
    _OCOTILLO_BEND,
)

_SAGE_PIPIT = House(
    number="5127",
    direction="W",
    street="Sage Pipit",
    street_type="Ave",
    city="Glendale",
    zip_code="85306",
    home_id=190481107,
    listing_id=218890533,
    beds=3,
    baths=2.0,
    sqft=1602,
    year_built=1986,
    latitude=33.6248,
    longitude=-112.1689,
    apn="200-90-341",
    record=Record(
        mls_id="6991208",
        data_source_id=57,
        listed_on=date(2026, 3, 8),
        price=438000,
        first_photo_id=3116010400,
        shots=(
            _shot(RoomKind.FRONT, 701, MEDIUM),
            _shot(RoomKind.LIVING, 702, MEDIUM),
            _shot(RoomKind.KITCHEN, 703, MEDIUM),
            _shot(RoomKind.BEDROOM, 704, MEDIUM),
            _shot(RoomKind.YARD, 705, MEDIUM),
        ),
    ),
    earlier=Record(
        mls_id="5714402",
        data_source_id=57,
        listed_on=date(2018, 4, 3),
        sold_on=date(2018, 5, 11),
        price=262000,
        first_photo_id=1404411200,
        shots=(_bare(RoomKind.FRONT, 791, MEDIUM),),
    ),
)

NEWCOMERS: tuple[House, ...] = (_SAGE_PIPIT,)
"""On the market, and not followed: for searches to find."""
