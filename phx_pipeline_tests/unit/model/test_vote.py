import math
from collections.abc import Mapping

import pytest

from phx_pipeline.model.taxonomy import Subject
from phx_pipeline.model.vote import Vote


@pytest.mark.parametrize(
    ("probabilities", "outside"),
    [
        ({Subject.POOL: 1.1}, None),
        ({Subject.POOL: -0.1}, None),
        ({Subject.POOL: math.nan}, None),
        ({Subject.POOL: 0.6, Subject.ROOF: 0.5}, None),
        ({Subject.UNKNOWN: 0.5}, None),
        ({}, 1.5),
    ],
)
def test_what_are_no_probabilities_is_refused(
    probabilities: Mapping[Subject, float], outside: float | None
) -> None:
    with pytest.raises(ValueError, match="clip: "):
        Vote(backend="clip", version="1", probabilities=probabilities, outside=outside)
