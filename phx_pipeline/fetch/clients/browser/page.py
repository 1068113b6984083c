"""One page load: go there, wait, read like a person, take what is there.

Faults are told apart here. What the page did meanwhile is in its `Journal`; the line
to the browser and what lasts longer than a page belong to `session`.
"""

import asyncio
import base64
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from math import ceil
from typing import Any, Final
from urllib.parse import urlsplit

from nodriver import cdp

from phx_pipeline.errors import FetchError, HostRefusedError, TransientError
from phx_pipeline.fetch.base import Captured, Fetched, Request, RequestKind
from phx_pipeline.fetch.challenge import recognise
from phx_pipeline.fetch.clients.browser.devtools import DevTools, DevToolsError
from phx_pipeline.fetch.clients.browser.gate import Gate
from phx_pipeline.fetch.clients.browser.journal import (
    LOADED,
    LONGEST_URL,
    Answer,
    Journal,
)
from phx_pipeline.fetch.clients.browser.reading import Step, first_look_s, steps
from phx_pipeline.fetch.clients.wire import bounded
from phx_pipeline.fetch.page_parts import HoldsData
from phx_pipeline.model.printable import printable

logger = logging.getLogger(__name__)

_LOAD_S: Final = 15.0  # for pictures and scripts, after the document has come
_READ_S: Final = 6.0
_STRIDE: Final = 900  # pixels, and what follows seconds, where the time is over
_GLANCE_S: Final = 0.1
_MOST_STRIDES: Final = 20
_QUIET_S: Final = 0.5  # without traffic, however hasty the reader: scripts take time
_QUIET_WAIT_S: Final = 4.0
_LEAVE_S: Final = 8.0  # for a document that shall replace the one shown
_PASS_S: Final = 8.0  # for a challenge that goes away by itself
_TAKE_S: Final = 10.0
_SHARE: Final = 0.4  # no wait takes more of the time that is left
_LARGER_SHARE: Final = 0.6  # what may itself have to wait for another wait
_MOST_ROUNDS: Final = 3  # of reading, as a page grows

_NO_ANSWER: Final = "the page does not answer: one of its scripts does not end"
_SENT_AWAY: Final = 302
_DECODED: Final = frozenset({"content-encoding", "content-length", "transfer-encoding"})
_EMPTY: Final = frozenset(
    {"net::ERR_HTTP_RESPONSE_CODE_FAILURE", "net::ERR_INVALID_AUTH_CREDENTIALS"}
)
_NO_CONTENT: Final = frozenset({204, 205})
_REASONS: Final[Mapping[str, str]] = {
    "net::ERR_ABORTED": "the load was broken off: a download, or no page at all",
    "net::ERR_CONNECTION_CLOSED": "the connection was closed without an answer",
    "net::ERR_CONNECTION_RESET": "the connection was reset or cut off",
    "net::ERR_CONTENT_DECODING_FAILED": "the compressed answer is broken",
    "net::ERR_CONTENT_LENGTH_MISMATCH": "the answer is shorter than announced",
    "net::ERR_EMPTY_RESPONSE": "the connection was closed without an answer",
    "net::ERR_HTTP2_PROTOCOL_ERROR": "HTTP/2 framing is broken",
    "net::ERR_INCOMPLETE_CHUNKED_ENCODING": "the answer is shorter than announced",
    "net::ERR_INVALID_HTTP_RESPONSE": "the answer is not HTTP",
    "net::ERR_INVALID_REDIRECT": "redirected to an address that is none",
    "net::ERR_SSL_PROTOCOL_ERROR": "the TLS handshake failed",
    "net::ERR_CERT_AUTHORITY_INVALID": "the TLS certificate is not trusted",
    "net::ERR_TOO_MANY_REDIRECTS": "redirected without end",
    "net::ERR_TUNNEL_CONNECTION_FAILED": "no connection to the site",
    "net::ERR_UNSAFE_REDIRECT": "redirected to an address of this machine",
}
# The outermost element, taken out of the flow, that lies over the middle of the window
# and over a third of it: no page is read through such a one.
_COVER: Final = """(() => {
  const [width, height] = [innerWidth, innerHeight];
  let over = null;
  let at = document.elementFromPoint(width / 2, height / 2);
  for (; at && at !== document.documentElement; at = at.parentElement) {
    const {position} = getComputedStyle(at);
    const box = at.getBoundingClientRect();
    const inside = Math.max(0, Math.min(box.right, width) - Math.max(box.left, 0))
      * Math.max(0, Math.min(box.bottom, height) - Math.max(box.top, 0));
    const isOut = position === 'fixed' || position === 'absolute';
    if (isOut && at !== document.body && inside * 3 > width * height) over = at;
  }
  if (over === null) return '';
  const title = document.createElement('title');
  title.textContent = document.title.slice(0, 200);
  return title.outerHTML + over.outerHTML.slice(0, 200000);
})()"""
_ENDLESS: Final = frozenset({"net::ERR_TOO_MANY_REDIRECTS", "net::ERR_UNSAFE_REDIRECT"})


class PageLoad:
    """One page of a session.

    Args:
        request: what is asked for.
        tools: the line to the tab that shows it.
        journal: is told what happens in the tab.
        frame: the id of the tab's main frame.
        gate: knows why it let nothing through to a host.
        is_drawn: whether the tab draws frames; else no wheel turns in it.
        seed: of the reader.
        pace: multiplies the pauses a reader makes.
        holds_data: knows the data that pages of the source hold.
    """

    def __init__(  # noqa: PLR0913 - what a page load has to do with
        self,
        request: Request,
        *,
        tools: DevTools,
        journal: Journal,
        frame: str,
        gate: Gate,
        is_drawn: bool,
        seed: str,
        pace: float,
        holds_data: HoldsData,
    ) -> None:
        self._request = request
        self._tools = tools
        self._journal = journal
        self._frame = cdp.page.FrameId(frame)
        self._gate = gate
        self._is_drawn = is_drawn
        self._seed = f"{seed} {request.url}"
        self._pace = pace
        self._holds_data = holds_data
        self._loop = asyncio.get_running_loop()
        self._ends_at = self._loop.time() + request.timeout_s

    async def get(self, *, within_s: float) -> Fetched:
        """Return the answer of the newest document; call it once, under a deadline.

        Raises:
            HostRefusedError: the gate does not let through to the very host asked for.
            TransientError: there is no answer, or none that can be taken.
            FetchError: the page leads nowhere.
            DevToolsError: the browser does not do what it is told.
        """
        self._ends_at = self._loop.time() + within_s
        keeper = asyncio.create_task(self._keep_bodies())
        try:
            await self._go()
            while True:
                document = await self._shown()
                with self._unless_left(document):
                    await self._read(document)
                    await self._come_to_rest(document)
                    answer = await self._taken(document)
                    if not await self._is_passed(document, answer):
                        return answer
        finally:
            keeper.cancel()
            await asyncio.wait([keeper])

    @contextmanager
    def _unless_left(self, document: Answer) -> Iterator[None]:
        """Bear that a document does not answer if another one takes its place."""
        try:
            yield
        except (DevToolsError, TransientError):
            if self._is_newest(document):
                raise

    # --- going there ------------------------------------------------------------------

    async def _go(self) -> None:
        """Set out; where a page goes on at once, the browser never says it arrived."""
        command = cdp.page.navigate(self._request.url, referrer=self._referrer())
        going = asyncio.create_task(self._tools.send(command, within_s=self._left_s()))
        going.add_done_callback(lambda _: self._journal.changed.set())
        try:
            await self._until(
                lambda: going.done() or self._journal.document is not None, most_s=None
            )
            *_, error, _ = going.result() if going.done() else (None, None)
        finally:
            going.cancel()
            await asyncio.wait([going])
        if error and self._journal.document is None:
            raise self._failure(Answer(id="", url=self._request.url, error=error))

    def _referrer(self) -> str | None:
        named = {name.lower(): value for name, value in self._request.headers.items()}
        return named.get("referer")

    async def _shown(self) -> Answer:
        """Wait for a document that is whole, and a while for what belongs to it."""
        while (document := self._whole()) is None:
            await self._until(self._is_further, most_s=None)
            if self._journal.is_leaving:
                await self._arrive()
        if not document.error and not _is_elsewhere(document):
            self._require_body(document)
            await self._until(
                lambda: bool(LOADED & document.stages) or not self._is_newest(document),
                most_s=_LOAD_S,
            )
        return document

    def _is_further(self) -> bool:
        return self._journal.is_leaving or self._whole() is not None

    async def _arrive(self) -> None:
        """Wait for the document that shall replace the one shown, or give it up.

        Until then the browser keeps most commands for the one shown waiting.
        """
        await self._until(lambda: not self._journal.is_leaving, most_s=_LEAVE_S)
        if self._journal.is_leaving:
            self._journal.stay()
            await self._ask(cdp.page.stop_loading())

    def _whole(self) -> Answer | None:
        document = self._journal.document
        return document if document is not None and document.over else None

    def _is_newest(self, document: Answer) -> bool:
        return self._journal.document is document and not self._journal.is_leaving

    # --- reading ----------------------------------------------------------------------

    async def _read(self, document: Answer) -> None:
        """Go down the page, and down what has come below it by then."""
        if self._request.kind is not RequestKind.PAGE or document.error:
            return
        await asyncio.sleep(first_look_s(self._seed) * self._pace)
        ends_at = self._loop.time() + self._share(_READ_S * max(self._pace, 1.0))
        left_s = _READ_S  # before the pace makes them longer or shorter
        for number in range(_MOST_ROUNDS):
            distance = await self._below()
            round_ = steps(f"{self._seed} {number}", distance=distance, most_s=left_s)
            for step in round_:
                if not self._is_newest(document):
                    return
                if self._loop.time() > ends_at:
                    break
                await self._turn(step)
            left_s -= sum(step.pause_s for step in round_)
        await self._skim(document)

    async def _skim(self, document: Answer) -> None:
        """Go down the rest in wide moves: what comes late waits until it is seen."""
        left = await self._below()
        stride = max(_STRIDE, ceil(left / _MOST_STRIDES))
        for at in range(0, left, stride):
            if not self._is_newest(document):
                return
            step = Step(delta_y=min(stride, left - at), pause_s=_GLANCE_S)
            await self._turn(step)

    async def _below(self) -> int:
        """Return how much of the page is below the window, in pixels."""
        *_, window, _, content = await self._ask(cdp.page.get_layout_metrics())
        shown_to = window.page_y + window.client_height
        return max(0, int(content.height - shown_to))

    async def _turn(self, step: Step) -> None:
        if self._is_drawn:
            await self._ask(
                cdp.input_.dispatch_mouse_event(
                    "mouseWheel", x=640, y=400, delta_x=0, delta_y=step.delta_y
                )
            )
        else:  # a wheel would wait for a frame that is never drawn
            await self._evaluate(f"window.scrollBy(0, {step.delta_y})")
        await asyncio.sleep(step.pause_s * self._pace)

    async def _come_to_rest(self, document: Answer) -> None:
        """Wait until nothing more comes; and a while for a document that shall come."""
        if not document.error:
            await self._fall_silent(document)
        if self._journal.is_leaving:
            await self._arrive()

    async def _fall_silent(self, document: Answer) -> None:
        ends_at = self._loop.time() + self._share(_QUIET_WAIT_S)
        while self._loop.time() < ends_at and self._is_newest(document):
            calm_s = self._loop.time() - self._journal.last_traffic_s
            is_waiting = any(not answer.over for answer in self._journal.captured)
            if calm_s >= _QUIET_S and not is_waiting:
                return
            await asyncio.sleep(max(0.05, _QUIET_S - calm_s))

    async def _is_passed(self, document: Answer, answer: Fetched) -> bool:
        """Whether another page is in its place; a challenge gets time for that.

        Some let a browser through once their scripts have worked in silence.
        """
        challenge = recognise(answer, holds_data=self._holds_data)
        if challenge is not None and not challenge.over_payload:
            await self._until(lambda: not self._is_newest(document), most_s=_PASS_S)
        return not self._is_newest(document)

    # --- taking -----------------------------------------------------------------------

    async def _taken(self, document: Answer) -> Fetched:
        if document.error:
            return self._without_document(document)
        if _is_elsewhere(document):
            return self._sent_away(document)
        return Fetched(
            url=document.url,
            status=document.status,
            headers=_headers(document),
            body=document.body or b"",
            captured=tuple(map(_captured, self._journal.taken())),
            rendered=await self._rendered(),
            cover=await self._cover(),
        )

    def _require_body(self, document: Answer) -> None:
        if not document.status:
            raise self._error(f"the page left for {document.url[:100]}")
        if len(document.url) > LONGEST_URL:
            raise self._error(f"the page's address is {len(document.url)} long")
        if document.body is None:
            raise self._error(_NO_ANSWER)

    def _without_document(self, document: Answer) -> Fetched:
        """Return what Chromium itself shows another page for, or raise what it is."""
        if document.status and (
            document.error in _EMPTY or document.status in _NO_CONTENT
        ):
            return Fetched(
                url=document.url,
                status=document.status,
                headers=_headers(document),
                body=b"",
            )
        host = urlsplit(document.url).hostname or ""
        if (why := self._gate.failures.get(host)) is not None:
            why.url = document.url
            raise why
        if _is_elsewhere(document) or self._is_refused(document.url):
            return self._sent_away(document)
        raise self._failure(document)

    def _is_refused(self, url: str) -> bool:
        is_asked_for = urlsplit(url).scheme == "https"
        return is_asked_for and not self._gate.lets_through(url)

    def _sent_away(self, document: Answer) -> Fetched:
        """Return as a redirect what leads to where this browser does not go."""
        if document.url == self._request.url:
            told = "refused by the gate: the host is not on the list of the source"
            raise HostRefusedError(told, url=document.url)
        return Fetched(
            url=self._request.url,
            status=_SENT_AWAY,
            headers=bounded([("location", document.url)]),
            body=b"",
        )

    def _failure(self, document: Answer) -> FetchError:
        known = _REASONS.get(document.error)
        told = known or printable(f"the browser could not load it ({document.error})")
        kind = FetchError if document.error in _ENDLESS else TransientError
        return kind(told, url=self._request.url, status=document.status or None)

    async def _rendered(self) -> bytes:
        """Return the document as scripts have made it, cut where it is too long."""
        text = await self._evaluate(
            "document.documentElement?.outerHTML.slice(0, "
            f"{self._request.max_bytes}) || ''"
        )
        return str(text or "").encode("utf-8", "replace")

    async def _cover(self) -> bytes:
        """Return what lies over the middle of the window, with the page's title."""
        text = await self._evaluate(_COVER)
        return str(text or "").encode("utf-8", "replace")

    # --- bodies -----------------------------------------------------------------------

    async def _keep_bodies(self) -> None:
        """Fetch each body at its end: the browser forgets them."""
        while True:
            answer = await self._journal.ended.get()
            try:
                if self._journal.has_room(answer):
                    await self._keep(answer)
            except (DevToolsError, TimeoutError, ValueError) as error:
                logger.debug("%s: its body cannot be had: %r", answer.url[:200], error)
            finally:
                answer.over = True
                self._journal.changed.set()

    async def _keep(self, answer: Answer) -> None:
        text, is_binary = await self._tools.send(
            cdp.network.get_response_body(cdp.network.RequestId(answer.id)),
            within_s=self._share(_TAKE_S, part=_LARGER_SHARE),
        )
        if is_binary:
            answer.body = base64.b64decode(text)
        else:
            answer.body = text.encode("utf-8", "replace")
            answer.is_text = True

    # --- waiting and asking -----------------------------------------------------------

    async def _until(self, is_so: Callable[[], bool], *, most_s: float | None) -> None:
        """Wait until it is so, or until the time for that is over."""
        wait_s = None if most_s is None else self._share(most_s)
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                while not is_so():
                    self._journal.changed.clear()
                    await self._journal.changed.wait()

    async def _ask(self, command: Any) -> Any:
        try:
            return await self._tools.send(command, within_s=self._share(_TAKE_S))
        except TimeoutError as error:
            raise self._error(_NO_ANSWER) from error

    async def _evaluate(self, expression: str) -> Any:
        """Return a value from a world of our own, unseen and unbent by the page."""
        context = await self._ask(cdp.page.create_isolated_world(self._frame))
        value, error = await self._ask(
            cdp.runtime.evaluate(expression, context_id=context, return_by_value=True)
        )
        if error is not None:
            raise DevToolsError(printable(error.text))
        return value.value

    def _left_s(self) -> float:
        return max(0.01, self._ends_at - self._loop.time())

    def _share(self, most_s: float, *, part: float = _SHARE) -> float:
        return min(most_s, self._left_s() * part)

    def _error(self, told: str) -> TransientError:
        return TransientError(printable(told), url=self._request.url)


def _is_elsewhere(document: Answer) -> bool:
    """Whether what is shown came over no connection to a host."""
    return urlsplit(document.url).scheme not in {"https", "about"}


def _headers(answer: Answer) -> dict[str, str]:
    """Return the head as it is of the body we have: decoded, and text in UTF-8."""
    headers = bounded((str(name), str(value)) for name, value in answer.headers.items())
    kept = {name: value for name, value in headers.items() if name not in _DECODED}
    if answer.is_text and (media := kept.get("content-type")):
        kept["content-type"] = f"{media.partition(';')[0]}; charset=utf-8"
    return kept


def _captured(answer: Answer) -> Captured:
    return Captured(
        url=answer.url,
        status=answer.status,
        headers=_headers(answer),
        body=answer.body or b"",
    )
