"""Runs ended by an orderly stop keep their retries, as Dagster itself counts them."""

from collections.abc import Iterator

import dagster as dg
import pytest

from phx_pipeline.defs.interrupted import allow_another_retry

_TAG = "dagster/max_retries"
_ROOT = "dagster/root_run_id"  # by which Dagster counts


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    retries = {"enabled": True, "max_retries": 2}
    with dg.DagsterInstance.ephemeral(settings={"run_retries": retries}) as made:
        yield made


def under_way(
    instance: dg.DagsterInstance,
    *,
    repeats: dg.DagsterRun | None = None,
    tags: dict[str, str] | None = None,
) -> dg.DagsterRun:
    """A run at work; one that repeats another has its tags, as Dagster does it."""
    tags = tags or {}
    if repeats:
        found = instance.get_run_by_id(repeats.run_id)
        assert found is not None
        tags |= {name: found.tags[name] for name in [_TAG] if name in found.tags}
        tags |= {_ROOT: repeats.root_run_id or repeats.run_id}
    return instance.add_run(
        dg.DagsterRun(
            job_name="job",
            status=dg.DagsterRunStatus.STARTED,
            tags=tags,
            root_run_id=tags.get(_ROOT),
            parent_run_id=repeats.run_id if repeats else None,
        )
    )


def ended(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Fail the run; return whether Dagster will repeat it."""
    instance.report_run_failed(run)
    found = instance.get_run_by_id(run.run_id)
    assert found is not None
    return found.tags["dagster/will_retry"] == "true"


def test_a_run_is_repeated_however_often_it_is_interrupted(
    instance: dg.DagsterInstance,
) -> None:
    run = under_way(instance)

    for _ in range(5):
        allow_another_retry(instance)
        assert ended(instance, run)
        run = under_way(instance, repeats=run)


def test_two_crashes_are_forgiven_before_and_after_an_interruption(
    instance: dg.DagsterInstance,
) -> None:
    crashed = under_way(instance)
    assert ended(instance, crashed)
    interrupted = under_way(instance, repeats=crashed)
    allow_another_retry(instance)
    assert ended(instance, interrupted)
    crashed = under_way(instance, repeats=interrupted)
    assert ended(instance, crashed)

    assert not ended(instance, under_way(instance, repeats=crashed))


@pytest.mark.parametrize("allowed", ["0", "none", "-1"])
def test_a_run_that_must_not_be_repeated_is_not(
    instance: dg.DagsterInstance, allowed: str
) -> None:
    run = under_way(instance, tags={_TAG: allowed})

    allow_another_retry(instance)

    found = instance.get_run_by_id(run.run_id)
    assert found is not None
    assert found.tags[_TAG] == allowed


def test_only_runs_under_way_are_spared(instance: dg.DagsterInstance) -> None:
    over = under_way(instance)
    ended(instance, over)

    allow_another_retry(instance)

    found = instance.get_run_by_id(over.run_id)
    assert found is not None
    assert _TAG not in found.tags


def test_a_tag_with_thousands_of_digits_keeps_no_other_run_back(
    instance: dg.DagsterInstance,
) -> None:
    under_way(instance, tags={_TAG: "9" * 5_000})
    run = under_way(instance)
    under_way(instance, tags={_TAG: "9" * 5_000})

    allow_another_retry(instance)

    found = instance.get_run_by_id(run.run_id)
    assert found is not None
    assert found.tags[_TAG] == "3"
