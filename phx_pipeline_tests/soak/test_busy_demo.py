"""`phx demo` beside programs that take all processors."""

import multiprocessing
from collections.abc import Iterator
from pathlib import Path

import pytest

from phx_pipeline_tests.deployment import Deployment

pytestmark = pytest.mark.soak
LOOPS = 4


def _spin() -> None:
    while True:
        pass


@pytest.fixture
def busy() -> Iterator[None]:
    processes = [multiprocessing.Process(target=_spin) for _ in range(LOOPS)]
    for process in processes:
        process.start()
    yield
    for process in processes:
        process.kill()
        process.join()


@pytest.mark.usefixtures("busy")
def test_the_demo_passes_on_a_busy_machine(tmp_path: Path) -> None:
    with Deployment(tmp_path, {}, proxy=None, ca_file=None) as made:
        folder = str(tmp_path / "demo")
        ended = made.phx("demo", "--morning", "--folder", folder, patience_s=1800)

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stderr == ""
    assert ended.stdout.count("a run of its own was asked for") == 3
