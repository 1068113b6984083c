"""How each source stands on this machine, by what its adapter says that it lacks."""

from collections.abc import Callable, Collection, Mapping, Sequence

from phx_pipeline.fetch.circuits import SeenCircuits
from phx_pipeline.fetch.groups import group_names
from phx_pipeline.model.source import Source
from phx_pipeline.model.source_state import SourceState
from phx_pipeline.model.standing import UNREADABLE, Means, Standing, not_asked
from phx_pipeline.sources.base import ListingSource
from phx_pipeline.sources.registry import browsed_among, paces_of


def standing_of(source: ListingSource | None, *, is_named: bool) -> Standing:
    """Return how a source stands.

    Args:
        source: None where this version reads no such source.
        is_named: whether PHX_SOURCES names it, or names none.
    """
    if source is None:
        return UNREADABLE
    if not is_named:
        return not_asked("not named in PHX_SOURCES")
    if not source.lacks:
        return Standing(is_asked=True)
    if source.asks_without:
        return Standing(
            is_asked=True,
            word="asked without a token",
            told=f"asked without a token: {source.asks_without}; {source.lacks}",
        )
    return not_asked("it lacks something", told=source.lacks)


def means_of(
    sources: Mapping[Source, ListingSource], *, named: Collection[Source]
) -> dict[Source, Means]:
    """Return what this machine has to ask each source with.

    Args:
        sources: all that can be read.
        named: those that PHX_SOURCES names; all, if it names none.
    """
    return {
        name: Means(
            standing=standing_of(adapter, is_named=not named or name in named),
            lacks=adapter.lacks,
            uncaptured=adapter.uncaptured,
        )
        for name, adapter in sources.items()
    }


def circuits_of(
    sources: Mapping[Source, ListingSource],
    read: Callable[[], tuple[float, Sequence[SourceState]]],
    *,
    has_browser: bool,
) -> Callable[[], SeenCircuits]:
    """Return what tells how *sources* are being asked, each time it is called.

    Args:
        sources: all that can be read.
        read: returns the store's clock and the rows of all groups.
        has_browser: whether this machine can ask by a browser.
    """

    def seen() -> SeenCircuits:
        now_s, states = read()
        return SeenCircuits(
            now_s=now_s,
            states={state.name: state for state in states},
            browsed=browsed_among(sources),
            has_browser=has_browser,
            paces=paces_of(sources),
            always=[name for it in sources for name in _circuits(sources[it])],
        )

    return seen


def _circuits(source: ListingSource) -> tuple[str, ...]:
    return group_names(source.source)[: 2 if source.photo_hosts else 1]
