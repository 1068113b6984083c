"""The tables that turn a listing's own words into subjects.

`TAGS` decides every known value of the sources' tag lists, `CAPTION_RULES` reads
free text, `REFINES` says which subject is a special case of which.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from phx_pipeline.model.reso import ImageOf
from phx_pipeline.model.taxonomy import Location, Subject

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
    ImageOf.COMMUNITY: S.OTHER,
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
    ImageOf.GUEST_QUARTERS: S.OTHER,
    ImageOf.GYM: S.OTHER,
    ImageOf.HALLWAY: S.HALLWAY,
    ImageOf.HOBBY_ROOM: S.OTHER,
    ImageOf.INLAW: S.OTHER,
    ImageOf.KITCHEN: S.KITCHEN,
    ImageOf.LAKE: S.EXTERIOR,
    ImageOf.LAUNDRY: S.LAUNDRY,
    ImageOf.LIBRARY: S.OTHER,
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
    ImageOf.OTHER: S.OTHER,
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
    ImageOf.STUDIO: S.OTHER,
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


def tag_key(tag: str) -> str:
    """Return the spelling tags are compared in: "Floor plans" and FloorPlans agree."""
    return re.sub(r"[\W_]+", "", tag).lower()


TAGS: Mapping[str, Subject | None] = MappingProxyType(
    {
        tag_key(tag): subject
        for table in (RESO_IMAGE_OF, SPARK_ROOM_TAGS, REDFIN_TAGS)
        for tag, subject in table.items()
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptionRule:
    """Words that name a subject; `subject` None means words that must not mislead.

    `weak` words count only where no other word of the phrase names a subject;
    `location` is set where the words place the subject elsewhere than usual;
    `ceiling` is the most such words may claim.
    """

    subject: Subject | None
    pattern: re.Pattern[str]
    weak: bool = False
    location: Location | None = None
    ceiling: float = 1.0


def _rule(
    subject: Subject | None,
    *words: str,
    weak: bool = False,
    location: Location | None = None,
    ceiling: float = 1.0,
) -> CaptionRule:
    return CaptionRule(
        subject=subject,
        pattern=re.compile(rf"\b(?:{'|'.join(words)})\b"),
        weak=weak,
        location=location,
        ceiling=ceiling,
    )


_OWNER = r"(?:master|primary|owner(?:'?s)?|main)"
_ROOMS = r"(?:rooms?|areas?|spaces?)"

# Tried in this order; what a rule has read is hidden from the rules below it. So
# "primary bath" is a bathroom before "primary" can name the master bedroom.
CAPTION_RULES: tuple[CaptionRule, ...] = (
    _rule(S.DOCUMENT, r"floor ?plans?", r"(?:plat|site|parcel|area)? ?maps?", "survey"),
    _rule(None, r"pool tables?", r"solar panels?", r"(?:wall|wood|accent) panel\w*"),
    _rule(None, r"\d+ (?:beds?|bedrooms?|br)(?: and)? \d+ (?:baths?|bathrooms?|ba)"),
    _rule(None, r"spa like", r"window (?:seats?|treatments?)", r"flower beds?"),
    _rule(
        S.EXTERIOR,
        r"(?:outdoor|outside|exterior|patio|porch|deck) "
        r"(?:kitchen|living|dining|fireplace|stairs|stairway|staircase|steps|shower)",
    ),
    _rule(S.EXTERIOR, r"aerial(?: \w+)? views?", r"front views?"),
    _rule(S.HALLWAY, r"inside (?:of )?(?:the )?(?:entrance|entry)"),
    _rule(
        S.POOL,
        r"(?:swimming )?pools?(?: (?:area|deck|side|view|house))?",
        "poolside",
        r"hot tubs?",
        "jacuzzi",
    ),
    _rule(S.MASTER, rf"{_OWNER} (?:bed ?room|suite) en ?suite(?! bath)"),
    _rule(S.BEDROOM, r"bed ?room en ?suite(?! bath)"),
    _rule(
        S.BATHROOM,
        rf"(?:{_OWNER} )?(?:en ?suite )?bath(?:room)?s?",
        rf"(?:{_OWNER} )?(?:en ?suite|shower|vanity|bathtub)",
        r"powder rooms?",
        r"(?:walk in )?showers?",
        r"(?:half|full) baths?",
    ),
    _rule(
        S.CLOSET,
        rf"(?:{_OWNER} )?(?:walk in )?closets?",
        r"wardrobes?",
        r"(?:walk in )?pantr(?:y|ies)",
    ),
    _rule(
        S.MASTER,
        rf"{_OWNER} (?:bed ?rooms?|beds?|br|bdrms?|suites?|retreats?|rooms?)"
        r"(?: (?:bed ?rooms?|retreats?))?",
        r"master$",
    ),
    _rule(
        S.LAUNDRY,
        rf"laundry(?: {_ROOMS})?",
        r"washers?",
        r"dryers?",
        r"mud ?rooms?",
        r"utility rooms?",
    ),
    _rule(
        S.LIVING,
        r"(?:living|family|great|sitting|media|game|bonus|sun|arizona|az|theat(?:er|re)"
        r"|rec|recreation|play|florida) ?rooms?",
        r"living(?: (?:areas?|spaces?))?",
        r"dens?",
        r"lofts?",
        "lounge",
    ),
    _rule(S.KITCHEN, r"eat in kitchens?", r"kitchens?", "kitchenette"),
    _rule(
        S.DINING,
        rf"dining(?: (?:{_ROOMS}|nook))?",
        r"breakfast (?:nooks?|areas?|rooms?)",
        "eat in",
    ),
    _rule(
        S.BEDROOM,
        r"(?:guest )?(?:bed ?rooms?|bdrms?|suites?)",
        r"guest rooms?",
        r"beds?",
        "nursery",
    ),
    _rule(S.GARAGE, r"garage door openers?"),
    _rule(
        S.GARAGE,
        r"attached garages?",
        r"garage (?:doors?|driveways?|exterior)",
        r"(?:garages? )?car ?ports?",
        location=Location.EXTERIOR,
    ),
    _rule(S.GARAGE, r"(?:car )?garages?"),
    _rule(
        S.HVAC,
        r"hvac(?: (?:units?|system))?",
        r"(?<!\d )ac(?: units?)?",  # "1 ac" is an acre
        r"air condition(?:er|ers|ing)(?: units?)?",
        r"furnaces?",
        r"heat pumps?",
        r"condensers?",
        r"air handlers?",
    ),
    _rule(
        S.ELECTRICAL,
        r"(?:(?:electric(?:al)?|breaker|service) )?(?:sub ?)?"
        r"(?:panels?|breakers?|meters?)",
        "electrical",
    ),
    _rule(S.PLUMBING, r"water heaters?", r"(?:water )?softeners?", "plumbing"),
    _rule(S.SEWER, r"septic(?: (?:tanks?|systems?))?", r"sewers?(?: lines?)?"),
    _rule(S.ROOF, r"roofs?", "roofing", "shingles"),
    _rule(S.SKYLIGHTS, r"sky ?lights?"),
    _rule(S.FIREPLACE, r"fire ?places?"),
    _rule(
        S.FLOORING,
        "flooring",
        r"(?:hard ?wood|wood(?:en)?|tiled?|vinyl|laminate|new) floors?",
    ),
    _rule(S.WINDOWS, r"windows?"),
    _rule(S.APPLIANCES, r"appliances?", r"refrigerators?", r"dishwashers?"),
    _rule(S.STAIRS, r"stairs", r"stair(?:case|way|well)s?"),
    _rule(
        S.HALLWAY, r"hall ?ways?", r"(?:entrance )?halls?", r"corridors?", r"foyers?"
    ),
    _rule(S.HALLWAY, r"entry ?ways?", "vestibule"),
    _rule(S.OFFICE, r"(?:home )?offices?", "study"),
    _rule(
        S.OTHER,
        r"gyms?",
        r"(?:exercise|fitness|weight|storage|hobby|craft) rooms?",
        r"librar(?:y|ies)",
        r"elevators?",
        r"wine (?:cellars?|rooms?)",
        r"saunas?",
        r"basements?",
        r"attics?",
        r"workshops?",
        weak=True,
    ),
    _rule(
        S.EXTERIOR,
        r"exteriors?",
        r"(?:back|front|side) ?yards?",
        r"(?:front|rear|back|side) (?:porch|elevation|exterior)",
        r"(?:front|rear|back|side) of(?: the)? (?:home|house|structure|property)",
        r"yards?",
        r"patios?",
        r"porch(?:es)?",
        r"decks?",
        r"drive ?ways?",
        r"curb(?: appeal)?",
        r"balcon(?:y|ies)",
        r"court ?yards?",
        r"facades?",
        "landscaping",
        r"gazebos?",
        r"fire ?pits?",
        r"pergolas?",
    ),
    _rule(S.EXTERIOR, "front", "back", "side", "rear", "drive", "aerial", weak=True),
    # What is seen in a view is anyone's guess: left to review.
    _rule(S.EXTERIOR, r"views?", weak=True, ceiling=0.60),
)
