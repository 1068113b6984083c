"""What a sensor has done by another process ends, whatever it is."""

import re

import pytest

from phx_pipeline.defs.sensors.own_process import TooLongError, in_own_process

NEVER_READ = "a" * 60  # in the life of a machine


def test_it_answers_and_what_takes_too_long_is_ended() -> None:
    assert in_own_process(divmod, 7, 2, cpu_s=60, wait_s=60) == (3, 1)
    with pytest.raises(RuntimeError, match="ended with 1"):
        in_own_process(divmod, 7, 0, cpu_s=60, wait_s=60)
    with pytest.raises(TooLongError):
        in_own_process(re.match, "(a+)+b", NEVER_READ, cpu_s=0, wait_s=60)
    with pytest.raises(TimeoutError):
        in_own_process(re.match, "(a+)+b", NEVER_READ, cpu_s=60, wait_s=0)
