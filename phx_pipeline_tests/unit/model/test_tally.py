"""Whether what its sources gave brought a property to what it should be."""

import pytest

from phx_pipeline.model.outcome import ListingOutcome, VerdictKind
from phx_pipeline.model.source import Source
from phx_pipeline.model.tally import PropertyTally, SourceTally

_OFF, _BLOCKED = ListingOutcome.DISABLED, ListingOutcome.BLOCKED
_LISTED, _EMPTY = ListingOutcome.LISTED, ListingOutcome.OFF_MARKET


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
