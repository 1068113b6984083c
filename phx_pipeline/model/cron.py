"""Whether a text says when to do something, in the five fields of cron.

What a schedule makes of it is Dagster's; here a wrong one is found before it is handed
over.
"""

import re
from typing import Final

HOW: Final = "five fields of numbers, such as `0 6 * * *` (every day at 6:00), or `off`"
_FIELDS: Final = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_PART = re.compile(r"(?:\*|(\d{1,2})(?:-(\d{1,2}))?)(?:/(\d{1,2}))?")


def is_cron(text: str) -> bool:
    """Whether *text* has minute, hour, day, month and weekday, each within its range.

    Each is `*`, a number, a range `1-5`, one of these with a step such as `/2`, or
    several of all that, separated by commas. Names of days and months are none.
    """
    parts = text.split()
    return len(parts) == len(_FIELDS) and all(
        all(_is_part(one, low=low, high=high) for one in part.split(","))
        for part, (low, high) in zip(parts, _FIELDS, strict=True)
    )


def _is_part(text: str, *, low: int, high: int) -> bool:
    found = _PART.fullmatch(text)
    if found is None:
        return False
    first, last, step = (int(it) if it else None for it in found.groups())
    if first is not None and not low <= first <= high:
        return False
    if last is not None and not (first or 0) <= last <= high:
        return False
    return step is None or step > 0
