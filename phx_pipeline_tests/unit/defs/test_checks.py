"""What the checks call unusual, at its edges."""

import dagster as dg
import pytest

from phx_pipeline.defs.checks import large_batch, many_duplicates
from phx_pipeline.model.run import Change, RunResult, SourceResult
from phx_pipeline.model.source import Source


def run_with(*, new: int = 0, duplicates: int = 0) -> RunResult:
    """A run that found so many, over two sources, beside photos known before."""
    counts = {Change.NEW: new, Change.UNCHANGED: 500, Change.REJECTED: 90}
    other = {Change.DUPLICATE: duplicates}
    return RunResult(
        sources=(
            SourceResult(source=Source.REDFIN, counts=counts),
            SourceResult(source=Source.ZILLOW, counts=other),
        )
    )


@pytest.mark.parametrize(("new", "usual"), [(0, True), (100, True), (101, False)])
def test_more_than_a_hundred_new_pictures_are_a_large_batch(
    new: int, *, usual: bool
) -> None:
    result = large_batch(run_with(new=new, duplicates=200))

    assert (result.passed, result.severity) == (usual, dg.AssetCheckSeverity.WARN)
    assert result.metadata["new_pictures"].value == new


@pytest.mark.parametrize(
    ("new", "duplicates", "usual"),
    [
        (0, 0, True),
        (1, 10, True),
        (1, 11, False),
        (4, 8, True),
        (3, 9, False),
        (0, 12, False),
        (30, 60, True),
        (30, 61, False),
    ],
    ids=[
        "nothing new",
        "too few to judge",
        "just enough to judge",
        "two thirds",
        "three quarters",
        "all of them",
        "three sources with the same gallery",
        "one more than three galleries explain",
    ],
)
def test_more_duplicates_than_three_sources_explain_are_many(
    new: int, duplicates: int, *, usual: bool
) -> None:
    result = many_duplicates(run_with(new=new, duplicates=duplicates))

    assert (result.passed, result.severity) == (usual, dg.AssetCheckSeverity.WARN)
    assert result.metadata["new_photos"].value == new + duplicates
