"""What saved searches found, as a digest and an alert tell it."""

from datetime import timedelta

import pytest

from phx_pipeline.catalog.store import Catalog
from phx_pipeline.model.event import NEW_MATCH
from phx_pipeline.model.identity import property_lease
from phx_pipeline.model.property import Property
from phx_pipeline.model.search import ProposalState
from phx_pipeline.reads.base import Reads
from phx_pipeline.reads.digest import found_matches, news_mark
from phx_pipeline_tests.integration.catalog.test_searches import DAY, TURN, found
from phx_pipeline_tests.integration.conftest import STAMP


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_a_proposal_is_news_of_its_first_day_unless_it_was_rejected(
    catalog: Catalog, reads: Reads
) -> None:
    kinds, now = [NEW_MATCH], STAMP.at
    before = news_mark(catalog, kinds, now=now)
    wanted, refused = found("100 W Elm St"), found("102 W Elm St")
    older = found("104 W Elm St", first_seen_on=DAY - timedelta(days=1))
    catalog.searches.record(TURN, [wanted, refused, older], left_out={})
    catalog.searches.decide(refused.match_key, ProposalState.REJECTED, at=now, on=DAY)

    (match,) = found_matches(reads, DAY, DAY)
    assert match.key == f"new_match:{wanted.match_key}"
    assert (match.address, match.price) == (str(wanted.address), 400_000)
    assert (match.url, match.search, match.on) == (wanted.url, "west", DAY)
    assert len(list(found_matches(reads, DAY - timedelta(days=1), DAY))) == 2
    assert news_mark(catalog, kinds, now=now) != before
    assert news_mark(catalog, [], now=now) == "off"


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_a_house_that_a_person_accepted_or_removed_is_offered_no_more(
    catalog: Catalog, reads: Reads
) -> None:
    by_hand, by_itself = found("100 W Elm St"), found("102 W Elm St")
    removed, waiting = found("104 W Elm St"), found("106 W Elm St")
    catalog.searches.record(TURN, [by_hand, by_itself, removed, waiting], left_out={})
    followed = [Property.at(it.address) for it in (by_hand, by_itself, removed)]
    catalog.add_properties(followed, at=STAMP.at)
    for one, house in zip((by_hand, by_itself, removed), followed, strict=True):
        catalog.searches.decide(
            one.match_key,
            ProposalState.ACCEPTED,
            at=STAMP.at,
            on=DAY,
            by_itself=one is not by_hand,
            house=house.slug,
        )
    gone = followed[2].slug
    with catalog.leases.hold(property_lease(gone), owner="me") as lease:
        catalog.houses.remove(lease, gone, at=STAMP.at)

    told = {it.key: it.is_followed for it in found_matches(reads, DAY, DAY)}
    assert told == {
        f"new_match:{by_itself.match_key}": True,
        f"new_match:{waiting.match_key}": False,
    }
