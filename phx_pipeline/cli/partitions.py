"""What a command changed of the houses, told to Dagster before the command ends."""

import logging
from typing import TYPE_CHECKING

from phx_pipeline.cli.console import errors

if TYPE_CHECKING:
    from phx_pipeline.settings import Settings
    from phx_pipeline.stages.context import StageContext

logger = logging.getLogger(__name__)


def reconcile_partitions(context: "StageContext", settings: "Settings") -> None:
    """Give every followed house its partition, and take those of others away.

    Where Dagster was never used there is nothing to do. What cannot be done now, a
    sensor does while `phx up` runs: the command has done its work.
    """
    if not settings.dagster_dir.is_dir():  # spares the import of Dagster
        return
    from phx_pipeline.defs.partitions import reconcile
    from phx_pipeline.defs.submit import open_instance

    try:
        with open_instance(settings) as instance:
            reconcile(instance, wanted=context.catalog.slugs)
    except Exception as error:  # whatever a database of Dagster's raises
        logger.info("partitions", exc_info=error)
        told = " ".join(str(error).split())[:200]
        errors.print(
            f"Dagster's partitions follow while `phx up` runs: {told}", soft_wrap=True
        )
