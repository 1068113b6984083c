"""When a source may be asked again, by whichever client: for people and programs.

Nothing here decides about a request; `fetch.policies` does, one row at a time.
"""

from collections.abc import Collection, Container, Mapping
from dataclasses import dataclass

from phx_pipeline.fetch import breaker
from phx_pipeline.fetch.base import ClientName
from phx_pipeline.fetch.groups import further_circuits, group_names
from phx_pipeline.fetch.pacing import period_s
from phx_pipeline.fetch.policies import next_try_s, rules_for, sane
from phx_pipeline.model.circuit import Circuit
from phx_pipeline.model.source import Source
from phx_pipeline.model.source_state import SourceState


def source_try_s(
    source: Source,
    states: Mapping[str, SourceState],
    *,
    now_s: float,
    browsed: Container[str],
) -> float | None:
    """Return when pages and photos of *source* may be asked for; None if now.

    Args:
        source: whose.
        states: the rows there are, by name.
        now_s: the store's clock.
        browsed: the groups whose pages a browser of this machine is asked for where
            plain HTTP is refused.
    """
    pages, photos = group_names(source)
    times = (
        pages_try_s(pages, states, now_s=now_s, browsed=browsed),
        next_try_s(_row(states, photos, now_s=now_s), now_s=now_s),
    )
    return max(filter(None, times), default=None)


def pages_try_s(
    name: str,
    states: Mapping[str, SourceState],
    *,
    now_s: float,
    browsed: Container[str],
) -> float | None:
    """Return when a page of the group *name* may be asked for; None if now."""
    plain = _row(states, name, now_s=now_s)
    by_plain_s = next_try_s(plain, now_s=now_s)
    if by_plain_s is None or not leads_on(plain, now_s=now_s, browsed=browsed):
        return by_plain_s
    (circuit,) = further_circuits([name])
    further = _row(states, circuit, now_s=now_s)
    shut_s = breaker.shut_until(further, now_s=now_s, holder="") or 0.0
    by_browser_s = max(shut_s, plain.not_before)  # a Retry-After is for every client
    if by_browser_s <= now_s:
        return None
    return min(by_plain_s, by_browser_s)


def leads_on(state: SourceState, *, now_s: float, browsed: Container[str]) -> bool:
    """Whether the rest of a group's plain HTTP is one that the browser is asked in."""
    if state.name not in browsed or state.disabled:
        return False
    is_shut = breaker.shut_until(state, now_s=now_s, holder="") is not None
    return is_shut and breaker.was_refused(state)


def _row(states: Mapping[str, SourceState], name: str, *, now_s: float) -> SourceState:
    """A row as a request would find it."""
    state = states.get(name, SourceState(name=name))
    return sane(state, now_s=now_s, rules=rules_for(name))


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenCircuits:
    """`Circuits` of rows that were read at one moment.

    Attributes:
        now_s: the store's clock at that moment.
        states: the rows there are, by name.
        browsed: the groups whose pages a browser opens that refuse plain HTTP.
        has_browser: whether this machine has one.
        paces: base periods in seconds, by group.
        always: the groups that are shown though nobody has asked them.
    """

    now_s: float
    states: Mapping[str, SourceState]
    browsed: Collection[str]
    has_browser: bool
    paces: Mapping[str, float]
    always: Collection[str] = ()

    def rest_end_s(self, source: Source) -> float | None:
        """When pages and photos of *source* may be asked for; None if now."""
        usable = self._usable
        return source_try_s(source, self.states, now_s=self.now_s, browsed=usable)

    def seen(self) -> list[Circuit]:
        """All groups there are, and those shown always, by name."""
        return [self._seen(name) for name in sorted({*self.states, *self.always})]

    @property
    def _usable(self) -> Collection[str]:
        return self.browsed if self.has_browser else ()

    def _seen(self, name: str) -> Circuit:
        now_s = self.now_s
        state = _row(self.states, name, now_s=now_s)
        leads_where = leads_on(state, now_s=now_s, browsed=self._usable)
        group, _, client = name.rpartition("/")
        return Circuit(
            state=state,
            word=_word(state, now_s=now_s),
            was_refused=breaker.was_refused(state),
            next_try_s=next_try_s(state, now_s=now_s),
            requests_per_s=self._requests_per_s(state),
            paced_as=group if client == ClientName.BROWSER else "",
            browser_leads_on=leads_on(state, now_s=now_s, browsed=self.browsed),
            by_browser=leads_where and self._pages_try_s(name) is None,
        )

    def _pages_try_s(self, name: str) -> float | None:
        usable = self._usable
        return pages_try_s(name, self.states, now_s=self.now_s, browsed=usable)

    def _requests_per_s(self, state: SourceState) -> float | None:
        rules = rules_for(state.name, paces=self.paces)
        period = period_s(state, rules=rules.pacing)
        return round(1 / period, 3) if period else None


def _word(state: SourceState, *, now_s: float) -> str:
    if state.disabled:
        return "disabled"
    if state.open_until is None and now_s < state.not_before:
        return "waiting"  # as its Retry-After wished
    return breaker.phase(state, now_s=now_s).value
