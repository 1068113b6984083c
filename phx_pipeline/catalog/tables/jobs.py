"""Work: jobs and their items, runs, and the leases of who is at work."""

import sqlalchemy as sa

from phx_pipeline.catalog.tables.columns import (
    StorableText,
    UtcDateTime,
    metadata,
    slug,
)

lease = sa.Table(
    "lease",
    metadata,
    sa.Column("name", sa.String(250), primary_key=True),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    sa.Column("heartbeat_at", sa.Float, nullable=False),
    sa.Column("expires_at", sa.Float, nullable=False),
)

# What the words mean: `model.job`. `turn` counts who was served last, over all jobs.
job = sa.Table(
    "job",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("sources", sa.JSON, nullable=False),
    sa.Column("mode", sa.String(16), nullable=False, server_default="fresh"),
    sa.Column("user", sa.String(200), nullable=False, server_default="unknown"),
    sa.Column("origin", sa.String(16), nullable=False, server_default="cli"),
    sa.Column("priority", sa.String(16), nullable=False, server_default="normal"),
    sa.Column("isolation", sa.String(16)),
    sa.Column("idempotency_key", sa.String(200)),
    sa.Column("request_sha256", sa.String(64)),
    sa.Column("cancelled_at", UtcDateTime),
    sa.Column("turn", sa.BigInteger, nullable=False, server_default="0"),
    sa.Index("ix_job_created_at", "created_at"),
    sa.Index("ix_job_user", "user", "created_at"),
    sa.Index("ix_job_idempotency_key", "user", "idempotency_key", unique=True),
)

# The run of an item is named by `run_job`, `run_attempt` and the slug: its own, or that
# of an older item which asks for the same.
job_item = sa.Table(
    "job_item",
    metadata,
    sa.Column("job_id", sa.String(36), sa.ForeignKey("job.id"), primary_key=True),
    slug(primary_key=True),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("dispatched_at", UtcDateTime),
    sa.Column("requested_at", UtcDateTime, nullable=False),
    sa.Column("run_job", sa.String(36), nullable=False),
    sa.Column("run_attempt", sa.Integer, nullable=False),
    sa.Column("asked_at", UtcDateTime),
    sa.Column("run_id", sa.String(64)),
    sa.Column("state", sa.String(16)),
    sa.Column("ended_at", UtcDateTime),
    sa.Column("error", StorableText, nullable=False, server_default=""),
    sa.Index("ix_job_item_state", "state", "dispatched_at"),
    sa.Index("ix_job_item_slug", "slug", "state"),
    sa.Index("ix_job_item_run_job", "run_job"),
)

# One row for each property a run worked on. `ended_at` is empty while it works, and for
# ever when it was killed; `result` holds counts per source.
run = sa.Table(
    "run",
    metadata,
    sa.Column("run_id", sa.String(64), primary_key=True),
    slug(primary_key=True),
    sa.Column("job_id", sa.String(36)),
    sa.Column("mode", sa.String(16), nullable=False),
    sa.Column("started_at", UtcDateTime, nullable=False),
    sa.Column("ended_at", UtcDateTime),
    sa.Column("outcome", sa.String(16), nullable=False),
    sa.Column("error", StorableText, nullable=False, default=""),
    sa.Column("result", sa.JSON, nullable=False),
    sa.Index("ix_run_slug", "slug", "started_at"),
    sa.Index("ix_run_started_at", "started_at"),
    sa.Index("ix_run_job_id", "job_id"),
)
