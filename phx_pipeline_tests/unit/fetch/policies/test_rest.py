"""What makes a source rest, for how long, and whom that stops."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from phx_pipeline.errors import (
    BlockedError,
    CircuitOpenError,
    SourceDisabledError,
)
from phx_pipeline.fetch.base import (
    Request,
)
from phx_pipeline.fetch.breaker import BreakerRules
from phx_pipeline.fetch.policies import (
    Rules,
    next_try_s,
)
from phx_pipeline.model.source import Source
from phx_pipeline.model.source_state import SourceState
from phx_pipeline_tests.unit.fetch.policies.conftest import (
    API,
    CHALLENGE,
    NOW_S,
    PAGE,
    PHOTO,
    RULES,
    URL,
    Memory,
    Site,
    opened,
    stack,
)


async def test_a_block_opens_the_circuit_at_once_for_everybody(memory: Memory) -> None:
    site = Site(memory, BlockedError("challenge page", url=URL, status=403))
    with pytest.raises(BlockedError):
        await stack(memory, site).get(API)

    with pytest.raises(CircuitOpenError, match="redfin rests until") as caught:
        await stack(memory, site).get(API)

    assert len(site.asked_at) == 1
    assert caught.value.retry_at == datetime.fromtimestamp(NOW_S + 4 * 3600, UTC)
    assert memory.state().block == f"challenge page ({URL})"


async def test_one_source_that_rests_does_not_stop_another(memory: Memory) -> None:
    site = Site(memory, BlockedError("403", url=URL, status=403))
    fetcher = stack(memory, site)
    with pytest.raises(BlockedError):
        await fetcher.get(API)

    answer = await fetcher.get(replace(API, source=Source.ZILLOW))

    assert answer.status == 200


async def test_a_group_that_is_no_listing_sources_has_a_state_of_its_own(
    memory: Memory,
) -> None:
    refused = BlockedError("robot?", url=URL, status=403, challenge=True)
    site = Site(memory, refused)
    request = replace(PAGE, source=Source.UNKNOWN, group="vision")

    with pytest.raises(BlockedError):
        await stack(memory, site).get(request)

    assert opened(memory) == {"vision"}


GROUPS = ("redfin", "redfin/photos")


@pytest.mark.parametrize("request_", [PAGE, API, PHOTO], ids=lambda r: r.kind)
async def test_a_challenge_anywhere_stops_all_hosts_of_the_source_for_hours(
    memory: Memory, request_: Request
) -> None:
    site = Site(memory, CHALLENGE)

    with pytest.raises(BlockedError):
        await stack(memory, site).get(request_)

    for name in GROUPS:
        assert memory.state(name).open_until == memory.now_s + 4 * 3600
        assert memory.state(name).block == f"are you a robot ({URL})"
    for other in (PAGE, PHOTO):
        with pytest.raises(CircuitOpenError):
            await stack(memory, site).get(other)
    assert len(site.asked_at) == 1


@pytest.mark.parametrize(
    ("request_", "rests"), [(API, "redfin"), (PHOTO, "redfin/photos")]
)
async def test_a_bare_refusal_stops_the_hosts_that_gave_it(
    memory: Memory, request_: Request, rests: str
) -> None:
    site = Site(memory, BlockedError("answered 403", url=URL, status=403))

    with pytest.raises(BlockedError):
        await stack(memory, site).get(request_)

    resting = [name for name in GROUPS if memory.state(name).open_until]
    assert resting == [rests]


async def test_what_is_kept_of_a_block_is_short_and_printable(memory: Memory) -> None:
    loud = BlockedError("\x1b[31mrobot\x07 " + "x" * 3000, url=URL, status=403)

    with pytest.raises(BlockedError):
        await stack(memory, Site(memory, loud)).get(API)

    kept = memory.state().block
    assert len(kept) <= 200
    assert kept.isprintable()


async def test_a_source_that_is_switched_off_is_not_asked(memory: Memory) -> None:
    site = Site(memory)
    memory.put(disabled=True)

    with pytest.raises(SourceDisabledError, match="phx sources enable redfin"):
        await stack(memory, site).get(API)

    assert site.asked_at == []


@pytest.mark.parametrize(
    ("state", "at_s"),
    [
        (SourceState(name="r"), None),
        (SourceState(name="r", not_before=NOW_S + 5), NOW_S + 5),
        (SourceState(name="r", open_until=NOW_S + 9, not_before=NOW_S + 5), NOW_S + 9),
        (SourceState(name="r", open_until=NOW_S - 9), None),
        (
            SourceState(
                name="r", open_until=NOW_S - 9, probe="x", probe_until=NOW_S + 3
            ),
            NOW_S + 3,
        ),
        (SourceState(name="r", open_until=NOW_S + 9, disabled=True), None),
    ],
)
def test_the_next_try_is_when_nothing_is_in_the_way(
    state: SourceState, at_s: float | None
) -> None:
    assert next_try_s(state, now_s=NOW_S) == at_s


async def test_a_stored_time_far_ahead_does_not_keep_a_source_shut(
    memory: Memory,
) -> None:
    site = Site(memory)
    rules = Rules(pacing=RULES.pacing, breaker=BreakerRules(rest_s=300, block_s=300))
    memory.put(open_until=NOW_S + 1e8, opened_at=NOW_S + 1e8, not_before=NOW_S + 1e8)

    answer = await stack(memory, site, rules=rules).get(API)

    assert answer.status == 200
