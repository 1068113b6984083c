"""Is this answer a challenge? One recognition for all sources, by structure.

Good pages carry the names of their guards (scripts, app ids, SDK hosts), so no name
proves anything. What proves a challenge is the part of a page that a person would see
or that runs it (a title, a box, a form, its settings), and that the page carries no
data: a listing page holds its data as JSON, a challenge holds none. What the data of a
site looks like is told by who knows the site, not here. Nor does a status
prove anything: challenges come with any, and what a bare one means is said elsewhere.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from phx_pipeline.fetch.base import ClientName, Fetched, Fetcher, Request, RequestKind
from phx_pipeline.fetch.page_parts import HoldsData, Page, page_text
from phx_pipeline.fetch.signs import (
    EMPTY,
    Challenge,
    by_address,
    in_json,
    marked,
    shown_over,
    signs,
    without_content,
)

_PICTURE = re.compile(
    rb"\xff\xd8\xff|\x89PNG\r\n|GIF8[79]a|RIFF....WEBP|....ftypavi[fs]", re.DOTALL
)


def no_data(script: str) -> bool:
    """Tell nothing of *script*: what there is on pages of sites that nobody knows."""
    del script
    return False


def recognise(answer: Fetched, *, holds_data: HoldsData) -> Challenge | None:
    """Return the challenge *answer* is, or lies under; None for anything else.

    A missing page, a changed page and a failing server are not challenges.

    Args:
        answer: of any status.
        holds_data: knows the data that pages of its site hold.
    """
    if _PICTURE.match(answer.body):
        return marked(answer)
    text = page_text(answer.body)
    if text.startswith(("{", "[")):
        return marked(answer) or in_json(answer, text) or by_address(answer)
    page = Page.of(text)
    found = next(signs(answer, page), None)
    cover = shown_over(page) or marked(answer)
    # Signs in a page with data prove nothing, but what lies over it does.
    if page.carries_data(holds_data):
        return by_address(answer) or (
            replace(cover, over_payload=True) if cover else None
        )
    return found or cover or by_address(answer) or without_content(answer, page)


def recognise_shown(answer: Fetched, *, holds_data: HoldsData) -> Challenge | None:
    """Return the challenge of an answer whose page may have been run.

    Then it may also be what scripts made of the page, or the answer to what the page
    asked for by itself: over a page that was delivered in full, or in its place.
    """
    delivered = recognise(answer, holds_data=holds_data)
    if delivered is not None and not delivered.over_payload:
        return delivered
    if (found := next(_seen(answer, holds_data), None)) is None:
        return delivered
    page = Page.of(page_text(answer.body))
    return replace(found, over_payload=page.carries_data(holds_data))


def _seen(answer: Fetched, holds_data: HoldsData) -> Iterator[Challenge]:
    """Yield the challenges seen beside the document."""
    if answer.rendered:
        drawn = replace(answer, body=answer.rendered)
        if found := recognise(drawn, holds_data=holds_data):
            yield found
    for part in _parts(answer):
        found = recognise(part, holds_data=holds_data)
        if found and found.kind is not EMPTY:  # a part of a page may be empty
            yield found


def _parts(answer: Fetched) -> Iterator[Fetched]:
    """Yield as an answer each what lies over the page, and what the page asked for."""
    if answer.cover:
        yield Fetched(url=answer.url, status=200, headers={}, body=answer.cover)
    for captured in answer.captured:
        yield Fetched(
            url=captured.url,
            status=captured.status,
            headers=captured.headers,
            body=captured.body,
        )


def screened(answer: Fetched, *, holds_data: HoldsData) -> Fetched:
    """Return a page; its `challenge` is told if it is a full one that lies under one.

    Raises:
        BlockedError: it is a challenge; `RateLimitedError` for a rate-limit page.
    """
    challenge = recognise_shown(answer, holds_data=holds_data)
    if challenge is None:
        return answer
    if challenge.over_payload:
        return replace(answer, challenge=challenge.reason)
    raise challenge.error(answer)


def screened_for(
    request: Request, answer: Fetched, *, holds_data: HoldsData
) -> Fetched:
    """Return the answer to *request*, screened by what was asked for.

    What is empty in place of a photo is a broken photo. An API that is asked by a plain
    client or with a token has no page beside it, and may have nothing to say. A page in
    place of either is of no use, so none is handed on under a challenge.

    Raises:
        BlockedError: it is a challenge; `RateLimitedError` for a rate-limit page.
    """
    is_api = request.client is ClientName.HTTPX or request.secret_headers
    if request.kind is not RequestKind.PHOTO and not is_api:
        return screened(answer, holds_data=holds_data)
    challenge = recognise(answer, holds_data=holds_data)
    if challenge is None or challenge.kind is EMPTY:
        return answer
    raise challenge.error(answer)


class Screen:
    """The layer that looks at every final answer once, whatever its status."""

    def __init__(self, inner: Fetcher, *, holds_data: HoldsData) -> None:
        self._inner = inner
        self._holds_data = holds_data

    async def get(self, request: Request) -> Fetched:
        """Return the answer, of any status, unless it is a challenge."""
        answer = await self._inner.get(request)
        return screened_for(request, answer, holds_data=self._holds_data)

    async def aclose(self) -> None:
        """Close what is inside."""
        await self._inner.aclose()
