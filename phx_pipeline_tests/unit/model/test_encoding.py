"""Text in whatever encoding a program saved it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phx_pipeline.model.encoding import decoded

TEXT = "8800 E V\u00eda Linda, Scottsdale\r\n2417\u00bd W Adams St\n"


@pytest.mark.parametrize(
    "encoding",
    [
        "utf-8",
        "utf-8-sig",
        "utf-16",
        "utf-16-le",
        "utf-16-be",
        "utf-32",
        "cp1252",
    ],
)
def test_the_usual_encodings_are_read(encoding: str) -> None:
    assert decoded(TEXT.encode(encoding)) == TEXT


def test_the_mark_of_the_other_end_is_read() -> None:
    assert decoded(b"\xfe\xff" + TEXT.encode("utf-16-be")) == TEXT


def test_one_line_of_another_encoding_harms_no_other() -> None:
    mixed = "V\u00eda\n".encode() + "Pe\u00f1a\n".encode("cp1252") + "V\u00eda".encode()

    assert decoded(mixed) == "V\u00eda\nPe\u00f1a\nV\u00eda"


@pytest.mark.parametrize(
    "content",
    [
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        b"\x7fELF\x02\x01\x01\0\0\0",
        b"\xff\xfea",
        b"a\x81b",
        bytes(range(256)) * 4,
    ],
    ids=["picture", "program", "half a character", "undefined", "noise"],
)
def test_what_is_no_text_is_told(content: bytes) -> None:
    assert decoded(content) is None


def test_the_end_mark_of_a_dos_file_is_no_text() -> None:
    assert decoded(b"Mesa\r\n\x1a") == "Mesa\r\n"


@given(st.text(st.characters(min_codepoint=32, exclude_categories=("Cs", "Cc", "Cf"))))
def test_utf_8_reads_back_as_it_was(text: str) -> None:
    assert decoded(("Phoenix " + text).encode()) == "Phoenix " + text
