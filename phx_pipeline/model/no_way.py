"""How it is told that this machine reached nobody, and how that is known again."""

from collections.abc import Iterable
from typing import Final

OFFLINE: Final = (
    "offline: no source can be reached from this machine, which seems to have no "
    "network; connect it, then run the same command again"
)
_NO_WAY: Final = "no way there: "


def no_way(why: str) -> str:
    """Say that this machine found no way to a host, which tells nothing about it."""
    return f"{_NO_WAY}{why}"


def all_tell_no_way(details: Iterable[str]) -> bool:
    """Whether all there are tell, in the words of `no_way`, that nobody was reached."""
    told = [_NO_WAY in detail for detail in details]
    return bool(told) and all(told)
