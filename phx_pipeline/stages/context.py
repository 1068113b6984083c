"""What every stage is given: the stores, the seams, the clock and the run's name."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from phx_pipeline.catalog.leases import Lease, is_dead, process_owner
from phx_pipeline.catalog.store import Catalog
from phx_pipeline.categorize.base import Categorizer
from phx_pipeline.categorize.fusion import Calibration
from phx_pipeline.fetch.base import Fetcher
from phx_pipeline.imaging.budget import PixelBudget
from phx_pipeline.imaging.decode import stated_pixels
from phx_pipeline.imaging.frames import Frames
from phx_pipeline.imaging.heaps import LARGE, give_back, share_heaps
from phx_pipeline.imaging.recipe import recipe_name
from phx_pipeline.imaging.resize import load_opencv
from phx_pipeline.model.fault_days import FINAL_AFTER_DAYS
from phx_pipeline.model.identity import property_lease
from phx_pipeline.model.moments import phoenix_day
from phx_pipeline.model.property import Property
from phx_pipeline.model.source import Source
from phx_pipeline.model.stamp import Stamp
from phx_pipeline.model.tally import PropertyTally
from phx_pipeline.reads.houses import house_of
from phx_pipeline.sources.base import ListingSource
from phx_pipeline.storage.atomic import require_usable
from phx_pipeline.storage.blobs import BlobStore
from phx_pipeline.storage.layout import Layout


@dataclass(frozen=True, slots=True, kw_only=True)
class StageContext:
    """Ready objects for the stages; made by `wiring`, shared by all properties.

    `sources` are those to be asked, `registered` all that can be read.
    `open_fetcher` makes a fetcher for a property's key and the running event loop.
    `downloads` is how many photos of one property are asked for at once; `max_side` the
    longest side of a standardized picture in pixels, None for its own size;
    `picture_workers` how many are worked on at once. `final_after_days` is on how many
    days asking for a photo must give no picture before that is final. `frames` spares a
    stage the decoding that an earlier one of the same run has done; `pixels` bounds the
    memory of all that is decoded at once. `job_id` is the job that asked for the run,
    if one did; `who` is whose rulings are recorded. `lacks_browser` tells why sources
    cannot be asked by a browser, if they cannot; `lacks_categorizers`, of each backend
    that was chosen and is missing, why; `away_categorizers` are those of them whose
    former votes go on counting: they are not to be asked. `calibration` is
    what their probabilities have turned out to be, where people have reviewed enough.
    """

    catalog: Catalog
    blobs: BlobStore
    layout: Layout
    sources: Mapping[Source, ListingSource]
    registered: Mapping[Source, ListingSource]
    open_fetcher: Callable[[str], Fetcher]
    categorizers: tuple[Categorizer, ...]
    clock: Callable[[], datetime]
    run_id: str
    downloads: int
    max_side: int | None
    lease_wait_s: float
    stale_days: int = 7
    final_after_days: int = FINAL_AFTER_DAYS
    picture_workers: int = 2
    frames: Frames = field(default_factory=Frames)
    pixels: PixelBudget = field(default_factory=PixelBudget)
    job_id: str | None = None
    who: str = "unknown"
    lacks_browser: str = ""
    calibration: Calibration | None = None
    lacks_categorizers: Mapping[str, str] = field(default_factory=dict)
    away_categorizers: tuple[Categorizer, ...] = ()

    @property
    def recipe(self) -> str:
        """The name of the recipe that published pictures are to be made by."""
        return recipe_name(max_side=self.max_side)

    @property
    def lacking(self) -> frozenset[Source]:
        """The sources that cannot be asked here for want of something."""
        return frozenset(name for name, it in self.sources.items() if it.lacks)

    def for_run(self, run_id: str, *, job_id: str | None = None) -> "StageContext":
        """The same context under another run's name, and for its job if it has one."""
        return replace(self, run_id=run_id, job_id=job_id)

    def stamp(self) -> Stamp:
        """Now, by the run's clock."""
        at = self.clock().astimezone(UTC)
        today = phoenix_day(at)
        return Stamp(at=at, today=today, run_id=self.run_id)

    def house(self, slug: str) -> Property:
        """The property with this key; `InputError` tells what became of any other."""
        return house_of(self.catalog, slug)

    def tally(self, slug: str) -> PropertyTally:
        """The catalogue's counts of one property."""
        (tally,) = self.tallies(slugs=[slug])
        return tally

    def tallies(
        self,
        sources: Sequence[Source] = (),
        *,
        slugs: Collection[str] | None = None,
    ) -> list[PropertyTally]:
        """The catalogue's counts of *slugs* (default all) and *sources* (enabled)."""
        asked = tuple(sources or self.sources)
        return self.catalog.tallies(
            asked,
            slugs=slugs,
            recipe=self.recipe,
            final_after_days=self.final_after_days,
        )

    @contextmanager
    def holding(self, slug: str) -> Iterator[Lease]:
        """Hold the property's lease for the body; wait when another run has it.

        Raises:
            InputError: the property was renamed or removed meanwhile.
        """
        with self.catalog.leases.hold(
            property_lease(slug),
            owner=process_owner(self.run_id),
            wait_s=self.lease_wait_s,
        ) as lease:
            self.house(slug)
            yield lease

    def require_disk(self) -> None:
        """Stop, before picture for picture fails, where none could be read or written.

        Raises:
            DiskError: a folder of the pictures leads nowhere, or is closed to us.
        """
        require_usable(self.layout.trees)

    @contextmanager
    def room_for(self, body: bytes) -> Iterator[None]:
        """Let the picture in *body* be decoded in the `with` block; wait for memory.

        Frames are only a saving: large pictures have their room.
        """
        with self.pixels.taking(stated_pixels(body)) as taken:
            self.frames.give_way(taken)
            if taken > LARGE:
                give_back()
            yield


def working_on(context: StageContext, slug: str) -> str | None:
    """Return who works on a property now."""
    state = context.catalog.leases.state(property_lease(slug))
    if state is None or not state.is_live or is_dead(state.owner):
        return None
    return state.owner


def in_one(told: Sequence[str]) -> str:
    """What was told of many pictures, in one line: the first, and how many more."""
    return told[0] if len(told) == 1 else f"{told[0]} ({len(told) - 1} more such)"


def worker_pool(context: StageContext) -> ThreadPoolExecutor:
    """Threads for work on files of pictures."""
    share_heaps()
    return ThreadPoolExecutor(context.picture_workers, thread_name_prefix="pictures")


def picture_pool(context: StageContext) -> ThreadPoolExecutor:
    """Threads for decoding and encoding; both let go of the interpreter lock.

    Raises:
        InputError: what they scale by is installed, and cannot be loaded.
    """
    if context.max_side is not None:
        load_opencv()
    return worker_pool(context)
