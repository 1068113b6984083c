"""Small disks of memory that can really be full, or not be written at all."""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallDisk:
    """A file system of its own, mounted at `folder`."""

    folder: Path
    mounts: ExitStack = field(default_factory=ExitStack)

    @property
    def _ballast(self) -> Path:
        return self.folder / "ballast"

    def fill(self) -> None:
        """Leave no byte."""
        with self._ballast.open("ab", buffering=0) as file:
            size = 1 << 16
            while size:
                try:
                    file.write(bytes(size))
                except OSError:
                    size //= 16

    def make_room(self) -> None:
        """Take back what `fill` has done."""
        self._ballast.unlink(missing_ok=True)

    def read_only(self) -> Path:
        """A second way to the same files, by which nothing can be written."""
        place = self.folder.with_name("read-only")
        place.mkdir()
        _mount("--bind", str(self.folder), str(place))
        self.mounts.callback(_unmount, place)
        _mount("-o", "remount,bind,ro", str(place))
        return place


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """A disk of 24 MiB; skips where none can be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    _mount("-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder))
    with ExitStack() as mounts:
        mounts.callback(_unmount, folder)
        yield SmallDisk(folder=folder, mounts=mounts)


def _mount(*arguments: str) -> None:
    try:
        done = subprocess.run(  # noqa: S603 - the tests' own arguments
            ["mount", *arguments],  # noqa: S607 - found on the path, as elsewhere
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        pytest.skip("there is no `mount` here")
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")


def _unmount(folder: Path) -> None:
    subprocess.run(["umount", "--lazy", folder], check=True)  # noqa: S603, S607
