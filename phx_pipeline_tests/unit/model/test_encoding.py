"""Text in whatever encoding a program saved it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phx_pipeline.model.encoding import decoded
from phx_pipeline.model.older_encodings import UNTOLD

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


# Each alone in a file of its encoding; where two names stand, both write it alike.
WORDS = {
    "cp1252 mac-roman cp437": (
        *(
            "V\u00eda",
            "Ca\u00f1ada",
            "Pi\u00f1on",
            "R\u00edo",
            "Jos\u00e9",
            "Jes\u00fas",
        ),
        *(
            "Camar\u00f3n",
            "G\u00fcero",
            "Mart\u00ednez",
            "D\u00edaz",
            "CA\u00d1ON",
            "JOS\u00c9",
        ),
    ),
    "cp1252 mac-roman": (
        *("V\u00cdA", "\u00c1vila", "\u00cd\u00f1igo", "Pel\u00e1ez", "Bogot\u00e1"),
        *(
            "O\u2019Connor",
            "O\u2019odham",
            "D\u2019Arcy",
            "Coeur d\u2019Alene",
            "O\u2019NEIL",
        ),
        *("St Mary\u2019s", "Owners\u2019", "don\u2019t", "Mar\u00eda\u2019s"),
        *(
            "\u201cBig\u201d",
            "Dewey\u2013Humboldt",
            "10 \u2013 20",
            "10\u201320",
            "big\u2026",
        ),
        *("\u2022 one", "Redfin\u00ae", "N\u00ba 4"),
    ),
    "cp1252 cp437": ("2417\u00bd",),
    "cp1252": ("Davis Rd\u00a0", "AZ\u00a085032", "Ch\u00e2teau", "CAF\u00e9"),
}
ENCODED = [
    (encoding, word)
    for encodings, words in WORDS.items()
    for encoding in encodings.split()
    for word in words
]


@pytest.mark.parametrize(("encoding", "word"), ENCODED)
def test_a_word_tells_its_encoding(encoding: str, word: str) -> None:
    assert decoded(f"8800 E {word}\n".encode(encoding)) == f"8800 E {word}\n"


@pytest.mark.parametrize("encoding", ["cp1252", "mac-roman", "cp437"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    "word", ["Lu\u00eds", "As\u00ed", "Ch\u00e2teau", "Pel\u00e1ez"]
)
def test_a_doubtful_word_follows_others(encoding: str, end: str, word: str) -> None:
    text = f"8800 E {word} Dr{end}8801 E V\u00eda Pe\u00f1a{end}"

    assert decoded(text.encode(encoding)) == text


@pytest.mark.parametrize(
    "line",
    [
        b"8800 E Lu\x92s",  # with an accent, or an apostrophe
        b"8800 E Pel\xa0ez",  # a letter of DOS, or a blank
        b"8800 E Bogot\xa0",
        b"8800 E PE\x96A",  # a letter left small, or a dash
        b"8800 E V\x92A",
        b"8800 E Ch\x89teau",
        b"8800 E V\xb1a",
    ],
)
def test_what_nothing_tells_is_neither_guessed_nor_left_out(line: bytes) -> None:
    text = decoded(line)

    assert text
    assert UNTOLD in text
    assert len(text) == len(line)


@pytest.mark.parametrize(
    "content",
    [
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        b"\x7fELF\x02\x01\x01\0\0\0",
        b"\xff\xfea",
        b"a\x01b",
        bytes(range(256)) * 4,
    ],
    ids=["picture", "program", "half a character", "control", "noise"],
)
def test_what_is_no_text_is_told(content: bytes) -> None:
    assert decoded(content) is None


def test_the_end_mark_of_a_dos_file_is_no_text() -> None:
    assert decoded(b"Mesa\r\n\x1a") == "Mesa\r\n"


@given(st.text(st.characters(min_codepoint=32, exclude_categories=("Cs", "Cc", "Cf"))))
def test_utf_8_reads_back_as_it_was(text: str) -> None:
    assert decoded(("Phoenix " + text).encode()) == "Phoenix " + text


def test_a_run_of_bytes_that_is_no_word_is_untold() -> None:
    assert decoded(b"\xff" * 80_000) == UNTOLD * 80_000
    assert decoded(b"a" * 80_000 + b" Pe\xf1a") == "a" * 80_000 + " Pe\u00f1a"


def test_of_very_many_words_the_last_tell_nothing_and_follow_the_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("phx_pipeline.model.older_encodings._MOST_WORDS", 2)
    text = b"R\x92o\nLu\x92s\nV\x92a\n"

    assert decoded(text) == "Río\nLuís\nVía\n"
    assert decoded(b"Lu\x92s\nPE\x96A\nR\x92o\n") == "Lu�s\nPE�A\nR�o\n"
