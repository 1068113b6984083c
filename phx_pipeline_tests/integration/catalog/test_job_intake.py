"""Jobs that are asked for at the same time: as if they had come one after the other."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from random import Random

import pytest
import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.job_intake import Intake, Order
from phx_pipeline.catalog.store import Catalog
from phx_pipeline.errors import QuotaError
from phx_pipeline.jobs.quota import Limits, refuse_too_much
from phx_pipeline.model.access import AuditNote
from phx_pipeline.model.job import JobRequest, Mode, Priority, Submitted
from phx_pipeline.model.source import Source
from phx_pipeline_tests.integration.conftest import STAMP, house_at
from phx_pipeline_tests.jobs import ask_job, see_runs

NOON = STAMP.at
SLUGS = [house_at(number).slug for number in (1, 2, 3)]
_LIMITS = Limits(jobs_per_hour=4, jobs_at_once=3)
_ROWS = (tables.job, tables.job_item, tables.audit)


@pytest.fixture
def housed(catalog: Catalog) -> Catalog:
    catalog.add_properties([house_at(number) for number in (1, 2, 3)], at=NOON)
    return catalog


def order(number: int, random: Random) -> Order:
    """An order of one of three users, some of which are refused or repeated."""
    at = NOON + timedelta(seconds=random.randrange(3))
    names = [*SLUGS, "nowhere"] if random.random() < 0.1 else SLUGS
    user = random.choice(["ann", "bob", "eve"])
    request = JobRequest(
        slugs=tuple(random.choices(names, k=random.choice([1, 2, 3]))),
        user=user,
        sources=random.choice([(), (Source.REDFIN,)]),
        mode=random.choice([Mode.RESUME, Mode.FRESH]),
        priority=random.choice(list(Priority)),
        idempotency_key=random.choice(["", "", "k", "other"]),
    )
    if random.random() < 0.4:  # so that some are the same with the same key
        request = JobRequest(slugs=(SLUGS[0],), user=user, idempotency_key="k")
    return Order(
        job_id=f"job-{number}",
        request=request,
        at=at,
        check=None if user == "eve" else partial(refuse_too_much, _LIMITS, at=at),
        note=AuditNote(at=at, user=user, action="job.submit", target=f"job-{number}"),
    )


def told(answers: Sequence[Submitted | Exception]) -> list[object]:
    """Answers and errors that can be compared."""
    return [str(it) if isinstance(it, Exception) else it for it in answers]


def rows(engine: sa.Engine) -> list[list[tuple[object, ...]]]:
    """All that is written of jobs; the ids of notes tell only their order."""
    with engine.connect() as connection:
        return [
            [
                tuple(row)
                for row in connection.execute(
                    sa.select(
                        *(it for it in table.c if it is not tables.audit.c.id)
                    ).order_by(*table.primary_key)
                )
            ]
            for table in _ROWS
        ]


def start_anew(catalog: Catalog, engine: sa.Engine) -> None:
    """One job is there, whose first run waits in Dagster's queue."""
    with engine.begin() as connection:
        for table in reversed(_ROWS):
            connection.execute(sa.delete(table))
    ask_job(catalog, "before", SLUGS[:2], at=NOON, user="ann", idempotency_key="k")
    see_runs(catalog, catalog.jobs.items("before")[:1], at=NOON)


def test_orders_taken_together_are_answered_as_one_after_the_other(
    housed: Catalog, engine: sa.Engine
) -> None:
    random = Random(5)  # noqa: S311  # no secret
    intake = Intake(engine)
    kinds: set[type] = set()
    for _ in range(10):
        orders = [order(number, random) for number in range(8)]
        start_anew(housed, engine)
        singly = [answer for each in orders for answer in intake.take([each])]
        expected = rows(engine)
        start_anew(housed, engine)

        together = intake.take(orders)

        assert told(together) == told(singly)
        assert rows(engine) == expected
        kinds |= {type(it) for it in together}
    assert len(kinds) == 4, kinds  # jobs, and each of the three refusals


@pytest.mark.usefixtures("housed")
def test_what_the_database_refuses_of_several_spares_the_others(
    engine: sa.Engine,
) -> None:
    asked = JobRequest(slugs=(SLUGS[0],), user="ann")
    orders = [Order(job_id=it, request=asked, at=NOON) for it in ("a", "b", "a")]

    first, other, taken = Intake(engine).take(orders)

    assert isinstance(first, Submitted)
    assert isinstance(other, Submitted)
    assert isinstance(taken, sa.exc.IntegrityError)
    assert other.joined == {SLUGS[0]: "a"}


def test_where_all_are_refused_nothing_is_to_be_shown_anew(
    housed: Catalog, engine: sa.Engine
) -> None:
    check = partial(refuse_too_much, Limits(jobs_per_day=1), at=NOON)
    ask_job(housed, "before", [SLUGS[0]], at=NOON, user="ann")
    wanted = housed.views.states()
    asked = JobRequest(slugs=(SLUGS[0],), user="ann")

    answers = Intake(engine).take(
        [Order(job_id=it, request=asked, at=NOON, check=check) for it in ("a", "b")]
    )

    assert [type(it) for it in answers] == [QuotaError, QuotaError]
    assert housed.views.states() == wanted
