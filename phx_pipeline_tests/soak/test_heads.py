"""The heads that are shipped are those that the script in this repository trains."""

from pathlib import Path

import numpy as np
import pytest

from phx_pipeline.categorize import heads
from phx_pipeline_tests.bench.houses import SMALL, SUBJECTS, fit_heads, labelled

pytestmark = pytest.mark.soak


def test_training_gives_the_shipped_heads_again(tmp_path: Path) -> None:
    if not SMALL.is_dir():
        pytest.skip(f"no labelled photos in {SMALL}")
    photos = labelled(cache=tmp_path)

    fitted = fit_heads(photos.only(~photos.aside), range(len(SUBJECTS)))

    shipped = heads.shipped()
    assert fitted.subjects == shipped.subjects
    for name in ("rooms", "outdoors", "known"):
        again, was = getattr(fitted, name), getattr(shipped, name)
        assert np.allclose(again, was, rtol=1e-3, atol=1e-4 * np.abs(was).max()), name
