"""Trying a source once, politely, and keeping what it answered; and trying it again.

A check goes the way of every run, under the same policies. It writes no listing and
keeps no photo. What its steps tell is told in `check_steps`, what a bundle is in
`check_bundle`.
"""

import asyncio
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from stat import S_ISREG
from typing import Final

from phx_pipeline.errors import FetchError, ImageError, InputError, LeaseHeldError
from phx_pipeline.fetch.base import Fetched, Fetcher, Request, RequestKind
from phx_pipeline.fetch.circuits import pages_try_s
from phx_pipeline.fetch.recording import Exchange, Recorder, Replayed
from phx_pipeline.imaging.decode import decode
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.moments import end_of_rest, moment
from phx_pipeline.model.photo import PhotoRef
from phx_pipeline.model.printable import printable
from phx_pipeline.model.property import Property
from phx_pipeline.model.refusal import on_disk
from phx_pipeline.model.source import Source
from phx_pipeline.model.tally import PropertyTally
from phx_pipeline.sources.base import ListingSource
from phx_pipeline.sources.border import begun
from phx_pipeline.sources.registry import available_sources, browsed_among
from phx_pipeline.sources.standing import standing_of
from phx_pipeline.stages.check_bundle import Bundle, packed, unpacked
from phx_pipeline.stages.check_steps import Seen, State, Step, steps_of
from phx_pipeline.stages.collect import refuse_another
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.reading import PhotoSeen, Reading
from phx_pipeline.stages.scrubbing import GONE, Keeping, scrubbed
from phx_pipeline.storage.atomic import sweep_temporaries, write_atomically
from phx_pipeline.storage.demo_stores import ONLY_BY_DEMO, is_demo

KEPT_BUNDLES: Final = 10
"""Of each source; the oldest go."""

LARGEST_FILE: Final = 16_000_000

_LEAST_SECRET: Final = 7  # characters: longer than "Bearer"
_LEFTOVER_S = 3600.0
_REPLAYED: Final = "replayed"  # in place of a token: nobody is asked with it


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a check, or a replay, of one source found.

    `was_asked` is false where nothing was sent, for the reason that its only step
    tells. `bundle` is the file that was kept.
    """

    source: Source
    house: Property
    steps: tuple[Step, ...]
    was_asked: bool = True
    bundle: Path | None = None
    listing: Listing | None = field(default=None, repr=False)

    @property
    def is_fine(self) -> bool:
        """Whether no step failed."""
        return self.was_asked and all(it.state is not State.FAILED for it in self.steps)


def house_to_check(context: StageContext) -> Property:
    """Return the followed house that was asked for longest ago, if ever.

    Raises:
        InputError: no house is followed.
    """
    tallies = context.tallies(tuple(context.registered))
    if not tallies:
        raise InputError(
            "a check needs a house to look for: add one with `phx properties add "
            '"ADDRESS"`, one that you see on the site'
        )
    return context.house(min(tallies, key=_asked_at).slug)


def _asked_at(tally: PropertyTally) -> datetime:
    never = datetime.min.replace(tzinfo=UTC)
    return max((it.checked_at or never for it in tally.sources), default=never)


def hindrance(context: StageContext, source: ListingSource) -> Step | None:
    """Return why *source* is not to be asked now, and the remedy; None if it may be."""
    name = source.source.value
    now_s, rows = context.catalog.policies.source_states()
    states = {state.name: state for state in rows}
    if source.source in context.catalog.policies.switched_off():
        allows = f"`phx sources enable {name}` allows it"
        remedy = ONLY_BY_DEMO if is_demo(context.layout) else allows
        return _not_asked("it is switched off", remedy=remedy)
    if source.lacks and not source.asks_without:
        return _not_asked(source.lacks)
    known = browsed_among(context.registered)
    browsed = () if context.lacks_browser else tuple(it.value for it in known)
    try_s = pages_try_s(name, states, now_s=now_s, browsed=browsed)
    if try_s is None:
        return None
    remedy = f"wait, or `phx sources reset {name}` if you know why it rests"
    return _not_asked(
        f"it rests until {end_of_rest(try_s, now_s=now_s)}", remedy=remedy
    )


async def check(
    context: StageContext,
    source: ListingSource,
    house: Property,
    *,
    credentials: Iterable[str] = (),
) -> Checked:
    """Ask *source* once for *house*, and keep the bundle of what it answered.

    Args:
        context: for the fetcher and its policies; no listing is written.
        source: whom to ask.
        house: whom to ask for.
        credentials: the settings of the tokens that the source is asked with.

    Raises:
        DiskError: the bundle cannot be kept.
    """
    if hindered := hindrance(context, source):
        return _unasked(source, house, hindered)
    try:
        seen = await _asked(context, source, house)
    except LeaseHeldError as error:
        busy = _not_asked(printable(str(error)), remedy="try again once it has ended")
        return _unasked(source, house, busy)
    bundle = Bundle(
        source=source.source,
        house=house,
        made_at=seen.at,
        exchanges=seen.exchanges,
        reading=Reading.of(seen.listing),
        photo=seen.photo,
        credentials=_of_source(credentials, source),
    )
    path = await asyncio.to_thread(_keep, context, bundle, source, seen.listing)
    again = await _replayed_at_once(path, source)
    return Checked(
        source=source.source,
        house=house,
        steps=(*_before(context, source), *steps_of(seen), again),
        bundle=path,
        listing=seen.listing,
    )


def read_bundle(path: Path) -> Bundle:
    """Return the bundle in a file.

    Raises:
        InputError: there is none, or none that this version reads.
        DiskError: the file cannot be read.
    """
    if not path.exists():
        raise InputError(f"there is no file {path}: name a bundle")
    with on_disk(path):
        if not S_ISREG(path.stat().st_mode):
            raise InputError(f"{path} is no file: name a bundle")
        if (size := path.stat().st_size) > LARGEST_FILE:
            raise InputError(
                f"{path} has {size:,} bytes, more than any bundle: name a bundle"
            )
        return unpacked(path.read_bytes(), name=str(path))


async def replay(bundle: Bundle, *, source: ListingSource | None = None) -> Checked:
    """Let the reader of a source read a bundle; nobody is asked, nothing is written.

    Args:
        bundle: such as `read_bundle` returns.
        source: whose reader it is; by default the registered one of its name.

    Raises:
        InputError: there is no such source here.
    """
    reader = source or _reader_of(bundle)
    pages = [it for it in bundle.exchanges if it.kind is not RequestKind.PHOTO]
    listing = await reader.discover(
        bundle.house, fetcher=Replayed(pages, known_as=scrubbed)
    )
    seen = Seen(
        exchanges=bundle.exchanges,
        listing=listing,
        at=bundle.made_at,
        photo=bundle.photo,
        holds_data=reader.holds_data,
    )
    asked = Step(
        name="asked",
        state=State.OK,
        told=f"on {moment(bundle.made_at.timestamp())}; now read from its bundle",
    )
    steps = (asked, *steps_of(seen), _compared(Reading.of(listing), bundle.reading))
    return Checked(
        source=bundle.source, house=bundle.house, steps=steps, listing=listing
    )


def _reader_of(bundle: Bundle) -> ListingSource:
    readers = available_sources(dict.fromkeys(bundle.credentials, _REPLAYED))
    if (reader := readers.get(bundle.source)) is None:
        raise InputError(
            f"the bundle is of {bundle.source.value}, which this phx_pipeline does not "
            f"know: it reads {', '.join(it.value for it in readers)}"
        )
    return reader


# --- asking ---------------------------------------------------------------------------


async def _asked(context: StageContext, source: ListingSource, house: Property) -> Seen:
    stamp = context.stamp()
    async with aclosing(Recorder(context.open_fetcher(house.slug))) as recorder:
        listing = await source.discover(house, fetcher=recorder)
        listing = begun(listing, today=stamp.today)
        photo = await _one_photo(context, listing, source=source, fetcher=recorder)
    return Seen(
        exchanges=tuple(recorder.exchanges),
        listing=listing,
        at=stamp.at,
        photo=photo,
        holds_data=source.holds_data,
    )


def _unasked(source: ListingSource, house: Property, why: Step) -> Checked:
    return Checked(source=source.source, house=house, steps=(why,), was_asked=False)


def _not_asked(told: str, *, remedy: str = "") -> Step:
    return Step(name="asked", state=State.FAILED, told=told, remedy=remedy)


def _before(context: StageContext, source: ListingSource) -> Iterator[Step]:
    """Yield what is to be known of a source before it is asked."""
    if source.source not in context.sources:
        yield Step(
            name="source",
            state=State.WARN,
            told="it is not named in PHX_SOURCES: no run asks it",
        )
    if source.uncaptured:
        yield Step(name="source", state=State.WARN, told=source.uncaptured)
    if source.lacks:
        told = standing_of(source, is_named=True).told
        yield Step(name="source", state=State.WARN, told=told)


def _of_source(credentials: Iterable[str], source: ListingSource) -> tuple[str, ...]:
    own = {credential.setting for credential in source.credentials}
    return tuple(sorted(own & set(credentials)))


async def _one_photo(
    context: StageContext,
    listing: Listing,
    *,
    source: ListingSource,
    fetcher: Fetcher,
) -> PhotoSeen | None:
    """Ask for the first photo in its largest size, once; it is not kept."""
    if not listing.photos:
        return None
    ref = listing.photos[0]
    examiner = _Examiner(context, ref, source)
    try:
        if inline := listing.inline.get(ref.photo_key):
            return await asyncio.to_thread(examiner.examined, inline, is_inline=True)
        request = Request(
            url=ref.url,
            source=source.source,
            kind=RequestKind.PHOTO,
            judge=examiner,
            has_spare=bool(ref.fallback_urls),
        )
        await fetcher.get(request)
    except (FetchError, ImageError) as error:
        return PhotoSeen(fault=printable(str(error)))
    return examiner.seen


class _Examiner:
    """The judge of the photo's answer, who keeps what there is to tell of it."""

    seen: PhotoSeen | None = None

    def __init__(
        self, context: StageContext, ref: PhotoRef, source: ListingSource
    ) -> None:
        self._context = context
        self._ref = ref
        self._source = source

    async def __call__(self, answer: Fetched) -> None:
        """Raise `ImageError` if the answer is no picture, or another photo."""
        refuse_another(answer.url, ref=self._ref, source=self._source)
        self.seen = await asyncio.to_thread(self.examined, answer.body)

    def examined(self, body: bytes, *, is_inline: bool = False) -> PhotoSeen:
        """Return what there is to tell of the photo; `ImageError` if it is none."""
        with self._context.room_for(body):
            return PhotoSeen.of(body, decode(body), is_inline=is_inline)


# --- keeping --------------------------------------------------------------------------


def _keep(
    context: StageContext, bundle: Bundle, source: ListingSource, listing: Listing
) -> Path:
    body = packed(bundle, clean=cleaner(source, listing, bundle.exchanges))
    folder = context.layout.checks(bundle.source.value)
    digest = sha256(body).hexdigest()[:12]
    path = folder / f"{bundle.made_at:%Y%m%dT%H%M%S%fZ}_{digest}.zip"
    write_atomically(path, body, mode=0o600)
    now = bundle.made_at.timestamp()
    sweep_temporaries(folder, older_than_s=_LEFTOVER_S, now=now)
    for old in sorted(folder.glob("*.zip"), reverse=True)[KEPT_BUNDLES:]:
        old.unlink(missing_ok=True)
    return path


def cleaner(
    source: ListingSource, listing: Listing, exchanges: Sequence[Exchange]
) -> Callable[[str], str]:
    """Return what takes out of a text all that a bundle must not hold.

    What tells the photos of *listing* apart stays: their keys and URLs, and pictures
    that came inside the answer.
    """
    keeping = Keeping(_survivors(listing))
    sent = {secret for exchange in exchanges for secret in exchange.secrets}
    words = {word for secret in sent for word in (secret, *secret.split())}
    secrets = sorted(
        (word for word in words if len(word) >= _LEAST_SECRET), key=len, reverse=True
    )

    def clean(text: str) -> str:
        for secret in secrets:
            text = text.replace(secret, GONE)
        return scrubbed(source.scrubbed(text), keeping=keeping)

    return clean


def _survivors(listing: Listing) -> Iterator[str]:
    yield from filter(None, (listing.listing_id, listing.mls_id))
    yield _without_query(listing.url or "")
    for photo in listing.photos:
        yield photo.photo_key
        yield from map(_without_query, (photo.url, *photo.fallback_urls))
    for body in listing.inline.values():
        yield b64encode(body).decode("ascii")


def _without_query(url: str) -> str:
    return url.partition("?")[0].partition("#")[0]


# --- reading again --------------------------------------------------------------------


async def _replayed_at_once(path: Path, source: ListingSource) -> Step:
    """Tell whether the bundle reads as the answers did."""
    bundle = await asyncio.to_thread(read_bundle, path)
    again = await replay(bundle, source=source)
    step = again.steps[-1]
    return Step(name="bundle", state=step.state, told=step.told, remedy=step.remedy)


def _compared(now: Reading, then: Reading) -> Step:
    less = "; ".join(now.lacks(then))
    if not less:
        return Step(name="replay", state=State.OK, told="reads all that was read then")
    return Step(
        name="replay",
        state=State.WARN,
        told=printable(f"reads less than was read then: {less}"),
        remedy="keep what the site answers yourself to find out why",
    )
