"""What is not taken as a job, and what is the same request."""

import pytest

from phx_pipeline.errors import InputError, QuotaError, UnknownJobError
from phx_pipeline.jobs.quota import Limits
from phx_pipeline.model.job import JobRequest
from phx_pipeline_tests.integration.conftest import MOSTLY_SQLITE
from phx_pipeline_tests.integration.jobs.tick.conftest import A, B, Office


def test_a_user_who_asked_for_enough_is_refused_and_others_are_not(
    office: Office,
) -> None:
    limits = Limits(jobs_per_hour=1)
    asked = JobRequest(slugs=(A,), user="ann")
    told = office.desk.submit(asked, limits=limits)

    with pytest.raises(QuotaError, match="PHX_JOBS_PER_HOUR"):
        office.desk.submit(asked, limits=limits)

    assert office.desk.submit(asked).is_new
    other = office.desk.submit(JobRequest(slugs=(A,), user="bob"), limits=limits)
    assert other.joined == {A: told.job_id}


def test_all_houses_are_the_same_request_when_there_are_more(office: Office) -> None:
    def submit(*slugs: str) -> str:
        asked = JobRequest(
            slugs=slugs, user="ann", idempotency_key="night", everything=True
        )
        return office.desk.submit(asked).job_id

    assert submit(A) == submit(A, B)


@MOSTLY_SQLITE
def test_what_is_unknown_or_empty_is_refused(office: Office) -> None:
    for call in (office.desk.job, office.desk.cancel, office.desk.retry):
        with pytest.raises(UnknownJobError, match="no job 'none'"):
            call("none")
    with pytest.raises(InputError, match="at least one house"):
        office.desk.submit(JobRequest(slugs=(), user="ann"))
    with pytest.raises(UnknownJobError, match="no job"):
        office.desk.job("a\x00b")
    for key in ("k" * 201, "k\x00"):
        with pytest.raises(InputError, match="at most 200"):
            office.desk.submit(JobRequest(slugs=(A,), user="ann", idempotency_key=key))
