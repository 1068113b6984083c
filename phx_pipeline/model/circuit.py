"""How a group of hosts is being asked by all processes together, as people see it.

What the row of `model.source_state` means is decided in `fetch`, and told here.
"""

from dataclasses import dataclass
from typing import Protocol

from phx_pipeline.model.source import Source
from phx_pipeline.model.source_state import SourceState


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuit:
    """One group of hosts at one moment.

    Attributes:
        state: its row; a fresh one for a group that was never asked.
        word: `closed`, `open` or `half-open`; `disabled` where it is switched off,
            `waiting` as its Retry-After wished.
        was_refused: whether a refusal came since requests went through as usual.
        next_try_s: when somebody new may ask, in seconds since 1970; None if at once
            or, switched off, never.
        requests_per_s: its pace; None where requests are not paced.
        paced_as: the group whose pace it shares, if it has none of its own.
        browser_leads_on: whether plain HTTP is refused, and a browser is the way on.
        by_browser: whether a browser of this machine asks it now.
    """

    state: SourceState
    word: str
    was_refused: bool
    next_try_s: float | None
    requests_per_s: float | None
    paced_as: str = ""
    browser_leads_on: bool = False
    by_browser: bool = False

    @property
    def name(self) -> str:
        """`SOURCE`, `SOURCE/photos`, or one of these with `/browser`."""
        return self.state.name


class Circuits(Protocol):
    """The rows of all sources, read at one moment, and what they mean together."""

    @property
    def now_s(self) -> float:
        """That moment, by the store's clock in seconds since 1970."""
        ...

    def rest_end_s(self, source: Source) -> float | None:
        """When pages and photos of *source* may be asked for; None if now."""
        ...

    def seen(self) -> list[Circuit]:
        """All groups there are, and those of every source never asked, by name."""
        ...
