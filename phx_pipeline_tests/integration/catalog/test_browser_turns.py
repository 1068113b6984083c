"""One browser of a source at a time, over all processes."""

import subprocess
import sys
from contextlib import ExitStack

import pytest
import sqlalchemy as sa

from phx_pipeline.catalog.leases import Leases, process_owner
from phx_pipeline.errors import LeaseHeldError
from phx_pipeline.model.source import Source
from phx_pipeline.wiring.fetchers import LeaseTurns

ANOTHER = """
from phx_pipeline.catalog.leases import process_owner
print(process_owner("gone"))
"""


def turns(engine: sa.Engine, run: str) -> LeaseTurns:
    leases = Leases(engine, ttl_s=30)
    return LeaseTurns(leases, owner=process_owner(run), patience_s=0.0)


def test_another_run_has_no_turn_of_the_source_meanwhile(engine: sa.Engine) -> None:
    mine, others = turns(engine, "mine"), turns(engine, "other")

    with mine.hold(Source.ZILLOW), ExitStack() as stack:
        with pytest.raises(LeaseHeldError, match="browser/zillow"):
            stack.enter_context(others.hold(Source.ZILLOW))
        with others.hold(Source.REDFIN):
            pass
    with others.hold(Source.ZILLOW):
        pass


def test_the_same_run_waits_for_its_own_turn_too(engine: sa.Engine) -> None:
    mine = turns(engine, "mine")

    with (
        mine.hold(Source.ZILLOW),
        pytest.raises(LeaseHeldError),
        mine.hold(Source.ZILLOW),
    ):
        pass


def test_the_turn_of_a_dead_process_is_free(engine: sa.Engine) -> None:
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", ANOTHER], capture_output=True, text=True, check=True
    )
    Leases(engine, ttl_s=3600).acquire("browser/zillow", owner=done.stdout.strip())

    with turns(engine, "mine").hold(Source.ZILLOW):
        pass
