"""The code server notes how runs end whose workers are gone."""

import multiprocessing
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from phx_pipeline.defs.code_server import book_cancelled
from phx_pipeline_tests.dagster_runs import run_of

_STATUS = dg.DagsterRunStatus


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as made:
        yield made


def test_a_run_that_is_being_cancelled_does_not_fail_by_the_end_of_its_worker(
    instance: dg.DagsterInstance,
) -> None:
    ended = multiprocessing.get_context("spawn").Process(target=int)
    ended.start()
    ended.join()
    here = multiprocessing.current_process()
    runs = {
        "asked to end, and gone": (_STATUS.CANCELING, ended),
        "asked to end, and going on": (_STATUS.CANCELING, here),
        "gone": (_STATUS.STARTED, ended),
        "ended": (_STATUS.SUCCESS, ended),
    }
    ids = {
        name: instance.add_run(run_of(f"house-{at}", status)).run_id
        for at, (name, (status, _)) in enumerate(runs.items())
    }

    book_cancelled(
        (ids[name], process, instance.get_ref()) for name, (_, process) in runs.items()
    )

    after = {name: instance.get_run_by_id(run_id) for name, run_id in ids.items()}
    assert {name: run.status for name, run in after.items() if run} == {
        "asked to end, and gone": _STATUS.CANCELED,
        "asked to end, and going on": _STATUS.CANCELING,
        "gone": _STATUS.STARTED,
        "ended": _STATUS.SUCCESS,
    }
