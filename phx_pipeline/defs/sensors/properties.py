"""Sensor `reconcile_properties`: partitions follow the catalogue's properties."""

import dagster as dg

from phx_pipeline.defs.partitions import PROPERTIES
from phx_pipeline.settings import load_settings
from phx_pipeline.wiring import build_catalog


@dg.sensor(
    minimum_interval_seconds=10,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Adds a partition for every property of the catalogue.",
)
def reconcile_properties(
    context: dg.SensorEvaluationContext,
) -> dg.SensorResult | dg.SkipReason:
    """Add the partitions that are missing."""
    catalog = build_catalog(load_settings())
    try:
        wanted = catalog.slugs()
    finally:
        catalog.close()
    name = str(PROPERTIES.name)
    missing = sorted(set(wanted) - set(context.instance.get_dynamic_partitions(name)))
    if not missing:
        return dg.SkipReason(f"all {len(wanted)} properties have their partition")
    return dg.SensorResult(
        dynamic_partitions_requests=[PROPERTIES.build_add_request(missing)]
    )
