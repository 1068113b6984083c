"""When a request may go: slots, waits as of a reader, and Retry-After."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from phx_pipeline.errors import (
    BlockedError,
    BodyLimitError,
    CircuitOpenError,
    DeadlineError,
    FetchError,
    GoneError,
    HostRefusedError,
    ImageError,
    ProxyError,
    RateLimitedError,
    SourceDisabledError,
    TransientError,
)
from phx_pipeline.fetch.base import (
    Fetched,
    Request,
    RequestKind,
)
from phx_pipeline.fetch.chain import Redirects
from phx_pipeline.fetch.events import Event, event_of
from phx_pipeline.fetch.groups import policy_name
from phx_pipeline.fetch.hosts import AllowList
from phx_pipeline.fetch.pacing import PacingRules
from phx_pipeline.fetch.policies import (
    Pacing,
    Policies,
    rules_for,
)
from phx_pipeline.fetch.retries import Backoff, Retries
from phx_pipeline.model.outcome import Verdict
from phx_pipeline.model.source import Source
from phx_pipeline.model.source_state import SourceState
from phx_pipeline.sources.registry import available_sources, paces_of
from phx_pipeline_tests.unit.fetch.policies.conftest import (
    API,
    NOW_S,
    PAGE,
    PHOTO,
    RULES,
    URL,
    Memory,
    Site,
    limited,
    stack,
)


@pytest.mark.parametrize(
    ("error", "event"),
    [
        (BlockedError("403", url=URL, status=403), Event.BLOCK),
        (limited(), Event.LIMITED),
        (RateLimitedError("sent away", url=URL, status=200), Event.LIMITED),
        (TransientError("503", url=URL, status=503), Event.UNAVAILABLE),
        (TransientError("500", url=URL, status=500), Event.FAILURE),
        (TransientError("reset", url=URL), Event.FAILURE),
        (DeadlineError("late", url=URL), Event.FAILURE),
        (GoneError("404", url=URL, status=404), Event.SUCCESS),
        (RateLimitedError("not before noon", url=URL), None),
        (ProxyError("proxy: cannot be reached", url=URL), None),
        (ProxyError("proxy: wants credentials", url=URL, status=407), None),
        (ImageError("grey", verdict=Verdict.DAMAGED), Event.NO_PICTURE),
        (HostRefusedError("not listed", url=URL), None),
        (BodyLimitError("big", url=URL), None),
        (FetchError("418", url=URL, status=418), None),
        (SourceDisabledError("off", url=URL), None),
        (CircuitOpenError("rests", url=URL, retry_at=datetime.now(UTC)), None),
    ],
)
def test_only_what_comes_from_the_source_counts(
    error: FetchError | ImageError, event: Event | None
) -> None:
    assert event_of(error, request=PAGE) is event


@pytest.mark.parametrize(
    ("name", "base_s"),
    [
        ("zillow", 0.5),
        ("redfin", 0.5),
        ("maricopa_assessor", 1.0),
        ("phoenix_mls", 1.0),
        ("redfin/photos", 0.0),
        ("phoenix_mls/photos", 0.0),
    ],
)
def test_every_source_has_its_base_and_photos_have_none(
    name: str, base_s: float
) -> None:
    paces = paces_of(available_sources())

    assert rules_for(name, paces=paces).pacing.base_s == base_s
    in_play = rules_for(name, pace=0.1, paces=paces)
    assert in_play.pacing.base_s == pytest.approx(base_s / 10)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (RequestKind.PAGE, "redfin"),
        (RequestKind.API, "redfin"),
        (RequestKind.PHOTO, "redfin/photos"),
    ],
)
def test_pages_share_one_state_and_photos_another(kind: RequestKind, name: str) -> None:
    assert policy_name(replace(API, kind=kind)) == name


async def test_requests_leave_at_their_slots(memory: Memory) -> None:
    site = Site(memory)
    fetcher = stack(memory, site)

    for _ in range(3):
        await fetcher.get(API)

    assert site.asked_at == [0.0, 0.5, 1.0]


async def test_a_page_waits_as_a_reader_would_before_it_takes_a_slot(
    memory: Memory,
) -> None:
    site = Site(memory)
    memory.put(next_slot=NOW_S + 1.25)

    await stack(memory, site).get(PAGE)
    await stack(memory, site).get(PHOTO)

    assert memory.slept == [1.0, 0.25]
    assert memory.state().next_slot == NOW_S + 1.75


async def test_jitter_is_drawn_between_half_a_second_and_three(memory: Memory) -> None:
    drawn: list[tuple[float, float]] = []

    def uniform(low: float, high: float) -> float:
        drawn.append((low, high))
        return high

    pacing = Pacing(
        Site(memory), policies=Policies(memory), uniform=uniform, sleep=memory.sleep
    )
    await pacing.get(PAGE)

    assert drawn == [(0.5, 3.0)]
    assert memory.slept == [3.0]


async def test_a_retry_after_that_comes_during_the_wait_is_heeded(
    memory: Memory,
) -> None:
    site = Site(memory)
    memory.put(next_slot=NOW_S + 2)
    memory.meanwhile = [lambda: memory.put(not_before=NOW_S + 30)]

    await stack(memory, site).get(API)

    assert site.asked_at == [30.0]


async def test_a_circuit_that_opens_during_the_wait_lets_nothing_out(
    memory: Memory,
) -> None:
    site = Site(memory)
    memory.put(next_slot=NOW_S + 2)
    memory.meanwhile = [lambda: memory.put(open_until=NOW_S + 300)]

    with pytest.raises(CircuitOpenError) as caught:
        await stack(memory, site).get(API)

    assert site.asked_at == []
    assert caught.value.retry_at == datetime.fromtimestamp(NOW_S + 300, UTC)


class Queue(Site):
    """A client whose turn comes by itself after what others do meanwhile."""

    def __init__(self, memory: Memory, meanwhile: Callable[[], None]) -> None:
        super().__init__(memory)
        self._meanwhile = meanwhile

    async def get(self, request: Request) -> Fetched:
        self._meanwhile()
        assert request.confirm is not None
        await request.confirm()
        return await super().get(request)


async def test_a_client_that_waited_itself_heeds_what_has_come_meanwhile(
    memory: Memory,
) -> None:
    patient = Queue(memory, lambda: memory.put(not_before=NOW_S + 30))
    await stack(memory, patient).get(API)
    assert patient.asked_at == [30.0]

    refused = Queue(memory, lambda: memory.put(open_until=NOW_S + 300))
    with pytest.raises(CircuitOpenError):
        await stack(memory, refused).get(API)
    assert refused.asked_at == []


async def test_a_429_slows_everybody_down_and_holds_for_its_retry_after(
    memory: Memory,
) -> None:
    site = Site(memory, limited(5.0))
    with pytest.raises(RateLimitedError):
        await stack(memory, site).get(API)

    another = stack(memory, site)
    await another.get(API)
    await another.get(API)

    assert site.asked_at == [0.0, 5.0, 6.0]


async def test_retries_too_wait_for_their_turn(memory: Memory) -> None:
    site = Site(memory, limited(0.001), TransientError("503", url=URL, status=503))
    quick = Backoff(initial_s=0.001, ceiling_s=0.001, jitter_s=0)

    await Retries(stack(memory, site), backoff=quick).get(API)

    assert site.asked_at == pytest.approx([0.0, 0.5, 1.5])
    assert memory.state().failures == 0


async def test_a_circuit_opened_by_an_attempt_stops_the_next_one(
    memory: Memory,
) -> None:
    site = Site(memory, *[TransientError("reset", url=URL)] * 4)
    quick = Backoff(initial_s=0.001, ceiling_s=0.001, jitter_s=0)

    with pytest.raises(CircuitOpenError):
        await Retries(stack(memory, site), attempts=4, backoff=quick).get(API)

    assert len(site.asked_at) == 3


async def test_a_retry_after_beyond_patience_is_told_instead_of_waited_for(
    memory: Memory,
) -> None:
    site = Site(memory)
    memory.put(not_before=NOW_S + 3600)

    with pytest.raises(RateLimitedError, match="not to be asked before") as caught:
        await stack(memory, site).get(API)

    assert (caught.value.status, caught.value.retry_after_s) == (None, 3600.0)
    assert site.asked_at == memory.slept == []
    assert memory.state() == SourceState(name="redfin", not_before=NOW_S + 3600)


async def test_a_wait_as_long_as_patience_is_waited_for(memory: Memory) -> None:
    site = Site(memory)
    patience_s = rules_for("redfin").pacing.patience_s
    memory.put(not_before=NOW_S + patience_s)

    await stack(memory, site).get(API)

    assert site.asked_at == [patience_s]


async def test_a_503_with_a_retry_after_holds_too(memory: Memory) -> None:
    error = TransientError("503", url=URL, status=503, retry_after_s=7.0)

    with pytest.raises(TransientError):
        await stack(memory, Site(memory, error)).get(API)

    assert memory.state().not_before == NOW_S + 7
    assert memory.state().period_s == 1.5


async def test_photos_are_not_paced_but_share_retry_after_and_breaker(
    memory: Memory,
) -> None:
    site = Site(memory, limited(3.0))
    unpaced = replace(RULES, pacing=PacingRules(base_s=0.0))
    fetcher = stack(memory, site, rules=unpaced)
    with pytest.raises(RateLimitedError):
        await fetcher.get(PHOTO)

    for _ in range(3):
        await fetcher.get(PHOTO)

    assert site.asked_at == [0.0, 3.0, 3.0, 3.0]
    assert memory.state("redfin") == SourceState(name="redfin")


async def test_every_hop_takes_a_slot_and_waiting_is_not_counted_as_slowness(
    memory: Memory,
) -> None:
    async def slow_sleep(seconds: float) -> None:
        await memory.sleep(seconds)
        await asyncio.sleep(0.2)

    class Hops(Site):
        async def get(self, request: Request) -> Fetched:
            answer = await super().get(request)
            if len(self.asked_at) > 4:
                return answer
            place = f"/{len(self.asked_at)}"
            return replace(answer, status=302, headers={"location": place})

    site = Hops(memory)
    policies = Policies(memory, rules=lambda _: RULES)
    paced = Pacing(site, policies=policies, sleep=slow_sleep)
    redirects = Redirects(paced, allow_list=AllowList({Source.REDFIN: ("redfin.com",)}))

    await redirects.get(replace(API, timeout_s=0.5))

    assert site.asked_at == [0.0, 0.5, 1.0, 1.5, 2.0]


async def test_closing_closes_what_is_inside_and_a_later_call_works(
    memory: Memory,
) -> None:
    site = Site(memory)
    fetcher = stack(memory, site)
    await fetcher.get(API)

    await fetcher.aclose()

    assert site.closed
    assert (await fetcher.get(API)).status == 200
