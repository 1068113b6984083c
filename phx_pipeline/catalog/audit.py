"""Who did what: rows are only added; `catalog.retention` lets old ones go.

Whoever does a deed notes it, with it or afterwards; nothing here decides what may be
done.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import reading, writing
from phx_pipeline.catalog.rows import AnyRow
from phx_pipeline.model.access import MOST_TARGET, AuditEntry, AuditNote
from phx_pipeline.model.printable import printable

_AUDIT = tables.audit
_LONGEST_DETAIL = 1_000
_LONGEST_ADDRESS = 64
_LAST_ID = 2**63 - 1  # no database reads a greater one


class AuditBook:
    """Reads and writes of `audit`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def note(
        self,
        *,
        user: str,
        action: str,
        target: str,
        at: datetime,
        detail: str = "",
        address: str = "",
    ) -> None:
        """Add a deed that was done; texts become one line, long ones are cut."""
        note = AuditNote(
            at=at,
            user=user,
            action=action,
            target=target,
            detail=detail,
            address=address,
        )
        self.note_all([note])

    def note_all(self, notes: Iterable[AuditNote]) -> None:
        """As `note`, for several deeds in the order in which they were done."""
        with writing(self._engine) as connection:
            add_notes(connection, notes)

    def entries(
        self,
        *,
        limit: int,
        before_id: int | None = None,
        user: str | None = None,
        action: str | None = None,
        since: datetime | None = None,
    ) -> Sequence[AuditEntry]:
        """Return a page of deeds, the newest first.

        Args:
            limit: At most so many.
            before_id: Only those older than this one: the last of the page before.
            user: Only this user's.
            action: Only this action, or those of a kind: `job` for all `job.…`.
            since: Only those at this moment or later.
        """
        query = sa.select(_AUDIT).order_by(_AUDIT.c.id.desc()).limit(limit)
        if before_id is not None and before_id <= _LAST_ID:
            query = query.where(_AUDIT.c.id < before_id)
        if user is not None:
            query = query.where(_AUDIT.c.user == user)
        if action is not None:
            of_a_kind = _AUDIT.c.action.startswith(f"{action}.", autoescape=True)
            query = query.where(sa.or_(_AUDIT.c.action == action, of_a_kind))
        if since is not None:
            query = query.where(_AUDIT.c.at >= since)
        with reading(self._engine) as connection:
            return list(map(_entry_of, connection.execute(query)))


def add_notes(connection: sa.Connection, notes: Iterable[AuditNote]) -> None:
    """Add deeds in the transaction that does them; of a deed undone no note stays."""
    connection.execute(sa.insert(_AUDIT), [_row_of(note) for note in notes])


def _row_of(note: AuditNote) -> dict[str, object]:
    return {
        "at": note.at,
        "user": printable(note.user),
        "action": note.action,
        "target": printable(note.target, most=MOST_TARGET),
        "detail": printable(note.detail, most=_LONGEST_DETAIL),
        "address": printable(note.address, most=_LONGEST_ADDRESS),
    }


def _entry_of(row: AnyRow) -> AuditEntry:
    return AuditEntry(
        id=row.id,
        at=row.at,
        user=row.user,
        action=row.action,
        target=row.target,
        detail=row.detail,
        address=row.address,
    )
