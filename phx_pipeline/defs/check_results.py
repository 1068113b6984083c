"""The result of a check, which asks Dagster once what the checks of a step judge.

Dagster looks for the materialization that a check is about once for each check, and
once more to learn the check's name: a run of ten checks asks twenty times the same.
"""

from typing import Any, Final

import dagster as dg

_ASKED: Final = "phx_asked"
_RESULT: Final = "result"  # the output of each of our assets


class CheckResult(dg.AssetCheckResult):
    """What Dagster's is; it keeps what was found at the step, for the other checks."""

    def _get_partitioned_target_materialization_data(
        self, step_context: Any, asset_key: dg.AssetKey, partition_key: str
    ) -> Any:
        # Until the step has stored its own materialization another one is the newest.
        about = (asset_key, partition_key, step_context.has_seen_output(_RESULT))
        asked = vars(step_context).setdefault(_ASKED, {})
        if about not in asked:
            asked[about] = super()._get_partitioned_target_materialization_data(
                step_context, asset_key, partition_key
            )
        return asked[about]
