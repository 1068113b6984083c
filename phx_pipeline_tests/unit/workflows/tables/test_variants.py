"""Every delimiter, encoding and kind of header gives the same houses."""

import csv
import io
from collections.abc import Callable, Sequence
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phx_pipeline.errors import InputError
from phx_pipeline_tests.unit.workflows.tables.conftest import (
    ALL,
    KINDS,
    LINDA,
    PLACE,
    addresses_in,
)

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252")


def written(rows: Sequence[Sequence[str]], *, delimiter: str, end: str = "\r\n") -> str:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, lineterminator=end).writerows(rows)
    return text.getvalue()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_variant_of_a_file_gives_the_same_houses(
    kind: Callable[[], list[list[str]]],
) -> None:
    for delimiter, encoding in product(",;\t|", ENCODINGS):
        content = written(kind(), delimiter=delimiter).encode(encoding)

        assert addresses_in(content) == ALL, (delimiter, encoding)


@given(st.permutations(range(4)), st.sampled_from(KINDS), st.sampled_from(",;\t|"))
def test_the_order_of_the_rows_is_kept(
    order: list[int], kind: Callable[[], list[list[str]]], delimiter: str
) -> None:
    rows = kind()
    body = [row for row in rows if any("85" in cell for cell in row)]
    mixed = [*(row for row in rows if row not in body), *(body[at] for at in order)]

    found = addresses_in(written(mixed, delimiter=delimiter))

    assert found == [ALL[at] for at in order]


@pytest.mark.parametrize(
    ("encoding", "note"), [("mac-roman", "cosy"), ("cp1252", "bed\u2013bath")]
)
def test_letters_of_an_old_macintosh_are_no_dashes(encoding: str, note: str) -> None:
    content = f"street,{PLACE},note\n100 E Ca\u00f1ada Dr,Phoenix,AZ,85003,{note}\n"

    found = addresses_in(content.encode(encoding))

    assert found == ["100 E Canada Dr, Phoenix, AZ 85003"]


@pytest.mark.parametrize("encoding", ["cp1252", "mac-roman", "cp437"])
def test_no_letter_of_an_older_encoding_is_left_out(encoding: str) -> None:
    content = f"street,{PLACE}\n8800 E V\u00eda Linda,Scottsdale,AZ,85258\n"

    assert addresses_in(content.encode(encoding)) == [LINDA]


def test_a_letter_nothing_tells_is_asked_for() -> None:
    row = b"100 E Lu\x92s Dr,Phoenix,AZ,85003\n"

    with pytest.raises(
        InputError, match=r"does not tell which letter .* save the file"
    ):
        addresses_in(f"street,{PLACE}\n".encode() + row)
