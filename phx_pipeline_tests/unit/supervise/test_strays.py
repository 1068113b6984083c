"""Which processes are a supervisor's, and which of them its watchdog ends."""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from phx_pipeline.settings import SUPERVISOR_ID, Settings, load_settings
from phx_pipeline.supervise.strays import strays
from phx_pipeline.supervise.watchdog import GOODBYE, watch

OURS, THEIRS = "0123abcd", "4567cdef"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return replace(
        load_settings({}),
        data_dir=tmp_path / "data",
        dagster_dir=tmp_path / "dagster",
        supervisor_id=OURS,
    )


def carried(settings: Settings, supervisor: str = OURS) -> dict[str, str]:
    return {
        SUPERVISOR_ID: supervisor,
        "PHX_DATA_DIR": str(settings.data_dir),
        "PHX_DAGSTER_DIR": str(settings.dagster_dir),
    }


@contextmanager
def process(environ: Mapping[str, str]) -> Iterator[int]:
    """One that does nothing, with nothing else in its environment."""
    with subprocess.Popen(["/bin/sleep", "60"], env=dict(environ)) as started:
        try:
            yield started.pid
        finally:
            started.kill()


@pytest.mark.parametrize(
    ("changed", "is_found"),
    [
        ({}, True),
        ({"PHX_DAGSTER_DIR": "/elsewhere"}, True),  # they write to the same data
        ({"PHX_DATA_DIR": "/elsewhere"}, True),  # and these to the same runs
        ({"PHX_DAGSTER_DIR": "/elsewhere", "PHX_DATA_DIR": "/elsewhere"}, False),
        ({SUPERVISOR_ID: ""}, False),
        ({SUPERVISOR_ID: THEIRS}, True),
    ],
)
def test_whatever_a_supervisor_of_one_of_the_stores_started_is_found(
    settings: Settings, changed: dict[str, str], *, is_found: bool
) -> None:
    with process(carried(settings) | changed) as pid:
        found = [one.pid for one in strays(settings)]
        spared = [one.pid for one in strays(settings, but=[pid])]

    assert (found, spared) == ([pid] * is_found, [])


def test_a_watchdog_ends_what_its_own_supervisor_left_and_nothing_else(
    settings: Settings,
) -> None:
    gone, told = os.pipe(), os.pipe()
    os.close(gone[1])
    os.write(told[1], GOODBYE)
    with (
        process(carried(settings)) as mine,
        process(carried(settings, THEIRS)) as next_ones,
    ):
        after_goodbye = watch(settings, pipe=told[0])
        after_death = watch(settings, pipe=gone[0])
        left = [one.pid for one in strays(settings)]
    for end in (gone[0], *told):
        os.close(end)

    assert (after_goodbye, after_death, left) == ([], [mine], [next_ones])
