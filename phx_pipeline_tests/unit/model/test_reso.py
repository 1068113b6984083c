"""Our words are those of the standard, and known in the spellings of feeds."""

import json
from collections import defaultdict
from enum import StrEnum
from pathlib import Path

import pytest

from phx_pipeline.model.reso import (
    ImageOf,
    MediaCategory,
    Permission,
    StandardStatus,
    word_of,
)


@pytest.fixture(scope="module")
def spellings(shared_dir: Path) -> dict[str, dict[str, str]]:
    """By lookup: the name of each value for machines, and that for people."""
    sample = shared_dir / "samples/phoenix_mls/reso_dd2.0_media.json"
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for lookup in json.loads(sample.read_text())["lookups"]:
        name = lookup["lookupName"].rpartition(".")[2]
        (found[name][lookup["lookupValue"]],) = (
            it["value"]
            for it in lookup["annotations"]
            if it["term"].endswith(".StandardName")
        )
    return found


@pytest.mark.parametrize(
    ("words", "number"),
    [(ImageOf, 86), (MediaCategory, 9), (Permission, 7), (StandardStatus, 11)],
)
def test_the_words_are_those_of_the_standard_in_either_spelling(
    words: type[StrEnum], number: int, spellings: dict[str, dict[str, str]]
) -> None:
    own = spellings[words.__name__]

    assert len(own) == number
    assert set(map(str, words)) == set(own)
    for name, for_people in own.items():
        assert word_of(words, for_people) == word_of(words, name) == name


@pytest.mark.parametrize("text", ["", "Kitchens", "?", "Kitchen, Pool"])
def test_another_word_is_none_of_them(text: str) -> None:
    assert word_of(ImageOf, text) is None


def test_a_sale_under_way_is_on_the_market() -> None:
    assert {str(it) for it in StandardStatus if it.is_on_market} == {
        "Active",
        "ActiveUnderContract",
        "ComingSoon",
        "Pending",
    }
