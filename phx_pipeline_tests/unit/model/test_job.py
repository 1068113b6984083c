"""Whether one run does what another was asked for."""

import pytest

from phx_pipeline.model.job import JobItem, Mode
from phx_pipeline.model.source import Source

_RESUME, _FRESH = Mode.RESUME, Mode.FRESH
_Z, _R = Source.ZILLOW, Source.REDFIN


@pytest.mark.parametrize(
    ("has", "wanted", "covers"),
    [
        ((), (), True),
        ((), (_R,), True),
        ((_R,), (), False),
        ((_R,), (_R,), True),
        ((_R, _Z), (_R,), True),
        ((_R,), (_R, _Z), False),
        ((_Z,), (_R,), False),
    ],
)
@pytest.mark.parametrize(
    ("does", "asked", "enough"),
    [
        (_RESUME, _RESUME, True),
        (_FRESH, _RESUME, True),
        (_FRESH, _FRESH, True),
        (_RESUME, _FRESH, False),
    ],
)
def test_wider_sources_and_a_stronger_mode_do_what_less_would_do(
    has: tuple[Source, ...],
    wanted: tuple[Source, ...],
    does: Mode,
    asked: Mode,
    *,
    covers: bool,
    enough: bool,
) -> None:
    item = JobItem(job_id="j", slug="a", attempt=1, sources=has, mode=does)

    assert item.covers(sources=wanted, mode=asked) is (covers and enough)
