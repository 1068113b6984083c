"""Saved searches, what they found, and how often sites were asked for it.

Which houses people follow is in `catalog.properties`; whether a row fits a search is
told in `model.search`.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import reading, writing
from phx_pipeline.catalog.locking import change_row, insert_missing, locked_row
from phx_pipeline.catalog.near_doors import near_doors, near_houses
from phx_pipeline.catalog.rows import AnyRow
from phx_pipeline.catalog.spellings import Meanings, all_meanings
from phx_pipeline.model.address import Address
from phx_pipeline.model.batches import batches
from phx_pipeline.model.facts import FACT_NAMES, ListingFacts
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.search import (
    Criteria,
    LeftOut,
    PlaceAsked,
    Proposal,
    ProposalState,
    SavedSearch,
    SearchTurn,
)
from phx_pipeline.model.source import Source

_SEARCH = tables.saved_search
_PROPOSAL = tables.proposal
_TURN = tables.search_turn
_MANY: Final = 500  # values in one statement; SQLite allows 32,766

# Beside the criteria, and none of them: what `PlaceAsked` tells, by source and place.
_ASKED: Final = "asked"

_HOUSE, _ALIAS = tables.house.c, tables.alias.c
_FOLLOWED = (
    sa.select(sa.literal(1))
    .where(_HOUSE.slug == _PROPOSAL.c.house, _HOUSE.removed_at.is_(None))
    .correlate(_PROPOSAL)
    .exists()
)
_FOLLOWED_AS_ALIAS = (
    sa.select(sa.literal(1))
    .where(
        _ALIAS.alias == _PROPOSAL.c.house,
        _ALIAS.slug == _HOUSE.slug,
        _HOUSE.removed_at.is_(None),
    )
    .correlate(_PROPOSAL)
    .exists()
)
# A house that was accepted has the key it had then, or was renamed or merged since.
_IS_REMOVED = sa.and_(
    _PROPOSAL.c.state == ProposalState.ACCEPTED.value,
    _PROPOSAL.c.house.is_not(None),
    ~_FOLLOWED,
    ~_FOLLOWED_AS_ALIAS,
)
_PROPOSALS = sa.select(_PROPOSAL, _IS_REMOVED.label("is_removed"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What one page gave: the houses that were new, and why the others were left."""

    proposed: tuple[Proposal, ...]
    left: tuple[tuple[Address, LeftOut], ...]


class SearchBook:
    """Reads and writes of `saved_search`, `proposal` and `search_turn`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    # --- searches ---

    def add(self, search: SavedSearch) -> bool:
        """Save a search; False if another one has its name."""
        values = {
            "name": search.name,
            "criteria": search.criteria.plain(),
            "sources": [source.value for source in search.sources],
            "accept_per_day": search.accept_per_day,
            "created_at": search.created_at,
            "is_paused": search.is_paused,
        }
        with writing(self._engine) as connection:
            return insert_missing(connection, _SEARCH, values)

    def saved(self) -> list[SavedSearch]:
        """All searches, paused ones too, by name."""
        query = sa.select(_SEARCH).order_by(_SEARCH.c.name)
        with reading(self._engine) as connection:
            return [_search_of(row) for row in connection.execute(query)]

    def remove(self, name: str) -> bool:
        """Forget a search; what it proposed stays, and is not proposed again.

        Another one of this name accepts none of it unless a row shows it anew.
        """
        row = _PROPOSAL.c
        freed = sa.update(_PROPOSAL).where(
            row.search == name,
            row.state == ProposalState.PROPOSED.value,
            row.doubt == "",
        )
        with writing(self._engine) as connection:
            connection.execute(freed.values(doubt="its search was removed"))
            this = sa.delete(_SEARCH).where(_SEARCH.c.name == name)
            return connection.execute(this).rowcount > 0

    def pause(self, name: str, *, is_paused: bool) -> bool:
        """Let a search rest or go on; False if there is none."""
        this = sa.update(_SEARCH).where(_SEARCH.c.name == name)
        with writing(self._engine) as connection:
            return connection.execute(this.values(is_paused=is_paused)).rowcount > 0

    # --- asking sites ---

    def take_page(self, search: str, source: Source, on: date, *, most: int) -> bool:
        """Count one request of a search at a source before it is made.

        Returns:
            False, and nothing is counted, if *most* were made that day.
        """
        with writing(self._engine) as connection:
            turn = _turn_of(_locked(connection, search, source, on))
            if turn.pages >= most:
                return False
            _write(connection, replace(turn, pages=turn.pages + 1))
        return True

    def end(self, turn: SearchTurn, *, at: datetime) -> None:
        """Note how asking a source ended that day: the outcome and detail of *turn*."""
        with writing(self._engine) as connection:
            was = _turn_of(_locked(connection, turn.search, turn.source, turn.on))
            ended = replace(was, outcome=turn.outcome, detail=turn.detail, at=at)
            _write(connection, ended)

    def asked(self, search: str, source: Source) -> dict[str, PlaceAsked]:
        """When and where places of a search were last asked for at a source."""
        with reading(self._engine) as connection:
            criteria = connection.execute(_criteria_of(search)).scalar_one_or_none()
        told = (criteria or {}).get(_ASKED, {}).get(source.value, {})
        return {place: PlaceAsked(**it) for place, it in told.items()}

    def note_asked(
        self, search: str, source: Source, place: str, asked: PlaceAsked
    ) -> None:
        """Note when and where a place was asked for; nothing of an unknown search."""
        this = _criteria_of(search).with_for_update()
        with writing(self._engine) as connection:
            criteria = connection.execute(this).scalar_one_or_none()
            if criteria is None:
                return
            told = criteria.get(_ASKED, {})
            of_source = {**told.get(source.value, {}), place: asdict(asked)}
            noted = {**criteria, _ASKED: {**told, source.value: of_source}}
            mine = sa.update(_SEARCH).where(_SEARCH.c.name == search)
            connection.execute(mine.values(criteria=noted))

    def turns(
        self, *, on: date | None = None, search: str | None = None
    ) -> list[SearchTurn]:
        """What searches found, the newest day first; of a day or a search alone."""
        query = sa.select(_TURN)
        if on is not None:
            query = query.where(_TURN.c.on == on)
        if search is not None:
            query = query.where(_TURN.c.search == search)
        ordered = query.order_by(sa.desc(_TURN.c.on), _TURN.c.search, _TURN.c.source)
        with reading(self._engine) as connection:
            return [_turn_of(row) for row in connection.execute(ordered)]

    # --- proposals ---

    def unknown(self, addresses: Sequence[Address]) -> list[Address]:
        """Those that mean no property, followed or removed, under any spelling."""
        slugs = self.slugs_of(addresses)
        return [it for it, slug in zip(addresses, slugs, strict=True) if slug is None]

    def slugs_of(self, addresses: Sequence[Address]) -> list[str | None]:
        """The key of the property each means, followed or removed; None for none."""
        with reading(self._engine) as connection:
            meanings = all_meanings(connection)
        return [meanings.slug_of(it) for it in addresses]

    def record(
        self,
        turn: SearchTurn,
        found: Sequence[Proposal],
        *,
        left_out: Mapping[LeftOut, int],
        misfits: Sequence[Proposal] = (),
    ) -> Recorded:
        """Propose the houses of one page that nobody knows, and count all rows of it.

        A house is known under any spelling, followed or removed, and by any proposal
        before. One that waits keeps what its last row tells, and one that was seen with
        a doubt and is seen now without loses it.

        Args:
            turn: whose search and source it is, and on which day.
            found: one candidate for each row that fits.
            left_out: the other rows, by why.
            misfits: those of the other rows that have an address.
        """
        new: list[Proposal] = []
        left: list[tuple[Address, LeftOut]] = []
        with reading(self._engine) as connection:  # before others have to wait
            near = near_doors(connection, [it.address for it in found])
        with writing(self._engine) as connection:
            row = _locked(connection, turn.search, turn.source, turn.on)
            if found or misfits:
                known = _Known.of(connection, [*found, *misfits], near=near)
                for misfit in misfits:
                    known.note_misfit(connection, misfit)
                for candidate in found:
                    if why := known.why_not(connection, candidate):
                        left.append((candidate.address, why))
                    else:
                        new.append(known.take(candidate))
            if new:
                rows = [_values(it) for it in new]
                connection.execute(sa.insert(_PROPOSAL), rows)
            counts = Counter(left_out) + Counter(why for _, why in left)
            _write(connection, _with(_turn_of(row), counts, proposed=len(new)))
        return Recorded(proposed=tuple(new), left=tuple(left))

    def count_since(self, day: date) -> int:
        """How many proposals were first seen on *day* or later; by an index alone."""
        seen = _PROPOSAL.c.first_seen_on
        query = sa.select(sa.func.count(seen)).where(seen >= day)
        with reading(self._engine) as connection:
            return int(connection.execute(query).scalar_one())

    def near_houses(self, addresses: Sequence[Address]) -> dict[str, str]:
        """Return the doubts that a house in the catalogue is meant, by match key.

        It reads all houses, once for however many addresses.
        """
        if not addresses:
            return {}
        with reading(self._engine) as connection:
            return near_houses(connection, addresses)

    def note_doubt(self, match_key: str, doubt: str) -> None:
        """Write why a proposal that waits is not accepted by itself."""
        this = sa.update(_PROPOSAL).where(
            _PROPOSAL.c.match_key == match_key,
            _PROPOSAL.c.state == ProposalState.PROPOSED.value,
        )
        with writing(self._engine) as connection:
            connection.execute(this.values(doubt=doubt))

    def proposals(
        self,
        *,
        limit: int,
        before: tuple[date, str] | None = None,
        since: date | None = None,
        state: ProposalState | None = None,
        search: str | None = None,
    ) -> list[Proposal]:
        """Proposals, those first seen last first.

        Args:
            limit: at most so many.
            before: the day and match key of the last one of the page before.
            since: only those first seen on this day or later.
            state: only those in this state.
            search: only those of this search.
        """
        row = _PROPOSAL.c
        query = _PROPOSALS
        if before is not None:
            day, key = before
            same_day = sa.and_(row.first_seen_on == day, row.match_key < key)
            query = query.where(sa.or_(row.first_seen_on < day, same_day))
        if since is not None:
            query = query.where(row.first_seen_on >= since)
        if state is ProposalState.REMOVED:
            query = query.where(_IS_REMOVED)
        elif state is not None:
            query = query.where(row.state == state.value, ~_IS_REMOVED)
        if search is not None:
            query = query.where(row.search == search)
        newest = (sa.desc(row.first_seen_on), sa.desc(row.match_key))
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(*newest).limit(limit))
            return [_proposal_of(found) for found in rows]

    def names(self) -> set[str]:
        """The names of all searches, also of those removed that proposed anything."""
        with reading(self._engine) as connection:
            saved = connection.execute(sa.select(_SEARCH.c.name)).scalars().all()
            by = sa.select(_PROPOSAL.c.search).distinct()
            return {*saved, *connection.execute(by).scalars()}

    def proposal(self, match_key: str) -> Proposal | None:
        """The proposal of a door."""
        this = _PROPOSALS.where(_PROPOSAL.c.match_key == match_key)
        with reading(self._engine) as connection:
            row = connection.execute(this).one_or_none()
        return None if row is None else _proposal_of(row)

    def ready(self, search: str, *, on: date, per_day: int) -> list[Proposal]:
        """What a search may accept by itself now: those without a doubt, oldest first.

        As many as are left of *per_day* on the day *on*.
        """
        row = _PROPOSAL.c
        mine = row.search == search
        done = sa.select(sa.func.count()).where(
            mine,
            row.state == ProposalState.ACCEPTED.value,
            row.by_itself,
            row.decided_on == on,
        )
        query = _PROPOSALS.where(
            mine, row.state == ProposalState.PROPOSED.value, row.doubt == ""
        ).order_by(row.first_seen_on, row.match_key)
        with reading(self._engine) as connection:
            left = per_day - int(connection.execute(done).scalar_one())
            if left <= 0:
                return []
            return [_proposal_of(it) for it in connection.execute(query.limit(left))]

    def decide(
        self,
        match_key: str,
        state: ProposalState,
        *,
        at: datetime,
        on: date,
        by_itself: bool = False,
        house: str | None = None,
    ) -> bool:
        """Write what became of a proposal that waits.

        A person may accept one that was rejected, and one that was accepted and then
        removed. By itself only one that waits is decided.

        Returns:
            Whether it was written.
        """
        waiting = [ProposalState.PROPOSED.value]
        if not by_itself and state is ProposalState.ACCEPTED:
            waiting += [ProposalState.REJECTED.value, ProposalState.ACCEPTED.value]
        this = sa.update(_PROPOSAL).where(
            _PROPOSAL.c.match_key == match_key, _PROPOSAL.c.state.in_(waiting)
        )
        values = {
            "state": state.value,
            "decided_at": at,
            "decided_on": on,
            "by_itself": by_itself,
            "house": house,
        }
        with writing(self._engine) as connection:
            return connection.execute(this.values(values)).rowcount > 0


class _Known:
    """The houses and proposals there are, while a page is recorded."""

    def __init__(
        self,
        meanings: Meanings,
        proposals: dict[str, Proposal],
        accepting: Collection[str],
        near: Mapping[str, str],
    ) -> None:
        self._meanings = meanings
        self._proposals = proposals
        self._accepting = accepting
        self._near = near

    @classmethod
    def of(
        cls,
        connection: sa.Connection,
        found: Iterable[Proposal],
        *,
        near: Mapping[str, str],
    ) -> "_Known":
        _lock(connection)
        keys = sorted({it.match_key for it in found})
        proposals = {it.match_key: it for it in _those(connection, keys)}
        accepting = sa.select(_SEARCH.c.name).where(
            _SEARCH.c.accept_per_day > 0, sa.not_(_SEARCH.c.is_paused)
        )
        names = connection.execute(accepting).scalars().all()
        return cls(all_meanings(connection), proposals, names, near)

    def why_not(self, connection: sa.Connection, candidate: Proposal) -> LeftOut | None:
        """Return why a candidate is not proposed; None if it is new."""
        slug = self._meanings.slug_of(candidate.address)
        if slug is not None:
            is_removed = self._meanings.rows[slug].removed_at is not None
            return LeftOut.REMOVED if is_removed else LeftOut.FOLLOWED
        before = self._proposals.get(candidate.match_key)
        if before is None:
            return None
        if before.state is ProposalState.REJECTED:
            return LeftOut.REJECTED
        self._take_over(connection, candidate, doubt=self._doubt(candidate))
        return LeftOut.BEFORE

    def take(self, candidate: Proposal) -> Proposal:
        """Return a candidate that is new as it is to be written."""
        taken = replace(candidate, doubt=self._doubt(candidate))
        self._proposals[taken.match_key] = taken
        return taken

    def note_misfit(self, connection: sa.Connection, row: Proposal) -> None:
        """Take over what a row tells that its search leaves out."""
        self._take_over(connection, row, doubt=None)

    def _take_over(
        self, connection: sa.Connection, row: Proposal, *, doubt: str | None
    ) -> None:
        """Have a house that waits keep what its last row tells.

        Without a doubt now it has none any more. Then the search of the row may accept
        it, if the one that found it first accepts nothing by itself.
        """
        before = self._proposals.get(row.match_key)
        if before is None or before.state is not ProposalState.PROPOSED:
            return
        stated = {**before.facts.stated, **row.facts.stated}
        after = replace(before, facts=_facts_of(stated))
        if doubt == "":
            mine, theirs = (it.search in self._accepting for it in (row, before))
            search = row.search if mine and not theirs else before.search
            after = replace(after, doubt="", search=search)
        if after == before:
            return
        told = {"facts": stated, "doubt": after.doubt, "search": after.search}
        change_row(connection, _PROPOSAL, {"match_key": before.match_key, **told})
        self._proposals[before.match_key] = after

    def _doubt(self, candidate: Proposal) -> str:
        """Return the doubts of a candidate, also that another house may be meant."""
        near = self._near.get(candidate.match_key)
        return "; ".join(filter(None, (candidate.doubt, near)))


def _criteria_of(search: str) -> sa.Select[Any]:
    return sa.select(_SEARCH.c.criteria).where(_SEARCH.c.name == search)


def _lock(connection: sa.Connection) -> None:
    # Two that propose one door at once would both find it new; so would one that adds
    # the house meanwhile. SQLite lets only one write anyway.
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("lock table proposal in share row exclusive mode"))


def _those(connection: sa.Connection, keys: Sequence[str]) -> Iterable[Proposal]:
    for batch in batches(keys, _MANY):
        some = _PROPOSAL.c.match_key.in_(batch)
        for row in connection.execute(_PROPOSALS.where(some)):
            yield _proposal_of(row)


def _locked(connection: sa.Connection, search: str, source: Source, on: date) -> AnyRow:
    fresh = _turn_values(SearchTurn(search=search, source=source, on=on))
    return locked_row(connection, _TURN, fresh)


def _write(connection: sa.Connection, turn: SearchTurn) -> None:
    change_row(connection, _TURN, _turn_values(turn))


def _with(turn: SearchTurn, counts: Mapping[LeftOut, int], *, proposed: int) -> Any:
    return replace(
        turn,
        rows=turn.rows + proposed + sum(counts.values()),
        proposed=turn.proposed + proposed,
        left_out=Counter(turn.left_out) + Counter(counts),
    )


# --- rows to values -------------------------------------------------------------------


def _turn_values(turn: SearchTurn) -> dict[str, Any]:
    return {
        "search": turn.search,
        "source": turn.source.value,
        "on": turn.on,
        "pages": turn.pages,
        "rows": turn.rows,
        "proposed": turn.proposed,
        "left_out": {why.value: count for why, count in turn.left_out.items()},
        "outcome": turn.outcome.value if turn.outcome else None,
        "detail": turn.detail,
        "at": turn.at,
    }


def _turn_of(row: AnyRow) -> SearchTurn:
    return SearchTurn(
        search=row.search,
        source=Source(row.source),
        on=row.on,
        pages=row.pages,
        rows=row.rows,
        proposed=row.proposed,
        left_out={LeftOut(why): count for why, count in row.left_out.items()},
        outcome=ListingOutcome(row.outcome) if row.outcome else None,
        detail=row.detail,
        at=row.at,
    )


def _search_of(row: AnyRow) -> SavedSearch:
    return SavedSearch(
        name=row.name,
        criteria=Criteria.of(row.criteria),
        created_at=row.created_at,
        accept_per_day=row.accept_per_day,
        sources=tuple(map(Source, row.sources)),
        is_paused=row.is_paused,
    )


def _values(proposal: Proposal) -> dict[str, Any]:
    return {
        "match_key": proposal.match_key,
        "address": str(proposal.address),
        "search": proposal.search,
        "source": proposal.source.value,
        "listing_id": proposal.listing_id,
        "url": proposal.url,
        "photo_url": proposal.photo_url,
        "facts": proposal.facts.stated,
        "doubt": proposal.doubt,
        "first_seen_on": proposal.first_seen_on,
        "state": proposal.state.value,
        "decided_at": proposal.decided_at,
        "decided_on": None,
        "by_itself": False,
        "house": proposal.slug,
    }


def _proposal_of(row: AnyRow) -> Proposal:
    return Proposal(
        match_key=row.match_key,
        address=Address.parse(row.address),
        search=row.search,
        source=Source(row.source),
        listing_id=row.listing_id,
        url=row.url,
        photo_url=row.photo_url,
        facts=_facts_of(row.facts),
        doubt=row.doubt,
        first_seen_on=row.first_seen_on,
        state=ProposalState.REMOVED if row.is_removed else ProposalState(row.state),
        decided_at=row.decided_at,
        slug=row.house,
        by_itself=row.by_itself,
    )


def _facts_of(stated: Mapping[str, Any]) -> ListingFacts:
    return ListingFacts(**{it: stated[it] for it in FACT_NAMES if it in stated})
