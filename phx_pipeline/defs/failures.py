"""Our errors as Dagster failures: what happened, and never an automatic retry.

Dagster retries in two places that matter here: a step by its `RetryPolicy` (we set
none), and a run by the daemon, which is told in `dagster.yaml` to retry crashed runs
only. A failure raised on purpose is therefore final until somebody acts.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from phx_pipeline.defs.partitions import requested_house
from phx_pipeline.defs.tags import requested_mode
from phx_pipeline.model.property import Property
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.runs import recorded
from phx_pipeline.stages.surprise import known

logger = logging.getLogger(__name__)


@contextmanager
def explained() -> Iterator[None]:
    """Turn what has a sentence for people into a `Failure` without retries.

    That is what the package raises on purpose, and what disk or database refused. Where
    it was raised, only a log tells.
    """
    try:
        yield
    except Exception as error:
        reason = known(error)
        if reason is None:
            raise
        logger.debug("raised on purpose", exc_info=error)
        told = " ".join(str(reason).split())
        raise dg.Failure(description=told, allow_retries=False) from None


@contextmanager
def at_work(
    context: dg.AssetExecutionContext, pipeline: StageContext
) -> Iterator[Property]:
    """Give the property a run was launched for; record the run, explain its failure."""
    with explained():
        house = requested_house(context, pipeline)
        with recorded(pipeline, house.slug, mode=requested_mode(context)):
            yield house
