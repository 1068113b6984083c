"""Properties as dynamic partitions; the key is the property's slug."""

import dagster as dg

from phx_pipeline.errors import InputError
from phx_pipeline.model.property import Property
from phx_pipeline.stages.context import StageContext

OWNERS = ["team:phx_pipeline"]
PROPERTIES = dg.DynamicPartitionsDefinition(name="property")


def requested_house(
    context: dg.AssetExecutionContext, pipeline: StageContext
) -> Property:
    """Return the property a run was launched for.

    The stock CLI and GraphQL accept a missing or unknown key, so each step checks.

    Raises:
        InputError: no key, or one the catalogue does not know; tells the remedy.
    """
    if not context.has_partition_key:
        raise InputError(
            "the run has no partition key: launch it with "
            """--tags '{"dagster/partition": "KEY"}' (keys: `phx properties list`)"""
        )
    return pipeline.house(context.partition_key)
