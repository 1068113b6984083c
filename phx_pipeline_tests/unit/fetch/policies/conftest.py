"""A chain of policies on a site and a store of these tests, with its own clock."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import pytest

from phx_pipeline.errors import (
    BlockedError,
    FetchError,
    ImageError,
    RateLimitedError,
)
from phx_pipeline.fetch.base import (
    Fetched,
    Fetcher,
    Request,
    RequestKind,
)
from phx_pipeline.fetch.pacing import PacingRules
from phx_pipeline.fetch.policies import (
    Breaker,
    Pacing,
    Policies,
    Rules,
    rules_for,
)
from phx_pipeline.model.outcome import Verdict
from phx_pipeline.model.source import Source
from phx_pipeline.model.source_state import SourceState

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


CHALLENGE = BlockedError("are you a robot", url=URL, status=200, challenge=True)


def opened(memory: Memory) -> set[str]:
    return {name for name, state in memory.states.items() if state.open_until}


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
