"""Following the houses people name: by a line, a URL, a key, or a file of them.

What is read is apart from what is added: a row that cannot be read, repeats another or
raises a question is told and keeps no other out.
"""

import csv
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path

from phx_pipeline.errors import InputError
from phx_pipeline.model.address import EXAMPLE, Address, Match
from phx_pipeline.model.property import Property
from phx_pipeline.model.states import doubt
from phx_pipeline.stages.context import StageContext
from phx_pipeline.storage.outputs import write_output
from phx_pipeline.workflows.columns import Columns, is_column
from phx_pipeline.workflows.lifecycle import known_property, take_up_again
from phx_pipeline.workflows.sheets import Tables, tables_of
from phx_pipeline.workflows.tables import Row, read_table
from phx_pipeline.workflows.typed import is_address, typed_address
from phx_pipeline.workflows.workbooks import ONE_SHEET, Sheet

_SHOWN = 5
_ENDING = f"; write it like {EXAMPLE!r}"

Followed = Callable[[Sequence[Row]], Iterable[Row]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """A house as somebody named it: the text, and the property it means.

    `row` and `sheet` are where it stands in a file. The property may be new.
    """

    text: str
    house: Property
    row: int | None = None
    sheet: Sheet = ONE_SHEET


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A row that was not taken as it stands: its number, its text, what is wrong."""

    row: int
    text: str
    reason: str
    sheet: Sheet = ONE_SHEET

    def __str__(self) -> str:
        """Return one line for a person."""
        return f"row {self.row}{self.sheet}: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """A house that is added only if a person says so, and why."""

    typed: Typed
    question: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a person's words or file gave: houses to add, and what is to be told.

    `left_out` says which sheets of a workbook were not read.
    """

    name: str
    taken: tuple[Typed, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    unread: tuple[Problem, ...] = ()
    repeats: tuple[Problem, ...] = ()
    left_out: str = ""

    def confirmed(self) -> "Reading":
        """The same after a person said yes to every doubt."""
        sure = tuple(doubt.typed for doubt in self.doubts)
        return replace(self, taken=self.taken + sure, doubts=())

    def problems(self) -> list[Problem]:
        """All rows that are to be told, in the order of the file."""
        found = [*self.unread, *self.repeats, *self.questions()]
        return sorted(found, key=lambda it: (it.sheet, it.row))

    def questions(self, *, remedy: str = "add --yes if it is right") -> list[Problem]:
        """The rows of doubtful houses; *remedy* is what helps where one is right."""
        return [
            Problem(
                row=doubt.typed.row or 0,
                sheet=doubt.typed.sheet,
                text=doubt.typed.text,
                reason=f"{doubt.typed.house.address}: {doubt.question}: {remedy}",
            )
            for doubt in self.doubts
        ]

    def refusal(self) -> InputError:
        """Why nothing was added, with the first of the rows."""
        told = [str(problem) for problem in self.problems()]
        more = len(told) - _SHOWN
        tail = f"; and {more} more" if more > 0 else ""
        tail += f"; {self.left_out}" if self.left_out else ""
        listed = "; ".join(told[:_SHOWN])
        return InputError(f"{self.name}: nothing was added: {listed}{tail}")


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeReport:
    """Properties added and taken up again, and those known before with their words.

    A former address of a property is known.
    """

    added: tuple[Property, ...]
    revived: tuple[Property, ...]
    known: tuple[Typed, ...]


# --- reading --------------------------------------------------------------------------


def read_one(context: StageContext, text: str) -> Reading:
    """Read a house named by its address, its listing's URL, its key or its folder.

    Raises:
        InputError: none is meant; the text names the value and the remedy.
    """
    typed = _typed(context, text)
    if (question := _question(context, typed)) is None:
        return Reading(name=repr(text), taken=(typed,))
    return Reading(name=repr(text), doubts=(Doubt(typed=typed, question=question),))


def read_file(
    context: StageContext, content: bytes, *, name: str, followed: Followed = iter
) -> Reading:
    """Read the houses of a file, one a row.

    Args:
        context: knows keys and folders.
        content: of the file.
        name: of the file, for messages.
        followed: passes the rows on, one by one, to whoever shows how far reading is.

    Raises:
        InputError: the file as a whole cannot be read; says what to change.
    """
    tables = file_tables(content, name=name)
    return read_rows(context, tables, followed(tables.rows), name=name)


def file_tables(content: bytes, *, name: str) -> Tables:
    """Return the rows of a file, and how their columns are read.

    Raises:
        InputError: the file as a whole cannot be read; says what to change.
    """
    return tables_of(read_table(content, name=name, is_column=is_column), name=name)


def read_rows(
    context: StageContext, tables: Tables, rows: Iterable[Row], *, name: str
) -> Reading:
    """Read the houses of some rows of a file; only they are searched for repeats."""
    taken: list[Typed] = []
    doubts: list[Doubt] = []
    unread: list[Problem] = []
    repeats: list[Problem] = []
    first_row: dict[str, Row] = {}
    for row in rows:
        try:
            typed = _typed_row(context, tables.columns[row.sheet], row)
        except InputError as error:
            reason = str(error).removesuffix(_ENDING)
            unread.append(_problem(row, text=_shown(row), reason=reason))
            continue
        earlier = first_row.setdefault(typed.house.address.match_key, row)
        if earlier is not row:
            repeats.append(_repeat(typed, row, earlier=earlier))
        elif question := _question(context, typed):
            doubts.append(Doubt(typed=typed, question=question))
        else:
            taken.append(typed)
    return Reading(
        name=name,
        taken=tuple(taken),
        doubts=tuple(doubts),
        unread=tuple(unread),
        repeats=tuple(repeats),
        left_out=tables.left_out,
    )


def _typed_row(context: StageContext, columns: Columns, row: Row) -> Typed:
    typed = _typed(context, columns.address_text(row))
    return replace(typed, row=row.number, sheet=row.sheet)


def _typed(context: StageContext, text: str) -> Typed:
    """Return the house a text means: the key or folder of a known one goes first."""
    key = text.strip().lower()
    if not is_address(text) and (known := context.catalog.houses.find(key)):
        return Typed(text=text, house=known.house)
    return Typed(text=text, house=Property.at(typed_address(text)))


def _question(context: StageContext, typed: Typed) -> str | None:
    """Return what is odd about a house; nobody is asked about a known one again."""
    address = typed.house.address
    question = doubt(address.state, address.zip_code)
    if question and context.catalog.houses.find_address(address):
        return None
    return question


def _repeat(typed: Typed, row: Row, *, earlier: Row) -> Problem:
    place = f"row {earlier.number}{'' if earlier.sheet == row.sheet else earlier.sheet}"
    reason = f"repeats {place} ({typed.house.address}): remove it"
    return _problem(row, text=typed.text, reason=reason)


def _problem(row: Row, *, text: str, reason: str) -> Problem:
    return Problem(row=row.number, sheet=row.sheet, text=text, reason=reason)


def _shown(row: Row) -> str:
    return ", ".join(filter(None, row.cells))


def write_problems(path: Path, problems: Sequence[Problem]) -> None:
    """Write every row that was not taken as a CSV: number, text, what is wrong, sheet.

    Raises:
        InputError: the file cannot be written.
    """
    text = StringIO(newline="")
    rows = csv.writer(text)
    rows.writerow(["row", "value", "problem", "sheet"])
    rows.writerows([it.row, it.text, it.reason, it.sheet.name] for it in problems)
    write_output(path, text.getvalue().encode())


# --- adding and finding ---------------------------------------------------------------


def add_properties(context: StageContext, addresses: Sequence[Address]) -> IntakeReport:
    """Add the properties at these addresses, as `add_houses` does."""
    typed = [Typed(text=str(a), house=Property.at(a)) for a in addresses]
    return add_houses(context, typed)


def add_houses(context: StageContext, typed: Sequence[Typed]) -> IntakeReport:
    """Add the houses not known yet and take up removed ones again, all or none."""
    houses = [each.house for each in typed]
    done = context.catalog.houses.add(houses, at=context.stamp().at)
    if done.revived:
        take_up_again(context, [house.slug for house in done.revived])
    meant = dict(done.known)
    known = tuple(
        replace(each, house=meant[each.house.address])
        for each in typed
        if each.house.address in meant
    )
    return IntakeReport(added=done.added, revived=done.revived, known=known)


@dataclass(frozen=True, slots=True, kw_only=True)
class LookAlike:
    """A house just added, and one that may be meant; the ZIP alone differs, or not."""

    added: Property
    other: Property
    only_zip: bool


def look_alikes(context: StageContext, added: Sequence[Property]) -> list[LookAlike]:
    """Find, for each house just added, one it may be by a slip of the pen.

    That is one that differs in the ZIP alone, or has the ZIP and compares `NEAR`. Only
    houses of one number and ZIP are compared, by the ends of their units: of thousands
    of flats in one building each has a few.
    """
    places: dict[object, list[Property]] = {}
    for house in context.catalog.properties():
        for place in (_without_zip(house), _door_number(house)):
            places.setdefault(place, []).append(house)
    found = []
    for house in added:
        others = [it for it in places[_without_zip(house)] if it.slug != house.slug]
        near = (it for it in places[_door_number(house)] if _may_be(house, it))
        if others:
            found.append(LookAlike(added=house, other=others[0], only_zip=True))
        elif other := next(near, None):
            found.append(LookAlike(added=house, other=other, only_zip=False))
    return found


def _without_zip(house: Property) -> str:
    return house.slug.rpartition("-")[0]


def _door_number(house: Property) -> tuple[str, str]:
    digits = re.match(r"\d*", house.address.street_number)
    return house.address.zip_code, digits[0].lstrip("0") if digits else ""


def _may_be(house: Property, other: Property) -> bool:
    mine, theirs = house.address.unit, other.address.unit
    if other.slug == house.slug or (mine and theirs and mine[-1:] != theirs[-1:]):
        return False
    return other.means(house.address) is Match.NEAR


def find_property(context: StageContext, text: str) -> Property:
    """Return the property meant by a key, a folder id, an address or a listing's URL.

    Raises:
        InputError: nothing in the catalogue is meant by *text*, or it is removed.
    """
    return context.house(known_property(context, text).house.slug)
