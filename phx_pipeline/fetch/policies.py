"""How all processes together ask a source: the rules and the two layers.

The decisions are pure functions of `breaker` and `pacing` over one `SourceState`; the
store runs each in one transaction. What the end of an attempt means to them is told in
`events`, which row it is about in `groups`. Here are the layers `Breaker` (around an
attempt) and `Pacing` (before every hop).
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Final, Protocol, TypeVar
from uuid import uuid4

from phx_pipeline.errors import (
    BlockedError,
    CircuitOpenError,
    FetchError,
    ImageError,
    RateLimitedError,
    SourceDisabledError,
    TransientError,
)
from phx_pipeline.fetch import breaker, pacing
from phx_pipeline.fetch.base import (
    Fetched,
    Fetcher,
    PolicyStore,
    Request,
    RequestKind,
    refusal,
)
from phx_pipeline.fetch.breaker import BreakerRules, Phase
from phx_pipeline.fetch.events import Event, Fault, event_of
from phx_pipeline.fetch.groups import circuit_name, group_names, policy_name
from phx_pipeline.fetch.pacing import PacingRules, Turn
from phx_pipeline.model.moments import moment
from phx_pipeline.model.printable import printable
from phx_pipeline.model.source_state import SourceState

logger = logging.getLogger(__name__)

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

USUAL_PACE_S: Final = 0.5
_ATTEMPT_MARGIN_S = 10.0
_PROBE_POLL_S = 0.5
_DETAIL_LENGTH = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """All rules of one group of hosts."""

    pacing: PacingRules
    breaker: BreakerRules = field(default_factory=BreakerRules)


RulesOf = Callable[[str], Rules]


def rules_for(
    name: str, *, pace: float = 1.0, paces: Mapping[str, float] | None = None
) -> Rules:
    """Return the rules of the group *name*; photo hosts are not paced.

    Args:
        name: as `policy_name` makes it.
        pace: multiplies base period and jitter; below 1 only for stand-in sites.
        paces: base periods in seconds, by group; `USUAL_PACE_S` of any other.
    """
    if "/" in name:
        return Rules(pacing=PacingRules(base_s=0.0))
    base_s = (paces or {}).get(name, USUAL_PACE_S)
    usual = PacingRules(base_s=base_s * pace)
    low, high = usual.jitter_s
    return Rules(pacing=replace(usual, jitter_s=(low * pace, high * pace)))


def _rested_by(error: Fault | None, request: Request, *, delivered: bool) -> list[str]:
    """Return the names of the circuits that the end of an attempt counts for.

    A challenge stops the source with all its hosts, unless another client may overcome
    it; any other end, and all under a group that is no source's, tells of one circuit.
    Where the page was delivered all the same, its photos may still be taken.
    """
    own = circuit_name(request)
    challenged = isinstance(error, BlockedError) and error.challenge
    if not challenged or request.escalates or request.group:
        return [own]
    pages, photos = group_names(request.source)
    return list(dict.fromkeys((own, pages) if delivered else (own, pages, photos)))


def noted(
    state: SourceState,
    event: Event | None,
    *,
    now_s: float,
    rules: Rules,
    holder: str,
    retry_after_s: float | None = None,
    detail: str = "",
) -> SourceState:
    """Return what the end of *holder*'s attempt makes of *state*."""
    state = _pace_after(
        state, event, now_s=now_s, rules=rules, retry_after_s=retry_after_s
    )
    match event:
        case None:
            return breaker.released(state, holder=holder)
        case Event.BLOCK:
            return breaker.blocked(
                state,
                now_s=now_s,
                how=printable(detail, most=_DETAIL_LENGTH),
                rules=rules.breaker,
            )
        case Event.SUCCESS:
            judge = breaker.succeeded
        case _:
            judge = partial(
                breaker.failed,
                by_content=event in {Event.NO_PICTURE, Event.SPARE},
                has_spare=event is Event.SPARE,
            )
    return judge(state, now_s=now_s, holder=holder, rules=rules.breaker)


def _pace_after(
    state: SourceState,
    event: Event | None,
    *,
    now_s: float,
    rules: Rules,
    retry_after_s: float | None,
) -> SourceState:
    state = pacing.postponed(state, retry_after_s, now_s=now_s)
    if event in {None, Event.BLOCK}:
        return state
    return pacing.scaled(state, _factor(event, rules.pacing), rules=rules.pacing)


def _factor(event: Event | None, rules: PacingRules) -> float:
    factors = {
        Event.SUCCESS: rules.on_success,
        Event.LIMITED: rules.on_limited,
        Event.UNAVAILABLE: rules.on_unavailable,
    }
    return factors.get(event, 1.0) if event else 1.0


def sane(state: SourceState, *, now_s: float, rules: Rules) -> SourceState:
    """What of a row may be believed: no clock that was ahead holds anything up."""
    state = pacing.sane(state, now_s=now_s, rules=rules.pacing)
    return breaker.sane(state, now_s=now_s, rules=rules.breaker)


def next_try_s(state: SourceState, *, now_s: float) -> float | None:
    """Return when somebody new may ask; None if at once or, switched off, never."""
    if state.disabled:
        return None
    shut_s = breaker.shut_until(state, now_s=now_s, holder="") or 0.0
    latest_s = max(shut_s, state.not_before)
    return latest_s if latest_s > now_s else None


class Policies:
    """The event loop's side of a `PolicyStore`.

    Calls to the store run one after the other in a thread of their own: a database that
    is busy for a moment must not stop downloads, and the decoding of pictures in the
    common pool must not hold up the news of a 429.
    """

    def __init__(
        self,
        store: PolicyStore,
        *,
        rules: RulesOf = rules_for,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._rules = rules
        self._sleep = sleep
        self._thread: ThreadPoolExecutor | None = None

    def rules(self, request: Request) -> Rules:
        """Return the rules *request* is under."""
        return self._rules(policy_name(request))

    async def admit(self, request: Request) -> None:
        """Let `request.holder` try, in half-open as the one probe.

        A probe under way is waited for, for a while: else the first photo to probe
        would send all others of its property away.

        Raises:
            CircuitOpenError: not now.
            SourceDisabledError: not until the user switches the source on.
        """
        await self._patiently(request, partial(self._ask_leave, request))

    async def _patiently(self, request: Request, ask: Callable[[], Awaitable[T]]) -> T:
        left_s = self.rules(request).breaker.probe_wait_s
        while True:
            try:
                return await ask()
            except CircuitOpenError as refusal:
                if not refusal.probing or left_s <= 0:
                    raise
            await self._sleep(_PROBE_POLL_S)
            left_s -= _PROBE_POLL_S

    async def _ask_leave(self, request: Request) -> None:
        """Ask the group's row whether it is switched off, then that of the circuit."""
        step = partial(_admitted, request=request)
        for name in dict.fromkeys((policy_name(request), circuit_name(request))):
            if refusal := await self._run(name, step):
                raise refusal

    async def reserve(self, request: Request) -> Turn:
        """Take a slot; the errors are those of `admit` and `RateLimitedError`.

        It does for a photo what `admit` does for all else.
        """
        turn = partial(self._turn, request, slot=None)
        if request.kind is RequestKind.PHOTO:
            return await self._patiently(request, turn)
        return await turn()

    async def confirm(self, request: Request, turn: Turn) -> Turn:
        """Ask after the wait for *turn* whether it is still good; maybe get another."""
        return await self._turn(request, slot=turn.slot)

    async def note(
        self,
        request: Request,
        event: Event | None,
        *,
        error: Fault | None = None,
        delivered: bool = False,
    ) -> None:
        """Record the end of an attempt: for its circuit, and for the pace of its group.

        A challenge stops all hosts of the source, unless another client is asked next;
        but not its photo hosts if the page was *delivered* under it.
        """
        step = partial(_noted, request=request, event=event, error=error)
        names = _rested_by(error, request, delivered=delivered)
        for name in names:
            await self._note(name, step, error=error, escalates=request.escalates)
        if policy_name(request) not in names:
            paced = partial(_paced, event=event, error=error)
            await self._run(policy_name(request), paced)

    async def _note(
        self,
        name: str,
        step: "_Step[tuple[SourceState, SourceState]]",
        *,
        error: Fault | None,
        escalates: bool,
    ) -> None:
        before, after = await self._run(name, step)
        if after.open_until is None and before.open_until is not None:
            logger.info("%s: circuit closed, asked as usual again", after.name)
        if after.open_until is not None and after.open_until != before.open_until:
            # Where another client is asked next nothing is wrong yet.
            is_refused = escalates and isinstance(error, BlockedError)
            logger.log(
                logging.INFO if is_refused else logging.WARNING,
                "%s: circuit open until %s: %s",
                after.name,
                moment(after.open_until),
                error,
            )

    def give_up(self, request: Request) -> None:
        """Record, without waiting for it, that an attempt was broken off."""
        step = partial(_noted, request=request, event=None)
        self._executor().submit(self._change, circuit_name(request), step)

    def close(self) -> None:
        """Finish what is under way; a later call starts a new thread."""
        if self._thread is not None:
            self._thread.shutdown()
            self._thread = None

    async def _turn(self, request: Request, *, slot: float | None) -> Turn:
        group, circuit = policy_name(request), circuit_name(request)
        if circuit != group:
            refusal = await self._run(circuit, partial(_admitted, request=request))
            if refusal is not None:
                raise refusal
        turn = await self._run(group, partial(_turned, request=request, slot=slot))
        if isinstance(turn, FetchError):
            raise turn
        return turn

    async def _run(self, name: str, step: "_Step[T]") -> T:
        loop = asyncio.get_running_loop()
        change = partial(self._change, name, step)
        return await loop.run_in_executor(self._executor(), change)

    def _change(self, name: str, step: "_Step[T]") -> T:
        rules = self._rules(name)

        def decide(state: SourceState, now_s: float) -> tuple[SourceState, T]:
            state = sane(state, now_s=now_s, rules=rules)
            return step(state, now_s=now_s, rules=rules)

        return self._store.change(name, decide)

    def _executor(self) -> ThreadPoolExecutor:
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="policies")
        return self._thread


class Breaker:
    """Around one attempt: may it be made, and what did it tell?"""

    def __init__(self, inner: Fetcher, *, policies: Policies) -> None:
        self._inner = inner
        self._policies = policies

    async def get(self, request: Request) -> Fetched:
        """Return the answer, or raise `CircuitOpenError` without any request."""
        request = replace(request, holder=uuid4().hex)
        try:
            # Nothing delays the first hop of a photo, which asks the same row.
            if request.kind is not RequestKind.PHOTO:
                await self._policies.admit(request)
            answer = await self._inner.get(request)
            if request.judge is not None:
                await request.judge(answer)
        except (CircuitOpenError, SourceDisabledError):  # so this holds no probe
            raise
        except (FetchError, ImageError) as error:
            event = event_of(error, request=request)
            await self._policies.note(request, event, error=error)
            raise
        except BaseException:
            self._policies.give_up(request)
            raise
        told = refusal(answer) if answer.challenge else None
        event = Event.BLOCK if told else Event.SUCCESS
        await self._policies.note(request, event, error=told, delivered=True)
        return answer

    async def aclose(self) -> None:
        """Close what is inside, then the way to the store."""
        try:
            await self._inner.aclose()
        finally:
            self._policies.close()


class Pacing:
    """Before every hop: waits for its slot, and that it is still good after the wait.

    The pause a reader would make comes before a slot is taken, so that requests leave
    at their slots and the rate holds.
    """

    def __init__(
        self,
        inner: Fetcher,
        *,
        policies: Policies,
        uniform: Callable[[float, float], float] = random.uniform,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._inner = inner
        self._policies = policies
        self._uniform = uniform
        self._sleep = sleep

    async def get(self, request: Request) -> Fetched:
        """Return the answer; its `waited_s` tells how long its turn took to come.

        Raises:
            CircuitOpenError: the circuit opened while this waited.
            RateLimitedError: without a status: the wait would exceed the patience.
        """
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        turn = await self._wait(request)
        waited_s = loop.time() - began_s
        confirm = partial(self._confirm, request, turn)
        answer = await self._inner.get(replace(request, confirm=confirm))
        return replace(answer, waited_s=answer.waited_s + waited_s)

    async def aclose(self) -> None:
        """Close what is inside."""
        await self._inner.aclose()

    async def _wait(self, request: Request) -> Turn:
        if request.kind is RequestKind.PAGE:
            low, high = self._policies.rules(request).pacing.jitter_s
            await self._sleep(self._uniform(low, high))
        turn = await self._policies.reserve(request)
        return await self._slept_until(request, turn)

    async def _confirm(self, request: Request, turn: Turn) -> None:
        await self._slept_until(request, await self._policies.confirm(request, turn))

    async def _slept_until(self, request: Request, turn: Turn) -> Turn:
        while turn.wait_s > 0:
            await self._sleep(turn.wait_s)
            turn = await self._policies.confirm(request, turn)
        return turn


class _Step(Protocol[T_co]):
    """A pure change of a state; returns it with the decision."""

    def __call__(
        self, state: SourceState, *, now_s: float, rules: Rules
    ) -> tuple[SourceState, T_co]: ...


def _admitted(
    state: SourceState, *, now_s: float, rules: Rules, request: Request
) -> tuple[SourceState, FetchError | None]:
    if state.disabled:
        told = f"{state.name} is switched off (`phx sources enable {state.name}`)"
        return state, SourceDisabledError(told, url=request.url)
    if state.name != circuit_name(request):
        return state, None
    until_s = breaker.shut_until(state, now_s=now_s, holder=request.holder)
    if until_s is not None:
        return state, _circuit_open(state, until_s, now_s=now_s, url=request.url)
    hold_s = request.timeout_s + rules.pacing.patience_s + _ATTEMPT_MARGIN_S
    state = breaker.claimed(state, now_s=now_s, holder=request.holder, hold_s=hold_s)
    return state, None


def _turned(
    state: SourceState,
    *,
    now_s: float,
    rules: Rules,
    request: Request,
    slot: float | None,
) -> tuple[SourceState, Turn | FetchError]:
    state, refusal = _admitted(state, now_s=now_s, rules=rules, request=request)
    if refusal is not None:
        return state, refusal
    if slot is None:
        state, turn = pacing.reserved(state, now_s=now_s, rules=rules.pacing)
    else:
        state, turn = pacing.confirmed(state, slot, now_s=now_s, rules=rules.pacing)
    if turn.wait_s <= rules.pacing.patience_s:
        return state, turn
    told = f"{state.name} is not to be asked before {moment(turn.slot)}"
    return state, RateLimitedError(
        told, url=request.url, retry_after_s=round(turn.wait_s, 1)
    )


def _noted(
    state: SourceState,
    *,
    now_s: float,
    rules: Rules,
    request: Request,
    event: Event | None,
    error: Fault | None = None,
) -> tuple[SourceState, tuple[SourceState, SourceState]]:
    after = noted(
        state,
        event,
        now_s=now_s,
        rules=rules,
        holder=request.holder,
        retry_after_s=_wish_s(event, error),
        detail=f"{error} ({getattr(error, 'url', request.url)})" if error else "",
    )
    return after, (state, after)


def _paced(
    state: SourceState,
    *,
    now_s: float,
    rules: Rules,
    event: Event | None,
    error: Fault | None,
) -> tuple[SourceState, None]:
    """What an attempt whose circuit is another row tells about the pace."""
    wish_s = _wish_s(event, error)
    after = _pace_after(state, event, now_s=now_s, rules=rules, retry_after_s=wish_s)
    return after, None


def _wish_s(event: Event | None, error: Fault | None) -> float | None:
    if event is not None and isinstance(error, TransientError):
        return error.retry_after_s
    return None


def _circuit_open(
    state: SourceState, until_s: float, *, now_s: float, url: str
) -> CircuitOpenError:
    retry_at = datetime.fromtimestamp(until_s, UTC)
    probing = breaker.phase(state, now_s=now_s) is Phase.HALF_OPEN
    told = "is being tried by another request" if probing else "rests"
    return CircuitOpenError(
        f"{state.name} {told} until {moment(until_s)}",
        url=url,
        retry_at=retry_at,
        probing=probing,
        refused=breaker.was_refused(state),
    )
