"""Which setting each number of a run is."""

from dataclasses import replace
from pathlib import Path

import pytest

from phx_pipeline.settings import load_settings
from phx_pipeline.wiring.reads import build_reads, max_side
from phx_pipeline.wiring.runs import build_context, reads_of
from phx_pipeline_tests.deployment import Deployment

OF_A_RUN = {
    "downloads": 2,
    "final_after_days": 5,
    "lease_wait_s": 7,
    "max_side": 640,
    "stale_days": 3,
    "user": "ann",
}


def test_each_number_of_a_run_is_that_of_its_setting(tmp_path: Path) -> None:
    with Deployment(tmp_path, {}, **OF_A_RUN) as made:
        context = build_context(made.settings, run_id="test")
        reads = reads_of(context)
        others = build_reads(made.settings, catalog=context.catalog)
        context.catalog.close()

    found = {name: getattr(context, name) for name in OF_A_RUN.keys() - {"user"}}
    assert found | {"user": context.who} == OF_A_RUN
    assert [it.final_after_days for it in (reads, others)] == [5, 5]
    assert [it.recipe for it in (reads, others)] == [context.recipe] * 2


@pytest.mark.parametrize(("image_format", "side"), [("original", None), ("png", 640)])
def test_originals_are_published_at_their_own_size(
    image_format: str, side: int | None
) -> None:
    settings = replace(load_settings({}), image_format=image_format, max_side=640)

    assert max_side(settings) == side
