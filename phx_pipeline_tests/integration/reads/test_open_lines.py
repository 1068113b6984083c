"""What is told to be open, and of which sources, as the catalogue has it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from phx_pipeline.cli.result import is_offline
from phx_pipeline.demo.houses import HOUSES
from phx_pipeline.fetch.groups import group_names
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.no_way import no_way
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.source import Source
from phx_pipeline.reads.open_lines import asked_now, open_lines, standing_lines
from phx_pipeline.stages.context import StageContext
from phx_pipeline.wiring.runs import reads_of
from phx_pipeline_tests.commands import Phx
from phx_pipeline_tests.deployment import Deployment, slug_of

FIRST, SECOND = sorted(slug_of(house) for house in HOUSES[:2])


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Deployment]:
    """Two houses, and all sources on a machine that lacks a browser and tokens."""
    with Deployment(tmp_path, {}, sources=()) as made:
        made.add_houses(HOUSES[:2])
        yield made


def ended(
    context: StageContext, slug: str, source: Source, outcome: str, why: str
) -> None:
    listing = Listing(source=source, outcome=ListingOutcome(outcome), detail=why)
    with context.holding(slug) as lease:
        context.catalog.record_listing(lease, slug, listing, stamp=context.stamp())


def rest(context: StageContext, name: str) -> None:
    def opened(state: Any, now_s: float) -> tuple[Any, None]:
        return replace(state, open_until=now_s + 900, blocked_at=now_s), None

    context.catalog.policies.change(name, opened)


def lines(context: StageContext) -> list[str]:
    return list(open_lines(reads_of(context), context.tallies()))


def test_houses_that_wait_for_one_source_have_one_line_with_cause_and_remedy(
    made: Deployment, phx_on: Phx
) -> None:
    with made.context() as context:
        ended(context, FIRST, Source.REDFIN, "blocked", "robot page")
        rest(context, "redfin")
        alone = lines(context)
        ended(context, SECOND, Source.REDFIN, "circuit_open", "redfin rests")
        (together,) = lines(context)
        context.catalog.policies.reset(["redfin"])
        over = lines(context)

    assert f"open: {FIRST} redfin: blocked, robot page" in alone[0]
    assert together.startswith(
        "open: redfin rests, 2 properties wait for it: blocked, robot page; "
        "`phx extract --all` asks it again not before "
    )
    assert [line.split()[1] for line in over] == [FIRST, SECOND]
    assert (
        f"it rested when it was to be asked, `phx extract --address {SECOND}`"
        in (over[1])
    )
    assert over[1].endswith("retries it any time")
    shown = phx_on(made, "properties", "show", FIRST).out
    assert "blocked" in shown
    assert "robot page" in shown
    status = phx_on(made, "status").out
    assert "zillow is not asked: the browser is switched off" in status
    assert "maricopa_assessor is asked without a token: only its public map" in status


def test_a_source_that_is_asked_no_more_is_neither_open_nor_offline(
    made: Deployment,
) -> None:
    with made.context() as context:
        ended(context, FIRST, Source.ZILLOW, "blocked", "robot page")
        ended(context, FIRST, Source.PHOENIX_MLS, "blocked", "robot page")
        ended(context, FIRST, Source.REDFIN, "failed", no_way("no such name"))
        ended(context, FIRST, Source.MARICOPA, "failed", no_way("no such name"))
        context.catalog.policies.disable(["phoenix_mls"])

        told = lines(context)
        tallies = context.tallies(slugs=[FIRST])

        assert {it.source for it in asked_now(reads_of(context), tallies)} == {
            Source.REDFIN,
            Source.MARICOPA,
        }
        assert [line.split()[2] for line in told] == ["redfin:", "maricopa_assessor:"]
        assert is_offline(reads_of(context), tallies)


def test_of_a_source_that_is_switched_off_no_other_cause_is_told(
    made: Deployment,
) -> None:
    with made.context() as context:
        reads = reads_of(context)
        context.catalog.policies.disable(group_names(Source.ZILLOW))
        told = list(standing_lines(reads, among=reads.enabled))

    of_zillow = [line for line in told if line.startswith("zillow")]
    off = "zillow is switched off: `phx sources enable zillow` has it asked"
    assert of_zillow == [off]
    assert any("maricopa_assessor is asked without a token" in line for line in told)
