"""How runs begin and end in the records, whatever ends them."""

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from uuid import uuid4

import pytest

from phx_pipeline.catalog.leases import process_owner
from phx_pipeline.errors import LeaseHeldError, StorageError
from phx_pipeline.model.identity import property_lease
from phx_pipeline.model.job import Mode
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.run import RunOutcome, RunRecord
from phx_pipeline.model.source import Source
from phx_pipeline.stages import runs
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.publish import publish
from phx_pipeline.stages.runs import end_early, end_left_open, recorded
from phx_pipeline_tests.deployment import Deployment

ADDRESS = "4732 W Davis Rd, Glendale, AZ 85306"
SLUG = "4732-w-davis-rd-glendale-az-85306"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with Deployment(tmp_path_factory.mktemp("runs"), {}) as deployment:
        deployment.add([ADDRESS])
        yield deployment


@pytest.fixture
def context(made: Deployment) -> Iterator[StageContext]:
    """A run of its own for each test, on one house."""
    with made.context(uuid4().hex) as opened:
        yield opened


def record(context: StageContext) -> RunRecord:
    found = context.catalog.runs.record(context.run_id, SLUG)
    assert found is not None
    return found


def answer(context: StageContext, outcome: ListingOutcome) -> None:
    listing = Listing(source=Source.REDFIN, outcome=outcome, complete=True)
    with context.holding(SLUG) as lease:
        context.catalog.record_listing(lease, SLUG, listing, stamp=context.stamp())


def test_two_stages_of_a_run_are_one_record_that_goes_on(context: StageContext) -> None:
    with recorded(context, SLUG, mode=Mode.RESUME):
        first = record(context)
    with recorded(context, SLUG, mode=Mode.FRESH):
        second = record(context)

    assert first == second
    assert (first.mode, first.outcome) == (Mode.RESUME, RunOutcome.RUNNING)
    assert len(context.catalog.runs.of_run(context.run_id)) == 1


@pytest.mark.parametrize(
    ("error", "outcome", "told"),
    [
        (StorageError("a\n  blob is   missing"), "failed", "a blob is missing"),
        (ValueError("x" * 600), "failed", "x" * 500),
        (ValueError(), "failed", "ValueError"),
        (KeyboardInterrupt(), "cancelled", "it was told to end before it was done"),
    ],
    ids=["ours", "long", "bare", "interrupted"],
)
def test_what_ends_a_run_is_recorded_and_goes_on(
    context: StageContext, error: BaseException, outcome: str, told: str
) -> None:
    with (
        pytest.raises(type(error)) as raised,
        recorded(context, SLUG, mode=Mode.FRESH),
    ):
        raise error

    assert raised.value is error
    assert (record(context).outcome.value, record(context).error) == (outcome, told)
    assert record(context).ended_at is not None


@pytest.mark.parametrize(
    ("answered", "outcome"),
    [
        (ListingOutcome.LISTED_EMPTY, RunOutcome.COMPLETE),
        (ListingOutcome.BLOCKED, RunOutcome.NOTHING),
        (ListingOutcome.DISABLED, RunOutcome.NOTHING),
    ],
)
def test_publishing_ends_the_run_as_the_sources_ended(
    context: StageContext, answered: ListingOutcome, outcome: RunOutcome
) -> None:
    with recorded(context, SLUG, mode=Mode.FRESH):
        answer(context, answered)
        publish(context, SLUG, ends_run=True)
    ended = record(context)

    end_early(context, SLUG, outcome=RunOutcome.FAILED, error="too late")
    end_left_open(context)

    assert ended.outcome is outcome
    assert record(context) == ended


def test_publishing_a_run_nobody_began_records_none(context: StageContext) -> None:
    publish(context, SLUG, ends_run=True)

    assert context.catalog.runs.of_run(context.run_id) == []


def test_a_run_of_some_stages_only_ends_as_partial(context: StageContext) -> None:
    with recorded(context, SLUG, mode=Mode.FRESH):
        answer(context, ListingOutcome.LISTED_EMPTY)

    end_left_open(context)

    assert record(context).outcome is RunOutcome.PARTIAL
    assert "before the property was published" in record(context).error


def test_a_run_whose_property_was_renamed_ends_as_one_that_is_asked_for_anew(
    context: StageContext,
) -> None:
    with recorded(context, SLUG, mode=Mode.FRESH):
        answer(context, ListingOutcome.LISTED_EMPTY)

    end_left_open(context, began_as="its-former-key")

    assert record(context).outcome is RunOutcome.FAILED
    assert "got another address" in record(context).error


class _WaitedError(Exception):
    """A wait was about to begin."""


@pytest.mark.parametrize(("bound_s", "lease_wait_s"), [(0.0, 600.0), (600.0, 0.0)])
def test_the_end_of_a_failed_run_waits_no_longer_than_its_bound(
    context: StageContext,
    monkeypatch: pytest.MonkeyPatch,
    bound_s: float,
    lease_wait_s: float,
) -> None:
    def wait(_seconds: float) -> None:
        raise _WaitedError

    with recorded(context, SLUG, mode=Mode.FRESH):
        pass
    monkeypatch.setattr(runs, "_PATIENCE_S", bound_s)
    monkeypatch.setattr(time, "sleep", wait)
    patient = replace(context, lease_wait_s=lease_wait_s)
    owner = process_owner("somebody")

    with (
        context.catalog.leases.hold(property_lease(SLUG), owner=owner),
        pytest.raises(LeaseHeldError),
    ):
        end_early(patient, SLUG, outcome=RunOutcome.FAILED, error="x")

    assert record(context).outcome is RunOutcome.RUNNING


def test_a_failed_run_that_is_taken_up_again_keeps_its_start(
    context: StageContext,
) -> None:
    with suppress(StorageError), recorded(context, SLUG, mode=Mode.RESUME):
        raise StorageError("no")
    failed = record(context)

    with recorded(context, SLUG, mode=Mode.FRESH):
        again = record(context)

    assert (again.started_at, again.mode) == (failed.started_at, Mode.RESUME)
    assert (again.outcome, again.error) == (RunOutcome.RUNNING, "")
