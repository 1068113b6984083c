"""What a photo can show: locations, subjects, and the category given to a photo.

`TAXONOMY` is the one table of it; which words mean a subject is told in `categorize`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

CONFIDENCE_MAX = 99


class Location(StrEnum):
    """Where in the property: the second field of a file name."""

    EXTERIOR = "ext"
    INTERIOR = "int"
    SYSTEM = "sys"
    FEATURE = "feat"


class Subject(StrEnum):
    """What is in the picture; no value holds an underscore (it separates fields)."""

    KITCHEN = "kitchen"
    MASTER = "master"
    BEDROOM = "bedroom"
    BATHROOM = "bathroom"
    LIVING = "living"
    DINING = "dining"
    LAUNDRY = "laundry"
    GARAGE = "garage"
    HVAC = "hvac"
    ROOF = "roof"
    SEWER = "sewer"
    PLUMBING = "plumbing"
    ELECTRICAL = "electrical"
    POOL = "pool"
    FIREPLACE = "fireplace"
    FLOORING = "flooring"
    WINDOWS = "windows"
    SKYLIGHTS = "skylights"
    APPLIANCES = "appliances"
    EXTERIOR = "exterior"
    HALLWAY = "hallway"
    OFFICE = "office"
    CLOSET = "closet"
    STAIRS = "stairs"
    OTHER = "other"
    DOCUMENT = "document"
    UNKNOWN = "unknown"

    @property
    def location(self) -> Location:
        """The location this subject has unless the evidence says otherwise."""
        return TAXONOMY[self].location

    def may_be(self, location: Location) -> bool:
        """Whether a picture of this subject may be at *location*."""
        return location is self.location or location in TAXONOMY[self].elsewhere


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a subject stands for, where it is, and where else the evidence may put it.

    `shows` completes the sentence "the picture shows …" and stands in `docs/data.md`.
    """

    location: Location
    elsewhere: frozenset[Location] = frozenset()
    shows: str


def _entry(location: Location, shows: str, *elsewhere: Location) -> Entry:
    return Entry(location=location, shows=shows, elsewhere=frozenset(elsewhere))


_EXT, _INT = Location.EXTERIOR, Location.INTERIOR
_SYS, _FEAT = Location.SYSTEM, Location.FEATURE

TAXONOMY: Mapping[Subject, Entry] = MappingProxyType(
    {
        Subject.KITCHEN: _entry(_INT, "a kitchen or kitchenette", _EXT),
        Subject.MASTER: _entry(_INT, "the main bedroom or its suite"),
        Subject.BEDROOM: _entry(_INT, "any other room to sleep in"),
        Subject.BATHROOM: _entry(_INT, "a bath, powder room or shower", _EXT),
        Subject.LIVING: _entry(
            _INT, "a living, family, game or media room, den, loft or sunroom", _EXT
        ),
        Subject.DINING: _entry(_INT, "a dining room or breakfast nook", _EXT),
        Subject.LAUNDRY: _entry(_INT, "a laundry, mud or utility room", _EXT),
        Subject.GARAGE: _entry(
            _INT, "a garage; `ext` from outside, and any carport", _EXT
        ),
        Subject.HVAC: _entry(_SYS, "heating or cooling equipment, in or out of doors"),
        Subject.ROOF: _entry(
            _EXT, "a roof seen whole; `sys` where it is its build-up", _SYS
        ),
        Subject.SEWER: _entry(_SYS, "a septic tank or sewer line"),
        Subject.PLUMBING: _entry(_SYS, "a water heater, softener or pipes"),
        Subject.ELECTRICAL: _entry(
            _SYS, "a panel, meter, generator, charger or solar panels"
        ),
        Subject.POOL: _entry(
            _EXT,
            "a pool or hot tub; `int` within a house, `sys` where it is its equipment",
            _INT,
            _SYS,
        ),
        Subject.FIREPLACE: _entry(_FEAT, "a fireplace or stove", _EXT),
        Subject.FLOORING: _entry(_FEAT, "a floor and what it is made of"),
        Subject.WINDOWS: _entry(_FEAT, "windows, shutters or blinds"),
        Subject.SKYLIGHTS: _entry(_FEAT, "skylights"),
        Subject.APPLIANCES: _entry(_FEAT, "kitchen appliances by themselves"),
        Subject.EXTERIOR: _entry(
            _EXT, "anything out of doors: front, back, yard, patio, view, grounds"
        ),
        Subject.HALLWAY: _entry(_INT, "a hall, foyer, corridor or lobby"),
        Subject.OFFICE: _entry(_INT, "an office, study or library"),
        Subject.CLOSET: _entry(_INT, "a closet, dressing room or pantry"),
        Subject.STAIRS: _entry(_INT, "stairs", _EXT),
        Subject.OTHER: _entry(
            _INT, "what has no name of its own: gym, cellar, attic, bar", _EXT, _FEAT
        ),
        Subject.DOCUMENT: _entry(_FEAT, "no photo: a plan, map, drawing or leaflet"),
        Subject.UNKNOWN: _entry(
            _FEAT, "something nobody could name; `feat` claims no place", _EXT, _INT
        ),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """What a photo shows, and how sure we are (0..99, as in the file name)."""

    location: Location
    subject: Subject
    confidence: int

    def __post_init__(self) -> None:
        """Refuse a confidence that could not stand in a file name."""
        if not 0 <= self.confidence <= CONFIDENCE_MAX:
            raise ValueError(f"confidence {self.confidence} is not within 0..99")


UNCATEGORIZED = Category(
    location=Subject.UNKNOWN.location, subject=Subject.UNKNOWN, confidence=0
)
