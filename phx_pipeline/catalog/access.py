"""Keys and sessions as rows. What they may do is `model.access`'s."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import reading, writing
from phx_pipeline.catalog.rows import AnyRow
from phx_pipeline.errors import InputError
from phx_pipeline.model.access import ApiKey, Role, Session
from phx_pipeline.model.nearest import did_you_mean

_KEY = tables.api_key
_SESSION = tables.session


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """All keys there are, revoked ones too, and the sessions that have not ended."""

    keys: tuple[ApiKey, ...]
    sessions: tuple[Session, ...]


class AccessBook:
    """Reads and writes of `api_key` and `session`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def admitted(self, *, at: datetime) -> Admitted:
        """Who may come in at this moment, as one read sees it."""
        sessions = sa.select(_SESSION).where(_SESSION.c.expires_at > at)
        with reading(self._engine) as connection:
            return Admitted(
                keys=_keys(connection),
                sessions=tuple(map(_session_of, connection.execute(sessions))),
            )

    def all_keys(self) -> Sequence[ApiKey]:
        """All keys, the oldest first."""
        with reading(self._engine) as connection:
            return _keys(connection)

    def add(self, key: ApiKey) -> bool:
        """Add a key; return False if another one has its id: make a new one."""
        taken = sa.select(_KEY.c.id).where(_KEY.c.id == key.id)
        with writing(self._engine) as connection:
            if connection.execute(taken).first() is not None:
                return False
            connection.execute(sa.insert(_KEY).values(_key_values(key)))
        return True

    def revoke(self, which: str, *, at: datetime) -> Sequence[ApiKey]:
        """Revoke the key of this id, or all keys of this name; their sessions end.

        Returns:
            The keys that were revoked, without those that had been before.

        Raises:
            InputError: there is none of this id or name.
        """
        these = sa.or_(_KEY.c.id == which, _KEY.c.name == which)
        with writing(self._engine) as connection:
            found = list(map(_key_of, connection.execute(sa.select(_KEY).where(these))))
            if not found:
                near = _near(connection, which)
                raise InputError(
                    f"there is no key {which!r}{near}: see `phx keys list`"
                )
            ids = [key.id for key in found]
            unrevoked = sa.and_(these, _KEY.c.revoked_at.is_(None))
            connection.execute(sa.update(_KEY).where(unrevoked).values(revoked_at=at))
            ended = _SESSION.c.key_id.in_(ids)
            connection.execute(sa.delete(_SESSION).where(ended))
        return [key for key in found if key.revoked_at is None]

    def begin(self, session: Session, *, ends: str | None = None) -> None:
        """Add a session; that with the digest *ends* is over."""
        with writing(self._engine) as connection:
            if ends is not None:
                _end(connection, ends)
            connection.execute(sa.insert(_SESSION).values(_session_values(session)))

    def end(self, digest: str) -> None:
        """End a session; one that is unknown has ended."""
        with writing(self._engine) as connection:
            _end(connection, digest)


def _end(connection: sa.Connection, digest: str) -> None:
    connection.execute(sa.delete(_SESSION).where(_SESSION.c.digest == digest))


def _keys(connection: sa.Connection) -> tuple[ApiKey, ...]:
    query = sa.select(_KEY).order_by(_KEY.c.created_at, _KEY.c.id)
    return tuple(map(_key_of, connection.execute(query)))


def _near(connection: sa.Connection, which: str) -> str:
    keys = _keys(connection)
    return did_you_mean(which, [*(it.name for it in keys), *(it.id for it in keys)])


def _key_of(row: AnyRow) -> ApiKey:
    return ApiKey(
        id=row.id,
        name=row.name,
        role=Role.of(row.role),
        digest=row.digest,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )


def _key_values(key: ApiKey) -> dict[str, object]:
    return {
        "id": key.id,
        "name": key.name,
        "role": key.role.word,
        "digest": key.digest,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
    }


def _session_of(row: AnyRow) -> Session:
    return Session(
        digest=row.digest,
        key_id=row.key_id,
        created_at=row.created_at,
        expires_at=row.expires_at,
    )


def _session_values(session: Session) -> dict[str, object]:
    return {
        "digest": session.digest,
        "key_id": session.key_id,
        "created_at": session.created_at,
        "expires_at": session.expires_at,
    }
