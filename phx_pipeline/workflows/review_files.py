"""The queue as a file that people fill in at their desk, and what they filled in.

What a filled row comes to is for `reviews`. Rulings themselves, with who gave them and
when, are carried by `rulings`.
"""

import csv
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, cached_property
from io import StringIO
from pathlib import Path
from typing import Any, Final

from phx_pipeline.errors import InputError
from phx_pipeline.model.encoding import decoded
from phx_pipeline.model.photo import Photo, PhotoKey
from phx_pipeline.model.printable import printable
from phx_pipeline.model.ruling import TAKEN_BACK, About, Ruling
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.ruled_categories import (
    RuledCategory,
    by_photo,
    ruled_categories,
)
from phx_pipeline.workflows.duplicates import find_photo
from phx_pipeline.workflows.intake import find_property
from phx_pipeline.workflows.review_queue import Entry, file_of
from phx_pipeline.workflows.reviews import (
    PictureFinder,
    Review,
    ReviewsDone,
    named_category,
    require_picture,
    review,
)
from phx_pipeline.workflows.tables import read_table

_COLUMNS: Final = (
    *("house", "photo", "file", "shows", "confidence", "standing"),
    *("subject", "location", "why"),
    *("reviewed", "reviewed_by", "reviewed_at"),
)
_FORMULA: Final = ("=", "+", "-", "@")
_LONGEST_WHY: Final = 1_000
_NO_TEXT: Final = re.compile(r"[\0\ud800-\udfff]")

Filled = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileTaken:
    """What came of a filled file.

    `known` rows say what was said before, `empty` ones say nothing, `older` ones repeat
    what was ruled when the file was written, and somebody has ruled otherwise since.
    `problems` are the rows that were left out, and why.
    """

    done: ReviewsDone
    known: int
    empty: int
    older: int
    problems: tuple[str, ...]


# --- writing --------------------------------------------------------------------------


def file_body(context: StageContext, entries: Iterable[Entry], *, name: str) -> bytes:
    """Return entries as the file of this name has them: CSV or JSON.

    The column `subject` is to be filled in; it is empty but for what was reviewed.

    Raises:
        InputError: the name ends in neither `.csv` nor `.json`.
    """
    rows = [_row(context, entry) for entry in entries]
    match Path(name).suffix.lower():
        case ".json":
            return f"{json.dumps(rows, indent=2, ensure_ascii=False)}\n".encode()
        case ".csv":
            return _csv(rows).encode()
    raise InputError(
        f"{name} ends in neither .csv nor .json: name it so (a spreadsheet opens .csv, "
        "and `phx review import` also takes a workbook)"
    )


def _row(context: StageContext, entry: Entry) -> dict[str, str]:
    picture, ruled = entry.picture, entry.ruled
    now = picture.category
    row = dict.fromkeys(_COLUMNS, "") | {
        "house": picture.slug,
        "photo": f"{picture.source.value}/{picture.photo_key}",
        "file": str(file_of(context, entry)),
        "shows": f"{now.location.value}/{now.subject.value}",
        "confidence": f"{now.confidence}",
        "standing": entry.standing.value,
    }
    if ruled is not None:
        row |= {
            "subject": ruled.category.subject.value,
            "location": ruled.category.location.value,
            "why": printable(ruled.ruling.why, most=_LONGEST_WHY),
            "reviewed": ruled.ruling.value,
            "reviewed_by": ruled.ruling.who,
            "reviewed_at": ruled.ruling.at.isoformat(),
        }
    return row


def _csv(rows: Iterable[Mapping[str, str]]) -> str:
    text = StringIO(newline="")
    table = csv.writer(text)
    table.writerow(_COLUMNS)
    table.writerows([_inert(row[name]) for name in _COLUMNS] for row in rows)
    return text.getvalue()


def _inert(cell: str) -> str:
    """Keep a spreadsheet from taking a text for a formula; reading takes it off."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


# --- reading --------------------------------------------------------------------------


def take_file(context: StageContext, content: bytes, *, name: str) -> FileTaken:
    """Take what people filled in, and act on it; a bad row keeps no other out.

    A row names a picture by `house` and `photo`, or by `file`, and says in `subject`
    what it shows, or `open` to take back what was said. An empty one says nothing.

    Raises:
        InputError: the file as a whole cannot be read; says what to change.
    """
    rows = _rows(content, name=name)
    reader = _Reader(context)
    for number, row in rows:
        reader.read(number, row)
    wanted = reader.agreed()
    done = review(context, wanted)
    changed = sum(it.changed for it in done.reviewed)
    return FileTaken(
        done=done,
        known=reader.known + len(wanted) - changed,
        empty=reader.empty,
        older=reader.older,
        problems=tuple(told for _, told in sorted(reader.problems)),
    )


class _Reader:
    """Reads rows, and keeps what is to be told of them."""

    def __init__(self, context: StageContext) -> None:
        self._finder = PictureFinder(context, None)
        self._context = context
        self._found: list[tuple[int, Review]] = []
        self.problems: list[tuple[int, str]] = []
        self.empty = self.known = self.older = 0
        self._slug = cache(lambda house: find_property(context, house).slug)
        self._photos = cache(lambda slug: _photos(context, slug))
        self._said = cache(lambda slug: _said(context, slug))

    def read(self, number: int, row: Filled) -> None:
        """Take one row, or note what is wrong with it."""
        try:
            _require_text(row)
            if row.get("subject", "") or row.get("location", ""):
                self._take(number, row)
            else:
                self.empty += 1
        except InputError as error:
            self.problems.append((number, f"row {number}: {error}"))

    def agreed(self) -> list[Review]:
        """Return what was read, but for rows that contradict each other."""
        rows = defaultdict[object, list[tuple[int, Review]]](list)
        for number, it in self._found:
            rows[it.slug, it.photo.cluster_id or it.photo.key].append((number, it))
        for same in rows.values():
            if len({it.value for _, it in same}) > 1:
                self._contradict([number for number, _ in same])
        left_out = {number for number, _ in self.problems}
        return [it for number, it in self._found if number not in left_out]

    def _contradict(self, numbers: Sequence[int]) -> None:
        rows = " and ".join(map(str, numbers))
        told = f"rows {rows} are of one picture and differ: keep the right one"
        self.problems += [(number, f"row {number}: {told}") for number in numbers]

    def _take(self, number: int, row: Filled) -> None:
        said = row.get("subject", "").strip().lower()
        if not said:
            raise InputError("it has a location and no subject: fill in both, or none")
        is_open = said == TAKEN_BACK
        value = TAKEN_BACK if is_open else named_category(said, row.get("location", ""))
        why = row.get("why", "")
        if len(why) > _LONGEST_WHY or not why.isprintable():
            raise InputError(
                f"why has more than {_LONGEST_WHY} characters, or some that cannot be "
                "printed: shorten it"
            )
        slug, photo = self._picture(row)
        require_picture(photo)
        if self._repeats(slug, photo, value, row):
            return
        review_ = Review(slug=slug, photo=photo, value=value, why=why)
        self._found.append((number, review_))

    def _picture(self, row: Filled) -> tuple[str, Photo]:
        house, photo = row.get("house", ""), row.get("photo", "")
        if house and photo:
            slug = self._slug(house)
            known = self._photos(slug).get(photo)
            return slug, known or find_photo(self._context, slug, photo)
        if row.get("file", ""):
            return self._finder.find(row["file"])
        raise InputError("it names no picture: fill in house and photo, or file")

    def _repeats(self, slug: str, photo: Photo, value: str, row: Filled) -> bool:
        """Count a row that nobody filled in since it was written; False for others.

        It says nothing where its ruling was given here, nor against what was said
        since, be it that it was taken back. In another catalogue it is given again.
        """
        if value != row.get("reviewed", ""):
            return False
        said = self._said(slug)
        ruled = said.ruled.get(photo.key)
        newest = said.newest.get(photo.cluster_id or photo.key)
        at = _time(row.get("reviewed_at", ""))
        is_older = newest is not None and (at is None or newest.at > at)
        if ruled is not None and ruled.ruling.value == value:
            self.known += 1
        elif is_older or (at, value) in self._given[slug]:
            self.older += 1
        else:
            return False
        return True

    @cached_property
    def _given(self) -> Mapping[str, set[tuple[datetime | None, str]]]:
        """When each house was ever ruled on, and what was said."""
        given = defaultdict[str, set[tuple[datetime | None, str]]](set)
        for it in self._context.catalog.rulings.all():
            if it.about is About.CATEGORY:
                given[it.slug].add((it.at, it.value))
        return given


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """What was said of the pictures of a house.

    `ruled` is what counts, by photo. `newest` is the last word on any photo of a
    picture, also one that takes back, by its cluster; of a photo without one by name.
    """

    ruled: Mapping[PhotoKey, RuledCategory]
    newest: Mapping[object, Ruling]


def _said(context: StageContext, slug: str) -> _Said:
    photos = context.catalog.photos(slug)
    rulings = context.catalog.rulings.newest(slug, About.CATEGORY)
    newest: dict[object, Ruling] = {}
    for photo in photos:
        ruling, picture = rulings.get(photo.key), photo.cluster_id or photo.key
        if ruling is not None:
            newest[picture] = max(
                newest.get(picture, ruling), ruling, key=lambda it: it.order
            )
    ruled = by_photo(photos, ruled_categories(photos, rulings))
    return _Said(ruled=ruled, newest=newest)


def _photos(context: StageContext, slug: str) -> dict[str, Photo]:
    """Return the photos of a house by what the column `photo` holds."""
    photos = context.catalog.photos(slug)
    return {f"{it.ref.source.value}/{it.ref.photo_key}": it for it in photos}


def _time(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo is not None else None


def _require_text(row: Filled) -> None:
    for column in _COLUMNS:
        value = row.get(column, "")
        if _NO_TEXT.search(value):
            raise InputError(
                f"{column} is {value!r}, which has letters that nothing can store: "
                "write it again"
            )


def _rows(content: bytes, *, name: str) -> Iterable[tuple[int, Filled]]:
    if not content.strip():
        raise InputError(f"{name} is empty: `phx review export` writes such a file")
    text = decoded(content)
    if text is not None and text.lstrip().startswith(("[", "{")):
        return _json_rows(text, name=name)
    return _table_rows(content, name=name)


class _Pairs(list[tuple[str, Any]]):
    """What an object of JSON has, also where a key is in it twice."""


def _json_rows(text: str, *, name: str) -> list[tuple[int, Filled]]:
    try:
        rows = json.loads(text, object_pairs_hook=_Pairs)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{name} is no JSON ({error}): export it again") from error
    is_list = isinstance(rows, list) and not isinstance(rows, _Pairs)
    if not is_list or not all(isinstance(row, _Pairs) for row in rows):
        raise InputError(f"{name} is no list of objects: export it again")
    columns = [[key.strip().lower() for key, _ in row] for row in rows]
    _require_columns(columns, name=name, where="any of its objects")
    return [
        (number, dict(zip(keys, (_plain(value) for _, value in row), strict=True)))
        for number, (keys, row) in enumerate(zip(columns, rows, strict=True), start=1)
    ]


def _plain(value: Any) -> str:
    return "" if value is None else str(value).strip()


def _table_rows(content: bytes, *, name: str) -> Iterator[tuple[int, Filled]]:
    rows = read_table(
        content, name=name, is_column=_is_column, what="rows", longest=_LONGEST_WHY + 1
    )
    head, *rest = (row for row in rows if row.sheet == rows[0].sheet)
    columns = [cell.lower() for cell in head.cells]
    _require_columns([columns], name=name, where="its first row")
    for row in rest:
        yield row.number, dict(zip(columns, row.cells, strict=False))


def _require_columns(rows: Sequence[Sequence[str]], *, name: str, where: str) -> None:
    """Raise `InputError` where there is no `subject`, or a column twice."""
    if rows and not any("subject" in columns for columns in rows):
        raise InputError(
            f"{name} has no column subject in {where}: `phx review export` writes "
            "such a file"
        )
    for number, columns in enumerate(rows, start=1):
        twice = [it for it in _COLUMNS if columns.count(it) > 1]
        if twice:
            raise InputError(
                f"{name} has {' and '.join(twice)} twice in row {number}: keep one"
            )


def _is_column(cell: str) -> bool:
    return cell.strip().lower() in _COLUMNS
