"""When a source may be asked again, by whichever client: for people and programs.

Nothing here decides about a request; `fetch.policies` does, one row at a time.
"""

from collections.abc import Container, Mapping

from phx_pipeline.fetch import breaker
from phx_pipeline.fetch.groups import further_circuits, group_names
from phx_pipeline.fetch.policies import next_try_s
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
        next_try_s(_row(states, photos), now_s=now_s),
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
    plain = _row(states, name)
    by_plain_s = next_try_s(plain, now_s=now_s)
    if by_plain_s is None or not leads_on(plain, now_s=now_s, browsed=browsed):
        return by_plain_s
    (circuit,) = further_circuits([name])
    shut_s = breaker.shut_until(_row(states, circuit), now_s=now_s, holder="") or 0.0
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


def _row(states: Mapping[str, SourceState], name: str) -> SourceState:
    return states.get(name, SourceState(name=name))
