"""What else a page asked for while a client opened it: which of it is handed on.

A page decides what it asks for, so all of this is held to the same lists and limits as
the page itself.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

from phx_pipeline.errors import HostRefusedError
from phx_pipeline.fetch.base import Captured, Fetched, Fetcher, Request
from phx_pipeline.fetch.hosts import AllowList

MOST_CAPTURED: Final = 50
"""Of one answer; a listing page needs a handful."""


class CaptureLimits:
    """Lets through what the request wants to see, of hosts on the source's list.

    At most `MOST_CAPTURED`, in all no longer than `max_bytes`: the first that fit. What
    scripts made of the page is cut there too, since it is only looked at.
    """

    def __init__(self, inner: Fetcher, *, allow_list: AllowList) -> None:
        self._inner = inner
        self._allow_list = allow_list

    async def get(self, request: Request) -> Fetched:
        """Return the answer with no more captured than is wanted and allowed."""
        answer = await self._inner.get(request)
        if len(answer.rendered) > request.max_bytes:
            answer = replace(answer, rendered=answer.rendered[: request.max_bytes])
        if not answer.captured:
            return answer
        return replace(answer, captured=tuple(self._kept(answer, request=request)))

    async def aclose(self) -> None:
        """Close what is inside."""
        await self._inner.aclose()

    def _kept(self, answer: Fetched, *, request: Request) -> Iterator[Captured]:
        left, room = MOST_CAPTURED, request.max_bytes
        for captured in answer.captured:
            fits = left > 0 and len(captured.body) <= room
            if fits and self._is_wanted(captured, request=request):
                left, room = left - 1, room - len(captured.body)
                yield captured

    def _is_wanted(self, captured: Captured, *, request: Request) -> bool:
        try:
            self._allow_list.check(
                captured.url, source=request.source, group=request.group
            )
        except HostRefusedError:
            return False
        path = urlsplit(captured.url).path
        return any(path.startswith(wanted) for wanted in request.captures)
