"""Answers that are kept name no person."""

import json
import re
from pathlib import Path

import pytest

from phx_pipeline.sources.persons import GONE, without_persons
from phx_pipeline.sources.registry import available_sources

NAME = "Jane Roe"
_NAMING = re.compile(
    r'"(?:agentName|display_name|business_name|agentDisplayName|listingAgentName)"'
    r':"([^"]{4,})"'
)


def nested(value: object, *, depth: int) -> str:
    """JSON that lies in a text of JSON, *depth* times."""
    text = json.dumps(value)
    for _ in range(depth):
        text = json.dumps({"inside": text, "beds": 4})
    return text


def opened(text: str, *, depth: int) -> object:
    value = json.loads(text)
    for _ in range(depth):
        assert value["beds"] == 4
        value = json.loads(value["inside"])
    return value


@pytest.mark.parametrize("depth", [0, 1, 2, 3])
@pytest.mark.parametrize(
    "who",
    [
        NAME,
        {"name": NAME, "says": 'a "good" } one \\', "of": [NAME, {"it": "]"}]},
        [{"name": f"{NAME}\\"}, NAME],
        [],
        None,
        17,
        True,
    ],
    ids=["text", "object", "list", "empty", "null", "number", "bool"],
)
def test_a_member_that_names_persons_loses_its_value_and_nothing_else(
    who: object, depth: int
) -> None:
    told = {
        "beds": 4,
        "listingAgents": who,
        "text": 'sunny "corner" \\ lot',
        "baths": 2,
    }

    scrubbed = without_persons(nested(told, depth=depth))

    assert NAME not in scrubbed
    assert opened(scrubbed, depth=depth) == {**told, "listingAgents": GONE}


@pytest.mark.parametrize("cut", range(2, 44, 3))
def test_of_what_was_cut_off_nothing_is_left(cut: int) -> None:
    text = json.dumps({"beds": 4, "owner": {"name": NAME, "of": ["x", NAME]}})

    assert "Roe" not in without_persons(text[:-cut])


@pytest.mark.parametrize(
    "markup",
    [
        f"<p>Listed by {NAME} \u2022 Good Homes</p><p>4 beds</p>",
        f"<p>Listed by: <b>{NAME}</b></p><p>4 beds</p>",
        f"<p>Listing provided by&nbsp;{NAME}</p><p>4 beds</p>",
        f'<p class="agent-name"><i>by</i> <!-- -->{NAME}</p><p>4 beds</p>',
    ],
)
def test_who_lists_a_house_is_not_told_in_words(markup: str) -> None:
    scrubbed = without_persons(markup)

    assert NAME not in scrubbed
    assert "4 beds" in scrubbed


def test_captured_answers_name_nobody_once_they_are_scrubbed(shared_dir: Path) -> None:
    named: set[str] = set()
    left = ""
    for source, adapter in available_sources().items():
        folder = shared_dir / "samples" / source.removesuffix("_assessor")
        for path in sorted(folder.iterdir()):
            text = path.read_text(errors="replace")
            named |= set(_NAMING.findall(text.replace("\\", "")))
            left += adapter.scrubbed(text).replace("\\", "")

    assert len(named) > 15
    assert [name for name in sorted(named) if name in left] == []


@pytest.mark.parametrize(
    "text",
    [
        '<a class="' * 40_000,
        '"agent":{' * 40_000,
        '<b class="agent">' + "<" * 400_000,
        "\\" * 400_000 + '"agent":',
        '"agent":"' + "\\" * 400_000,
        "listed by " * 40_000,
    ],
    ids=["tags", "objects", "signs", "backslashes", "no end", "words"],
)
def test_what_is_made_to_take_long_is_scrubbed_in_one_pass(text: str) -> None:
    assert len(without_persons(text)) <= 2 * len(text)
