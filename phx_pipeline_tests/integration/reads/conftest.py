"""Reads of an empty catalogue, on both databases."""

from pathlib import Path

import pytest

from phx_pipeline.catalog.store import Catalog
from phx_pipeline.model.source import Source
from phx_pipeline.reads.base import Reads
from phx_pipeline.sources.standing import circuits_of
from phx_pipeline.storage.layout import Layout
from phx_pipeline_tests.integration.conftest import STAMP


@pytest.fixture
def reads(catalog: Catalog, tmp_path: Path) -> Reads:
    return Reads(
        catalog=catalog,
        layout=Layout(tmp_path),
        enabled=(Source.REDFIN,),
        means=dict,
        circuits=circuits_of({}, catalog.policies.source_states, has_browser=False),
        recipe="made-for-tests",
        final_after_days=1,
        clock=lambda: STAMP.at,
        typed_address=lambda _: None,
    )
