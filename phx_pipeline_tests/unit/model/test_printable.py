"""Texts of sites as one line that any terminal, page and database may hold."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phx_pipeline.model.printable import LONGEST_LINE, printable, shown_only


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Active", "Active"),
        ("  two\twords\r\nand \x85 a\u2028third ", "two words and a third"),
        ("a\xa0b", "a b"),
        ("\x1b[2J\x07bell\x9b31m\x00", "\ufffd[2J\ufffdbell\ufffd31m\ufffd"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", None),
        ("gpj.\u202exe\u2066t\u2069", "gpj.xet"),
        ("W\u200bDa\u00advis\ufeff \u2060Rd\u200f", "WDavis Rd"),
        ("half \ud800, \ufdd0 \uffff \U0001ffff", "half \ufffd, \ufffd \ufffd \ufffd"),
        ("Vi\u0301a Linda", "V\xeda Linda"),
        ("Z" + "\u0335" * 40 + "algo", "Z\u0335\u0335\u0335algo"),
        ("a" + "\u20dd" * 40 + "b", "a\u20dd\u20dd\u20ddb"),
        ("\U000e0041tag, \ufe0fselector, \u3164filler", "tag, selector, filler"),
        ("Phòng ngủ, 臥室, 🏠", "Phòng ngủ, 臥室, 🏠"),
        ("", ""),
    ],
)  # fmt: skip
def test_a_text_becomes_one_line_that_shows_what_it_is(
    text: str, line: str | None
) -> None:
    made = printable(text)
    assert "\x1b" not in made
    if line is not None:
        assert made == line


def test_a_long_text_is_cut_with_an_ellipsis() -> None:
    assert printable("a" * LONGEST_LINE) == "a" * LONGEST_LINE
    assert printable("a" * 3_000_000) == "a" * (LONGEST_LINE - 1) + "…"
    assert printable("abc def", most=5) == "abc…"
    assert printable(" " * 3_000_000, most=5) == "…"


def test_lines_stay_where_lines_are_wanted() -> None:
    assert shown_only("one\x1b\n\ttwo\r\x85\u202e") == "one\ufffd\n\ttwo\ufffd\ufffd"


@given(st.text(st.characters(exclude_categories=())), st.integers(1, 30))
def test_a_line_is_bounded_storable_and_stays_as_it_is(text: str, most: int) -> None:
    line = printable(text, most=most)
    assert len(line) <= most
    assert line == printable(line, most=most)
    assert line.encode().decode() == line
    kinds = {unicodedata.category(character) for character in line}
    assert not kinds & {"Cc", "Cs", "Co", "Zl", "Zp"}
