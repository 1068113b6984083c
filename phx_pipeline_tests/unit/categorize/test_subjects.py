import json
import re
from pathlib import Path

import pytest

from phx_pipeline.categorize.caption_rules import CAPTION_RULES
from phx_pipeline.categorize.subjects import (
    REDFIN_TAGS,
    REFINES,
    RESO_IMAGE_OF,
    SPARK_ROOM_TAGS,
    TAGS,
)
from phx_pipeline.model.reso import ImageOf, letters_of
from phx_pipeline.model.taxonomy import Location, Subject

_TAGS = re.compile(r'"tags":(\[[^]]*])')


def test_every_value_of_the_standard_is_decided() -> None:
    assert set(RESO_IMAGE_OF) == set(ImageOf)


def test_every_tag_of_a_real_redfin_page_is_decided(shared_dir: Path) -> None:
    name = "samples/redfin/detail_2026-02_dahlonega_home137774138_undercontract.html"
    html = (shared_dir / name).read_text().replace('\\"', '"')
    start = html.index("includedFilterTags") + len('includedFilterTags":')
    counts = json.loads(html[start : html.index("}", start) + 1])

    of_photos = {tag for tags in _TAGS.findall(html) for tag in json.loads(tags)}

    assert counts.keys() | of_photos <= set(REDFIN_TAGS)
    assert {"Floor plans", "Interior"} <= of_photos


def test_the_lists_do_not_contradict_each_other() -> None:
    for table in (RESO_IMAGE_OF, SPARK_ROOM_TAGS, REDFIN_TAGS):
        for tag, subject in table.items():
            assert TAGS[letters_of(tag)] is subject


@pytest.mark.parametrize("tag", ["Floor plans", "FloorPlans", "floor_plans"])
def test_a_tag_is_known_in_any_spelling(tag: str) -> None:
    assert TAGS[letters_of(tag)] is Subject.DOCUMENT


def test_no_tag_claims_that_nothing_is_known() -> None:
    assert Subject.UNKNOWN not in TAGS.values()


def test_a_special_case_is_never_itself_a_general_word() -> None:
    assert not set(REFINES) & set(REFINES.values())


def test_words_place_a_subject_only_where_its_row_allows() -> None:
    placed = {
        (rule.subject, rule.location)
        for rule in CAPTION_RULES
        if rule.subject is not None and rule.location is not None
    }

    assert (Subject.GARAGE, Location.EXTERIOR) in placed
    assert [it for it in placed if not it[0].may_be(it[1])] == []
