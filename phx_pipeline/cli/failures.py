"""What a command says of one house that failed amid others."""

import logging

from phx_pipeline.cli.console import errors
from phx_pipeline.model.printable import printable

logger = logging.getLogger(__name__)


def tell_failure(slug: str, error: Exception) -> None:
    """Tell why a house failed, so that the next one can be taken.

    Raises:
        PhxError: the next one would meet the same.
    """
    from phx_pipeline.stages.surprise import known

    told = known(error)
    if told is None:
        surprise = printable(f"{type(error).__name__}: {error}")
        errors.print(f"{slug}: stopped by {surprise} (-v shows where)", soft_wrap=True)
        logger.info("%s", slug, exc_info=error)
    elif told.stops_all:
        raise told from error
    else:
        errors.print(f"{slug}: {told}", soft_wrap=True)
