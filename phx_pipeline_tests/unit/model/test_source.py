"""The letters of the sources."""

import copy
import pickle

import pytest

from phx_pipeline.model.source import LETTERED, Source, in_order


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


@pytest.mark.parametrize("source", LETTERED)
def test_a_letter_reads_back_as_its_source(source: Source) -> None:
    assert Source.from_letter(source.letter) is source


@pytest.mark.parametrize("letter", ["", "x", "Z", "zr", "zillow"])
def test_another_letter_is_refused(letter: str) -> None:
    with pytest.raises(ValueError, match="known: z r m p u"):
        Source.from_letter(letter)


def test_a_name_stands_for_one_object_wherever_it_comes_from() -> None:
    further = Source("realtor")

    assert further is Source("realtor")
    assert pickle.loads(pickle.dumps(further)) is further  # noqa: S301 - our own
    assert copy.deepcopy(further) is further
    assert (further.value, further.letter) == ("realtor", "u")


@pytest.mark.parametrize("name", ["", "Zillow", "a b", "redfin/photos", "x" * 41, "é"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is not the name of a source"):
        Source(name)


def test_further_sources_are_shown_after_the_lettered_ones() -> None:
    names = ["realtor", "unknown", "homes", "redfin", "zillow"]

    shown = in_order(map(Source, names))

    assert shown == ["zillow", "redfin", "unknown", "homes", "realtor"]
