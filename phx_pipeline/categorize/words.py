"""What the 1,000 labels of ImageNet mean for a house: words grouped by subject.

A label stands with a subject if the thing it names belongs there by its meaning: a
stove in a kitchen, a picket fence out of doors. No photo had a say in it, so the groups
may judge photos. Things found in many rooms, or outside as well, say nothing: a lamp, a
window shade, a tub that may be a vat. The numbers are the network's own.
"""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from phx_pipeline.model.taxonomy import Subject

WORDS: Final[Mapping[Subject, Mapping[int, str]]] = MappingProxyType(
    {
        Subject.KITCHEN: {
            473: "can opener",
            499: "cleaver",
            505: "coffeepot",
            521: "Crock Pot",
            533: "dishrag",
            534: "dishwasher",
            544: "Dutch oven",
            550: "espresso maker",
            567: "frying pan",
            618: "ladle",
            647: "measuring cup",
            651: "microwave",
            659: "mixing bowl",
            729: "plate rack",
            760: "refrigerator",
            766: "rotisserie",
            813: "spatula",
            827: "stove",
            828: "strainer",
            849: "teapot",
            859: "toaster",
            891: "waffle iron",
            909: "wok",
            910: "wooden spoon",
        },
        Subject.BATHROOM: {
            434: "bath towel",
            435: "bathtub",
            648: "medicine chest",
            731: "plunger",
            793: "shower cap",
            794: "shower curtain",
            804: "soap dispenser",
            861: "toilet seat",
            896: "washbasin",
            999: "toilet tissue",
        },
        Subject.BEDROOM: {
            431: "bassinet",
            493: "chiffonier",
            516: "cradle",
            520: "crib",
            564: "four-poster",
            669: "mosquito net",
            721: "pillow",
            750: "quilt",
        },
        Subject.EXTERIOR: {
            425: "barn",
            437: "beacon",
            442: "bell cote",
            449: "boathouse",
            483: "castle",
            489: "chainlink fence",
            497: "church",
            500: "cliff dwelling",
            536: "dock",
            538: "dome",
            557: "flagpole",
            562: "fountain",
            580: "greenhouse",
            621: "lawn mower",
            637: "mailbox",
            660: "mobile home",
            663: "monastery",
            668: "mosque",
            698: "palace",
            703: "park bench",
            706: "patio",
            716: "picket fence",
            718: "pier",
            807: "solar dish",
            825: "stone wall",
            832: "stupa",
            853: "thatch",
            858: "tile roof",
            900: "water tower",
            912: "worm fence",
            915: "yurt",
            970: "alp",
            972: "cliff",
            975: "lakeside",
            976: "promontory",
            977: "sandbar",
            978: "seashore",
            979: "valley",
        },
        Subject.LIVING: {
            548: "entertainment center",
            598: "home theater",
            736: "pool table",
            831: "studio couch",
        },
        Subject.DINING: {
            495: "china cabinet",
            532: "dining table",
            762: "restaurant",
        },
        Subject.LAUNDRY: {
            588: "hamper",
            606: "iron",
            897: "washer",
        },
        Subject.OFFICE: {
            508: "computer keyboard",
            526: "desk",
            527: "desktop computer",
            664: "monitor",
            673: "mouse",
            713: "photocopier",
            742: "printer",
        },
        Subject.FIREPLACE: {556: "fire screen"},
        Subject.STAIRS: {421: "bannister"},
        Subject.CLOSET: {894: "wardrobe"},
    }
)

VAT: Final = 876
"""A tub as a pool or a spa looks like one. More of it than of all bathroom's own words
speaks for something else than a bathroom: nothing that has a name here."""

# A sofa to sleep on: found in living rooms and bedrooms, so it decides between no two.
UNDECIDED: Final = frozenset({831})

Masses = Mapping[Subject, NDArray[np.float32]]
"""Per subject, one share (0 to 1) of all words for each picture."""


def masses(words: NDArray[np.float32], *, without: Collection[int] = ()) -> Masses:
    """Return what share of each row of *words* (n x 1000) speaks for each subject."""
    return {
        subject: words[:, [at for at in labels if at not in without]].sum(axis=1)
        for subject, labels in WORDS.items()
    }
