"""Dagster's instance as `dagster.yaml` names it: its folder follows from our settings.

It is made before Dagster reads `{env: PHX_DAGSTER_DIR}`, so the stock commands find the
stores of `phx init` by themselves, or say in one line that there are none.
"""

import sys
from collections.abc import Mapping
from typing import Any

import dagster as dg

from phx_pipeline.defs.engines import keep_engines
from phx_pipeline.defs.internals import InstanceRef
from phx_pipeline.errors import InputError
from phx_pipeline.settings import complete_environment

keep_engines()  # whoever opens the instance imports this module first


class StoredInstance(dg.DagsterInstance):
    """The instance of the stores that the settings name."""

    @classmethod
    def config_schema(cls) -> Mapping[str, Any]:
        """Complete the environment, as the first that is asked of this class."""
        try:
            complete_environment()
        except InputError as error:
            sys.exit(f"phx: {error}")
        return {}

    @classmethod
    def config_defaults(cls, base_dir: str) -> Mapping[str, Any]:
        """The defaults of every other instance."""
        return InstanceRef.config_defaults(base_dir)
