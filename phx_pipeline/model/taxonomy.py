"""What a photo can show: locations, subjects, and the category given to a photo."""

from dataclasses import dataclass
from enum import StrEnum

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
        return _LOCATIONS.get(self, Location.INTERIOR)


_LOCATIONS = {
    Subject.POOL: Location.EXTERIOR,
    Subject.ROOF: Location.EXTERIOR,
    Subject.EXTERIOR: Location.EXTERIOR,
    Subject.HVAC: Location.SYSTEM,
    Subject.SEWER: Location.SYSTEM,
    Subject.PLUMBING: Location.SYSTEM,
    Subject.ELECTRICAL: Location.SYSTEM,
    Subject.FIREPLACE: Location.FEATURE,
    Subject.FLOORING: Location.FEATURE,
    Subject.WINDOWS: Location.FEATURE,
    Subject.SKYLIGHTS: Location.FEATURE,
    Subject.APPLIANCES: Location.FEATURE,
    Subject.DOCUMENT: Location.FEATURE,
    Subject.UNKNOWN: Location.FEATURE,  # the one that claims neither outside nor inside
}


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
