"""What the process of a run writes is kept, and shown while it goes on."""

import subprocess
import sys
from pathlib import Path

from phx_pipeline.defs.compute_logs import ComputeLogs

_RUN = """
import os, sys
from phx_pipeline.defs.compute_logs import ComputeLogs
with ComputeLogs(sys.argv[1]).capture_logs(["run", "compute_logs", "step"]):
    os.write(1, b"told\\n")
    sys.stderr.write("warned\\n")
    assert sys.stdin.readline() == "seen\\n"
    print("ended")
"""


def test_a_run_is_kept_in_files_and_shown_as_it_goes_on(tmp_path: Path) -> None:
    run = subprocess.Popen(  # noqa: S603 - our own code
        [sys.executable, "-P", "-c", _RUN, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert run.stdout
    assert run.stdout.readline() == "told\n"
    shown, warned = run.communicate("seen\n")

    assert (run.returncode, shown, warned) == (0, "ended\n", "warned\n")
    logs = ComputeLogs(str(tmp_path))
    kept = logs.get_log_data(["run", "compute_logs", "step"])
    assert (kept.stdout, kept.stderr) == (b"told\nended\n", b"warned\n")
    assert logs.is_capture_complete(["run", "compute_logs", "step"])
