"""The fortnight as data: which house changes at which source on which day, and how.

What follows from it is derived elsewhere: pages in `redfin_pages` and `zillow_pages`,
what people are to be told in `expected`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Final

from phx_pipeline.model.source import Source

FIRST_DAY: Final = date(2026, 3, 9)
"""Day 0, on which all houses are seen for the first time."""
DAYS: Final = 14

OFF, SOLD = "Off Market", "Closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """A house of the table; `number` is the first of its listing in the MLS.

    Numbers end in 074, as that of the captured page does: the folder of its photos is
    named by these digits.
    """

    name: str
    line: str
    direction: str
    street: str
    street_type: str
    city: str
    zip_code: str
    number: int
    price: int
    site_id: int  # Redfin's; Zillow's is derived from it
    photos: tuple[str, ...]
    since: int = 0  # the day on which it is listed
    area: int = 1_720  # square feet, as search pages state it
    lot: int = 7_405
    built: int = 1984

    @property
    def address(self) -> str:
        """The whole address on one line."""
        return f"{self.line}, {self.city}, AZ {self.zip_code}"


SIX: Final = tuple("123456")

HOMES: Final = (
    Home(
        name="larkspur",
        line="4732 W Larkspur Dr",
        direction="W",
        street="Larkspur",
        street_type="Dr",
        city="Glendale",
        zip_code="85304",
        number=6601074,
        price=450_000,
        site_id=27511001,
        photos=SIX,
    ),
    Home(
        name="juniper",
        line="2318 E Juniper Ave",
        direction="E",
        street="Juniper",
        street_type="Ave",
        city="Phoenix",
        zip_code="85022",
        number=6602074,
        price=389_000,
        site_id=27511002,
        photos=SIX,
    ),
    Home(
        name="monte",
        line="6120 W Monte Cristo Ave",
        direction="W",
        street="Monte Cristo",
        street_type="Ave",
        city="Glendale",
        zip_code="85306",
        number=6603074,
        price=412_500,
        site_id=27511003,
        photos=SIX,
    ),
    Home(
        name="acoma",
        line="5544 W Acoma Dr",
        direction="W",
        street="Acoma",
        street_type="Dr",
        city="Glendale",
        zip_code="85306",
        number=6604074,
        price=439_900,
        site_id=27511004,
        photos=SIX,
        since=5,
    ),
)
"""The last one is new on day 5, and matches a search for its ZIP."""

FORTNIGHT: Final = """
day  house     source  change
 1   larkspur  redfin  price 440000
 1   larkspur  zillow  price 440000
 2   juniper   redfin  add 7 8
 2   juniper   zillow  beds 4
 3   *         zillow  block 2
 3   monte     zillow  price 405000
 4   monte     redfin  swap 2
 4   larkspur  zillow  add 7
 5   monte     redfin  price 405000
 6   larkspur  redfin  status Pending
 6   larkspur  zillow  status Pending
 6   juniper   redfin  renew 3
 7   juniper   zillow  drop 2
 7   monte     redfin  price 419000
 8   larkspur  redfin  status Active
 8   monte     redfin  drop 1 3 4 5 6
 8   acoma     zillow  price 429900
 9   larkspur  zillow  status Closed
 9   monte     zillow  status Off_Market
10   *         redfin  block 2
10   juniper   redfin  price 379000
11   juniper   redfin  price 369000
11   monte     zillow  status Active
11   acoma     zillow  renew 1
12   juniper   redfin  relist 6702074 1 2 3
12   juniper   redfin  price 399000
12   acoma     redfin  status Off_Market
13   larkspur  redfin  status Closed
13   acoma     zillow  add 7 8 9
"""

FEW_DAYS: Final = """
day  house     source  change
 1   larkspur  redfin  price 440000
 1   juniper   zillow  drop 1 2 3 4 5
 1   *         zillow  block 1
 2   larkspur  redfin  status Pending
 2   larkspur  zillow  add 7
 2   juniper   redfin  relist 6702074 1 2
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A row of the table; `house` is `*` where all of a source's are meant."""

    day: int
    house: str
    source: Source
    what: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a source shows of a house on a day, if it answers.

    `photos` are names, whose last letters tell the version: `3` is replaced by `3b`
    under another key. Of `swapped` ones only the picture is another.
    """

    number: int
    price: int
    status: str = "Active"
    photos: tuple[str, ...] = ()
    swapped: frozenset[str] = frozenset()
    beds: int = 3

    def after(self, change: Change) -> "Shown":
        """What is shown once that has changed."""
        return _AFTER[change.what](self, *change.words)


_AFTER: Final[Mapping[str, Callable[..., Shown]]] = {
    "price": lambda it, price: replace(it, price=int(price)),
    "status": lambda it, word: replace(it, status=word.replace("_", " ")),
    "beds": lambda it, count: replace(it, beds=int(count)),
    "add": lambda it, *names: replace(it, photos=(*it.photos, *names)),
    "drop": lambda it, *names: replace(
        it, photos=tuple(name for name in it.photos if name not in names)
    ),
    "renew": lambda it, *names: replace(
        it, photos=tuple(f"{n}b" if n in names else n for n in it.photos)
    ),
    "swap": lambda it, *names: replace(it, swapped=it.swapped | {*names}),
    "relist": lambda it, number, *names: replace(it, number=int(number), photos=names),
}
"""What the words of the table do; `block` and `down` are of whole sources."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A table that is read, and the houses it is about."""

    homes: Sequence[Home]
    changes: tuple[Change, ...] = field(repr=False)
    days: int

    @classmethod
    def of(cls, table: str, homes: Sequence[Home] = HOMES, *, days: int) -> "Story":
        """Read a table."""
        return cls(homes=homes, changes=tuple(_read(table)), days=days)

    def shown(self, home: Home, source: Source, *, day: int) -> Shown | None:
        """What *source* shows of a house on *day*; None before it is listed."""
        if day < home.since:
            return None
        shown = Shown(number=home.number, price=home.price, photos=home.photos)
        for change in self.changes:
            if (change.house, change.source) == (home.name, source):
                shown = shown.after(change) if change.day <= day else shown
        return shown

    def is_silent(self, source: Source, *, day: int) -> bool:
        """Whether *source* refuses everybody on *day*, or is down."""
        return self.is_down(source, day=day) or self.blocks(source, day=day)

    def blocks(self, source: Source, *, day: int) -> bool:
        """Whether *source* answers with block pages on *day*."""
        return self._lasts("block", source, day=day)

    def is_down(self, source: Source, *, day: int) -> bool:
        """Whether *source* answers with errors of its own on *day*."""
        return self._lasts("down", source, day=day)

    def _lasts(self, what: str, source: Source, *, day: int) -> bool:
        return any(
            change.day <= day < change.day + int(change.words[0])
            for change in self.changes
            if (change.what, change.source) == (what, source)
        )


def date_of(day: int) -> date:
    """The date in Phoenix of a day of the table."""
    return FIRST_DAY + timedelta(days=day)


def _read(table: str) -> Iterator[Change]:
    for line in table.strip().splitlines()[1:]:
        day, house, source, what, *words = line.split()
        yield Change(
            day=int(day),
            house=house,
            source=Source(source),
            what=what,
            words=tuple(words),
        )
