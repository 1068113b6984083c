"""A site that shows only an address much like the house's; a person says what it is."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from phx_pipeline.demo.houses import HOUSES
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.demo.zillow_site import zillow_sites
from phx_pipeline.model.address import Address, Match
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.source import Source
from phx_pipeline_tests.commands import Phx
from phx_pipeline_tests.deployment import Deployment, with_shots

HOUSE = with_shots(HOUSES[0], 0, 1)
SHOWN = Address.parse(HOUSE.address)
TYPED = Address.parse(HOUSE.address.replace(" Rd,", " Rd S,", 1))
BOTH = (Source.ZILLOW, Source.REDFIN)


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Deployment]:
    """The house added with a direction that neither site shows."""
    sites = {**redfin_sites([HOUSE]), **zillow_sites([HOUSE])}
    with Deployment(tmp_path, sites, sources=BOTH) as made:
        made.add([str(TYPED)])
        yield made


def outcomes(made: Deployment) -> set[ListingOutcome | None]:
    with made.context() as context:
        return {it.outcome for it in context.tally(TYPED.slug).sources}


def test_a_near_miss_is_settled_for_good_by_a_person(
    made: Deployment, phx: Phx
) -> None:
    first = phx("extract", "--all", "--sync")
    before = outcomes(made)
    told = phx("status", "--all").out

    confirmed = phx("properties", "confirm", TYPED.slug, str(SHOWN).upper())
    again = phx("properties", "confirm", str(TYPED), str(SHOWN))
    second = phx("extract", "--all", "--sync")

    assert SHOWN.slug != TYPED.slug
    assert first.code != 0
    assert before == {ListingOutcome.AMBIGUOUS}
    assert f'`phx properties confirm {TYPED.slug} "{SHOWN}"`' in told
    assert f"{SHOWN} is {TYPED.slug}" in confirmed.out
    assert "said before" in again.out
    assert second.code == 0
    assert outcomes(made) == {ListingOutcome.LISTED}
    added = phx("properties", "add", str(SHOWN))
    assert f"known as {TYPED.slug}" in added.out
    assert "nothing new, 1 known already" in added.out


def test_what_a_person_said_is_another_house_is_not_found(
    made: Deployment, phx: Phx
) -> None:
    phx("properties", "confirm", "--not", TYPED.slug, str(SHOWN))

    ended, status = phx("extract", "--all", "--sync"), phx("status")

    assert outcomes(made) == {ListingOutcome.NOT_FOUND}
    told = f"look: {TYPED.slug}: no source knows this address: is it right?"
    assert told in ended.out
    assert told in status.out
    added = phx("properties", "add", str(SHOWN))
    assert "1 added" in added.out


def test_an_answer_given_before_a_ruling_is_asked_for_again(
    made: Deployment, phx: Phx
) -> None:
    phx("properties", "confirm", "--not", TYPED.slug, str(SHOWN))
    phx("extract", "--all", "--sync")

    phx("properties", "confirm", TYPED.slug, str(SHOWN))
    ended = phx("extract", "--all", "--sync")

    assert ended.code == 0
    assert outcomes(made) == {ListingOutcome.LISTED}


def test_a_spelling_of_the_house_itself_or_of_another_is_refused(
    made: Deployment, phx: Phx
) -> None:
    made.add([str(SHOWN)])

    own = phx("properties", "confirm", "--not", TYPED.slug, f"{TYPED}-1234")
    other = phx("properties", "confirm", TYPED.slug, str(SHOWN))

    assert (own.code, other.code) == (2, 2)
    assert "is the address of" in own.err
    assert f"`phx properties merge {TYPED.slug} {SHOWN.slug}`" in other.err


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (TYPED.street_number, TYPED.street_number[::-1], "another house number:"),
        (TYPED.zip_code, "85003", "another ZIP code:"),
        (f"{TYPED.street_number} ", "1 ", "another house number:"),
        (TYPED.street.split()[1], "Somewhere", "another street or unit:"),
    ],
)
def test_an_address_that_is_not_even_near_is_no_spelling(
    made: Deployment, phx: Phx, old: str, new: str, told: str
) -> None:
    slip = Address.parse(str(TYPED).replace(old, new, 1))

    ended = phx("properties", "confirm", TYPED.slug, str(slip))
    denied = phx("properties", "confirm", "--not", TYPED.slug, str(slip))

    assert (ended.code, ended.out, denied.code) == (2, "", 0)
    assert ended.err.count("\n") == 1
    assert f"{slip} is no spelling of {TYPED}" in ended.err
    assert told in ended.err
    assert f"`phx properties rename {TYPED.slug} ADDRESS`" in ended.err
    with made.context() as context:
        house = context.house(TYPED.slug)
        assert (house.spellings, len(house.strangers)) == (frozenset(), 1)


def test_a_spelling_confirmed_for_a_wrong_address_ends_with_its_correction(
    made: Deployment, phx: Phx
) -> None:
    phx("properties", "confirm", TYPED.slug, str(SHOWN))
    number = int(TYPED.street_number) + 2
    moved = str(TYPED).replace(TYPED.street_number, str(number), 1)

    with made.context() as context:
        before = context.house(TYPED.slug).means(SHOWN)
    renamed = phx("properties", "rename", TYPED.slug, moved)
    with made.context() as context:
        after = context.house(Address.parse(moved).slug).means(SHOWN)
    added = phx("properties", "add", str(SHOWN))

    assert renamed.code == 0
    assert (before, after) == (Match.SAME, Match.OTHER)
    assert "1 added" in added.out
