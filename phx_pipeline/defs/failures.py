"""Our errors as Dagster failures: what happened, and never an automatic retry.

Dagster retries in two places that matter here: a step by its `RetryPolicy` (we set
none), and a run by the daemon, which is told in `dagster.yaml` to retry crashed runs
only. A failure raised on purpose is therefore final until somebody acts.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import dagster as dg
from dagster_shared.error import SerializableErrorInfo

from phx_pipeline.defs.internals import DagsterUserCodeProcessError
from phx_pipeline.defs.partitions import requested_house
from phx_pipeline.defs.tags import requested_mode
from phx_pipeline.errors import PhxError
from phx_pipeline.model.property import Property
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.runs import recorded
from phx_pipeline.stages.surprise import known

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unopened:
    """Takes the place of stores that could not be opened for a run."""

    reason: PhxError


class ToldError(DagsterUserCodeProcessError, dg.Failure):
    """A failure that Dagster shows as its sentence alone, and never retries."""

    def __init__(
        self,
        sentence: str,
        *,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        shown = SerializableErrorInfo(message=sentence, stack=[], cls_name=None)
        super().__init__(  # type: ignore[no-untyped-call]  # Dagster's
            sentence,
            metadata=metadata,
            allow_retries=False,
            user_code_process_error_infos=[shown],
        )


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
        raise ToldError(told) from None


@contextmanager
def at_work(
    context: dg.AssetExecutionContext, pipeline: StageContext | Unopened
) -> Iterator[Property]:
    """Give the property a run was launched for; record the run, explain its failure."""
    with explained():
        if isinstance(pipeline, Unopened):
            raise pipeline.reason
        house = requested_house(context, pipeline)
        with recorded(pipeline, house.slug, mode=requested_mode(context)):
            yield house
