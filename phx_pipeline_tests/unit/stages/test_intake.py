"""What people type and save as CSV becomes properties, or a message that helps."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from phx_pipeline.errors import InputError
from phx_pipeline.model.address import Address
from phx_pipeline.settings import load_settings
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.intake import add_properties, find_property, read_csv
from phx_pipeline.wiring import build_context, initialise

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


Write = Callable[[str | bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a CSV file byte by byte; return its path."""

    def made(content: str | bytes) -> Path:
        path = tmp_path / "houses.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return made


# --- files that can be read -----------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        f'full_address\n"{DAVIS}"\n"{ADAMS}"\n',
        f'address\n"{DAVIS}"\n"{ADAMS}"\n',
        f'Full_Address \r\n"{DAVIS}"\r\n"{ADAMS}"\r\n',
        f'\ufefffull_address\n"{DAVIS}"\n"{ADAMS}"',
        f'price,full_address,note\n1,"{DAVIS}",\n2,"{ADAMS}","nice, ""new"" roof"\n',
        f'\n full_address\n"{DAVIS}"\n'.lstrip("\n") + f'\n,\n  \n"{ADAMS}"\n\n',
        f'full_address\n"{DAVIS}",one,more,cell\n"{ADAMS}"\n',
        (
            "street,city,state,zip\n4732 W Davis Rd,Glendale,AZ,85306\n"
            "100 N Adams St,Phoenix,AZ,85003\n"
        ),
        (
            "zip,STATE,city,street,beds\n85306,AZ,Glendale,4732 W Davis Rd,4\n"
            "85003,AZ,Phoenix,100 N Adams St,2\n"
        ),
        (
            "street,city,state,zip\n 4732 W Davis Rd , Glendale,AZ ,85306\n"
            '"100 N Adams St",Phoenix,Arizona,85003-1234\n'
        ),
    ],
    ids=[
        "full_address",
        "address",
        "crlf and case",
        "byte order mark",
        "quotes and extra columns",
        "blank lines",
        "extra cells",
        "split columns",
        "split columns in any order",
        "spaces, a long state, a long ZIP",
    ],
)
def test_a_file_gives_its_addresses_in_order(write: Write, content: str) -> None:
    addresses = read_csv(write(content))

    assert [str(address) for address in addresses] == [DAVIS, ADAMS]


def test_a_whole_address_wins_over_its_parts(write: Write) -> None:
    content = (
        f'street,city,state,zip,full_address\n1 Wrong St,Mesa,AZ,85201,"{DAVIS}"\n'
    )

    assert [str(address) for address in read_csv(write(content))] == [DAVIS]


def test_an_address_may_span_two_lines_of_one_quoted_cell(write: Write) -> None:
    content = 'full_address\n"4732 W Davis Rd\nGlendale, AZ 85306"\n'

    assert [str(address) for address in read_csv(write(content))] == [DAVIS]


# --- files that cannot ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "missing column"),
        (b"\n\n", "missing column"),
        (b"full_address\n", "no rows below the header"),
        (b"full_address\r\n\r\n ,\r\n", "no rows below the header"),
        (b"street,city,zip\n4732 W Davis Rd,Glendale,85306\n", "missing column state"),
        (b"house\n4732 W Davis Rd\n", "missing column street, city, state, zip"),
        ("full_address\nPe\u00f1a\n".encode("latin-1"), "line 2 is not UTF-8"),
        ("full_address\n".encode("utf-16"), "line 1 is not UTF-8"),
        (b'full_address\n"4732 W Davis Rd, Glendale\n', "not CSV"),
        (b'full_address\n"4732" W Davis Rd\n', "row 2 is not CSV"),
    ],
    ids=[
        "empty",
        "only blank lines",
        "only a header",
        "a header and blank rows",
        "one column missing",
        "all columns missing",
        "latin-1",
        "utf-16",
        "an open quote",
        "text after a quote",
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_the_reason(
    write: Write, content: bytes, told: str
) -> None:
    path = write(content)

    with pytest.raises(InputError) as raised:
        read_csv(path)

    assert str(path) in str(raised.value)
    assert told in str(raised.value)


def test_the_columns_found_are_named_when_one_is_missing(write: Write) -> None:
    with pytest.raises(InputError, match=r"found: house, zip\)"):
        read_csv(write("House,ZIP\n1,2\n"))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"there is no file .*none\.csv: check"):
        read_csv(tmp_path / "none.csv")


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_csv(tmp_path)


def test_every_bad_row_is_named_with_its_reason(write: Write) -> None:
    content = (
        f'full_address,note\n"{DAVIS}",\n"W Davis Rd, Glendale, AZ 85306",\n'
        '"4732 W Davis Rd, Glendale, AZ",\n,only a note\n'
    )

    with pytest.raises(InputError) as raised:
        read_csv(write(content))

    told = str(raised.value)
    assert "nothing was added" in told
    assert "row 3: " in told
    assert "no street number" in told
    assert "row 4: " in told
    assert "no ZIP code" in told
    assert "row 5: " in told
    assert "row 2" not in told


def test_a_short_row_of_split_columns_is_named(write: Write) -> None:
    content = "street,city,state,zip\n4732 W Davis Rd,Glendale\n"

    with pytest.raises(InputError, match=r"row 2: .*no ZIP code"):
        read_csv(write(content))


@pytest.mark.parametrize(
    "again",
    [
        DAVIS,
        DAVIS.upper(),
        "4732 West Davis Road, Glendale, Arizona 85306-1234",
        " 4732  w. davis rd. , glendale , az  85306 ",
    ],
)
def test_a_house_given_twice_is_named_with_both_rows(write: Write, again: str) -> None:
    content = f'full_address\n"{DAVIS}"\n"{ADAMS}"\n"{again}"\n'

    with pytest.raises(InputError, match=r"row 4 repeats row 2 \(4732 W D"):
        read_csv(write(content))


def test_beyond_five_bad_rows_only_their_number_is_told(write: Write) -> None:
    content = "full_address\n" + "nowhere\n" * 8

    with pytest.raises(InputError, match=r"; and 3 more$") as raised:
        read_csv(write(content))

    assert str(raised.value).count("row ") == 5


# --- adding and finding ---------------------------------------------------------------


def test_adding_again_adds_nothing(context: StageContext) -> None:
    add_properties(context, [Address.parse(DAVIS)])

    report = add_properties(context, [Address.parse(DAVIS), Address.parse(ADAMS)])

    assert [str(house.address) for house in report.added] == [ADAMS]
    assert report.known == 1
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
