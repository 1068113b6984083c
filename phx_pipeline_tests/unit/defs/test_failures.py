"""A step ends with one sentence, and Dagster does not try it again."""

import errno
import re

import dagster as dg
import pytest

from phx_pipeline.defs.failures import explained
from phx_pipeline.errors import StorageError

FULL = OSError(errno.ENOSPC, "No space left", "/data/x")


def step(error: Exception) -> None:
    with explained():
        raise error


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (StorageError("blob is missing"), r"^blob is missing$"),
        (FULL, r"^/data/x: the disk is full; make room [^\n]*$"),
        (ExceptionGroup("photos", [FULL]), r"^/data/x: the disk is full"),
    ],
)
def test_what_is_known_fails_the_step_with_a_sentence(
    error: Exception, told: str
) -> None:
    with pytest.raises(dg.Failure) as failure:
        step(error)

    assert re.match(told, failure.value.description or "")
    assert not failure.value.allow_retries


def test_a_bug_keeps_its_traceback() -> None:
    with pytest.raises(KeyError):
        step(KeyError("a bug"))
