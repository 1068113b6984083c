"""What a process keeps of a run that nobody asked for."""

import errno
import fcntl
import os
import signal
import threading
from collections import Counter
from pathlib import Path
from tempfile import gettempdir

import pytest

from phx_pipeline.catalog.statements import SHARED_STATEMENTS
from phx_pipeline.defs import rehearsal
from phx_pipeline.demo.houses import HOUSES
from phx_pipeline.settings import Settings
from phx_pipeline_tests.deployment import Deployment


def test_a_rehearsal_leaves_statements_compiled_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (memory := tmp_path / "memory").mkdir()
    (memory / "phx-rehearsal-of-a-process-that-was-killed" / "data").mkdir(parents=True)
    monkeypatch.setattr(rehearsal, "_MEMORY", memory)
    SHARED_STATEMENTS["compiled_cache"].clear()
    files, others = _files(), (threading.enumerate(), _settings(), _handlers())

    rehearsal.rehearse()

    assert not _files() - files
    assert (threading.enumerate(), _settings(), _handlers()) == others
    assert list(memory.iterdir()) == []
    with Deployment(tmp_path / "stores", {}) as made:
        (slug,) = made.add_houses(HOUSES[:1])
        with made.context() as context:
            compiled = len(SHARED_STATEMENTS["compiled_cache"])
            assert context.tally(slug).is_answered is False
            assert context.catalog.photos(slug) == []
            assert context.catalog.facts.newest(slug) == {}
            assert len(SHARED_STATEMENTS["compiled_cache"]) == compiled


def test_a_rehearsal_without_memory_is_on_disk_and_that_of_another_process_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (memory := tmp_path / "memory").mkdir()
    (other := memory / "phx-rehearsal-of-another").mkdir()
    places = []

    def run_in(settings: Settings) -> None:
        places.append(settings.data_dir.parent.parent)
        if places == [memory]:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(rehearsal, "_MEMORY", memory)
    monkeypatch.setattr(rehearsal, "_run_in", run_in)
    descriptor = os.open(other, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)

    rehearsal.rehearse()

    os.close(descriptor)
    assert places == [memory, Path(gettempdir())]
    assert list(memory.iterdir()) == [other]


def _files() -> Counter[Path]:
    places = list(Path("/proc/self/fd").iterdir())
    return Counter(place.readlink() for place in places if place.is_symlink())


def _handlers() -> list[object]:
    return [signal.getsignal(it) for it in sorted(signal.valid_signals())]


def _settings() -> dict[str, str]:
    named = ("PHX_", "DAGSTER_")  # to import OpenCV changes others
    return {name: it for name, it in os.environ.items() if name.startswith(named)}
