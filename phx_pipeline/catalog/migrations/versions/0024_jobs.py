"""Jobs: whose they are, which runs their properties get, and how these ended."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_NEVER = "1970-01-01 00:00:00"
_time = sa.DateTime(timezone=True)

_INDEXES = {
    "job": {
        "ix_job_created_at": ["created_at"],
        "ix_job_user": ["user", "created_at"],
        "ix_job_idempotency_key": ["user", "idempotency_key"],
    },
    "job_item": {
        "ix_job_item_state": ["state", "dispatched_at"],
        "ix_job_item_slug": ["slug", "state"],
        "ix_job_item_run_job": ["run_job"],
    },
}

_run = sa.table(
    "run",
    *map(sa.column, ("run_id", "slug", "job_id", "outcome", "error")),
    sa.column("started_at", _time),
    sa.column("ended_at", _time),
)
_job = sa.table(
    "job", *map(sa.column, ("id", "origin")), sa.column("created_at", _time)
)
_item = sa.table(
    "job_item",
    *map(sa.column, ("job_id", "slug", "attempt", "run_job", "run_attempt", "run_id")),
    *map(sa.column, ("state", "error")),
    sa.column("dispatched_at", _time),
    sa.column("requested_at", _time),
    sa.column("ended_at", _time),
)


def upgrade() -> None:
    """Fill the new columns from the runs; spell cancelled runs as jobs are spelled."""
    _respell("canceled", "cancelled")
    _add_columns()
    _fill_jobs()
    _fill_items()
    _book_ended()


def downgrade() -> None:
    """Take the columns away again."""
    for table, indexes in _INDEXES.items():
        for name in indexes:
            op.drop_index(name, table)
    for table, columns in _added().items():
        for column in columns:
            op.drop_column(table, column.name)
    op.create_index("ix_job_item_dispatched_at", "job_item", ["dispatched_at"])
    _respell("cancelled", "canceled")


def _respell(old: str, new: str) -> None:
    these = sa.update(_run).where(_run.c.outcome == old)
    op.get_bind().execute(these.values(outcome=new))


def _add_columns() -> None:
    for table, columns in _added().items():
        for column in columns:
            op.add_column(table, column)
    op.drop_index("ix_job_item_dispatched_at", "job_item")
    for table, indexes in _INDEXES.items():
        for name, of in indexes.items():
            op.create_index(name, table, of, unique="idempotency" in name)


def _added() -> dict[str, list[sa.Column[Any]]]:
    return {
        "job": [
            _text("user", 200, default="unknown"),
            _text("origin", 16, default="cli"),
            _text("priority", 16, default="normal"),
            _text("isolation", 16),
            _text("idempotency_key", 200),
            _text("request_sha256", 64),
            sa.Column("cancelled_at", _time),
            sa.Column("turn", sa.BigInteger(), nullable=False, server_default="0"),
        ],
        "job_item": [
            sa.Column("requested_at", _time, nullable=False, server_default=_NEVER),
            _text("run_job", 36, default=""),
            sa.Column("run_attempt", sa.Integer(), nullable=False, server_default="1"),
            sa.Column("asked_at", _time),
            _text("run_id", 64),
            _text("state", 16),
            sa.Column("ended_at", _time),
            sa.Column("error", sa.Text(), nullable=False, server_default=""),
        ],
    }


def _text(name: str, size: int, *, default: str | None = None) -> sa.Column[str]:
    return sa.Column(
        name,
        sa.String(length=size),
        nullable=default is None,
        server_default=default,
    )


def _fill_jobs() -> None:
    these = sa.update(_job).where(_job.c.id.startswith("settle-"))
    op.get_bind().execute(these.values(origin="follow_up"))


def _fill_items() -> None:
    asked = sa.select(_job.c.created_at).where(_job.c.id == _item.c.job_id)
    op.get_bind().execute(
        sa.update(_item).values(
            requested_at=asked.scalar_subquery(),
            run_job=_item.c.job_id,
            run_attempt=_item.c.attempt,
        )
    )


def _book_ended() -> None:
    """Book what the newest run of an item tells, if it ended.

    Whether the others still wait in Dagster's queue is seen when the dispatcher looks.
    """
    states = sa.case(
        (_run.c.outcome == "complete", "completed"),
        (_run.c.outcome == "partial", "partial"),
        (_run.c.outcome == "cancelled", "cancelled"),
        else_="failed",
    )
    later = _run.alias("later")
    of_item = sa.and_(_run.c.job_id == _item.c.job_id, _run.c.slug == _item.c.slug)
    newer = sa.exists().where(
        later.c.job_id == _run.c.job_id,
        later.c.slug == _run.c.slug,
        later.c.started_at > _run.c.started_at,
    )
    told = {"state": states, "run_id": _run.c.run_id, "ended_at": _run.c.ended_at}
    told["error"] = _run.c.error
    values = {
        name: sa.select(column).where(of_item, ~newer).limit(1).scalar_subquery()
        for name, column in told.items()
    }
    ended = sa.exists().where(of_item, ~newer, _run.c.ended_at.is_not(None))
    op.get_bind().execute(
        sa.update(_item).where(_item.c.dispatched_at.is_not(None), ended).values(values)
    )
