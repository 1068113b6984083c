"""Which tags somebody may give to what is launched over HTTP.

Everything of ours and of Dagster believes the tags of a run: whose job it is of, what
made it, whether it was launched before. So whoever launches gives those alone that
choose what is run, and tags of other names, which nobody reads.

Those that the server itself puts to a launch are in `launches`.
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Final

from phx_pipeline.errors import InputError
from phx_pipeline.model.printable import printable
from phx_pipeline.model.run_queue import HASTENED, MOST_BY_HAND

_MOST_LETTERS: Final = 255  # a column of Dagster's on PostgreSQL holds no more
_LONGEST_TOLD: Final = 60
_UNWRITABLE: Final = frozenset({"Cc", "Cs"})  # controls, halves of surrogate pairs

_OURS_AND_DAGSTERS: Final = ("dagster", ".dagster", "phx/")
_PART_OF_KEY: Final = "dagster/partition/"
_PRIORITY: Final = "dagster/priority"
_CHOSEN: Final = frozenset(
    {
        "phx/sources",
        "phx/mode",
        "phx/isolation",
        _PRIORITY,
        "dagster/partition",
        "dagster/partition_set",
        "dagster/asset_partition_range_start",
        "dagster/asset_partition_range_end",
        "dagster/preset_name",
        "dagster/op_selection",
        "dagster/solid_selection",
        "dagster/step_selection",
        "dagster/from_ui",
        "dagster/is_resume_retry",
        "dagster/parent_run_id",
        "dagster/root_run_id",
    }
)
_NUMBER: Final = re.compile(r"-?[0-9]{1,3}")


def is_chosen(tag: Mapping[str, Any]) -> bool:
    """Whether a tag of a launch stays; one that nobody may give is left out.

    The UI sends all tags of a run that is executed again, so such a one is no fault.

    Raises:
        InputError: the tag stays, and cannot be stored or read.
    """
    key, value = tag.get("key"), tag.get("value")
    if not (isinstance(key, str) and isinstance(value, str)):
        return True  # Dagster refuses it
    is_reserved = key.lower().startswith(_OURS_AND_DAGSTERS)
    if is_reserved and key not in _CHOSEN and not key.startswith(_PART_OF_KEY):
        return False
    _require_storable(key, value)
    if key == _PRIORITY and not _is_priority(value):
        raise InputError(
            f"the tag {key} says {_told(value)}: give a whole number of at most "
            f"{MOST_BY_HAND}"
        )
    return True


def _is_priority(value: str) -> bool:
    """Whether a run may be given it; pages copy the number of a job's run, too."""
    return bool(_NUMBER.fullmatch(value)) and int(value) <= HASTENED


def _require_storable(key: str, value: str) -> None:
    for what, text in (("name", key), ("value", value)):
        if len(text) > _MOST_LETTERS:
            raise InputError(
                f"the {what} of the tag {_told(key)} has {len(text)} letters: give at "
                f"most {_MOST_LETTERS}"
            )
        if any(unicodedata.category(letter) in _UNWRITABLE for letter in text):
            raise InputError(
                f"the {what} of the tag {_told(key)} holds a control character: give "
                "plain text"
            )


def _told(text: str) -> str:
    return repr(printable(text, most=_LONGEST_TOLD))
