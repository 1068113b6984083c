"""What the daemon does with runs that wait in Dagster's queue."""

from contextlib import ExitStack
from pathlib import Path

import dagster as dg
import pytest

from phx_pipeline.defs.fair_queue import FairQueue
from phx_pipeline.defs.submit import open_instance
from phx_pipeline.defs.tags import JOB_TAG
from phx_pipeline.wiring.clock import utc_now
from phx_pipeline_tests.commands import UseSettings
from phx_pipeline_tests.dagster_runs import run_of
from phx_pipeline_tests.deployment import Deployment
from phx_pipeline_tests.jobs import ask_job

_HOUSES = [f"{number} W Davis Rd, Glendale, AZ 85306" for number in (1, 2, 3)]
_JOBS = ("off", "wanted", "of no job")
_QUEUED, _CANCELED = dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.CANCELED


class Launching:
    """Stands for what begins a run, behind the queue."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun: list[str] = []
        daemon = FairQueue.__bases__[0]
        monkeypatch.setattr(daemon, "_dequeue_run", self._begin)

    def _begin(self, *given: object) -> bool:
        (run,) = (one for one in given if isinstance(one, dg.DagsterRun))
        self.begun.append(run.run_id)
        return True


def test_a_run_whose_job_was_called_off_never_begins(
    tmp_path: Path, use_settings: UseSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    launching = Launching(monkeypatch)
    with ExitStack() as stack:
        made = stack.enter_context(Deployment(tmp_path, {}))
        use_settings(made.settings)
        instance = stack.enter_context(open_instance(made.settings))
        houses = dict(zip(_JOBS, made.add(_HOUSES), strict=True))
        with made.context() as context:
            for job in _JOBS[:2]:
                ask_job(context.catalog, job, [houses[job]], at=utc_now())
            context.catalog.jobs.cancel("off", at=utc_now())
        runs = {
            job: instance.add_run(run_of(slug, _QUEUED, **{JOB_TAG: job}))
            for job, slug in houses.items()
        }
        queue = FairQueue(interval_seconds=1)
        told = {
            job: queue._dequeue_run(instance, None, run, None, None)
            for job, run in runs.items()
        }
        off = instance.get_run_by_id(runs["off"].run_id)

    assert told == {"off": False, "wanted": True, "of no job": True}
    assert launching.begun == [runs["wanted"].run_id, runs["of no job"].run_id]
    assert off is not None
    assert off.status is _CANCELED
