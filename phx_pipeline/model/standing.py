"""Whether runs ask a source here, in which way, and why not: in words for people.

How a source that is asked fares, such as that it rests, is told by `model.circuit`.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Whether runs ask a source.

    `word` is for a table; `told` says what it lacks, in a whole sentence. Both are
    empty where the source is asked for all that it has.
    """

    is_asked: bool
    word: str = ""
    told: str = ""

    @property
    def why_not(self) -> str:
        """Why it is not asked; empty if it is."""
        return "" if self.is_asked else self.told or self.word

    @property
    def sentence(self) -> str:
        """What follows "it is": `told`, and that it is not asked where it is not."""
        return self.told if self.is_asked else f"not asked: {self.told}"


def not_asked(why: str, *, told: str = "") -> Standing:
    """Return how a source stands that is not asked, and *why*, in a few words."""
    return Standing(is_asked=False, word=f"not asked: {why}", told=told)


UNREADABLE = not_asked("this version cannot read it")
"""How a source stands that the catalogue knows, and this version does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What this machine has to ask a source with.

    Attributes:
        standing: whether and how runs ask it.
        lacks: why it cannot be asked here, and the remedy; empty if it can.
        uncaptured: that nobody knows whether its answers can be read; empty if some
            were captured.
    """

    standing: Standing
    lacks: str = ""
    uncaptured: str = ""
