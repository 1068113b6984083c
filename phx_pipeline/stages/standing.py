"""Whether runs ask a source here, in which way, and why not: in words for people.

How a source that is asked fares, such as that it rests, is not told here.
"""

from dataclasses import dataclass

from phx_pipeline.sources.base import ListingSource


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


def standing_of(source: ListingSource | None, *, is_named: bool) -> Standing:
    """Return how a source stands.

    Args:
        source: None where this version reads no such source.
        is_named: whether PHX_SOURCES names it, or names none.
    """
    if source is None:
        return _not_asked("this version cannot read it")
    if not is_named:
        return _not_asked("not named in PHX_SOURCES")
    if not source.lacks:
        return Standing(is_asked=True)
    if source.asks_without:
        return Standing(
            is_asked=True,
            word="asked without a token",
            told=f"asked without a token: {source.asks_without}; {source.lacks}",
        )
    return _not_asked("it lacks something", told=source.lacks)


def _not_asked(why: str, *, told: str = "") -> Standing:
    return Standing(is_asked=False, word=f"not asked: {why}", told=told)
