"""Which signals end `phx up`."""

import os
import signal
from collections.abc import Iterator

import pytest

from phx_pipeline.cli.up import _stop_signals

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture(autouse=True)
def _put_back() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", _SIGNALS)
def test_it_is_told_to_stop_by(number: signal.Signals) -> None:
    stop = _stop_signals()
    assert not stop.is_set()

    os.kill(os.getpid(), number)

    assert stop.is_set()


def test_under_nohup_a_terminal_that_closes_does_not_matter() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)

    stop = _stop_signals()
    os.kill(os.getpid(), signal.SIGHUP)

    assert not stop.is_set()
