"""Who may be shown a medium of a licensed feed, by the words that the feed says of it.

What becomes of one that may not be shown is told where media are read.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from phx_pipeline.model.reso import Permission, word_of
from phx_pipeline.sources.json_values import JsonObject
from phx_pipeline.sources.phoenix_mls.licensed import is_false
from phx_pipeline.sources.stated import text

UNKNOWN_WORDS: Final = "with a permission in unknown words"
_SHOWN_TO_ALL = frozenset({Permission.IDX, Permission.PUBLIC})
_MOST_WORDS = 10


def denied(entry: JsonObject, names: Iterable[str] = ("Permission",)) -> str:
    """Return why a medium may not be held, if the feed says that it may not.

    Args:
        entry: the medium.
        names: the members with words on it, any of which may deny it.
    """
    if is_false(entry.get("MlgCanView")):
        return "the feed lets it be seen no more (MlgCanView is false)"
    if text(entry.get("MediaStatus")).lower() == "deleted":
        return "the feed has deleted it (MediaStatus Deleted)"
    for name in names:
        known = [word_of(Permission, word) for word in _words(entry.get(name))]
        told = [str(word) for word in known if word]
        if told and len(told) == len(known) and not _SHOWN_TO_ALL.intersection(known):
            return f"its licence lets it be shown to few ({name} {', '.join(told)})"
    return ""


def is_silent(entry: JsonObject, name: str = "Permission") -> bool:
    """Whether a medium has no word in the member *name*."""
    return not _words(entry.get(name))


def is_shown_to_all(entry: JsonObject, name: str = "Permission") -> bool:
    """Whether a word lets all see it, whatever other words there are."""
    known = (word_of(Permission, word) for word in _words(entry.get(name)))
    return any(word in _SHOWN_TO_ALL for word in known)


def _words(said: object) -> Sequence[str]:
    """The words on who may see it: in a list, or in a text with commas."""
    words = said[:_MOST_WORDS] if isinstance(said, list) else [said]
    told = (word.strip() for each in words for word in re.split("[,;]", text(each)))
    return [word for word in told if word]
