"""The letters of the sources."""

import pytest

from phx_pipeline.model.source import Source


@pytest.mark.parametrize(
    ("name", "letter"),
    [
        ("zillow", "z"),
        ("redfin", "r"),
        ("maricopa_assessor", "m"),
        ("phoenix_mls", "p"),
        ("unknown", "u"),
    ],
)
def test_a_source_has_its_letter(name: str, letter: str) -> None:
    assert Source(name).letter == letter


@pytest.mark.parametrize("source", Source)
def test_a_letter_reads_back_as_its_source(source: Source) -> None:
    assert Source.from_letter(source.letter) is source


@pytest.mark.parametrize("letter", ["", "x", "Z", "zr", "zillow"])
def test_another_letter_is_refused(letter: str) -> None:
    with pytest.raises(ValueError, match="known: z r m p u"):
        Source.from_letter(letter)
