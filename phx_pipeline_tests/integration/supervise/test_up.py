"""`phx up` in a terminal that closes."""

import os
import pty
import signal
import subprocess
from pathlib import Path

import pytest

from phx_pipeline.supervise.addresses import free_port
from phx_pipeline.supervise.lock import running
from phx_pipeline.supervise.state import state
from phx_pipeline.supervise.strays import strays
from phx_pipeline_tests.deployment import Deployment
from phx_pipeline_tests.served import wait_for

pytestmark = pytest.mark.xdist_group("dagster")


def test_a_terminal_that_closes_takes_everything_with_it(tmp_path: Path) -> None:
    with Deployment(tmp_path, {}, webserver_port=free_port()) as made:
        screen, keyboard = pty.openpty()
        process = subprocess.Popen(  # noqa: S603 - the tests' own command
            ["/usr/bin/setsid", "--ctty", *made.command("up")],
            env=made.env,
            stdin=keyboard,
            stdout=keyboard,
            stderr=keyboard,
            preexec_fn=obey_hangup,  # noqa: PLW1509 - no thread runs here
        )
        os.close(keyboard)
        try:
            wait_for(lambda: all_answer(made, process) or None)
        finally:
            os.close(screen)
            process.wait(timeout=60)

        assert running(made.settings) is None
        assert strays(made.settings) == []


def obey_hangup() -> None:
    # Tests that were started with `nohup` would hand on that it is ignored.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def all_answer(made: Deployment, process: "subprocess.Popen[bytes]") -> bool:
    assert process.poll() is None
    found = state(made.settings)
    return bool(found and len(found.answers) == 3 and all(found.answers.values()))
