"""The tables that turn a listing's tags into subjects.

`TAGS` decides every known value of the sources' tag lists, `REFINES` says which subject
is a special case of which. Free text is read by `caption_rules`.
"""

from collections.abc import Mapping
from types import MappingProxyType

from phx_pipeline.model.reso import ImageOf, letters_of
from phx_pipeline.model.taxonomy import Subject

S = Subject

# Special case -> the subject a coarser eye would see in the same picture.
REFINES: Mapping[Subject, Subject] = MappingProxyType(
    {
        S.MASTER: S.BEDROOM,
        S.POOL: S.EXTERIOR,
        S.ROOF: S.EXTERIOR,
        S.GARAGE: S.EXTERIOR,
        S.HVAC: S.EXTERIOR,  # condensers stand outside
    }
)

# The filters of Redfin's photo viewer: the first eight stand on a captured page, the
# others follow its naming.
REDFIN_TAGS: Mapping[str, Subject | None] = {
    "All": None,
    "Interior": None,  # says where, not what
    "Exterior": S.EXTERIOR,
    "Kitchen": S.KITCHEN,
    "Bath": S.BATHROOM,
    "Bed": S.BEDROOM,
    "Living": S.LIVING,
    "Dining": S.DINING,
    "Floor plans": S.DOCUMENT,
    "Garage": S.GARAGE,
    "Laundry": S.LAUNDRY,
    "Office": S.OFFICE,
    "Pool": S.POOL,
    "View": S.EXTERIOR,
    "Yard": S.EXTERIOR,
}

# RESO Data Dictionary 2.0, lookup ImageOf, all 86 values.
RESO_IMAGE_OF: Mapping[ImageOf, Subject | None] = {
    ImageOf.AERIAL_VIEW: S.EXTERIOR,
    ImageOf.ATRIUM: S.OTHER,
    ImageOf.ATTIC: S.OTHER,
    ImageOf.BACK_OF_STRUCTURE: S.EXTERIOR,
    ImageOf.BALCONY: S.EXTERIOR,
    ImageOf.BAR: S.OTHER,
    ImageOf.BARN: S.EXTERIOR,
    ImageOf.BASEMENT: S.OTHER,
    ImageOf.BASKETBALL_COURT: S.EXTERIOR,
    ImageOf.BATHROOM: S.BATHROOM,
    ImageOf.BEDROOM: S.BEDROOM,
    ImageOf.BONUS_ROOM: S.LIVING,
    ImageOf.BREAKFAST_AREA: S.DINING,
    ImageOf.CLOSET: S.CLOSET,
    ImageOf.COMMUNITY: None,  # whatever there is around the house
    ImageOf.COURTYARD: S.EXTERIOR,
    ImageOf.DECK: S.EXTERIOR,
    ImageOf.DEN: S.LIVING,
    ImageOf.DINING_AREA: S.DINING,
    ImageOf.DINING_ROOM: S.DINING,
    ImageOf.DOCK: S.EXTERIOR,
    ImageOf.ENTRANCE_FOYER: S.HALLWAY,
    ImageOf.ENTRY: None,  # the door outside or the hall inside
    ImageOf.EXERCISE_ROOM: S.OTHER,
    ImageOf.FAMILY_ROOM: S.LIVING,
    ImageOf.FENCE: S.EXTERIOR,
    ImageOf.FIREPLACE: S.FIREPLACE,
    ImageOf.FLOOR_PLAN: S.DOCUMENT,
    ImageOf.FRONT_OF_STRUCTURE: S.EXTERIOR,
    ImageOf.GAME_ROOM: S.LIVING,
    ImageOf.GARAGE: S.GARAGE,
    ImageOf.GARDEN: S.EXTERIOR,
    ImageOf.GOLF_COURSE: S.EXTERIOR,
    ImageOf.GREAT_ROOM: S.LIVING,
    ImageOf.GUEST_QUARTERS: None,  # a house outside or any room of it
    ImageOf.GYM: S.OTHER,
    ImageOf.HALLWAY: S.HALLWAY,
    ImageOf.HOBBY_ROOM: S.OTHER,
    ImageOf.INLAW: None,  # the same
    ImageOf.KITCHEN: S.KITCHEN,
    ImageOf.LAKE: S.EXTERIOR,
    ImageOf.LAUNDRY: S.LAUNDRY,
    ImageOf.LIBRARY: S.OFFICE,
    ImageOf.LIVING_ROOM: S.LIVING,
    ImageOf.LOADING_DOCK: S.EXTERIOR,
    ImageOf.LOBBY: S.HALLWAY,
    ImageOf.LOFT: S.LIVING,
    ImageOf.LOT: S.EXTERIOR,
    ImageOf.MAP: S.DOCUMENT,
    ImageOf.MASTER_BATHROOM: S.BATHROOM,
    ImageOf.MASTER_BEDROOM: S.MASTER,
    ImageOf.MEDIA_ROOM: S.LIVING,
    ImageOf.MUD_ROOM: S.LAUNDRY,
    ImageOf.NURSERY: S.BEDROOM,
    ImageOf.OFFICE: S.OFFICE,
    ImageOf.OTHER: None,  # says what it is not, and not where
    ImageOf.OUT_BUILDINGS: S.EXTERIOR,
    ImageOf.PANTRY: S.CLOSET,
    ImageOf.PARKING: S.EXTERIOR,
    ImageOf.PATIO: S.EXTERIOR,
    ImageOf.PIER: S.EXTERIOR,
    ImageOf.PLAT_MAP: S.DOCUMENT,
    ImageOf.PLAYGROUND: S.EXTERIOR,
    ImageOf.POND: S.EXTERIOR,
    ImageOf.POOL: S.POOL,
    ImageOf.RECEPTION: S.OTHER,
    ImageOf.RECREATION_ROOM: S.LIVING,
    ImageOf.SAUNA: S.OTHER,
    ImageOf.SHOWROOM: S.OTHER,
    ImageOf.SIDE_OF_STRUCTURE: S.EXTERIOR,
    ImageOf.SITTING_ROOM: S.LIVING,
    ImageOf.SPA: None,  # a hot tub at the pool, or a room
    ImageOf.STABLE: S.EXTERIOR,
    ImageOf.STAIRS: S.STAIRS,
    ImageOf.STORAGE: S.OTHER,
    ImageOf.STUDIO: None,  # a flat of one room, or a workroom
    ImageOf.STUDY: S.OFFICE,
    ImageOf.SUN_ROOM: S.LIVING,
    ImageOf.TENNIS_COURT: S.EXTERIOR,
    ImageOf.UTILITY_ROOM: S.LAUNDRY,
    ImageOf.VIEW: S.EXTERIOR,
    ImageOf.WALK_IN_CLOSETS: S.CLOSET,
    ImageOf.WATERFRONT: S.EXTERIOR,
    ImageOf.WINE_CELLAR: S.OTHER,
    ImageOf.WORKSHOP: S.OTHER,
    ImageOf.YARD: S.EXTERIOR,
}

# Spark API, tag group Room, as documented by the vendor.
SPARK_ROOM_TAGS: Mapping[str, Subject | None] = {
    "Bathroom": S.BATHROOM,
    "Bedroom": S.BEDROOM,
    "Dining": S.DINING,
    "Fitness": S.OTHER,
    "Kitchen": S.KITCHEN,
    "Laundry": S.LAUNDRY,
    "Living": S.LIVING,
}


TAGS: Mapping[str, Subject | None] = MappingProxyType(
    {
        letters_of(tag): subject
        for table in (RESO_IMAGE_OF, SPARK_ROOM_TAGS, REDFIN_TAGS)
        for tag, subject in table.items()
    }
)


def are_akin(one: Subject, other: Subject) -> bool:
    """Whether both are the same subject, or one is a kind of the other."""
    return one is other or REFINES.get(one) is other or REFINES.get(other) is one
