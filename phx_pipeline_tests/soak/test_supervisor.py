"""`phx up` is killed again and again amid runs; nothing lives on, nothing is lost."""

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from phx_pipeline.defs.submit import open_instance, state_of
from phx_pipeline.demo.houses import HOUSES
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.settings import Settings
from phx_pipeline.supervise.addresses import free_port
from phx_pipeline.supervise.lock import running
from phx_pipeline.supervise.state import state
from phx_pipeline.supervise.strays import strays
from phx_pipeline.workflows.verify import verify_property
from phx_pipeline_tests.deployment import Deployment
from phx_pipeline_tests.served import wait_for

pytestmark = pytest.mark.soak

_ROUNDS = 6
_SIGNALS = (signal.SIGKILL, signal.SIGHUP, signal.SIGTERM, signal.SIGINT)


@contextmanager
def up(made: Deployment, number: int) -> Iterator["subprocess.Popen[bytes]"]:
    """`phx up` as a process, all of whose servers answer."""
    log = made.root / f"up-{number}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - the tests' own command
            made.command("up"), env=made.env, stdout=output, stderr=output
        )
    try:
        wait_for(lambda: all_answer(made.settings) or None)
        yield process
    finally:
        process.kill()
        process.wait()


def all_answer(settings: Settings) -> bool:
    found = state(settings)
    return bool(found and len(found.answers) == 3 and all(found.answers.values()))


def test_nothing_outlives_it_and_all_runs_end_well(tmp_path: Path) -> None:
    chance = random.Random(20260302)  # noqa: S311 - to repeat a campaign, not to hide
    sites = redfin_sites(HOUSES, photo_delay_s=0.2)
    with Deployment(tmp_path, sites, webserver_port=free_port()) as made:
        slugs = made.add_houses(HOUSES)
        assert made.phx("extract", "--all", "--async").returncode == 0

        for number in range(_ROUNDS):
            with up(made, number) as process:
                time.sleep(chance.uniform(1, 12))
                sent = _SIGNALS[number % len(_SIGNALS)]
                os.kill(process.pid, sent)
                process.wait()
                wait_for(lambda: not strays(made.settings) or None, patience_s=30)
            assert running(made.settings) is None

        with up(made, _ROUNDS):
            wait_for(lambda: all_done(made) or None)
        assert made.phx("down").returncode == 0
        assert strays(made.settings) == []
        assert made.phx("extract", "--all", "--sync").returncode == 0
        with made.context() as context:
            assert [verify_property(context, slug) for slug in slugs] == [[]] * len(
                slugs
            )


def all_done(made: Deployment) -> bool:
    """Whether no run waits, works or will be started again."""
    instance = open_instance(made.settings)
    try:
        runs = reversed(instance.get_runs())  # the newest last
        newest = {run.tags["dagster/partition"]: run for run in runs}
        return bool(newest) and all(
            state_of(run, retries=2).is_final for run in newest.values()
        )
    finally:
        instance.dispose()
