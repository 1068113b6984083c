"""Decodes files in a process of its own, and tells what each cost.

    python -m phx_pipeline_tests.decoding_judge

A line with a file's name is answered by a line of JSON; the pixels of a picture, three
bytes each, are left beside it, with `.rgb` behind the name. Sizes of icons are let in.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from phx_pipeline.errors import ImageError
from phx_pipeline.imaging import decode as decoding
from phx_pipeline.imaging.standardize import standardize

_STATUS = Path("/proc/self/status")
_FORGET_PEAK = "5"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """How decoding a file, and making its PNG, ended; `size` is that of a picture."""

    verdict: str
    detail: str
    cpu_s: float
    grown_mib: float
    size: tuple[int, int] | None = None


class Judge:
    """The process; asked for one file at a time, and started anew if it dies."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def judge(self, file: Path) -> Judged:
        """Tell of one file; a verdict of `crash` is no verdict of ours."""
        process = self._process or self._started()
        if process.stdin is None or process.stdout is None:
            raise AssertionError("both are pipes")
        process.stdin.write(f"{file}\n")
        process.stdin.flush()
        if answer := process.stdout.readline():
            return Judged(**json.loads(answer))
        self.close()
        return Judged(verdict="crash", detail="", cpu_s=0, grown_mib=0)

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _started(self) -> subprocess.Popen[str]:
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and program
            [sys.executable, "-W", "ignore", "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self._process


@contextmanager
def open_judge() -> Iterator[Judge]:
    """Lend a judge, and end its process."""
    judge = Judge()
    try:
        yield judge
    finally:
        judge.close()


def _main() -> None:
    decoding.MIN_SIDE = 1  # type: ignore[misc]  # test images are small
    decoding.MAX_ASPECT = 1_000_000  # type: ignore[misc]
    for line in sys.stdin:
        judged = _judged(Path(line.rstrip("\n")))
        sys.stdout.write(json.dumps(asdict(judged)) + "\n")
        sys.stdout.flush()


def _judged(file: Path) -> Judged:
    body = file.read_bytes()
    Path("/proc/self/clear_refs").write_text(_FORGET_PEAK)
    before, start = _kib("VmRSS"), time.process_time()
    found = _decoded(body)
    spent = time.process_time() - start
    grown = (_kib("VmHWM") - before) / 1024
    if isinstance(found, ImageError):
        verdict, detail, size = str(found.verdict), str(found), None
    else:
        verdict, detail, size = "picture", found.media_type, found.image.size
        file.with_name(f"{file.name}.rgb").write_bytes(found.image.tobytes())
    return Judged(
        verdict=verdict, detail=detail, cpu_s=spent, grown_mib=grown, size=size
    )


def _decoded(body: bytes) -> decoding.Picture | ImageError:
    try:
        picture = decoding.decode(body)
        standardize(picture)
    except ImageError as error:
        return error
    return picture


def _kib(name: str) -> int:
    lines = _STATUS.read_text().splitlines()
    return int(next(line for line in lines if line.startswith(f"{name}:")).split()[1])


if __name__ == "__main__":
    _main()
