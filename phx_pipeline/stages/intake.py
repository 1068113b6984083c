"""Reading the properties people want to follow, from a line or a CSV file."""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from phx_pipeline.errors import InputError
from phx_pipeline.model.address import Address
from phx_pipeline.model.property import Property
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.lifecycle import known_property, take_up_again

_WHOLE = ("full_address", "address")
_PARTS = ("street", "city", "state", "zip")
_SHOWN = 5

Row = tuple[int, Mapping[str, str]]
Followed = Callable[[Sequence[Row]], Iterable[Row]]


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeReport:
    """Properties added, taken up again, and the number of those known before.

    A former address of a property is known.
    """

    added: tuple[Property, ...]
    revived: tuple[Property, ...]
    known: int


def add_properties(context: StageContext, addresses: Sequence[Address]) -> IntakeReport:
    """Add the properties not known yet and take up removed ones again, all or none."""
    houses = [Property.at(address) for address in addresses]
    done = context.catalog.houses.add(houses, at=context.stamp().at)
    if done.revived:
        take_up_again(context, [house.slug for house in done.revived])
    known = len(houses) - len(done.added) - len(done.revived)
    return IntakeReport(added=done.added, revived=done.revived, known=known)


def find_property(context: StageContext, text: str) -> Property:
    """Return the property meant by a key, a folder id or an address, present or former.

    Raises:
        InputError: nothing in the catalogue is meant by *text*, or it is removed.
    """
    return context.house(known_property(context, text).house.slug)


def read_csv(path: Path, *, followed: Followed = iter) -> list[Address]:
    """Read the addresses of a CSV file with a header line.

    The columns are `full_address` or `address`, else `street`, `city`, `state`, `zip`;
    others are ignored, case does not matter.

    Args:
        path: the file, UTF-8.
        followed: passes the rows on, one by one, to whoever shows how far reading is.

    Raises:
        InputError: names the file and row and says what to change. Nothing is added
            from a file with any bad or repeated row.
    """
    rows = list(_rows(path))
    if not rows:
        raise InputError(f"{path}: no rows below the header; add one property per line")
    addresses, problems = [], []
    first_row: dict[str, int] = {}
    for number, row in followed(rows):
        try:
            address = Address.parse(_text(row))
        except InputError as error:
            problems.append(f"row {number}: {error}")
            continue
        if (earlier := first_row.setdefault(address.slug, number)) != number:
            problems.append(
                f"row {number} repeats row {earlier} ({address}): remove it"
            )
        addresses.append(address)
    if problems:
        raise InputError(_listed(path, problems))
    return addresses


def _rows(path: Path) -> Iterator[Row]:
    reader = csv.reader(StringIO(_decoded(path), newline=""), strict=True)
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        _require_columns(path, header)
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, dict(zip(header, cells, strict=False))
    except csv.Error as error:
        raise InputError(
            f"{path}: row {reader.line_num} is not CSV ({error}): check its quotes"
        ) from error


def _decoded(path: Path) -> str:
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise InputError(f"there is no file {path}: check the name") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise InputError(
            f"{path}: line {line} is not UTF-8: save the file as CSV UTF-8"
        ) from error


def _require_columns(path: Path, header: Sequence[str]) -> None:
    if any(name in header for name in _WHOLE):
        return
    missing = [name for name in _PARTS if name not in header]
    if missing:
        raise InputError(
            f"{path}: missing column {', '.join(missing)}: give a column full_address, "
            f"or {', '.join(_PARTS)} (found: {', '.join(header) or 'none'})"
        )


def _text(row: Mapping[str, str]) -> str:
    for name in _WHOLE:
        if name in row:
            return row[name]
    street, city, state, code = (row.get(name, "").strip() for name in _PARTS)
    return f"{street}, {city}, {state} {code}"


def _listed(path: Path, problems: Sequence[str]) -> str:
    more = len(problems) - _SHOWN
    tail = f"; and {more} more" if more > 0 else ""
    return f"{path}: nothing was added: " + "; ".join(problems[:_SHOWN]) + tail
