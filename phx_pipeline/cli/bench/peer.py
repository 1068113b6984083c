"""img2dataset's resizer in a process of its own: its libraries need not be ours."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from phx_pipeline.cli.console import errors
from phx_pipeline.errors import InputError

# A line with a length, then a picture of as many bytes; a line of JSON for each.
_PROGRAM = """
import io, json, os, sys, time

answers = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)  # whatever a library prints
os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"
try:
    from img2dataset.resizer import Resizer
except ImportError as error:
    print(json.dumps({"missing": str(error)}), file=answers)
    sys.exit()
print(json.dumps({}), file=answers)
resize = Resizer(
    image_size=int(sys.argv[1]), resize_mode="keep_ratio_largest",
    resize_only_if_bigger=True, encode_format="png", encode_quality=1,
)
while line := sys.stdin.buffer.readline():
    picture = io.BytesIO(sys.stdin.buffer.read(int(line)))
    start = time.process_time()
    png, *_, error = resize(picture)
    spent = time.process_time() - start
    told = {"cpu_s": spent, "size_bytes": len(png or b""), "error": error}
    print(json.dumps(told), file=answers)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resized:
    """What it took to make a PNG of a picture."""

    cpu_s: float
    size_bytes: int
    error: str | None


class Peer:
    """The process; asked for one picture at a time."""

    def __init__(self, questions: IO[bytes], answers: IO[bytes]) -> None:
        self._questions = questions
        self._answers = answers

    def resize(self, body: bytes) -> Resized:
        """Scale and encode one picture."""
        self._questions.write(b"%d\n" % len(body) + body)
        self._questions.flush()
        return Resized(**self.heard())

    def heard(self) -> dict[str, Any]:
        """Return its next answer; `InputError` if it died."""
        line = self._answers.readline()
        if not line:
            raise InputError("img2dataset's process ended before its time")
        heard: dict[str, Any] = json.loads(line)
        return heard


@contextmanager
def open_peer(python: Path | None, *, max_side: int) -> Iterator[Peer | None]:
    """Start img2dataset's resizer with *python*, by default with our own.

    Yields None, and says so, when our own has none; `InputError` for any other.
    """
    command = [str(python or sys.executable), "-c", _PROGRAM, str(max_side)]
    with subprocess.Popen(  # noqa: S603 - the Python that the caller named
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        if process.stdin is None or process.stdout is None:
            raise AssertionError("both are pipes")
        peer = Peer(process.stdin, process.stdout)
        missing = peer.heard().get("missing")
        if missing and python:
            raise InputError(f"{python} has no img2dataset: {missing}")
        if missing:
            errors.print(
                "img2dataset is left out: install the extra `bench`, or name a Python "
                "that has it with --peer-python"
            )
        yield None if missing else peer
