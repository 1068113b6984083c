"""Sensor `reconcile_properties`: partitions follow the catalogue's properties."""

import dagster as dg

from phx_pipeline.defs.partitions import PROPERTIES, changes
from phx_pipeline.defs.stores import Stores
from phx_pipeline.model.counted import counted


@dg.sensor(
    minimum_interval_seconds=10,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Keeps one partition for every property of the catalogue.",
)
def reconcile_properties(
    context: dg.SensorEvaluationContext, stores: dg.ResourceParam[Stores]
) -> dg.SensorResult | dg.SkipReason:
    """Add the partitions that are missing, delete those nobody follows any more.

    The history of a deleted one stays in the event log.
    """
    name = str(PROPERTIES.name)
    # Before the catalogue is read: a property is there before its partition is.
    there = context.instance.get_dynamic_partitions(name)
    with stores.catalog() as catalog:
        wanted = catalog.slugs()
    missing, left_over = changes(there, wanted)
    requests: list[
        dg.AddDynamicPartitionsRequest | dg.DeleteDynamicPartitionsRequest
    ] = []
    if missing:
        requests.append(PROPERTIES.build_add_request(missing))
    if left_over:
        requests.append(PROPERTIES.build_delete_request(left_over))
    if not requests:
        return dg.SkipReason(
            f"no partition is missing: {counted(len(wanted), 'property')}"
        )
    return dg.SensorResult(dynamic_partitions_requests=requests)
