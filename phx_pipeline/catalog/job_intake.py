"""New jobs: what is refused, what was asked for before, which runs are shared.

Requests that wait for the lock of jobs at the same time are written in one transaction,
one after the other: each sees what those before it asked for.
"""

import json
from bisect import insort
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

import sqlalchemy as sa

from phx_pipeline.catalog import job_views, tables
from phx_pipeline.catalog.audit import add_notes
from phx_pipeline.catalog.gathering import Gathering
from phx_pipeline.catalog.job_items import ITEM, JOB, followed, writing_jobs
from phx_pipeline.catalog.job_sharing import covering, waiting
from phx_pipeline.catalog.job_usage import usage_of
from phx_pipeline.catalog.views import want_of_jobs
from phx_pipeline.errors import CatalogError, IdempotencyError, InputError, PhxError
from phx_pipeline.model.access import AuditNote
from phx_pipeline.model.job import JobItem, JobRequest, Submitted, run_key_of
from phx_pipeline.model.usage import Usage

_MOST_TOGETHER: Final = 2_000  # houses in one transaction: all its jobs wait for it
_TOLD: Final = 3  # keys of unknown houses in a message


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A job that is asked for at a moment; *check* raises if it is too much."""

    job_id: str
    request: JobRequest
    at: datetime
    check: Callable[[Usage], None] | None = None
    note: AuditNote | None = None

    @property
    def slugs(self) -> list[str]:
        """Its houses: one that is named twice stands where it is named first."""
        return list(dict.fromkeys(self.request.slugs))


class Intake:
    """Writes new jobs, in as few transactions as there are at once."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._gathering = Gathering(
            self.take,
            size_of=lambda it: 1 + len(it.request.slugs),
            most=_MOST_TOGETHER,
        )

    def submit(self, order: Order) -> Submitted:
        """Write a job, and return once it is written; errors as `JobBook.submit`."""
        return self._gathering.ask(order)

    def take(self, orders: Sequence[Order]) -> Sequence[Submitted | Exception]:
        """Write several jobs in one transaction; each order gets its answer or error.

        Raises:
            CatalogError: the database failed; no order is known to be written.
        """
        try:
            with writing_jobs(self._engine, shown=False) as connection:
                return _answers(connection, orders)
        except CatalogError:  # it is not known what was written
            raise
        except Exception:
            if len(orders) == 1:
                raise
        return [self._alone(order) for order in orders]

    def _alone(self, order: Order) -> Submitted | Exception:
        """One of several that were not written, as the database refuses one of them."""
        try:
            (answer,) = self.take([order])
        except Exception as error:  # noqa: BLE001 - whoever asked raises it
            return error
        return answer


def _answers(
    connection: sa.Connection, orders: Sequence[Order]
) -> list[Submitted | Exception]:
    known = _known_keys(connection, orders)
    news = [order for order in orders if _key_of(order) not in known]
    taken = _Taken(keys=known)
    if news:
        want_of_jobs(
            connection
        )  # first, as nothing may begin or be renamed from here on
        taken.look(connection, news)
    decided = [_decided(connection, taken, order) for order in orders]
    if taken.orders:
        taken.write(connection)
    again = {it for it in decided if isinstance(it, str)}
    repeated = _as_they_are(connection, again) if again else {}
    if not taken.orders:
        connection.get_transaction().rollback()  # type: ignore[union-attr]  # it is there
    return [repeated[it] if isinstance(it, str) else it for it in decided]


def _decided(
    connection: sa.Connection, taken: "_Taken", order: Order
) -> Submitted | PhxError | str:
    """The answer to an order, or the id of the job that its key made before."""
    try:
        if (known := taken.keys.get(_key_of(order))) is not None:
            return known.job_for(order.request)
        if order.check is not None:
            order.check(taken.usage(connection, order))
        _refuse_unknown(order.slugs, taken.followed)
    except PhxError as error:
        return error
    return taken.take(order)


# --- what was asked for before --------------------------------------------------------


_Key = tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class _Known:
    """The job that a user's idempotency key made, and what was asked."""

    job_id: str
    request_sha256: str

    def job_for(self, request: JobRequest) -> str:
        if self.request_sha256 != sha256_of(request):
            raise IdempotencyError(
                f"the idempotency key {request.idempotency_key!r} was used for another "
                f"request, job {self.job_id}: take a new key for a new request"
            )
        return self.job_id


_OF_KEYS: Final = sa.select(
    JOB.id, JOB.user, JOB.idempotency_key, JOB.request_sha256
).where(
    JOB.user.in_(sa.bindparam("users", expanding=True)),
    JOB.idempotency_key.in_(sa.bindparam("keys", expanding=True)),
)
_OF_IDS: Final = sa.select(tables.job).where(
    JOB.id.in_(sa.bindparam("ids", expanding=True))
)
_JOINED: Final = sa.select(ITEM.job_id, ITEM.slug, ITEM.run_job).where(
    ITEM.job_id.in_(sa.bindparam("ids", expanding=True)), ITEM.run_job != ITEM.job_id
)


def _key_of(order: Order) -> _Key:
    request = order.request
    return (request.user, request.idempotency_key) if request.idempotency_key else None


def _known_keys(
    connection: sa.Connection, orders: Sequence[Order]
) -> dict[_Key, _Known]:
    keys = {key for order in orders if (key := _key_of(order))}
    if not keys:
        return {}
    these = {
        "users": sorted({user for user, _ in keys}),
        "keys": sorted({text for _, text in keys}),
    }
    known = {
        (row.user, row.idempotency_key): _Known(row.id, row.request_sha256)
        for row in connection.execute(_OF_KEYS, these)
    }
    return {key: known[key] for key in keys & known.keys()}


def _as_they_are(
    connection: sa.Connection, job_ids: Collection[str]
) -> dict[str, Submitted]:
    """Jobs that were asked for before, as they are now."""
    ids = {"ids": sorted(job_ids)}
    rows = connection.execute(_OF_IDS, ids).all()
    joined: dict[str, dict[str, str]] = {}
    for item in connection.execute(_JOINED, ids):
        joined.setdefault(item.job_id, {})[item.slug] = item.run_job
    return {
        job.job_id: Submitted(
            job_id=job.job_id,
            created_at=job.created_at,
            state=job.state,
            is_new=False,
            joined=joined.get(job.job_id, {}),
        )
        for job in job_views.jobs_of(connection, rows)
    }


def sha256_of(request: JobRequest) -> str:
    """Tell two requests with the same key apart."""
    asked = {
        # What is followed may change before the same request comes again.
        "slugs": "all" if request.everything else list(dict.fromkeys(request.slugs)),
        "sources": sorted(request.sources),
        "mode": request.mode,
        "isolation": request.isolation,
        "priority": request.priority,
    }
    return sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


# --- what is new ----------------------------------------------------------------------


@dataclass(slots=True)
class _Taken:
    """What one transaction takes in: each order sees those before it."""

    keys: dict[_Key, _Known]
    followed: Collection[str] = ()
    orders: list[Order] = field(default_factory=list)
    items: dict[str, list[JobItem]] = field(default_factory=dict)
    """The new ones, by job."""
    waiting: dict[str, list[JobItem]] = field(default_factory=dict)
    """Those whose runs have not begun, by house, as they were asked for."""
    usages: dict[str, Usage] = field(default_factory=dict)

    def look(self, connection: sa.Connection, orders: Sequence[Order]) -> None:
        """Read what *orders* ask for."""
        slugs = {slug for order in orders for slug in order.request.slugs}
        self.followed = followed(connection, slugs)
        for item in waiting(connection, slugs):
            self.waiting.setdefault(item.slug, []).append(item)

    def usage(self, connection: sa.Connection, order: Order) -> Usage:
        """What the user of an order asked for before it."""
        user = order.request.user
        if user not in self.usages:
            self.usages[user] = usage_of(connection, user, at=order.at)
        mine = [it for it in self.orders if it.request.user == user]
        read = self.usages[user]
        return replace(
            read,
            asked_at=(*read.asked_at, *(it.at for it in mine)),
            open_jobs=read.open_jobs + sum(bool(it.request.slugs) for it in mine),
        )

    def take(self, order: Order) -> Submitted:
        """Make the items of an order; those that wait for the same share one run."""
        slugs = order.slugs
        there = [item for slug in slugs for item in self.waiting.get(slug, ())]
        shared = covering(there, order.request)
        items = [_item(order, slug, shared.get(slug)) for slug in slugs]
        for item in items:
            insort(self.waiting.setdefault(item.slug, []), item, key=_asked_first)
        self.orders.append(order)
        self.items[order.job_id] = items
        if key := _key_of(order):
            self.keys[key] = _Known(order.job_id, sha256_of(order.request))
        joined = {slug: shared[slug].run_job for slug in slugs if slug in shared}
        return Submitted(job_id=order.job_id, created_at=order.at, joined=joined)

    def write(self, connection: sa.Connection) -> None:
        """Write all that was taken."""
        connection.execute(sa.insert(tables.job), list(map(_job_values, self.orders)))
        _insert_items(connection, list(self.items.values()))
        notes = [order.note for order in self.orders if order.note is not None]
        if notes:
            add_notes(connection, notes)


def _asked_first(item: JobItem) -> tuple[datetime, str]:
    return item.requested_at, item.job_id


def _refuse_unknown(slugs: Sequence[str], known: Collection[str]) -> None:
    if unknown := [slug for slug in slugs if slug not in known]:
        more = f" and {len(unknown) - _TOLD} more" if len(unknown) > _TOLD else ""
        raise InputError(
            f"not followed: {', '.join(unknown[:_TOLD])}{more}; `phx properties add` "
            "follows a house"
        )


def write_new(connection: sa.Connection, order: Order) -> None:
    """Write a job of followed houses whose items all get runs of their own."""
    taken = _Taken(keys={})
    taken.take(order)
    taken.write(connection)


def _item(order: Order, slug: str, shared: JobItem | None) -> JobItem:
    request = order.request
    item = JobItem(
        job_id=order.job_id,
        slug=slug,
        attempt=1,
        run_key=run_key_of(order.job_id, 1, slug),
        requested_at=order.at,
        sources=request.sources,
        mode=request.mode,
        isolation=request.isolation,
        user=request.user,
        priority=request.priority,
    )
    if shared is None:
        return item
    return replace(
        item,
        run_key=shared.run_key,
        asked_at=shared.asked_at,
        dispatched_at=shared.dispatched_at,
        run_id=shared.run_id,
    )


def _job_values(order: Order) -> dict[str, Any]:
    request = order.request
    has_key = bool(request.idempotency_key)
    return {
        "id": order.job_id,
        "created_at": order.at,
        "sources": [source.value for source in request.sources],
        "mode": request.mode.value,
        "user": request.user,
        "origin": request.origin.value,
        "priority": request.priority.value,
        "isolation": request.isolation.value if request.isolation else None,
        "idempotency_key": request.idempotency_key or None,
        "request_sha256": sha256_of(request) if has_key else None,
    }


def _insert_items(
    connection: sa.Connection, of_jobs: Sequence[Sequence[JobItem]]
) -> None:
    """Write the items of new jobs, each in its order."""
    rows = [
        {
            "job_id": item.job_id,
            "slug": item.slug,
            "position": position,
            "attempt": item.attempt,
            "requested_at": item.requested_at,
            "run_job": item.run_job,
            "run_attempt": item.run_attempt,
            "asked_at": item.asked_at,
            "dispatched_at": item.dispatched_at,
            "run_id": item.run_id,
        }
        for items in of_jobs
        for position, item in enumerate(items)
    ]
    if rows:
        connection.execute(sa.insert(tables.job_item), rows)
