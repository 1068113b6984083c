"""One probe at a time shows whether a source is back."""

import asyncio
from dataclasses import replace

import pytest

from phx_pipeline.errors import (
    CircuitOpenError,
    HostRefusedError,
    ProxyError,
)
from phx_pipeline.fetch.base import (
    Fetched,
    Request,
)
from phx_pipeline.fetch.groups import policy_name
from phx_pipeline.model.outcome import Verdict
from phx_pipeline.model.source_state import SourceState
from phx_pipeline_tests.unit.fetch.policies.conftest import (
    API,
    BAD,
    NOW_S,
    PHOTO,
    URL,
    Memory,
    Site,
    ends_of,
    judged,
    stack,
)


@pytest.mark.parametrize(
    ("verdicts", "open_s"), [((BAD,), 300.0), ((None, None), None), ((None, BAD), 300)]
)
async def test_a_probe_counts_as_its_judge_says(
    memory: Memory, verdicts: tuple[Verdict | None, ...], open_s: float | None
) -> None:
    memory.states["redfin/photos"] = SourceState(
        name="redfin/photos", open_until=NOW_S - 1, opened_at=NOW_S - 301
    )

    await ends_of(memory, Site(memory), judged(*verdicts), times=len(verdicts))

    state = memory.state("redfin/photos")
    assert state.open_until == (open_s and NOW_S + open_s)
    assert state.probe == ""


async def test_a_judge_that_breaks_down_gives_its_probe_back(memory: Memory) -> None:
    async def broken(answer: Fetched) -> None:
        raise ValueError(answer.url)

    memory.put(open_until=NOW_S - 1, opened_at=NOW_S - 301)
    fetcher = stack(memory, Site(memory))
    with pytest.raises(ValueError, match="redfin"):
        await fetcher.get(replace(API, judge=broken))

    await fetcher.get(API)

    assert memory.state().successes == 1


@pytest.mark.parametrize(
    "end",
    [
        HostRefusedError("not listed", url=URL),
        ProxyError("proxy: cannot be reached", url=URL),
        asyncio.CancelledError(),
        ValueError("a bug"),
    ],
)
async def test_a_probe_that_told_nothing_lets_the_next_one_go(
    memory: Memory, end: BaseException
) -> None:
    site = Site(memory, end)
    memory.put(open_until=NOW_S - 1, opened_at=NOW_S - 301)
    fetcher = stack(memory, site)
    with pytest.raises(type(end)):
        await fetcher.get(API)

    await fetcher.get(API)

    assert len(site.asked_at) == 2
    assert memory.state().successes == 1


on_each_group = pytest.mark.parametrize(
    "request_", [API, PHOTO], ids=lambda request: request.kind
)


def another_probes(memory: Memory, request_: Request) -> None:
    """Let another process have the one probe of the group."""
    memory.put(
        policy_name(request_),
        open_until=NOW_S - 1,
        probe="other",
        probe_until=NOW_S + 60,
    )


@on_each_group
async def test_others_wait_for_the_probe_under_way(
    memory: Memory, request_: Request
) -> None:
    site = Site(memory)
    another_probes(memory, request_)
    memory.meanwhile = [
        lambda: None,
        lambda: memory.put(policy_name(request_), open_until=None),
    ]

    await stack(memory, site).get(request_)

    assert memory.slept == [0.5, 0.5]
    assert site.asked_at == [1.0]


@on_each_group
async def test_others_go_away_when_the_probe_under_way_fails(
    memory: Memory, request_: Request
) -> None:
    site = Site(memory)
    another_probes(memory, request_)
    memory.meanwhile = [
        lambda: memory.put(policy_name(request_), open_until=NOW_S + 300)
    ]

    with pytest.raises(CircuitOpenError) as caught:
        await stack(memory, site).get(request_)

    assert not caught.value.probing
    assert (memory.slept, site.asked_at) == ([0.5], [])


@on_each_group
async def test_nobody_waits_long_for_a_probe_that_does_not_end(
    memory: Memory, request_: Request
) -> None:
    site = Site(memory)
    memory.put(
        policy_name(request_),
        open_until=NOW_S - 1,
        probe="dead",
        probe_until=NOW_S + 60,
    )

    with pytest.raises(CircuitOpenError, match="being tried") as caught:
        await stack(memory, site).get(request_)

    assert caught.value.probing
    assert (sum(memory.slept), site.asked_at) == (15.0, [])


@pytest.mark.parametrize(("request_", "changes"), [(PHOTO, 2), (API, 3)])
async def test_a_photo_asks_the_store_for_leave_and_turn_at_once(
    memory: Memory, request_: Request, changes: int
) -> None:
    await stack(memory, Site(memory)).get(request_)

    assert memory.changes == changes


async def test_two_good_probes_close_the_circuit(memory: Memory) -> None:
    memory.put(open_until=NOW_S - 1, opened_at=NOW_S - 301)
    fetcher = stack(memory, Site(memory))

    await fetcher.get(API)
    half_open = memory.state()
    await fetcher.get(API)

    assert half_open.open_until is not None
    assert memory.state().open_until is None


async def test_a_probe_keeps_its_place_through_a_long_wait(memory: Memory) -> None:
    site = Site(memory)
    memory.put(open_until=NOW_S - 1, opened_at=NOW_S, not_before=NOW_S + 100)

    await stack(memory, site).get(API)

    assert site.asked_at == [100.0]
    assert memory.state().successes == 1
