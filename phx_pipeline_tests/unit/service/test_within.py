"""Work that may last longer than an answer."""

from threading import Event

import pytest

from phx_pipeline.service.api.within import within


def test_what_lasts_too_long_goes_on_by_itself() -> None:
    free, ended = Event(), Event()

    def last() -> int:
        free.wait(10)
        ended.set()
        return 7

    assert within(0.01, last) is None
    assert not ended.is_set()
    free.set()
    assert ended.wait(10)


def test_what_is_done_or_raised_in_time_is_told() -> None:
    def fails() -> None:
        raise TimeoutError("of the work")

    assert within(10, lambda: 7) == 7
    with pytest.raises(TimeoutError, match="of the work"):
        within(10, fails)
