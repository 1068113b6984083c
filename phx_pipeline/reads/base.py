"""What every read is given: the stores, what this machine lacks, and the clock.

What only the sources' adapters and the fetch layers know is handed over as plain values
by whoever makes a `Reads`; how it is made is told in `wiring`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from phx_pipeline.catalog.store import Catalog
from phx_pipeline.model.address import Address
from phx_pipeline.model.circuit import Circuits
from phx_pipeline.model.moments import phoenix_day
from phx_pipeline.model.source import Source
from phx_pipeline.model.standing import UNREADABLE, Means, Standing
from phx_pipeline.storage.layout import Layout

TypedAddress = Callable[[str], Address | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reads:
    """Ready objects for reads; whoever made the catalogue closes it.

    Attributes:
        catalog: of which only reads are called.
        layout: where pictures and their names are.
        enabled: the sources that runs ask, in the order in which they are named.
        means: returns what this machine has to ask each source with that it can read.
        circuits: reads how all sources are being asked at this moment.
        recipe: the name of the recipe that published pictures are to be made by.
        final_after_days: on how many days asking for a photo must give no picture
            before that is final.
        clock: the current time.
        typed_address: reads an address that a person typed, or the URL of a listing;
            None for what is rather a key, and `InputError` for what is neither.
        lacks_browser: why no browser can be asked here; empty if one can.
        naming_gaps: a line for each way of naming pictures that is lacking here.
    """

    catalog: Catalog
    layout: Layout
    enabled: tuple[Source, ...]
    means: Callable[[], Mapping[Source, Means]]
    circuits: Callable[[], Circuits]
    recipe: str
    final_after_days: int
    clock: Callable[[], datetime]
    typed_address: TypedAddress
    lacks_browser: str = ""
    naming_gaps: Callable[[], Iterable[str]] = tuple

    @property
    def today(self) -> date:
        """The day in Phoenix."""
        return phoenix_day(self.clock())

    def now(self) -> datetime:
        """The time in UTC."""
        return self.clock().astimezone(UTC)

    def standing(self, source: Source) -> Standing:
        """How a source stands on this machine."""
        means = self.means().get(source)
        return means.standing if means else UNREADABLE
