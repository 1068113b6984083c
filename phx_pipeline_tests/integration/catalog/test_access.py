"""Keys, sessions and the audit trail on both databases."""

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import writing
from phx_pipeline.catalog.retention import Forgotten
from phx_pipeline.catalog.store import Catalog
from phx_pipeline.errors import InputError
from phx_pipeline.model.access import ApiKey, Role, Session
from phx_pipeline_tests.integration.conftest import STAMP

_AT = STAMP.at
_KEY = ApiKey(
    id="00000001",
    name="ana",
    role=Role.OPERATOR,
    digest="0" * 64,
    created_at=_AT,
    expires_at=_AT + timedelta(days=1),
)
_OTHER = replace(_KEY, id="00000002", name="bob", expires_at=None)


def session(digest: str, *, key_id: str = _KEY.id, hours: int = 12) -> Session:
    end = _AT + timedelta(hours=hours)
    return Session(digest=digest, key_id=key_id, created_at=_AT, expires_at=end)


def test_a_key_comes_back_as_it_was_and_its_id_is_its_own(catalog: Catalog) -> None:
    assert [catalog.access.add(key) for key in (_KEY, _OTHER)] == [True, True]
    assert not catalog.access.add(replace(_KEY, digest="1" * 64))

    assert catalog.access.admitted(at=_AT).keys == (_KEY, _OTHER)


def test_a_revoked_key_ends_its_sessions_and_stays(catalog: Catalog) -> None:
    again = replace(_KEY, id="00000003")
    for key in (_KEY, _OTHER, again):
        catalog.access.add(key)
    catalog.access.begin(session("a"))
    catalog.access.begin(session("b", key_id=_OTHER.id))

    gone = catalog.access.revoke("ana", at=_AT)
    found = catalog.access.admitted(at=_AT)

    assert gone == [_KEY, again]
    assert [key.revoked_at for key in found.keys] == [_AT, None, _AT]
    assert [it.digest for it in found.sessions] == ["b"]
    assert catalog.access.revoke(_KEY.id, at=_AT + timedelta(days=1)) == []
    with pytest.raises(InputError, match="there is no key 'eve': see `phx keys list`"):
        catalog.access.revoke("eve", at=_AT)


def test_a_session_ends_by_time_by_logout_and_by_the_next_login(
    catalog: Catalog,
) -> None:
    catalog.access.add(_KEY)
    catalog.access.begin(session("short", hours=1))
    catalog.access.begin(session("first"))
    catalog.access.begin(session("second"), ends="first")
    catalog.access.begin(session("third"))
    catalog.access.end("third")
    catalog.access.end("unknown")

    soon = catalog.access.admitted(at=_AT).sessions
    later = catalog.access.admitted(at=_AT + timedelta(hours=1)).sessions

    assert {it.digest for it in soon} == {"short", "second"}
    assert later == (session("second"),)


def test_deeds_are_listed_by_who_what_and_when_page_by_page(catalog: Catalog) -> None:
    deeds = [("ana", "job.submit"), ("bob", "job.cancel"), ("ana", "jobs"), ("", "job")]
    for hour, (user, action) in enumerate(deeds):
        at = _AT + timedelta(hours=hour)
        catalog.audit.note(user=user, action=action, target="t", at=at)

    entries = catalog.audit.entries
    first = entries(limit=3)
    rest = entries(limit=3, before_id=first[-1].id)

    assert [it.action for it in first] == ["job", "jobs", "job.cancel"]
    assert [it.action for it in rest] == ["job.submit"]
    assert entries(limit=3, before_id=10**20) == first
    assert [it.action for it in entries(limit=9, user="ana")] == ["jobs", "job.submit"]
    of_jobs = [it.action for it in entries(limit=9, action="job")]
    assert of_jobs == ["job", "job.cancel", "job.submit"]
    since = entries(limit=9, since=_AT + timedelta(hours=2))
    assert [it.action for it in since] == ["job", "jobs"]


def test_what_is_noted_is_one_short_line(catalog: Catalog) -> None:
    catalog.audit.note(
        user="a\x00\n\x1b[2Jb",
        action="ui.launch",
        target="x" * 5_000,
        detail="\u202e" + "y" * 5_000,
        address="fe80::1%" + "e" * 99,
        at=_AT,
    )

    (entry,) = catalog.audit.entries(limit=1)

    texts = (entry.user, entry.target, entry.detail, entry.address)
    assert all(text.isprintable() for text in texts)
    assert [len(text) for text in texts[1:]] == [1_000, 1_000, 64]


def test_sessions_go_with_time_and_deeds_after_a_year_more(
    catalog: Catalog, engine: sa.Engine
) -> None:
    catalog.access.add(_KEY)
    catalog.access.begin(session("a"))
    catalog.audit.note(user="ana", action="login", target="", at=_AT)
    with writing(engine) as connection:
        connection.execute(sa.delete(tables.job))

    def gone(days: int) -> list[Forgotten]:
        limit = _AT + timedelta(days=days)
        steps = catalog.history.forget(before=limit, open_jobs=())
        return [step for step in steps if step.rows]

    assert gone(0) == []
    assert gone(1) == [Forgotten(table="session", rows=1)]
    assert gone(365) == []
    assert gone(366) == [Forgotten(table="audit", rows=1)]
    assert catalog.access.all_keys() == (_KEY,)
