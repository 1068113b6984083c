"""Our errors as Dagster failures: what happened, and never an automatic retry.

Dagster retries in two places that matter here: a step by its `RetryPolicy` (we set
none), and a run by the daemon, which is told in `dagster.yaml` to retry crashed runs
only. A failure raised on purpose is therefore final until somebody acts.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from phx_pipeline.errors import PhxError


@contextmanager
def explained() -> Iterator[None]:
    """Turn what the package raises on purpose into a `Failure` without retries."""
    try:
        yield
    except PhxError as error:
        raise dg.Failure(description=str(error), allow_retries=False) from error
