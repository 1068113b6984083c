"""Commands that only show something load nothing that only runs need."""

import os

import pytest

from phx_pipeline.settings import Settings
from phx_pipeline_tests.loading import READING, modules_of

# What reads pages, names, decodes or compares pictures, asks sites, runs, or migrates.
HEAVY = (
    *("phx_pipeline.stages.context", "phx_pipeline.dedup", "phx_pipeline.exports"),
    *("phx_pipeline.imaging.decode", "phx_pipeline.imaging.resize"),
    *("phx_pipeline.categorize.listing_text", "phx_pipeline.categorize.embedded"),
    *("phx_pipeline.sources.head", "phx_pipeline.sources.whose"),
    *("phx_pipeline.sources.redfin.asking", "phx_pipeline.sources.redfin.listings"),
    *("phx_pipeline.sources.zillow.asking", "phx_pipeline.sources.zillow.payload"),
    "phx_pipeline.sources.maricopa.asking",
    *("phx_pipeline.sources.phoenix_mls.idx_listing", "html.parser"),
    "phx_pipeline.sources.phoenix_mls.licensed",
    *("phx_pipeline.fetch.chain", "phx_pipeline.fetch.clients.curl"),
    *("numpy", "PIL", "cv2", "onnx", "onnxruntime", "pandas", "psutil"),
    *("curl_cffi", "httpx", "nodriver", "websockets", "stamina"),
    *("dagster", "alembic", "fastapi", "starlette", "uvicorn"),
    "sqlalchemy.dialects.postgresql",
)
# These alone tell what each source lacks here, which its adapter knows.
TELL_OF_SOURCES = {"status", "sources", "digest"}
ADAPTERS = ("phx_pipeline.sources.border", "phx_pipeline.sources.redfin")


def _is_below(name: str, heavy: tuple[str, ...]) -> bool:
    return any(name == it or name.startswith(f"{it}.") for it in heavy)


def test_commands_that_read_load_nothing_that_only_runs_need(
    healthy: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHX_DATA_DIR", str(healthy.data_dir))

    found = modules_of(READING, os.environ)

    assert {name: code for name, (code, _) in found.items()} == dict.fromkeys(
        READING, 0
    )
    for command, (_, names) in found.items():
        heavy = HEAVY if command in TELL_OF_SOURCES else (*HEAVY, *ADAPTERS)
        assert "phx_pipeline.catalog.store" in names, command
        assert [it for it in names if _is_below(it, heavy)] == [], command
