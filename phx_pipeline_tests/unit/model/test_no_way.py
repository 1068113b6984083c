"""When a machine is said to be offline."""

import pytest

from phx_pipeline.model.no_way import no_way, nobody_was_reached
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.source import Source
from phx_pipeline.model.tally import SourceTally

LOST = no_way("www.redfin.com: its name does not resolve in time")


def tally(
    outcome: ListingOutcome | None, detail: str = "", *, faulted: int = 0
) -> SourceTally:
    return SourceTally(
        slug="x",
        source=Source.REDFIN,
        outcome=outcome,
        detail=detail,
        wanting=faulted,
        faulted=faulted,
    )


FAILED = tally(ListingOutcome.FAILED, LOST)
LISTED = tally(ListingOutcome.LISTED)


@pytest.mark.parametrize(
    ("sources", "photos", "offline"),
    [
        ([FAILED], [], True),
        ([FAILED, FAILED], [LOST], True),
        ([LISTED], [LOST, LOST], True),
        ([FAILED, tally(ListingOutcome.DISABLED), tally(None)], [], True),
        ([FAILED, tally(ListingOutcome.NOT_FOUND)], [], True),
        ([LISTED], [], False),
        ([], [], False),
        ([LISTED], [LOST, "reset by peer"], False),
        ([FAILED, tally(ListingOutcome.FAILED, "503")], [], False),
        ([FAILED, tally(ListingOutcome.CIRCUIT_OPEN, "rests")], [], False),
        ([FAILED, tally(ListingOutcome.BLOCKED, "captcha")], [], False),
        ([LISTED, tally(ListingOutcome.LISTED, faulted=1)], [LOST], False),
    ],
)
def test_a_machine_is_offline_if_nobody_answered_anything(
    sources: list[SourceTally], photos: list[str], *, offline: bool
) -> None:
    assert nobody_was_reached(sources, photos_failed=photos) is offline
