"""`extraction_state.json`: which properties are done, which failed, when asked last."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime

from phx_pipeline.exports.times import phoenix_time, phoenix_time_or_none
from phx_pipeline.model.run import RunOutcome, RunRecord

_FAILED = frozenset({RunOutcome.NOTHING, RunOutcome.FAILED})


def render_extraction_state(
    last_ends: Iterable[RunRecord], *, last_checked: Mapping[str, datetime]
) -> str:
    """Return the state of all properties, sorted by address.

    A property whose last run was partial stands in neither list: it is to be retried.

    Args:
        last_ends: the last run of each property that came to an end.
        last_checked: when a source was last asked, by address.
    """
    ends = sorted(last_ends, key=lambda record: record.address)
    complete = [it.address for it in ends if it.outcome is RunOutcome.COMPLETE]
    times = [*last_checked.values(), *(it.ended_at for it in ends if it.ended_at)]
    document = {
        "completed_properties": complete,
        "failed_properties": [it.address for it in ends if it.outcome in _FAILED],
        "property_last_checked": {
            address: phoenix_time(at) for address, at in sorted(last_checked.items())
        },
        "last_updated": phoenix_time_or_none(max(times, default=None)),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
