"""What happened, told to people: made into a message, sent, and never sent twice.

A thing is noted for each channel before it is sent (`catalog.deliveries`). Who sends
holds the channel's lease, so that two daemons send one message.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from itertools import takewhile
from typing import Final

from phx_pipeline.catalog.leases import process_owner
from phx_pipeline.catalog.store import Catalog
from phx_pipeline.errors import DeliveryError, DiskError, LeaseHeldError, StorageError
from phx_pipeline.fetch.hosts import AllowList
from phx_pipeline.model.message import (
    ALERTS_SINCE,
    Channel,
    Delivery,
    Message,
    Notifier,
    SmallPicture,
    Taken,
    sender_lease,
)
from phx_pipeline.model.moments import PHOENIX, believed, phoenix_day
from phx_pipeline.reads.base import Reads
from phx_pipeline.reads.digest import (
    Digest,
    Feeds,
    News,
    read_digest,
    read_news,
    told_houses,
)
from phx_pipeline.reads.documents import digest_document
from phx_pipeline.workflows.at_once import at_once
from phx_pipeline.workflows.digest_pages import (
    html_page,
    inline_source,
    markdown_page,
    text_page,
)
from phx_pipeline.workflows.digest_parts import Section, sections, subject
from phx_pipeline.workflows.thumbnails import drawn_thumbnail

logger = logging.getLogger(__name__)

_DAY: Final = timedelta(days=1)
_BETWEEN_ALERTS: Final = timedelta(minutes=5)
_ALERTS_KEPT: Final = _DAY  # where a digest tells the same
_DIGESTS_KEPT: Final = 7 * _DAY
_ALERT_DAYS: Final = 2
_MOST_ROWS: Final = 500  # of each kind in a document
_MOST_PICTURES: Final = 20
_MOST_BYTES: Final = 1_500_000  # of all pictures of a message
_MOST_MESSAGES: Final = 10  # at once
_ALERT: Final = "alert:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What messages are made of and sent by.

    Attributes:
        reads: the catalogue, and the clock.
        feeds: what tells changes and new matches.
        notifiers: the channels that are set up.
        alerts: what is told at once, of `reads.digest.ALERTS`.
        known: the hosts that may be linked.
        run_id: who sends.
    """

    reads: Reads
    feeds: Feeds
    notifiers: Mapping[Channel, Notifier]
    alerts: Sequence[str]
    known: AllowList
    run_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A digest in all its formats."""

    subject: str
    text: str
    markdown: str
    html: str  # whole in itself


def digest_key(day: date) -> str:
    """The key of a day's digest."""
    return f"digest:{day.isoformat()}"


def render(desk: Desk, digest: Digest) -> Rendered:
    """Return a digest in all its formats, the pictures inside the HTML."""
    parts, title = sections(digest, known=desk.known), subject(digest)
    pictures = small_pictures(desk.reads, parts, digest)
    return Rendered(
        subject=title,
        text=text_page(title, parts),
        markdown=markdown_page(title, parts),
        html=html_page(
            title,
            parts,
            pictures={slug: inline_source(it) for slug, it in pictures.items()},
        ),
    )


def book_digest(catalog: Catalog, channels: Iterable[Channel], *, at: datetime) -> int:
    """Note that the digest of the day of *at* is to be told, and on which channels.

    Returns:
        On how many it was not noted before.
    """
    key = digest_key(phoenix_day(at))
    return sum(
        catalog.deliveries.book_digest(it, key, at=at, first_from=at - _DAY)
        for it in channels
    )


def book_alerts(desk: Desk) -> int:
    """Note what is to be told at once, and return how many things are new.

    What was there before a channel was set up is none of it. Of a channel one message
    leaves in five minutes; what comes meanwhile goes together in the next.
    """
    day = desk.reads.today
    first = day - (_ALERT_DAYS - 1) * _DAY
    news = read_news(desk.feeds, since=first, day=day, kinds=desk.alerts)
    return sum(_book_alerts(desk, channel, news) for channel in desk.notifiers)


def _book_alerts(desk: Desk, channel: Channel, news: News) -> int:
    at, book = desk.reads.now(), desk.reads.catalog.deliveries
    if book.find(channel, ALERTS_SINCE) is None:
        keys = [_ALERT + key for key in news.keys]
        book.book_told(channel, [*keys, ALERTS_SINCE], at=at)
        return 0
    known = book.booked(channel, [_ALERT + key for key in news.all_keys])
    fresh = news.without({key.removeprefix(_ALERT) for key in known})
    if not (wanted := [_ALERT + key for key in fresh.keys]):
        return 0
    last = book.last_alert_at(channel, by=at)
    due_at = max(at, last + _BETWEEN_ALERTS) if last else at
    return book.book(channel, wanted, at=at, due_at=due_at)


def send_due(desk: Desk, *, hurry: bool = False) -> list[str]:
    """Send what is due on all channels; return a line for each that was not taken.

    Channels are sent by at once, so that none waits for the server of another. One
    whose lease another process holds is left to it. In a *hurry* what waits
    after a failure is due at once.
    """
    at, book = desk.reads.now(), desk.reads.catalog.deliveries
    if hurry:
        book.hurry(desk.notifiers.keys(), at=at)
    _give_up(desk)
    told = at_once(partial(_send_channel, desk), desk.notifiers)
    return [line for lines in told for line in lines]


def _give_up(desk: Desk) -> None:
    """Give up what is too old, by a clock that is believed.

    One that is ahead for a moment would have alerts told by nobody.
    """
    at, catalog = desk.reads.now(), desk.reads.catalog
    book = catalog.deliveries
    if not any(it.booked_at < at - _ALERTS_KEPT for it in book.open()):
        return
    noted = [book.last_digest(it, by=at) for it in desk.notifiers]
    newest = [it for it in (catalog.history.newest_moment(by=at), *noted) if it]
    now = believed(at, newest=max(newest, default=None))
    book.give_up(digests=now - _DIGESTS_KEPT, alerts=now - _ALERTS_KEPT)


def _send_channel(desk: Desk, channel: Channel) -> list[str]:
    leases = desk.reads.catalog.leases
    owner = process_owner(desk.run_id)
    try:
        with leases.hold(sender_lease(channel), owner=owner, wait_s=0):
            sent = (_send_next(desk, channel) for _ in range(_MOST_MESSAGES))
            return [line for line in takewhile(lambda it: it is not None, sent) if line]
    except LeaseHeldError:
        return []


def _send_next(desk: Desk, channel: Channel) -> str | None:
    """Send the next message of a channel.

    Returns:
        Why it was not taken, or what people should know; None if none is due.
    """
    book, at = desk.reads.catalog.deliveries, desk.reads.now()
    if not (taken := book.take(channel, at=at)):
        return None
    key, tries, only = taken[0].message, taken[0].tries, taken[0].recipients
    try:
        message = _message_of(desk, channel, taken)
        sent = Taken()
        if message:
            sent = desk.notifiers[channel].send(message, only=only)
    except DeliveryError as error:
        book.record_failed(channel, key, at=at, detail=str(error), tries=tries)
        return f"{channel}: {taken[0].what} not sent: {error}"
    except Exception as error:
        told = f"stopped by {type(error).__name__}, which is a fault of this program"
        book.record_failed(channel, key, at=at, detail=told, tries=tries)
        raise
    if later := sent.later:
        book.record_partly_sent(
            channel, key, at=at, detail=sent.note, tries=tries, later=later
        )
    else:
        book.record_sent(channel, key, at=at, detail=sent.note)
    logger.info("%s: %s was sent", channel, key)
    return f"{channel}: {sent.note}" if sent.note else ""


def _message_of(
    desk: Desk, channel: Channel, taken: Sequence[Delivery]
) -> Message | None:
    """The message of what was taken; None if there is nothing left to tell."""
    first = taken[0]
    if first.from_at is not None:
        digest = _digest_of(desk, channel, first)
        return message_of(desk, digest, key=first.message, at=first.booked_at)
    keys = {it.key.removeprefix(_ALERT) for it in taken}
    day = phoenix_day(first.booked_at)
    news = read_news(desk.feeds, since=day - _ALERT_DAYS * _DAY, day=desk.reads.today)
    news = news.among(keys)
    if not news.keys:
        return None
    digest = Digest(
        since=day,
        day=day,
        told=news.told,
        matches=news.matches,
        houses=told_houses(desk.reads, news.told),
    )
    return message_of(desk, digest, key=first.message, at=first.booked_at)


def _digest_of(desk: Desk, channel: Channel, booked: Delivery) -> Digest:
    """The digest of a booking: what none before it told; made again, the same news."""
    book = desk.reads.catalog.deliveries
    since = booked.from_at or booked.booked_at
    if booked.told is None:
        since = book.take_over(channel, booked.key, end=booked.booked_at)
    digest = _news_since(desk, channel, since, booked.booked_at, only=booked.told)
    if booked.told is None:
        book.record_told(channel, booked.key, digest.keys)
    return digest


def _news_since(
    desk: Desk,
    channel: Channel,
    since: datetime,
    at: datetime,
    *,
    only: Sequence[str] | None = None,
) -> Digest:
    """What no other digest of the channel told, as the digest of the day of *at*."""
    day, key = phoenix_day(at), digest_key(phoenix_day(at))
    told = desk.reads.catalog.deliveries.told(channel, but=key)
    digest = read_digest(
        desk.reads,
        desk.feeds,
        since=phoenix_day(since),
        day=day,
        failed_from=since,
        failed_until=at,
        leaving_out=told,
        only=only,
        sending=key,
    )
    return replace(digest, since=day)


def trial_of(desk: Desk, channel: Channel) -> Message:
    """What the digest of today would tell now; nothing is noted, so it tells it too."""
    at, book = desk.reads.now(), desk.reads.catalog.deliveries
    since = book.last_digest(channel, by=at) or at - _DAY
    digest = _news_since(desk, channel, since, at)
    message = message_of(desk, digest, key=f"trial:{at.isoformat()}", at=at)
    return replace(message, subject=f"{message.subject} (a trial)")


def message_of(desk: Desk, digest: Digest, *, key: str, at: datetime) -> Message:
    """Return a digest, or some of its news, as a message."""
    parts, title = sections(digest, known=desk.known), subject(digest)
    pictures = small_pictures(desk.reads, parts, digest)
    return Message(
        key=key,
        at=at.astimezone(PHOENIX),
        subject=title,
        text=text_page(title, parts),
        html=html_page(
            title,
            parts,
            pictures={slug: f"cid:{it.name}" for slug, it in pictures.items()},
        ),
        pictures=tuple(pictures.values()),
        document=digest_document(_bounded(digest)),
    )


def _bounded(digest: Digest) -> Digest:
    """What fits a request; `phx changes` tells the rest."""
    return replace(
        digest,
        told=digest.told[:_MOST_ROWS],
        matches=digest.matches[:_MOST_ROWS],
        open=digest.open[:_MOST_ROWS],
        failures=digest.failures[:_MOST_ROWS],
    )


def try_message(at: datetime) -> Message:
    """Return a message that tells nothing but that it came."""
    told = "A try of `phx digest test`: messages of this store reach you.\n"
    return Message(
        key=f"test:{at.isoformat()}",
        at=at.astimezone(PHOENIX),
        subject="phx: this is a try",
        text=told,
    )


def small_pictures(
    reads: Reads, parts: Sequence[Section], digest: Digest
) -> dict[str, SmallPicture]:
    """Return a picture of each house that *parts* show, as many as may be.

    What cannot be drawn is left out; `phx verify` tells of it.
    """
    slugs = dict.fromkeys(it.slug for part in parts for it in part.lines if it.slug)
    found: dict[str, SmallPicture] = {}
    room = _MOST_BYTES
    for slug in slugs:
        image = digest.houses[slug].picture
        if image is None or len(found) == _MOST_PICTURES:
            continue
        try:
            jpeg = drawn_thumbnail(reads.layout, image)
        except (StorageError, DiskError):
            continue
        if len(jpeg) <= room:
            room -= len(jpeg)
            name = f"{image.folder}-{image.content_hash[:12]}"
            found[slug] = SmallPicture(name=name, jpeg=jpeg)
    return found
