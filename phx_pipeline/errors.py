"""Every exception the package raises on purpose.

PhxError
├── InputError            what the user gave cannot be used; says what to do (exit 2)
│   ├── UnknownJobError   there is no such job
│   ├── UnknownPropertyError  no property is meant by what was given
│   └── IdempotencyError  the key of one request came with another
├── QuotaError            the user asked for more than is allowed for now
├── FetchError            the wire failed
│   ├── TransientError    another attempt may work (reset, DNS, 5xx, short body)
│   │   ├── DeadlineError     the time limit was reached
│   │   ├── RateLimitedError  the source asked for patience (429)
│   │   ├── NoWayError        the name does not resolve, or no network leads there
│   │   ├── ProxyError        the proxy failed, which tells nothing about the source
│   │   └── BrowserError      no browser could be started here; nothing was sent
│   ├── GoneError         the resource does not exist (404, 410)
│   ├── BlockedError      the source refused us (403, challenge): never retried
│   ├── CircuitOpenError  the source rests after failures; nothing was sent
│   ├── SourceDisabledError  the user switched the source off; nothing was sent
│   ├── HostRefusedError  our own guard refused the address before connecting
│   └── BodyLimitError    the answer is larger than allowed
├── SourceChangedError    a page no longer has the shape we parse
├── ImageError            the bytes are not a usable picture; carries the verdict
├── StorageError          a blob is missing or does not match its name
├── DiskError             the disk refused: full, read-only, not permitted, failing
│   └── DiskFullError     it is full, or this user's part of it
├── CatalogError          the catalogue refused
│   ├── CatalogDownError  its database does not answer now: another try may work
│   ├── CatalogUnusableError  its file is damaged, foreign, read-only, its disk is full
│   │   └── CatalogFullError  its disk is full
│   ├── RevisionError     its schema is not the one this version needs
│   │   └── NoCatalogError    there is none
│   ├── LeaseHeldError    somebody else holds the lease
│   └── StaleEpochError   our lease was taken over; nothing was written
├── DeliveryError         a mail server or webhook did not take a message
└── ServiceError          a part that should be running is not (daemon, webserver)
"""

from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from phx_pipeline.model.outcome import Verdict


class PhxError(Exception):
    """Base class; catch it only at the edge.

    `stops_all` tells that work on any other property would meet the same.
    """

    stops_all: bool = False


class InputError(PhxError):
    """What the user gave cannot be used; the text names the value and the remedy."""


class UnknownJobError(InputError):
    """There is no such job: it never was, or it is forgotten."""


class UnknownPropertyError(InputError):
    """No property that is followed is meant by what was given.

    The text is *what* there is not, and the command that helps; *what* alone is for
    those who use no commands.
    """

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(f"{what}: {remedy}")
        self.what = what


class IdempotencyError(InputError):
    """The key that one request was made with came with another request."""


class QuotaError(PhxError):
    """The user asked for more than is allowed for now.

    `retry_after_s` is when the same may be asked for, as far as that is known.
    """

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class FetchError(PhxError):
    """A request did not produce a usable response.

    `body` is what came instead, where somebody had it at hand: for diagnosis only.
    """

    body: bytes = b""

    def __init__(self, message: str, *, url: str, status: int | None = None) -> None:
        super().__init__(message)
        self.url = url
        self.status = status


class TransientError(FetchError):
    """Another attempt may work; `retry_after_s` is the source's wish, if it had one.

    Not `is_worth_repeating`: this one took as long as several may.
    """

    is_worth_repeating = True

    def __init__(
        self,
        message: str,
        *,
        url: str,
        status: int | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message, url=url, status=status)
        self.retry_after_s = retry_after_s


class DeadlineError(TransientError):
    """The time limit was reached before the answer was complete."""


class RateLimitedError(TransientError):
    """The source asked for patience.

    Without a `status` nothing was sent: its earlier wish still holds.
    """


class NoWayError(TransientError):
    """From this machine no way leads there: nothing was sent, nobody is to blame.

    The name does not resolve, or no network leads to its address.
    """


class ProxyError(TransientError):
    """The proxy failed, not the source; or every proxy rests after failures.

    Not `certain`: the proxy says that it cannot reach the source, so either may be
    down.
    """

    def __init__(
        self,
        message: str,
        *,
        url: str,
        status: int | None = None,
        retry_after_s: float | None = None,
        certain: bool = True,
    ) -> None:
        super().__init__(message, url=url, status=status, retry_after_s=retry_after_s)
        self.certain = certain


class BrowserError(TransientError):
    """This machine could not start a browser; the text names the remedy.

    Nothing was sent and no source is to blame. Where it is raised no request is known
    yet, so `url` may be empty.
    """

    def __init__(self, message: str, *, url: str = "") -> None:
        super().__init__(message, url=url)


class GoneError(FetchError):
    """The resource does not exist; asking again cannot help."""


class BlockedError(FetchError):
    """The source refused us; stop asking it.

    A `challenge` speaks for the whole source, a bare status for the host that gave it.
    """

    def __init__(
        self,
        message: str,
        *,
        url: str,
        status: int | None = None,
        challenge: bool = False,
    ) -> None:
        super().__init__(message, url=url, status=status)
        self.challenge = challenge


class CircuitOpenError(FetchError):
    """The source rests after failures or a block; nothing was sent.

    `probing` tells that another request is just trying it, so more may be known soon,
    `refused` that it rests because it refused us.
    """

    def __init__(
        self,
        message: str,
        *,
        url: str,
        retry_at: datetime,
        probing: bool = False,
        refused: bool = False,
    ) -> None:
        super().__init__(message, url=url)
        self.retry_at = retry_at
        self.probing = probing
        self.refused = refused


class SourceDisabledError(FetchError):
    """The user switched the source off; nothing was sent."""


class HostRefusedError(FetchError):
    """Our own guard refused the address before any connection.

    `redirected` tells that a source sent us there, who may do otherwise next time.
    """

    def __init__(
        self,
        message: str,
        *,
        url: str,
        status: int | None = None,
        redirected: bool = False,
    ) -> None:
        super().__init__(message, url=url, status=status)
        self.redirected = redirected


class BodyLimitError(FetchError):
    """The answer is larger than the request allowed."""


class SourceChangedError(PhxError):
    """A page no longer has the shape the parser reads."""


class ImageError(PhxError):
    """The bytes are not a usable picture; `verdict` says in which way."""

    def __init__(self, message: str, *, verdict: "Verdict") -> None:
        super().__init__(message)
        self.verdict = verdict

    def bare(self) -> "ImageError":
        """The same without its traceback, whose frames hold bytes and pixels."""
        return ImageError(str(self), verdict=self.verdict)


class StorageError(PhxError):
    """A blob is missing or does not match its name."""


class DiskError(PhxError):
    """The disk refused a file; the text names the path and the remedy.

    With `stops_all` it is the disk as a whole, else one file or folder.
    """

    def __init__(self, message: str, *, stops_all: bool) -> None:
        super().__init__(message)
        self.stops_all = stops_all


class DiskFullError(DiskError):
    """No room is left on the disk, or in this user's part of it."""


class CatalogError(PhxError):
    """The catalogue refused."""


class CatalogDownError(CatalogError):
    """A database, of ours or Dagster's, does not answer now; retrying may help.

    Its server is away, or another process has its file locked.
    """

    stops_all = True


class CatalogUnusableError(CatalogError):
    """A database's file cannot be used as it is; retrying alone does not help."""

    stops_all = True


class CatalogFullError(CatalogUnusableError):
    """The disk of a database, ours or Dagster's, is full; with room it goes on."""


class RevisionError(CatalogError):
    """The catalogue's schema is not the one this version of the code needs."""


class NoCatalogError(RevisionError):
    """There is no catalogue where the settings lead."""


class LeaseHeldError(CatalogError):
    """Somebody else holds the lease."""


class StaleEpochError(CatalogError):
    """The lease was taken over by another owner; nothing was written."""


class DeliveryError(PhxError):
    """A mail server or webhook did not take a message; the text tells what helps."""


class ServiceError(PhxError):
    """A part that should be running is not."""
