"""A machine without a browser: everything else works, and one line says what lacks."""

import os
import subprocess
from pathlib import Path

import pytest

from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.demo.zillow_site import zillow_sites
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.source import Source
from phx_pipeline.sources.zillow.standin import PAGE_HOST
from phx_pipeline_tests.deployment import (
    ROOT,
    SMALLEST,
    Deployment,
    slug_of,
    with_shots,
)

HOUSE = with_shots(SMALLEST, 0, 2)

NO_NODRIVER = """
import sys


class Gone:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "nodriver":
            raise ModuleNotFoundError("No module named 'nodriver'", name=name)


sys.meta_path.insert(0, Gone())
"""


def phx(made: Deployment, blocker: Path, *arguments: str, path: str) -> str:
    """Run `phx` where nodriver cannot be imported and programs are found in *path*."""
    env = made.env | {"PATH": path, "PYTHONPATH": str(blocker), "HOME": "/nonexistent"}
    done = subprocess.run(  # noqa: S603 - the tests' own commands
        made.command(*arguments),
        env=env,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    ("path", "module", "lacks"),
    [
        (os.environ["PATH"], NO_NODRIVER, "the package nodriver is not installed"),
        pytest.param("", "", "install Chromium", marks=pytest.mark.soak),
    ],
    ids=["no nodriver", "no Chromium"],
)
def test_what_plain_http_gets_is_had_and_a_refusal_tells_what_is_missing(
    tmp_path: Path, path: str, module: str, lacks: str
) -> None:
    blocker = tmp_path / "blocker"
    blocker.mkdir()
    (blocker / "sitecustomize.py").write_text(module)
    sites = {**redfin_sites([HOUSE]), **zillow_sites(blocked=frozenset({PAGE_HOST}))}
    sources = (Source.ZILLOW, Source.REDFIN)
    with Deployment(tmp_path / "store", sites, sources=sources, browser="auto") as made:
        made.add_houses([HOUSE])

        told = phx(made, blocker, "extract", "--all", "--sync", path=path)
        status = phx(made, blocker, "status", path=path)
        with made.context() as context:
            outcomes = {it.source: it for it in context.tally(slug_of(HOUSE)).sources}

    assert outcomes[Source.REDFIN].outcome is ListingOutcome.LISTED
    assert outcomes[Source.ZILLOW].outcome is ListingOutcome.BLOCKED
    assert lacks in outcomes[Source.ZILLOW].detail
    for text in (told, status):
        (line,) = (line for line in text.splitlines() if line.startswith("open: "))
        assert lacks in line
        assert "phx ingest" in line
        assert "not before" in line
    assert "Traceback" not in told + status
