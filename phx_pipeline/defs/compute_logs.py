"""What the process of a run writes, kept in files and shown as it is written.

Dagster has a `tail` show the file of each stream, and a Python beside it that waits for
the run to die: four processes for each run. A thread shows as much. How the files are
named, read and deleted belongs to Dagster.
"""

import io
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import copyfileobj
from threading import Event, Thread
from typing import Any, BinaryIO, Final

from dagster._core.execution.compute_logs import redirect_to_file
from dagster._core.storage.compute_log_manager import CapturedLogContext
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager

_SHOWN_AFTER_S: Final = 0.5
_LAST_S: Final = 10.0  # for the rest to be shown; the file has it anyway


class ComputeLogs(LocalComputeLogManager):
    """Dagster's files of what runs write, without a process to show them."""

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> "ComputeLogs":
        """Make it as `dagster.yaml` says: as Dagster makes its own."""
        return cls(inst_data=inst_data, **config_value)

    @contextmanager
    def capture_logs(self, log_key: Sequence[str]) -> Iterator[CapturedLogContext]:
        """Keep both streams of this process meanwhile."""
        out = Path(self.get_captured_local_path(log_key, "out"))
        err = Path(self.get_captured_local_path(log_key, "err"))
        with _kept(sys.stdout, out), _kept(sys.stderr, err):
            yield CapturedLogContext(log_key)
        Path(self.get_captured_local_path(log_key, "complete")).touch()


@contextmanager
def _kept(stream: Any, file: Path) -> Iterator[None]:
    """Write *stream* into *file*, and show what is there where it went before."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()
    try:
        screen = os.dup(stream.fileno())
    except (io.UnsupportedOperation, AttributeError):  # a test's, which is no file
        yield
        return
    with os.fdopen(screen, "wb", buffering=0) as shown, file.open("rb") as written:
        written.seek(0, os.SEEK_END)  # a run that goes on was shown before
        ended = Event()
        showing = Thread(target=_show, args=(written, shown, ended), daemon=True)
        showing.start()
        try:
            with redirect_to_file(stream, file):
                yield
        finally:
            ended.set()
            showing.join(_LAST_S)  # whoever reads may have been paused


def _show(written: BinaryIO, shown: BinaryIO, ended: Event) -> None:
    is_last = False
    with suppress(OSError, ValueError):  # nobody looks any more
        while not is_last:
            is_last = ended.wait(_SHOWN_AFTER_S)
            copyfileobj(written, shown)
