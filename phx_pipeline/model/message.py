"""A message for people, as every channel sends it, and what became of sending it.

What is told, and how it reads, is decided by `workflows`; nothing here writes mail or
JSON.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol

from phx_pipeline.model.moments import has_been

ALERTS_SINCE: Final = "alerts"
"""The key of the row of a channel whose older news are no alerts."""


LONGEST_WAIT: Final = timedelta(hours=5)
"""Nothing that is to be told waits longer than that between two tries."""


class Channel(StrEnum):
    """A way for messages to reach people."""

    CONSOLE = "console"
    SMTP = "smtp"
    WEBHOOK = "webhook"


class WebhookStyle(StrEnum):
    """What the body of a webhook's request looks like."""

    JSON = "json"
    NTFY = "ntfy"
    SLACK = "slack"


class MailSecurity(StrEnum):
    """How the way to a mail server is encrypted."""

    STARTTLS = "starttls"  # from the first command on
    TLS = "tls"  # from the first byte on
    NONE = "none"  # on this machine alone


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallPicture:
    """A JPEG that the HTML of a message shows as `cid:{name}`."""

    name: str
    jpeg: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message; sent again it has the same `key`, by which its readers know it.

    Attributes:
        key: unique for the store.
        at: when it was made, with its zone.
        subject: one line.
        text: as plain text.
        html: the same; empty if there is none.
        pictures: those that `html` shows.
        document: the same for programs.
    """

    key: str
    at: datetime
    subject: str
    text: str
    html: str = ""
    pictures: tuple[SmallPicture, ...] = ()
    document: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A message was taken.

    `note` is what people should know all the same, mostly empty; `later` are those who
    are to be sent it later, because the server did not take it for them yet.
    """

    note: str = ""
    later: tuple[str, ...] = ()


class Notifier(Protocol):
    """One channel that is set up."""

    def send(self, message: Message, *, only: Collection[str] | None = None) -> Taken:
        """Hand *message* over, to all or to *only* some of a channel's recipients.

        Raises:
            DeliveryError: it was taken for nobody, or nobody knows.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookCall:
    """A POST of JSON. The URL and `secret_headers` may hold secrets."""

    url: str = field(repr=False)
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    secret_headers: Mapping[str, str] = field(default_factory=dict, repr=False)


Post = Callable[[WebhookCall], int]
"""Sends a call and returns the status; raises `DeliveryError` if none came."""


class DeliveryState(StrEnum):
    """What became of something that is to be told on a channel."""

    WAITING = "waiting"
    SENDING = "sending"  # begun; taken or not, nobody knows before it is `sent`
    SENT = "sent"
    GIVEN_UP = "given_up"
    PASSED_ON = "passed_on"  # given up, and told by a later digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A thing to be told on one channel: a day's digest, or an event.

    Attributes:
        key: of the thing: `digest:DAY`, or `alert:…`.
        message: the key of the message it goes in; empty as long as none is made. Of a
            digest `digest:DAY:NUMBER`: no two digests have one, even of the same day.
        tries: how often it was begun to be sent.
        booked_at: when it was noted that it is to be told; a digest's end. One that was
            noted by a clock that was ahead ends where it began.
        from_at: of a digest, the end of the one before.
        due_at: when it may be sent, or tried again.
        detail: why it was not taken the last time.
        told: of a digest, the keys of all that it tells, once it was made.
        recipients: who is still to be sent it, where others were; None for all.
    """

    channel: Channel
    key: str
    message: str
    state: DeliveryState
    tries: int
    booked_at: datetime
    from_at: datetime | None
    due_at: datetime
    sent_at: datetime | None
    detail: str
    told: tuple[str, ...] | None
    recipients: tuple[str, ...] | None = None

    @property
    def is_digest(self) -> bool:
        """Whether it is a day's."""
        return self.from_at is not None

    @property
    def what(self) -> str:
        """What it is, for people."""
        return (
            f"the digest of {self.key.partition(':')[2]}" if self.is_digest else "news"
        )

    def is_due(self, *, now: datetime) -> bool:
        """Whether to send it.

        A clock that was ahead keeps nothing waiting: what is due later than anything
        ever is, is due now. A digest of a day to come is not to be sent at all, unless
        some have it.
        """
        is_begun = self.recipients is not None
        if self.is_digest and not is_begun and not has_been(self.booked_at, now=now):
            return False
        return self.due_at <= now or self.due_at > now + LONGEST_WAIT


_PAUSES: Final = (1, 5, 15, 60, 240)  # minutes


def pause_after(tries: int) -> timedelta:
    """How long to wait after so many failures; it grows to four hours."""
    return timedelta(minutes=_PAUSES[min(max(tries, 1), len(_PAUSES)) - 1])


def sender_lease(channel: str) -> str:
    """The lease of whoever sends by a channel."""
    return f"notify/{channel}"
