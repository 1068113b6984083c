import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

import pytest

from phx_pipeline.errors import (
    BlockedError,
    BodyLimitError,
    BrowserError,
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
    ClientName,
    Fetched,
    Fetcher,
    Request,
    RequestKind,
)
from phx_pipeline.fetch.breaker import BreakerRules
from phx_pipeline.fetch.chain import Redirects
from phx_pipeline.fetch.events import Event, event_of
from phx_pipeline.fetch.groups import policy_name
from phx_pipeline.fetch.hosts import AllowList
from phx_pipeline.fetch.pacing import PacingRules
from phx_pipeline.fetch.policies import (
    Breaker,
    Pacing,
    Policies,
    Rules,
    next_try_s,
    rules_for,
)
from phx_pipeline.fetch.retries import Backoff, Retries
from phx_pipeline.fetch.route import Clients, Route, Routing
from phx_pipeline.model.outcome import Verdict
from phx_pipeline.model.source import Source
from phx_pipeline.model.source_state import SourceState
from phx_pipeline.sources.registry import available_sources, paces_of

T = TypeVar("T")

NOW_S = 1_796_000_000.0
URL = "https://www.redfin.com/home"
RULES = Rules(pacing=PacingRules(base_s=0.5, jitter_s=(1.0, 1.0)))
API = Request(url=URL, source=Source.REDFIN, kind=RequestKind.API)
PAGE = replace(API, kind=RequestKind.PAGE)
PHOTO = replace(API, kind=RequestKind.PHOTO)


def limited(retry_after_s: float | None = None) -> RateLimitedError:
    return RateLimitedError("429", url=URL, status=429, retry_after_s=retry_after_s)


class Memory:
    """A store in memory whose clock only sleeping moves."""

    def __init__(self) -> None:
        self.states: dict[str, SourceState] = {}
        self.now_s = NOW_S
        self.slept: list[float] = []
        self.meanwhile: list[Callable[[], None]] = []
        self.changes = 0

    def change(
        self, name: str, decide: Callable[[SourceState, float], tuple[SourceState, T]]
    ) -> T:
        self.changes += 1
        self.states[name], decision = decide(self.state(name), self.now_s)
        return decision

    def state(self, name: str = "redfin") -> SourceState:
        return self.states.get(name, SourceState(name=name))

    def put(self, name: str = "redfin", **changes: object) -> None:
        self.states[name] = replace(self.state(name), **changes)  # type: ignore[arg-type]  # fields of any type

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now_s += seconds
        if self.meanwhile:
            self.meanwhile.pop(0)()


class Site:
    """Answers, or raises the errors given, and notes when it was asked."""

    def __init__(self, memory: Memory, *errors: BaseException) -> None:
        self.memory = memory
        self.errors = list(errors)
        self.asked_at: list[float] = []
        self.closed = False

    async def get(self, request: Request) -> Fetched:
        self.asked_at.append(self.memory.now_s - NOW_S)
        if self.errors:
            raise self.errors.pop(0)
        return Fetched(url=request.url, status=200, headers={}, body=b"<html>")

    async def aclose(self) -> None:
        self.closed = True


@pytest.fixture
def memory() -> Memory:
    return Memory()


def stack(
    memory: Memory,
    site: Fetcher,
    *,
    rules: Rules = RULES,
) -> Breaker:
    policies = Policies(memory, rules=lambda _: rules, sleep=memory.sleep)
    paced = Pacing(
        site, policies=policies, uniform=lambda low, _: low, sleep=memory.sleep
    )
    return Breaker(paced, policies=policies)


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


CHALLENGE = BlockedError("are you a robot", url=URL, status=200, challenge=True)
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


def routed(memory: Memory, curl: Fetcher, browser: Fetcher) -> Routing:
    order = (ClientName.CURL, ClientName.BROWSER)
    route = Route(own={(Source.REDFIN, RequestKind.PAGE): order})
    clients = Clients({order[0]: curl, order[1]: browser}, route=route)
    return Routing(stack(memory, clients), route=route)


def opened(memory: Memory) -> set[str]:
    return {name for name, state in memory.states.items() if state.open_until}


@pytest.mark.parametrize("challenge", [False, True])
async def test_a_refusal_that_the_browser_overcomes_rests_plain_http_alone(
    memory: Memory, *, challenge: bool
) -> None:
    refused = BlockedError("no", url=URL, status=403, challenge=challenge)
    curl, browser = Site(memory, refused), Site(memory)
    fetcher = routed(memory, curl, browser)

    answers = [await fetcher.get(PAGE) for _ in range(3)]
    photo = await fetcher.get(PHOTO)

    assert [answer.status for answer in (*answers, photo)] == [200] * 4
    assert opened(memory) == {"redfin"}
    assert (len(curl.asked_at), len(browser.asked_at)) == (2, 3)


async def test_a_challenge_inside_the_browser_stops_the_source(memory: Memory) -> None:
    curl, browser = Site(memory, CHALLENGE), Site(memory, CHALLENGE)
    fetcher = routed(memory, curl, browser)

    for request in (PAGE, PAGE, PHOTO):
        with pytest.raises((BlockedError, CircuitOpenError)):
            await fetcher.get(request)

    assert opened(memory) == {"redfin", "redfin/browser", "redfin/photos"}
    assert (len(curl.asked_at), len(browser.asked_at)) == (1, 1)


async def test_a_browser_keeps_the_pace_and_the_retry_after_of_its_group(
    memory: Memory,
) -> None:
    refused = BlockedError("no", url=URL, status=403)
    curl, browser = Site(memory, refused), Site(memory, limited(30.0))
    fetcher = routed(memory, curl, browser)
    with pytest.raises(RateLimitedError):
        await fetcher.get(PAGE)
    slower_s = memory.state().period_s

    await fetcher.get(PAGE)

    assert slower_s == 1.0
    assert browser.asked_at[1] - browser.asked_at[0] >= 30


async def test_a_source_that_is_switched_off_is_not_asked_by_a_browser_either(
    memory: Memory,
) -> None:
    memory.put(disabled=True)
    browser = Site(memory)

    with pytest.raises(SourceDisabledError):
        await stack(memory, browser).get(replace(PAGE, client=ClientName.BROWSER))

    assert browser.asked_at == []


async def test_what_fails_in_the_browser_opens_its_own_circuit_and_a_probe_closes_it(
    memory: Memory,
) -> None:
    request = replace(PAGE, client=ClientName.BROWSER)
    broken = TransientError("reset", url=URL)
    fetcher = stack(memory, Site(memory, *[broken] * 3))
    for _ in range(3):
        with pytest.raises(TransientError):
            await fetcher.get(request)
    after_failures = opened(memory)

    memory.now_s += 301
    for _ in range(2):
        await fetcher.get(request)

    assert after_failures == {"redfin/browser"}
    assert opened(memory) == set()


class Covered(Site):
    async def get(self, request: Request) -> Fetched:
        covered = request.kind is not RequestKind.PHOTO
        told = "a box over it" if covered else ""
        return replace(await super().get(request), challenge=told)


async def test_a_payload_under_a_challenge_is_taken_with_its_photos_and_stops_the_pages(
    memory: Memory,
) -> None:
    fetcher = stack(memory, Covered(memory))

    answer = await fetcher.get(API)
    photo = await fetcher.get(PHOTO)

    assert (answer.body, photo.status) == (b"<html>", 200)
    with pytest.raises(CircuitOpenError):
        await fetcher.get(PAGE)
    assert opened(memory) == {"redfin"}


async def test_a_payload_under_a_challenge_in_the_browser_stops_every_client(
    memory: Memory,
) -> None:
    curl, browser = Site(memory), Covered(memory)
    fetcher = routed(memory, curl, browser)

    answer = await fetcher.get(replace(PAGE, browser_first=True))

    assert answer.challenge
    assert opened(memory) == {"redfin", "redfin/browser"}
    with pytest.raises(CircuitOpenError):
        await fetcher.get(PAGE)
    assert (await fetcher.get(PHOTO)).status == 200
    assert len(browser.asked_at) == 1


async def test_a_browser_that_will_not_start_is_no_fault_of_the_source(
    memory: Memory,
) -> None:
    request = replace(PAGE, client=ClientName.BROWSER)
    fetcher = stack(memory, Site(memory, *[BrowserError("no display")] * 5))

    for _ in range(5):
        with pytest.raises(BrowserError):
            await fetcher.get(request)

    assert opened(memory) == set()
    assert memory.state("redfin/browser").failures == 0
    assert memory.state("redfin").failures == 0


async def test_what_is_kept_of_a_block_is_short_and_printable(memory: Memory) -> None:
    loud = BlockedError("\x1b[31mrobot\x07 " + "x" * 3000, url=URL, status=403)

    with pytest.raises(BlockedError):
        await stack(memory, Site(memory, loud)).get(API)

    kept = memory.state().block
    assert len(kept) <= 200
    assert kept.isprintable()


# --- pictures


def judged(*verdicts: Verdict | None, request: Request = PHOTO) -> Request:
    """A request whose judge finds what *verdicts* say, one after the other."""
    left = list(verdicts)

    async def judge(answer: Fetched) -> None:
        assert answer.body == b"<html>"
        if verdict := left.pop(0):
            raise ImageError("no picture", verdict=verdict)

    return replace(request, judge=judge)


async def ends_of(
    memory: Memory, site: Site, request: Request, *, times: int
) -> list[str]:
    """How so many requests ended, by the name of the exception."""
    fetcher = stack(memory, site, rules=rules_for("redfin/photos"))
    ends = []
    for _ in range(times):
        try:
            await fetcher.get(request)
        except (FetchError, ImageError) as error:
            ends.append(type(error).__name__)
        else:
            ends.append("")
    return ends


BAD = Verdict.NOT_AN_IMAGE


async def test_five_answers_in_a_row_that_are_no_pictures_open_the_circuit(
    memory: Memory,
) -> None:
    site = Site(memory)

    ends = await ends_of(memory, site, judged(*[BAD] * 7), times=7)

    assert ends == ["ImageError"] * 5 + ["CircuitOpenError"] * 2
    assert len(site.asked_at) == 5
    assert memory.state("redfin/photos").open_until == NOW_S + 300
    assert memory.state("redfin").open_until is None


async def test_a_picture_in_between_begins_the_count_anew(memory: Memory) -> None:
    verdicts = [BAD, BAD, BAD, BAD, None, BAD, BAD, BAD, BAD]

    ends = await ends_of(memory, Site(memory), judged(*verdicts), times=9)

    assert "CircuitOpenError" not in ends
    assert memory.state("redfin/photos").failures == 4


@pytest.mark.parametrize(
    ("request_", "asked"),
    [(PHOTO, 5), (replace(PHOTO, has_spare=True), 9), (API, 9), (PAGE, 9)],
    ids=["photo", "one size of a photo", "answer", "page"],
)
async def test_only_photos_that_are_missing_altogether_count_against_their_hosts(
    memory: Memory, request_: Request, asked: int
) -> None:
    site = Site(memory, *[GoneError("404", url=URL, status=404)] * 9)

    await ends_of(memory, site, request_, times=9)

    assert len(site.asked_at) == asked


@pytest.mark.parametrize(
    ("error", "event"),
    [
        (FetchError("answered 418", url=URL, status=418), Event.NO_PICTURE),
        (FetchError("more than 5 redirects", url=URL), Event.NO_PICTURE),
        (BodyLimitError("big", url=URL), Event.NO_PICTURE),
        (HostRefusedError("unlisted", url=URL, redirected=True), Event.NO_PICTURE),
        (HostRefusedError("unlisted", url=URL), None),
        (SourceDisabledError("off", url=URL), None),
        (TransientError("reset", url=URL), Event.FAILURE),
        (BlockedError("403", url=URL, status=403), Event.BLOCK),
    ],
)
def test_whatever_comes_in_place_of_a_photo_counts_against_its_host(
    error: FetchError, event: Event | None
) -> None:
    assert event_of(error, request=PHOTO) is event


async def test_connection_failures_of_photos_need_only_three(memory: Memory) -> None:
    site = Site(memory, *[TransientError("reset", url=URL)] * 9)

    await ends_of(memory, site, PHOTO, times=9)

    assert len(site.asked_at) == 3


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


async def test_an_answer_that_is_no_picture_is_not_asked_for_again(
    memory: Memory,
) -> None:
    site = Site(memory)
    quick = Backoff(initial_s=0.001, ceiling_s=0.001, jitter_s=0)

    with pytest.raises(ImageError):
        await Retries(stack(memory, site), backoff=quick).get(judged(BAD))

    assert len(site.asked_at) == 1


async def test_a_source_that_is_switched_off_is_not_asked(memory: Memory) -> None:
    site = Site(memory)
    memory.put(disabled=True)

    with pytest.raises(SourceDisabledError, match="phx sources enable redfin"):
        await stack(memory, site).get(API)

    assert site.asked_at == []


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


@on_each_group
async def test_others_wait_for_the_probe_under_way(
    memory: Memory, request_: Request
) -> None:
    site = Site(memory)
    memory.put(
        policy_name(request_),
        open_until=NOW_S - 1,
        probe="other",
        probe_until=NOW_S + 60,
    )
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
    memory.put(
        policy_name(request_),
        open_until=NOW_S - 1,
        probe="other",
        probe_until=NOW_S + 60,
    )
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
    memory.put(open_until=NOW_S + 1e8, opened_at=NOW_S + 1e8)
    fetcher = stack(memory, site, rules=rules)
    with pytest.raises(CircuitOpenError):
        await fetcher.get(API)

    memory.now_s += 300
    answer = await fetcher.get(API)

    assert answer.status == 200
