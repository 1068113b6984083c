"""A bundle is on the disk whole or not at all."""

import os
import signal
from pathlib import Path

import pytest

from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.model.source import Source
from phx_pipeline.stages import source_check
from phx_pipeline.stages.source_check import read_bundle
from phx_pipeline_tests.commands import Phx
from phx_pipeline_tests.deployment import SMALLEST, Deployment
from phx_pipeline_tests.integration.disk.conftest import SmallDisk

REDFIN = (Source.REDFIN,)


def test_a_full_disk_is_told_and_leaves_nothing_half(
    small_disk: SmallDisk, tmp_path: Path, phx_on: Phx
) -> None:
    with Deployment(tmp_path, redfin_sites([SMALLEST]), sources=REDFIN) as made:
        made.add_houses([SMALLEST])
        (made.settings.data_dir / "checks").symlink_to(small_disk.folder)
        small_disk.fill()

        ended = phx_on(made, "sources", "check")

        assert ended.code == 1
        assert "the disk is full; make room" in ended.err
        assert not any(small_disk.folder.rglob("*redfin*/*"))
        small_disk.make_room()
        assert phx_on(made, "sources", "check").code == 0


def test_what_a_killed_writer_left_goes_with_the_next_check(
    tmp_path: Path, phx_on: Phx, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Deployment(tmp_path, redfin_sites([SMALLEST]), sources=REDFIN) as made:
        made.add_houses([SMALLEST])
        folder = made.settings.data_dir / "checks" / "redfin"
        if (child := os.fork()) == 0:
            try:
                monkeypatch.setattr(os, "replace", _dies)
                phx_on(made, "sources", "check")
            finally:
                os._exit(1)
        _, status = os.waitpid(child, 0)
        left = list(folder.iterdir())
        monkeypatch.setattr(source_check, "_LEFTOVER_S", -60.0)

        ended = phx_on(made, "sources", "check")

        assert os.WTERMSIG(status) == signal.SIGKILL
        assert [it.suffix for it in left] == [".tmp"]
        assert ended.code == 0
        (bundle,) = folder.iterdir()
        assert read_bundle(bundle).source is Source.REDFIN


def _dies(*_arguments: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)
