"""Tables a browser renders: what a site said stays text."""

import re

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from phx_pipeline.model.outcome import ListingOutcome, VerdictKind
from phx_pipeline.model.source import Source
from phx_pipeline.model.tally import PropertyTally, SourceTally
from phx_pipeline.stages.report import (
    inert,
    outcome_rows,
    outcome_sentence,
    table_line,
)
from phx_pipeline_tests.hostile import TEXTS

SLUG = "4732-w-davis-rd-glendale-az-85306"
# Dagster's page also makes links of these, wherever they stand as words.
LINK = re.compile(r"https?://|www\.|\w@\w", re.IGNORECASE)


def tally(detail: str) -> PropertyTally:
    source = SourceTally(
        slug=SLUG,
        source=Source.REDFIN,
        outcome=ListingOutcome.LISTED,
        detail=detail,
        counts={VerdictKind.KEPT: 3},
    )
    other = SourceTally(slug=SLUG, source=Source.ZILLOW)
    return PropertyTally(slug=SLUG, sources=(source, other))


def inline(markdown: str) -> list[Token]:
    """All that stands in the lines of a text, as a browser would be given it."""
    parser = MarkdownIt("commonmark", {"html": True}).enable("table")
    blocks = parser.parse(markdown)
    assert not [block for block in blocks if block.type == "html_block"]
    return [token for block in blocks for token in block.children or ()]


@pytest.mark.parametrize("start", range(0, len(TEXTS), 20))
def test_no_text_of_a_site_becomes_more_than_text(start: int) -> None:
    for text in TEXTS[start : start + 20]:
        rows = outcome_rows(tally(text))
        head = [list(rows[0]), ["---"] * len(rows[0])]
        lines = [*head, *(map(str, row.values()) for row in rows)]
        table = "\n".join(map(table_line, lines))
        tokens = inline(table)

        assert {token.type for token in tokens} <= {"text", "code_inline"}
        assert not [t for t in tokens if t.type == "text" and LINK.search(t.content)]
        assert 25 <= len(tokens) <= 26  # in three rows; an empty cell holds none
        assert len(table.splitlines()) == 4
        assert all(line.count("|") == 10 for line in table.splitlines())


@pytest.mark.parametrize(
    "text",
    ["5 photos; status FOR_SALE", "52 photos, 1 unreadable (HTTP 403)", "Vía Linda #3"],
)
def test_plain_words_stay_plain(text: str) -> None:
    assert inert(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("![a](http://evil.example/t.png)", "![a] (http://evil.example/t.png)"),
        ("<img src=x>", "\u2039img src=x\u203a"),
        ("a|b`c", "a¦b'c"),
        ("[bold]x[/]", "[bold]x[/]"),
        ("www.evil.example", "www.evil.example"),
        ("_a_", "_a_"),
    ],
)
def test_what_markdown_would_obey_stands_as_code(text: str, shown: str) -> None:
    assert inert(text) == f"`{shown}`"


def test_how_each_source_ended_is_told_on_one_plain_line() -> None:
    assert outcome_sentence(tally("3\nphotos\x1b")) == (
        "redfin: listed (3 photos\ufffd); zillow: not asked"
    )
