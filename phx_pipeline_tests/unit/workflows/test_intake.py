"""What people type and save as a file becomes properties, or a message that helps."""

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from phx_pipeline.errors import InputError
from phx_pipeline.model.address import Address
from phx_pipeline.settings import load_settings
from phx_pipeline.stages.context import StageContext
from phx_pipeline.wiring.runs import build_context
from phx_pipeline.wiring.stores import initialise
from phx_pipeline.workflows.intake import (
    Reading,
    add_houses,
    add_properties,
    find_property,
    read_file,
    read_one,
    write_problems,
)
from phx_pipeline.workflows.tables import file_content

DAVIS = "4732 W Davis Rd, Glendale, AZ 85306"
ADAMS = "100 N Adams St, Phoenix, AZ 85003"
DAVIS_KEY = "4732-w-davis-rd-glendale-az-85306"


@pytest.fixture
def context(tmp_path: Path, clock: Callable[[], datetime]) -> Iterator[StageContext]:
    settings = replace(load_settings({}), data_dir=tmp_path)
    initialise(settings)
    made = build_context(settings, run_id="test", clock=clock)
    yield made
    made.catalog.close()


def reading_of(context: StageContext, *lines: str) -> Reading:
    content = "\n".join(lines).encode()
    return read_file(context, content, name="houses.csv")


# --- one house ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        DAVIS_KEY,
        DAVIS_KEY.upper(),
        "686067a4",
        " 686067A4 ",
        DAVIS,
        "4732 west davis road glendale arizona 85306",
        "https://www.redfin.com/AZ/Glendale/4732-W-Davis-Rd-85306/home/26790171?x=1",
        "https://www.zillow.com/homedetails/4732-W-Davis-Rd-Glendale-AZ-85306/7_zpid/",
    ],
)
def test_a_known_house_is_known_by_whatever_names_it(
    context: StageContext, text: str
) -> None:
    add_properties(context, [Address.parse(DAVIS)])

    reading = read_one(context, text)
    report = add_houses(context, reading.taken)

    assert report.added == ()
    assert [(each.text, each.house.slug) for each in report.known] == [
        (text, DAVIS_KEY)
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("deadbeef", "no ZIP code"),
        ("nowhere", "no ZIP code"),
        ("https://redf.in/x", "short link"),
    ],
)
def test_what_names_no_house_is_refused(
    context: StageContext, text: str, told: str
) -> None:
    with pytest.raises(InputError, match=told):
        read_one(context, text)


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("1 W Adams St, Phoenix, AZ 99999", "ZIP 99999 belongs to AK, not to AZ"),
        ("10400 N De Anza Blvd, Cupertino, CA 95014", "it is outside Arizona, in CA"),
    ],
)
def test_an_odd_house_is_asked_about_once(
    context: StageContext, text: str, question: str
) -> None:
    reading = read_one(context, text)

    assert reading.taken == ()
    assert [doubt.question for doubt in reading.doubts] == [question]
    assert len(add_houses(context, reading.confirmed().taken).added) == 1
    assert read_one(context, text).doubts == ()


# --- a file ---------------------------------------------------------------------------


def test_a_bad_row_keeps_no_other_out(context: StageContext) -> None:
    reading = reading_of(
        context,
        "full_address,note",
        f'"{DAVIS}",',
        '"W Davis Rd, Mesa, AZ 85201",',
        f'"{ADAMS}",',
        ",only a note",
        '"5 A St, Salem, MA 1970",',
    )

    assert [each.row for each in reading.taken] == [2, 4]
    zero = "the ZIP code has lost its leading zero: write 01970"
    assert [str(problem) for problem in reading.unread] == [
        "row 3: address 'W Davis Rd, Mesa, AZ 85201': no street number; begin with it",
        "row 5: there is no address in it",
        f"row 6: address '5 A St, Salem, MA 1970': {zero}",
    ]


@pytest.mark.parametrize(
    "again",
    [
        DAVIS,
        DAVIS.upper(),
        "4732 West Davis Road, Glendale, Arizona 85306-1234",
        " 4732  w. davis rd. , glendale , az  85306 ",
        "4732 w davis rd glendale az 85306",
        "4732 W Davis Rd, Peoria, AZ 85306",
    ],
)
def test_a_house_given_twice_is_told_with_both_rows(
    context: StageContext, again: str
) -> None:
    reading = reading_of(
        context, "full_address", f'"{DAVIS}"', f'"{ADAMS}"', f'"{again}"'
    )

    city = "Peoria" if "Peoria" in again else "Glendale"
    assert [str(problem) for problem in reading.repeats] == [
        f"row 4: repeats row 2 (4732 W Davis Rd, {city}, AZ 85306): remove it"
    ]
    assert [each.row for each in reading.taken] == [2, 3]
    assert reading.unread == ()


def test_keys_and_folders_of_known_houses_may_stand_in_a_file(
    context: StageContext,
) -> None:
    add_properties(context, [Address.parse(DAVIS), Address.parse(ADAMS)])

    reading = reading_of(context, "address", "686067a4", ADAMS, "deadbeef")

    assert reading.taken[0].house.slug == DAVIS_KEY
    assert [problem.row for problem in reading.unread] == [4]


def test_of_a_thousand_rows_one_bad_one_is_left_out(context: StageContext) -> None:
    rows = [f"{number} W Davis Rd, Mesa, AZ 85201" for number in range(1, 1000)]
    rows.insert(500, "nowhere")

    reading = reading_of(context, "full_address", *rows)

    assert len(reading.taken) == 999
    assert [problem.row for problem in reading.problems()] == [502]


def test_the_rows_to_tell_come_in_the_order_of_the_file(context: StageContext) -> None:
    reading = reading_of(
        context,
        "full_address",
        "10400 N De Anza Blvd, Cupertino, CA 95014",
        f'"{DAVIS}"',
        f'"{DAVIS}"',
        "nowhere",
    )

    assert [problem.row for problem in reading.problems()] == [2, 4, 5]
    assert "add --yes if it is right" in reading.problems()[0].reason
    assert [problem.row for problem in reading.confirmed().problems()] == [4, 5]


def test_rows_of_several_sheets_are_told_with_their_sheet(
    context: StageContext,
) -> None:
    openpyxl = pytest.importorskip("openpyxl", reason="the extra xlsx is not installed")
    book, body = openpyxl.Workbook(), io.BytesIO()
    book.remove(book.active)
    for name, rows in {
        "Tucson": [DAVIS, "nowhere"],
        "Mesa": [ADAMS, DAVIS, ADAMS],
        "Notes": [],
    }.items():
        sheet = book.create_sheet(name)
        for row in ["address" if rows else "cheap", *rows]:
            sheet.append([row])
    book.save(body)

    reading = read_file(context, body.getvalue(), name="x")

    assert [(each.sheet.name, each.row) for each in reading.taken] == [
        ("Tucson", 2),
        ("Mesa", 2),
    ]
    *unread, other, same = map(str, reading.problems())
    assert len(unread) == 1
    assert unread[0].startswith("row 3, sheet 'Tucson': address 'nowhere': ")
    told = f"row 3, sheet 'Mesa': repeats row 2, sheet 'Tucson' ({DAVIS}): remove it"
    assert other == told
    assert same == f"row 4, sheet 'Mesa': repeats row 2 ({ADAMS}): remove it"
    assert reading.left_out.startswith("not read of x, sheet 'Notes' (")
    assert str(reading.refusal()).endswith(reading.left_out)


def test_a_refusal_names_five_rows_and_counts_the_rest(context: StageContext) -> None:
    told = str(reading_of(context, "full_address", *["nowhere"] * 8).refusal())

    assert told.startswith("houses.csv: nothing was added: row 2: ")
    assert told.endswith("; and 3 more")
    assert told.count("row ") == 5


def test_all_problems_are_written_as_csv(context: StageContext, tmp_path: Path) -> None:
    path = tmp_path / "problems.csv"
    reading = reading_of(context, "full_address", *["V\u00eda"] * 30, '"a ""b"", c"')

    write_problems(path, reading.problems())

    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["row", "value", "problem", "sheet"]
    assert [int(row[0]) for row in rows] == list(range(2, 33))
    assert rows[0][1] == "V\u00eda"
    assert "no ZIP code" in rows[0][2]
    assert rows[-1][1] == 'a "b", c'


def test_a_folder_or_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"there is no file .*none\.csv: check"):
        file_content(tmp_path / "none.csv")
    with pytest.raises(InputError, match="it is a folder"):
        file_content(tmp_path)


# --- adding and finding ---------------------------------------------------------------


def test_adding_again_adds_nothing(context: StageContext) -> None:
    add_properties(context, [Address.parse(DAVIS)])

    report = add_properties(context, [Address.parse(DAVIS), Address.parse(ADAMS)])

    assert [str(house.address) for house in report.added] == [ADAMS]
    assert [str(each.house.address) for each in report.known] == [DAVIS]
    assert len(context.catalog.properties()) == 2


@pytest.mark.parametrize(
    "text",
    [
        DAVIS_KEY,
        DAVIS_KEY.upper(),
        "686067a4",
        " 686067A4 ",
        DAVIS,
        "4732 west davis road, glendale, arizona 85306",
        "4732 west davis road glendale arizona 85306",
        "https://www.redfin.com/AZ/Glendale/4732-W-Davis-Rd-85306/home/26790171",
    ],
)
def test_a_house_is_found_by_key_folder_or_any_spelling(
    context: StageContext, text: str
) -> None:
    add_properties(context, [Address.parse(DAVIS), Address.parse(ADAMS)])

    assert find_property(context, text).slug == DAVIS_KEY


@pytest.mark.parametrize("text", ["1-nowhere", "deadbeef", ADAMS])
def test_an_unknown_house_is_named_with_the_remedy(
    context: StageContext, text: str
) -> None:
    add_properties(context, [Address.parse(DAVIS)])

    with pytest.raises(InputError, match=r"unknown property .*phx properties add"):
        find_property(context, text)
