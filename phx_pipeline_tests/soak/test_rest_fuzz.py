"""Thousands of made-up requests: none is answered by an error of the service."""

from dataclasses import replace
from pathlib import Path

import pytest

from phx_pipeline.settings import load_settings
from phx_pipeline_tests.deployment import SMALLEST, collected_whole, with_shots
from phx_pipeline_tests.rest_fuzz import fuzz, operations

EXAMPLES = 400
HOUSE = with_shots(SMALLEST, 0, 2)


@pytest.mark.soak
def test_no_request_is_answered_by_an_error_of_ours(tmp_path: Path) -> None:
    root = collected_whole(tmp_path / "made", HOUSE)
    settings = replace(load_settings({}), data_dir=root / "data", browser="off")

    with operations(settings) as found:
        for operation in found:
            fuzz(operation, examples=EXAMPLES)

    assert len(found) > 12
