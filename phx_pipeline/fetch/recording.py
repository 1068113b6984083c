"""Remembering what a source was asked and answered, and answering so once more.

What of it may be kept, and how, is not decided here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256

from phx_pipeline.errors import FetchError
from phx_pipeline.fetch.base import Fetched, Fetcher, Request, RequestKind
from phx_pipeline.fetch.trace import WireEvent
from phx_pipeline.model.printable import printable


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and its end: an answer or an error.

    `url`, `method` and `asked_sha256` (of the request's body) tell one request from
    another. `secrets` are what was sent in secret headers. `events` are what it met.
    """

    url: str
    kind: RequestKind
    method: str = "GET"
    asked_sha256: str = ""
    answer: Fetched | None = None
    error: FetchError | None = None
    events: tuple[WireEvent, ...] = ()
    secrets: frozenset[str] = field(default=frozenset(), repr=False)


class Recorder:
    """A fetcher that remembers all exchanges; of a photo no bytes."""

    def __init__(self, inner: Fetcher) -> None:
        self._inner = inner
        self.exchanges: list[Exchange] = []

    async def get(self, request: Request) -> Fetched:
        """Return the answer; the exceptions are those of `Fetcher.get`."""
        events: list[WireEvent] = []
        asked = _asked(request)
        try:
            answer = await self._inner.get(replace(request, trace=events.append))
        except FetchError as error:
            self._note(asked, events, error=error)
            raise
        is_photo = request.kind is RequestKind.PHOTO
        kept = replace(answer, body=b"") if is_photo else answer
        self._note(asked, events, answer=kept)
        return answer

    async def aclose(self) -> None:
        """Close the fetcher inside."""
        await self._inner.aclose()

    def _note(
        self,
        asked: Exchange,
        events: Sequence[WireEvent],
        *,
        answer: Fetched | None = None,
        error: FetchError | None = None,
    ) -> None:
        self.exchanges.append(
            replace(asked, answer=answer, error=error, events=tuple(events))
        )


class Replayed:
    """A fetcher that answers from *exchanges*, and asks nobody.

    Args:
        exchanges: in the order in which they were made; a request that is made more
            often than that gets the last answer again.
        known_as: makes alike what is asked for and what was, of which something may
            have been taken out.
    """

    def __init__(
        self, exchanges: Sequence[Exchange], *, known_as: Callable[[str], str]
    ) -> None:
        self._waiting: dict[tuple[str, ...], list[Exchange]] = {}
        self._known_as = known_as
        for exchange in exchanges:
            self._waiting.setdefault(self._key(exchange), []).append(exchange)

    async def get(self, request: Request) -> Fetched:
        """Return the answer, or raise the error, that *request* got.

        Raises:
            FetchError: also where nothing is known of such a request.
        """
        asked = _asked(request)
        if not (waiting := self._waiting.get(self._key(asked))):
            told = printable(f"nothing was recorded of {asked.method} {asked.url}")
            raise FetchError(told, url=request.url)
        exchange = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        if exchange.answer is None:
            raise exchange.error or FetchError("no answer", url=request.url)
        return exchange.answer

    async def aclose(self) -> None:
        """There is nothing to close."""

    def _key(self, exchange: Exchange) -> tuple[str, ...]:
        url = self._known_as(exchange.url)
        return exchange.kind, exchange.method, url, exchange.asked_sha256


def _asked(request: Request) -> Exchange:
    return Exchange(
        url=request.url,
        kind=request.kind,
        method=request.method,
        asked_sha256=sha256(request.body).hexdigest() if request.body else "",
        secrets=frozenset(request.secret_headers.values()),
    )
