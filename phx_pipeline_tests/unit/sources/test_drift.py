"""Whatever member of a page is renamed, somebody is told and nothing wrong is filed.

Of each page each member is renamed, one after the other, wherever it stands. Then the
page is `page_changed` or refused, so that the source stays open; or it lacks a field
that it had, and the rule of `model.drift` names it; or the member is not needed,
because nothing reads it or because another one says the same. Keys that name a thing of
one page, such as a photo, are no members.
"""

import re
from collections.abc import Container
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

import pytest

from phx_pipeline.model.drift import FieldCount, drifts, fields_read
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline_tests.unit.sources.drift_samples import (
    CAPTURED,
    MORE_WRITTEN,
    WRITTEN,
    Sample,
    adapters,
    answered,
    made,
    members_of,
    written,
)

CODE = Path(__file__).parents[3] / "phx_pipeline/sources"
DAY = date(2026, 3, 9)
# What a fact is read from where the first member that says it is not there.
STAND_INS = frozenset(
    {"bathrooms_total", "days_on_market", "list_price", "lot_size_square_feet"}
    | {"living_area", "standard_status", "association_fee", "bedrooms_total"}
)

# How a house ends whose photos are not seen any more; never with a whole gallery.
LESS = (ListingOutcome.OFF_MARKET, ListingOutcome.LISTED_EMPTY)


@cache
def words_of(package: str) -> frozenset[str]:
    """All that stands in quotes in the code of a source."""
    code = "".join(it.read_text() for it in (CODE / package).glob("*.py"))
    return frozenset(re.findall(r'"([A-Za-z]\w+)"', code))


def gone(before: Listing, after: Listing) -> set[str]:
    """The fields the rule names after five pages of the one, and three of the other."""
    had, has = (fields_read(it) for it in (before, after))
    counts = [
        FieldCount(
            source=before.source,
            page_kind=kind,
            field=field,
            seen_on=DAY,
            pages=8,
            had=5 * had.get((kind, field), False) + 3 * there,
            lacking=0 if there else 3,
        )
        for (kind, field), there in has.items()
    ]
    return {drift.field for drift in drifts(counts)}


def filed(listing: Listing) -> Listing:
    """What is filed of an answer, without what is told of it."""
    return replace(listing, detail="", also_read={}, complete=False, stated_photos=None)


def assert_nothing_wrong(before: Listing, after: Listing, *, member: str) -> None:
    """What *after* still says, *before* said too, or another member of it does."""
    assert after.complete <= before.complete, member
    assert not after.complete or len(after.photos) == len(before.photos), member
    assert after.listing_id in {before.listing_id, None}, member
    assert after.mls_id in {before.mls_id, None}, member
    key_of = adapters()[before.source].photo_named
    own = {photo.photo_key for photo in before.photos}
    for photo in after.photos:
        named = {key_of(url) for url in (photo.url, *photo.fallback_urls)}
        assert photo.photo_key in own, member
        assert named <= {photo.photo_key, None}, member
    assert after.inline.items() <= before.inline.items(), member
    if before.facts and after.facts:
        said, says = before.facts.stated, after.facts.stated
        others = {name for name in says if says[name] != said.get(name)}
        assert others <= STAND_INS, member


def assert_told(before: Listing, after: Listing, *, member: str) -> None:
    """Somebody is told of what the page says no more."""
    assert_nothing_wrong(before, after, member=member)
    if filed(after) == filed(before) or not after.outcome.is_settled:
        return
    assert after.outcome in {before.outcome, *LESS}, member
    assert gone(before, after), member


def assert_all_told(sample: Sample, *, among: Container[str] | None = None) -> None:
    """Rename each member, one after the other."""
    before = sample.listing()
    assert before.facts is not None
    for member in members_of(sample.tree):
        if among is None or member in among:
            assert_told(before, sample.without(member), member=member)


@pytest.mark.parametrize("name", made())
def test_of_a_page_that_holds_every_field_each_member_is_missed(name: str) -> None:
    assert_all_told(made()[name])


@pytest.mark.parametrize("name", answered())
def test_of_an_answer_of_county_or_mls_each_member_is_missed(name: str) -> None:
    assert_all_told(answered()[name])


@pytest.mark.parametrize("name", WRITTEN)
def test_of_a_page_of_each_kind_each_member_is_missed(name: str) -> None:
    assert_all_told(written(name))


@pytest.mark.parametrize("name", ["maricopa 501-93-515", "zillow search 2026-03"])
def test_of_a_captured_page_each_member_that_code_names_is_missed(
    name: str, shared_dir: Path
) -> None:
    sample = CAPTURED[name](shared_dir / "samples")

    assert_all_told(sample, among=words_of(name.partition(" ")[0]))


@pytest.mark.soak
@pytest.mark.parametrize("name", MORE_WRITTEN)
def test_of_every_page_of_ours_each_member_is_missed(name: str) -> None:
    assert_all_told(written(name))


@pytest.mark.soak
@pytest.mark.parametrize("name", CAPTURED)
def test_of_each_captured_page_each_member_is_missed(
    name: str, shared_dir: Path
) -> None:
    assert_all_told(CAPTURED[name](shared_dir / "samples"))
