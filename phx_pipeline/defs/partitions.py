"""Properties as dynamic partitions; the key is the property's slug."""

from collections.abc import Callable, Collection

import dagster as dg

from phx_pipeline.errors import InputError
from phx_pipeline.model.property import Property
from phx_pipeline.stages.context import StageContext

OWNERS = ["team:phx_pipeline"]
PROPERTIES = dg.DynamicPartitionsDefinition(name="property")


def reconcile(
    instance: dg.DagsterInstance, *, wanted: Callable[[], Collection[str]]
) -> None:
    """Make the partitions those *wanted*; the history of others stays in the event log.

    What is wanted is asked after what is there: a house is there before its partition.
    """
    name = str(PROPERTIES.name)
    missing, left_over = changes(instance.get_dynamic_partitions(name), wanted())
    if missing:
        instance.add_dynamic_partitions(name, missing)
    for key in left_over:
        instance.delete_dynamic_partition(name, key)


def changes(
    there: Collection[str], wanted: Collection[str]
) -> tuple[list[str], list[str]]:
    """Return (keys to add, keys to delete), sorted."""
    return sorted(set(wanted) - set(there)), sorted(set(there) - set(wanted))


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
