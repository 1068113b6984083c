"""Words of the RESO Data Dictionary 2.0 that the licensed feeds of an MLS use.

Only closed lists, and how a spelling is told to be one of their words. What a picture
of a kind is called here is told in `categorize.subjects`; how a feed is asked, in the
package of its source.
"""

import re
from enum import StrEnum
from typing import TypeVar


class ImageOf(StrEnum):
    """What a picture shows: lookup `ImageOf`, all 86 values."""

    AERIAL_VIEW = "AerialView"
    ATRIUM = "Atrium"
    ATTIC = "Attic"
    BACK_OF_STRUCTURE = "BackOfStructure"
    BALCONY = "Balcony"
    BAR = "Bar"
    BARN = "Barn"
    BASEMENT = "Basement"
    BASKETBALL_COURT = "BasketballCourt"
    BATHROOM = "Bathroom"
    BEDROOM = "Bedroom"
    BONUS_ROOM = "BonusRoom"
    BREAKFAST_AREA = "BreakfastArea"
    CLOSET = "Closet"
    COMMUNITY = "Community"
    COURTYARD = "Courtyard"
    DECK = "Deck"
    DEN = "Den"
    DINING_AREA = "DiningArea"
    DINING_ROOM = "DiningRoom"
    DOCK = "Dock"
    ENTRANCE_FOYER = "EntranceFoyer"
    ENTRY = "Entry"
    EXERCISE_ROOM = "ExerciseRoom"
    FAMILY_ROOM = "FamilyRoom"
    FENCE = "Fence"
    FIREPLACE = "Fireplace"
    FLOOR_PLAN = "FloorPlan"
    FRONT_OF_STRUCTURE = "FrontOfStructure"
    GAME_ROOM = "GameRoom"
    GARAGE = "Garage"
    GARDEN = "Garden"
    GOLF_COURSE = "GolfCourse"
    GREAT_ROOM = "GreatRoom"
    GUEST_QUARTERS = "GuestQuarters"
    GYM = "Gym"
    HALLWAY = "Hallway"
    HOBBY_ROOM = "HobbyRoom"
    INLAW = "Inlaw"
    KITCHEN = "Kitchen"
    LAKE = "Lake"
    LAUNDRY = "Laundry"
    LIBRARY = "Library"
    LIVING_ROOM = "LivingRoom"
    LOADING_DOCK = "LoadingDock"
    LOBBY = "Lobby"
    LOFT = "Loft"
    LOT = "Lot"
    MAP = "Map"
    MASTER_BATHROOM = "MasterBathroom"
    MASTER_BEDROOM = "MasterBedroom"
    MEDIA_ROOM = "MediaRoom"
    MUD_ROOM = "MudRoom"
    NURSERY = "Nursery"
    OFFICE = "Office"
    OTHER = "Other"
    OUT_BUILDINGS = "OutBuildings"
    PANTRY = "Pantry"
    PARKING = "Parking"
    PATIO = "Patio"
    PIER = "Pier"
    PLAT_MAP = "PlatMap"
    PLAYGROUND = "Playground"
    POND = "Pond"
    POOL = "Pool"
    RECEPTION = "Reception"
    RECREATION_ROOM = "RecreationRoom"
    SAUNA = "Sauna"
    SHOWROOM = "Showroom"
    SIDE_OF_STRUCTURE = "SideOfStructure"
    SITTING_ROOM = "SittingRoom"
    SPA = "Spa"
    STABLE = "Stable"
    STAIRS = "Stairs"
    STORAGE = "Storage"
    STUDIO = "Studio"
    STUDY = "Study"
    SUN_ROOM = "SunRoom"
    TENNIS_COURT = "TennisCourt"
    UTILITY_ROOM = "UtilityRoom"
    VIEW = "View"
    WALK_IN_CLOSETS = "WalkInClosets"
    WATERFRONT = "Waterfront"
    WINE_CELLAR = "WineCellar"
    WORKSHOP = "Workshop"
    YARD = "Yard"


class MediaCategory(StrEnum):
    """What kind of medium a record is: lookup `MediaCategory`."""

    AGENT_PHOTO = "AgentPhoto"
    BRANDED_VIRTUAL_TOUR = "BrandedVirtualTour"
    DOCUMENT = "Document"
    FLOOR_PLAN = "FloorPlan"
    OFFICE_LOGO = "OfficeLogo"
    OFFICE_PHOTO = "OfficePhoto"
    PHOTO = "Photo"
    UNBRANDED_VIRTUAL_TOUR = "UnbrandedVirtualTour"
    VIDEO = "Video"


class Permission(StrEnum):
    """Who may be shown a medium: lookup `Permission`."""

    AGENT_ONLY = "AgentOnly"
    FIRM_ONLY = "FirmOnly"
    IDX = "Idx"
    OFFICE_ONLY = "OfficeOnly"
    PRIVATE = "Private"
    PUBLIC = "Public"
    VOW = "Vow"


class StandardStatus(StrEnum):
    """The state of a listing: lookup `StandardStatus`."""

    ACTIVE = "Active"
    ACTIVE_UNDER_CONTRACT = "ActiveUnderContract"
    CANCELED = "Canceled"
    CLOSED = "Closed"
    COMING_SOON = "ComingSoon"
    DELETE = "Delete"
    EXPIRED = "Expired"
    HOLD = "Hold"
    INCOMPLETE = "Incomplete"
    PENDING = "Pending"
    WITHDRAWN = "Withdrawn"

    @property
    def is_on_market(self) -> bool:
        """Whether the house is offered, or a sale of it is under way."""
        return self in _ON_MARKET


_ON_MARKET = frozenset(
    {
        StandardStatus.ACTIVE,
        StandardStatus.ACTIVE_UNDER_CONTRACT,
        StandardStatus.COMING_SOON,
        StandardStatus.PENDING,
    }
)

_Word = TypeVar("_Word", bound=StrEnum)


def word_of(words: type[_Word], text: str) -> _Word | None:
    """Return the word that *text* spells; None if the list has no such word.

    Feeds write the names for machines or those for people: `WalkInClosets`,
    `Walk-In Closet(s)`, `IDX`, `Idx`.
    """
    wanted = letters_of(text)
    return next((word for word in words if letters_of(word) == wanted), None)


def letters_of(text: str) -> str:
    """Return the spelling words are compared in: `Floor plans` and FloorPlans agree."""
    return re.sub(r"[\W_]+", "", text).lower()
