"""The words by which captions name subjects, in the spelling `wording` makes of them.

How words of one caption are weighed against each other is told in `captions`.
"""

import re
from dataclasses import dataclass

from phx_pipeline.model.taxonomy import Location, Subject

S = Subject


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


_OWNER = r"(?:master|primary|owner(?:'?s?)?|main)"
_ROOMS = r"(?:rooms?|areas?|spaces?)"
_WITHOUT = r"(?:outdoor|outside|exterior|summer|al fresco|patio|porch|deck|back ?yard)"
_SIDES = r"(?:front|rear|back|side)"
_HOUSE = r"(?:home|house|structure|property|building|residence)"
_COUNT = r"(?:\d+|two|three|four|five|six)"
# What may be one thing or another: left to review.
_DOUBTFUL = 0.65
_GUESS = 0.60

# What a house shows from outside: "ranch home with an attached garage".
SEEN_FROM_OUTSIDE = _rule(S.EXTERIOR, r"homes?", ceiling=_DOUBTFUL)

# Tried in this order; what a rule has read is hidden from the rules below it. So
# "primary bath" is a bathroom before "primary" can name the master bedroom.
CAPTION_RULES: tuple[CaptionRule, ...] = (
    # --- words that would mislead
    _rule(
        None,
        r"(?:open|split|great|spacious|functional|flexible|versatile|popular"
        r"|desirable|flowing)(?: concept)? (?:floor ?)?plans?(?! \d)",
    ),
    _rule(
        None,
        rf"{_COUNT} (?:bd|beds?|bed ?rooms?)[, ]+(?:and )?{_COUNT}[\d.]* (?:full )?"
        r"(?:baths?|bath ?rooms?)",
        rf"{_COUNT} (?:bed|bed ?room) {_HOUSE}",
    ),
    _rule(S.BEDROOM, r"one of (?:(?!bed)\w+ ){1,4}bed ?rooms?"),
    _rule(None, rf"{_COUNT} (?:(?!bed)\w+ )?bed ?rooms"),
    _rule(None, r"bedroom community", r"living (?:in|at|near)", r"lots of"),
    _rule(
        None,
        r"(?:main|full|wide|alternat\w+|additional|another|interior|inside|perspective)"
        r" views?",
    ),
    _rule(None, r"fine dining", r"suite \d{2,}\w*"),
    _rule(None, r"(?:wall|wood|accent) panel\w*", r"bar ?stools?", r"spa like"),
    _rule(None, r"window (?:seats?|treatments?)", r"day ?beds?", r"bird ?baths?"),
    _rule(S.EXTERIOR, r"(?:flower|garden|planter|planting|raised) beds?", weak=True),
    _rule(None, r"(?:sliding )?barn doors?", r"(?:mountain|price) ranges?"),
    # --- drawings
    _rule(
        S.DOCUMENT,
        r"(?:floor|site|plot|house) ?plans?(?: layout)?",
        r"(?:floor|level|basement|kitchen|bath(?:room)?|bedroom|garage|roof|lighting"
        r"|landscape|color coded) plans?",
        r"interior elevations?",
        r"(?:[a-z]+ )?maps?",
        r"plats?(?: maps?)?",
        r"surveys?",
        r"blue ?prints?",
        r"brochures?",
        r"fl[iy]ers?",
        r"(?:floor ?plan|room) layouts?",
        "logo",
    ),
    # --- out of doors, though the words name a room
    _rule(
        S.EXTERIOR,
        rf"{_WITHOUT} (?:kitchen|living|dining|seating|sitting|fireplace|stairs"
        r"|stairway|staircase|steps|shower|bar|entertain\w+)"
        r"(?: (?:areas?|spaces?|rooms?))?",
        r"(?:dining )?al fresco(?: dining)?",
        r"roof ?(?:top)? (?:decks?|terraces?|patios?|gardens?)",
        r"roof ?tops?",
        r"jungle gyms?",
        r"pizza ovens?",
    ),
    _rule(
        S.EXTERIOR,
        r"aerial(?: \w+)? views?",
        rf"(?:{_SIDES}|street|bird'?s ?eye) views?",
    ),
    _rule(
        S.EXTERIOR,
        rf"(?:gated|community|neighborhood|subdivision|driveway|street|{_HOUSE})"
        r"(?: \w+)? (?:entry|entrances?|signs?)",
        rf"(?:entry|entrance|doorway) to (?:the )?(?:community|{_HOUSE})",
    ),
    _rule(S.HALLWAY, r"inside (?:of )?(?:the )?(?:entrance|entry)"),
    # --- pools
    _rule(
        S.POOL,
        r"indoor (?:swimming |lap )?(?:pools?|hot tubs?|jacuzzis?)",
        location=Location.INTERIOR,
    ),
    _rule(
        S.LIVING,
        r"pool (?:tables?|rooms?)",
        r"billiards? tables?",
        weak=True,
        ceiling=_DOUBTFUL,
    ),
    _rule(
        S.POOL,
        r"(?:swimming |lap )?pools?(?: (?:area|deck|side|view|house|equipment))?",
        "poolside",
        r"hot tubs?",
        r"jacuzzis?",
    ),
    # --- rooms
    _rule(S.MASTER, rf"{_OWNER} (?:bed ?room|suite) en ?suite(?! bath)"),
    _rule(S.BEDROOM, r"bed ?room en ?suite(?! bath)", r"en ?suite bed ?rooms?"),
    _rule(
        S.BATHROOM,
        r"jack and jill(?: bath(?: ?room)?s?)?",
        rf"(?:{_OWNER} )?(?:en ?suite )?bath(?: ?room)?s?",
        rf"(?:{_OWNER} )?(?:en ?suite|shower|vanit(?:y|ies)|bath ?tub)",
        r"powder rooms?",
        r"rest ?rooms?",
        r"wash ?rooms?",
        r"(?:water closet|toilet)s?",
        r"(?:walk in )?showers?(?: stalls?)?",
        r"(?:\w+ )?tubs?",
        r"(?:double|dual) sinks?",
    ),
    _rule(
        S.CLOSET,
        rf"(?:{_OWNER} )?(?:walk in )?closets?",
        r"wardrobes?",
        r"dressing (?:rooms?|areas?)",
        r"(?:butler'?s? |walk in )?pantr(?:y|ies)",
    ),
    _rule(
        S.MASTER,
        rf"{_OWNER} (?:bed ?rooms?|beds?|suites?|retreats?|rooms?)"
        r"(?: (?:bed ?rooms?|retreats?))?",
        r"master$",
    ),
    _rule(
        S.LAUNDRY,
        rf"(?:laundry|clothes washing)(?: {_ROOMS})?",
        r"washers?(?: and)?(?: clothes)? dryers?",
        r"washers?",
        r"dryers?",
        r"mud ?rooms?",
        r"utilit(?:y|ies) rooms?",
    ),
    _rule(
        S.LIVING,
        r"(?:living|family|great|sitting|media|game|bonus|sun|arizona|az|theat(?:er|re)"
        r"|rec|recreation|play|florida|billiards?|cinema|movie|music|tv|flex|gathering"
        r"|three season|3 season|four season) ?rooms?",
        rf"(?:living|sitting|seating|lounge|gathering|play) {_ROOMS}",
        r"home theat(?:er|re)s?",
        r"solariums?",
        r"dens?",
        r"lofts?",
        "lounge",
    ),
    # Of the room or of the way of life: "easy living".
    _rule(S.LIVING, r"living", ceiling=_DOUBTFUL),
    _rule(
        S.KITCHEN,
        r"eat in kitchens?",
        r"kitchens?",
        r"kitchenettes?",
        r"breakfast bars?",
    ),
    _rule(
        S.DINING,
        rf"dining(?: ?{_ROOMS}| nook)?",
        r"breakfast (?:nooks?|areas?|rooms?)",
        rf"eat in(?: {_ROOMS})?",
    ),
    _rule(
        S.BEDROOM,
        r"(?:guest |bunk )?(?:bed ?rooms?|suites?)",
        r"(?:guests?|bunk|kid'?s?'?|child(?:ren)?'?s?|boy'?s?'?|girl'?s?'?|teen'?s?)"
        r" ?(?:bed )?rooms?",
        r"(?:king|queen|twin) rooms?",
        r"beds?",
        r"nurser(?:y|ies)",
    ),
    # --- garages
    _rule(S.GARAGE, r"garage door openers?"),
    _rule(
        S.GARAGE,
        r"(?:attached|detached)(?: \d+)?(?: car)? garages?",
        r"garage (?:doors?|driveways?|exteriors?)",
        r"(?:garages?(?: and)? )?car ?ports?",
        r"covered parking",
        location=Location.EXTERIOR,
    ),
    _rule(S.GARAGE, r"(?:car |rv |parking )?garages?"),
    # --- systems
    _rule(
        S.HVAC,
        r"hvac(?: (?:units?|system))?",
        r"(?<!\d )ac(?: units?)?",  # "1 ac" is an acre
        r"air condition(?:er|ers|ing)(?: units?)?",
        r"furnaces?",
        r"heat pumps?",
        r"condensers?",
        r"air handlers?",
        r"mini splits?",
        r"thermostats?",
        r"(?:swamp|evaporative) coolers?",
        r"boilers?",
        r"mechanical rooms?",
    ),
    _rule(
        S.ELECTRICAL,
        r"(?:electric(?:al)?|breaker|service|main|sub) ?"
        r"(?:panels?|breakers?|meters?|box(?:es)?)",
        r"solar(?: (?:panels?|systems?|arrays?))?",
        r"(?:ev|tesla|car) charg(?:er|ers|ing)(?: station)?",
        r"generators?",
        "electrical",
    ),
    _rule(S.ELECTRICAL, r"(?:panel|meter)s?", weak=True, ceiling=_DOUBTFUL),
    _rule(
        S.PLUMBING,
        r"water heaters?",
        r"(?:water )?softeners?",
        r"reverse osmosis(?: system)?",
        r"(?:water )?(?:shut ?off|filtration)(?: system| valve)?",
        r"water filters?",
        "plumbing",
    ),
    _rule(
        S.SEWER,
        r"septic(?: (?:tanks?|systems?))?",
        r"sewers?(?: (?:lines?|scope|clean ?outs?))?",
    ),
    _rule(
        S.ROOF,
        r"roof (?:decking|sheathing|truss(?:es)?)",
        r"(?:roof )?(?:underlayment|flashing)",
        location=Location.SYSTEM,
    ),
    _rule(S.ROOF, r"roofs?", "roofing", "shingles"),
    # --- features
    _rule(S.SKYLIGHTS, r"sky ?lights?"),
    _rule(S.FIREPLACE, r"fire ?places?", r"(?:wood|pellet)(?: burning)? stoves?"),
    _rule(
        S.FLOORING,
        "flooring",
        r"(?:hard ?wood|wood(?:en)?|tiled?|vinyl|laminate|new) floors?",
    ),
    _rule(
        S.FLOORING,
        r"carpet(?:ing)?",
        r"hard ?woods?",
        r"vinyl planks?",
        r"travertine",
        weak=True,
    ),
    _rule(S.WINDOWS, r"windows?"),
    _rule(S.WINDOWS, r"shutters?", r"blinds?", weak=True),
    _rule(
        S.APPLIANCES,
        r"appliances?",
        r"(?:refrigerator|fridge|dishwasher|microwave|cook ?top|oven)s?",
        r"(?:gas|electric|fuel|burner|induction|viking|wolf|kitchen|stainless) ranges?",
        r"range hoods?",
    ),
    # --- halls and rooms of other kinds
    _rule(S.STAIRS, r"stairs", r"stair(?:case|way|well)s?"),
    _rule(
        S.HALLWAY,
        r"hall ?ways?",
        r"(?:entrance |entry )?halls?",
        r"corridors?",
        r"(?:entrance |entry )?foyers?(?: entrance)?",
    ),
    _rule(S.HALLWAY, r"entry ?ways?", "vestibule"),
    _rule(S.OFFICE, r"(?:home )?offices?", r"librar(?:y|ies)"),
    _rule(
        S.OFFICE,
        r"study(?: rooms?)?",
        r"(?:built in )?desks?",
        r"(?:tech|computer|homework) (?:nook|center|area|room|station)",
        r"work ?(?:space|station)s?",
        weak=True,
    ),
    _rule(
        S.OTHER,
        r"gyms?",
        r"(?:exercise|fitness|weight|work ?out|yoga) (?:room|area|center|studio)s?",
        r"(?:storage|hobby|craft|sewing|safe|steam|wine|trophy) rooms?",
        r"elevators?",
        r"wine (?:cellars?|storage)",
        r"saunas?",
        r"basements?",
        r"attics?",
        r"workshops?",
        r"storage",
        r"club ?houses?",
        r"business centers?",
        r"(?:wet |dry |coffee )?bars?",
        weak=True,
    ),
    _rule(S.HALLWAY, r"landings?", r"lobb(?:y|ies)", weak=True),
    _rule(S.HALLWAY, "entry", "entrance", weak=True, ceiling=_DOUBTFUL),
    # --- out of doors
    _rule(
        S.EXTERIOR,
        r"exteriors?",
        r"(?:back|front|side) ?yards?",
        rf"{_SIDES} (?:porch|elevation|exterior|patio)",
        rf"{_SIDES} of(?: the)? {_HOUSE}",
        r"yards?",
        r"patios?",
        r"porch(?:es)?",
        r"decks?",
        r"drive ?ways?",
        r"curb(?: appeal)?",
        r"balcon(?:y|ies)",
        r"court ?yards?",
        r"facades?",
        r"elevations?",
        r"landscap(?:e|es|ing)",
        r"(?:terrace|veranda|lanai|ramada|gazebo|pergola|portico|trellis)s?",
        r"fire ?pits?",
        r"bbqs?|barbecues?|grills?",
        r"gardens?",
        r"green ?(?:house|belt)s?",
        r"(?:out ?building|barn|shed|corral|pasture|paddock|arena)s?",
        r"(?:horse )?(?:stables|stalls)",
        r"play ?grounds?",
        r"(?:tennis|basketball|pickle ?ball|sports?|volleyball|bocce)"
        r"(?: and \w+)? courts?",
        r"(?:tennis|pickle ?ball|putting greens?)",
        r"golf courses?",
        r"splash pads?",
        r"dog (?:runs?|parks?)",
        r"rv (?:gates?|parking|pads?|hook ?ups?)",
        r"water ?(?:fronts?|falls?|features?)",
        r"(?:boat )?(?:docks?|lifts?)",
    ),
    _rule(
        S.EXTERIOR,
        r"front (?:doors?|door ?ways?)",
        *("front", "back", "side", "rear", "drive", "aerial", r"drones?"),
        r"out ?doors?",
        r"bird'?s ?eye",
        r"(?:gate|fence|tree|fountain|street ?scape)s?",
        weak=True,
    ),
    # Of a place as often as of a house: "Mountain Park".
    _rule(
        S.EXTERIOR,
        r"(?:lake|pond|mountain|park|golf|trail|street|building|lot|sunset)s?",
        r"neighborhoods?",
        r"(?:community|neighborhood|street|entry|entrance|welcome|house) signs?",
        r"parking",
        "acreage",
        weak=True,
        ceiling=_DOUBTFUL,
    ),
    _rule(S.POOL, r"spas?", weak=True, ceiling=_DOUBTFUL),
    # What is seen in a view is anyone's guess: left to review.
    _rule(S.EXTERIOR, r"views?", weak=True, ceiling=_GUESS),
)

# Words that may follow the head of a phrase without being its head themselves.
LIGHT_WORD = re.compile(
    r"\w+(?:ed|ing|ly)|again|also|another|areas?|bay|close(?:up)?|corner|day|design"
    r"|details?|displays?|downstairs|dusk|east|end|first|floor|four|here|home|ii+"
    r"|interior|layout|left|level|lower|main|middle|new|night|north|now|one|option"
    r"|overview|photos?|pics?|pictures?|potential|remodel|renovation|right|rooms?"
    r"|second|set|setup|south|spaces?|style|suite|systems?|third|three|tile|too|top"
    r"|two|units?|up|updates?|upgrades?|upper|upstairs|west|wide|wing|wood|year"
)

# Parts of what they follow, if that is a room: the kitchen's cabinets.
PART_WORD = re.compile(
    r"cabinet(?:s|ry)?|ceilings?|chairs|counters?|counter ?tops?|doors?|equipment"
    r"|furniture|islands?|nook|sinks?|storage|tables?|tub|vanit(?:y|ies)|walls?"
)
