"""Saved searches and what they proposed: of one or all, a page at a time."""

from collections.abc import Sequence
from datetime import date

from phx_pipeline.errors import InputError
from phx_pipeline.model.nearest import did_you_mean
from phx_pipeline.model.search import Proposal, ProposalState
from phx_pipeline.reads.base import Reads
from phx_pipeline.reads.paging import (
    LIMIT,
    Page,
    checked_limit,
    page_of,
    place_at,
    refused,
)

_MOST_MEANT = 10_000


def read_proposals(
    reads: Reads,
    *,
    since: date | None = None,
    state: ProposalState | None = None,
    search: str | None = None,
    limit: int = LIMIT,
    cursor: str | None = None,
) -> Page[Proposal]:
    """Return a page of proposals, those first seen last first.

    Args:
        reads: the catalogue.
        since: only those first seen on this day in Phoenix or later.
        state: only those in this state.
        search: only those of this search, which may be removed.
        limit: rows of the page.
        cursor: `next` of the page before.

    Raises:
        InputError: the limit or the cursor is none.
    """
    found = reads.catalog.searches.proposals(
        limit=checked_limit(limit) + 1,
        before=_place(cursor) if cursor else None,
        since=since,
        state=state,
        search=search,
    )
    return page_of(
        found,
        limit=limit,
        ends=lambda it: (it.first_seen_on.isoformat(), it.match_key),
    )


def require_search(reads: Reads, name: str | None) -> None:
    """Refuse a name that no search has or had; None names none.

    Raises:
        InputError: says which name is the nearest.
    """
    known = reads.catalog.searches.names()
    if name is not None and name not in known:
        raise InputError(
            f"--search: no search {name[:40]!r} was ever saved"
            f"{did_you_mean(name, sorted(known))}: `phx search list` lists those there "
            "are"
        )


def meant_proposals(reads: Reads, texts: Sequence[str]) -> list[Proposal]:
    """Return the proposals that people mean by a key or an address, each once.

    Raises:
        InputError: one of *texts* means none; says how to see which there are.
    """
    by_key = {it.address.slug: it for it in _all(reads)}
    by_door = {it.match_key: it for it in by_key.values()}
    found: dict[str, Proposal] = {}
    for text in texts:
        meant = by_key.get(text.strip().lower())
        if meant is None and (address := reads.typed_address(text.strip())):
            meant = by_door.get(address.match_key)
        if meant is None:
            raise InputError(
                f"{text.strip()[:80]!r} is no house that was proposed: `phx search "
                "proposed` lists them"
            )
        found[meant.match_key] = meant
    return list(found.values())


def _all(reads: Reads) -> Sequence[Proposal]:
    return reads.catalog.searches.proposals(limit=_MOST_MEANT)


def _place(cursor: str) -> tuple[date, str]:
    place = place_at(cursor, parts=2) or ["", ""]
    try:
        return date.fromisoformat(place[0]), place[1]
    except ValueError as error:
        raise refused(cursor) from error
