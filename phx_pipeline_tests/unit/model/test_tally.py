"""Whether what its sources gave brought a property to what it should be."""

import pytest

from phx_pipeline.model.outcome import ListingOutcome, VerdictKind
from phx_pipeline.model.source import Source
from phx_pipeline.model.tally import PropertyTally, SourceTally

_OFF, _BLOCKED = ListingOutcome.DISABLED, ListingOutcome.BLOCKED
_LISTED, _EMPTY = ListingOutcome.LISTED, ListingOutcome.OFF_MARKET
_NOWHERE = ListingOutcome.NOT_FOUND


@pytest.mark.parametrize(
    ("outcomes", "kept", "wanting", "is_answered", "gave_anything"),
    [
        ((_OFF, _OFF), 0, 0, False, False),
        ((_OFF, _BLOCKED), 0, 0, False, False),
        ((None, None), 0, 0, False, False),
        (
            (_OFF, _OFF),
            3,
            0,
            True,
            True,
        ),  # complete already
        ((_OFF, _BLOCKED), 3, 0, True, True),
        ((_BLOCKED, None), 3, 0, False, False),
        ((_EMPTY, _OFF), 0, 0, True, True),
        ((_LISTED, _OFF), 0, 40, True, False),  # all of its photos failed
        ((_LISTED, _OFF), 39, 1, True, True),
        ((_LISTED, _BLOCKED), 39, 1, True, True),
    ],
)
def test_a_source_that_is_off_gives_nothing_to_a_house_without_pictures(
    outcomes: tuple[ListingOutcome | None, ...],
    kept: int,
    wanting: int,
    *,
    is_answered: bool,
    gave_anything: bool,
) -> None:
    first, second = outcomes
    tally = PropertyTally(
        slug="a",
        sources=(
            SourceTally(
                slug="a",
                source=Source.REDFIN,
                outcome=first,
                counts={VerdictKind.KEPT: kept},
                wanting=wanting,
            ),
            SourceTally(slug="a", source=Source.ZILLOW, outcome=second),
        ),
    )

    assert (tally.is_answered, tally.gave_anything) == (is_answered, gave_anything)
    is_settled = not wanting and None not in outcomes and _BLOCKED not in outcomes
    assert tally.is_complete == (gave_anything and is_settled)


@pytest.mark.parametrize(
    ("outcomes", "rejected", "is_unknown"),
    [
        ((_NOWHERE, _NOWHERE), 0, True),
        ((_NOWHERE, _OFF), 0, True),
        ((_NOWHERE, None), 0, False),  # who was not asked may know it
        ((_NOWHERE, _BLOCKED), 0, False),
        ((_OFF, None), 0, False),
        ((_NOWHERE, _NOWHERE), 1, False),  # it was listed once
    ],
)
def test_a_house_is_unknown_where_all_say_so_and_none_ever_listed_a_photo(
    outcomes: tuple[ListingOutcome | None, ...], rejected: int, *, is_unknown: bool
) -> None:
    first, second = outcomes
    counts = {VerdictKind.REJECTED: rejected}
    tally = PropertyTally(
        slug="a",
        sources=(
            SourceTally(slug="a", source=Source.REDFIN, outcome=first, counts=counts),
            SourceTally(slug="a", source=Source.ZILLOW, outcome=second),
        ),
    )

    assert tally.is_unknown is is_unknown


@pytest.mark.parametrize(
    ("is_published", "outdated", "is_complete"),
    [(True, 0, True), (False, 0, False), (True, 1, False)],
)
def test_a_house_is_complete_where_its_folder_shows_all_as_the_settings_ask(
    *, is_published: bool, outdated: int, is_complete: bool
) -> None:
    settled = SourceTally(slug="a", source=Source.REDFIN, outcome=_LISTED)
    tally = PropertyTally(
        slug="a", sources=(settled,), is_published=is_published, outdated=outdated
    )

    assert tally.is_complete is is_complete
