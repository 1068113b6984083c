"""What a page does while it is open, as the browser's events tell it; bounded.

A page decides how much there is to tell, so only the main document, and the first
answers somebody wants, are remembered; all else is counted. The methods are called by
nodriver's reader between two events: they are quick, never raise, and start nothing.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from nodriver import cdp

from phx_pipeline.errors import BodyLimitError, FetchError, TransientError
from phx_pipeline.fetch.base import Request
from phx_pipeline.fetch.captured import MOST_CAPTURED

MOST_DOCUMENTS: Final = 8
"""Main documents one after the other in one page load."""
MOST_DIALOGS: Final = 5
LONGEST_URL: Final = 4096
LOADED: Final = frozenset({"load", "networkIdle"})
"""A page whose script goes elsewhere in vain never loads, but falls silent."""

_SCHEMES: Final = frozenset({"http", "https"})
_ABORTED: Final = "net::ERR_ABORTED"
_TRAFFIC: Final = 8  # times the largest body; then what the page loads is stopped


@dataclass(slots=True, kw_only=True, eq=False)
class Answer:
    """One answer: what is known of it so far.

    Attributes:
        id: of the request; for a main document also that of its loading.
        length: bytes so far, decoded.
        over: it came to its end, in one way or the other.
        error: as Chromium names it, such as `net::ERR_CONNECTION_RESET`.
        body: fetched from the browser after the end, None before that.
        is_text: the browser gave the body as text, which is in UTF-8 now.
        loader: of the document it belongs to.
        stages: which events of its life a document has reached.
    """

    id: str
    url: str
    status: int = 0
    headers: Mapping[str, Any] = field(default_factory=dict)
    length: int = 0
    over: bool = False
    error: str = ""
    body: bytes | None = None
    is_text: bool = False
    loader: str = ""
    stages: set[str] = field(default_factory=set)


class Journal:
    """One page load.

    Args:
        request: what is asked for.
        frame: the id of the main frame.
        left: of the document it showed before, of which something may still be told.
        on_fault: called once, when the page can no longer give an answer.
        on_flood: called when the page has loaded more than anybody needs.
    """

    def __init__(
        self,
        request: Request,
        *,
        frame: str,
        left: str,
        on_fault: Callable[[], None],
        on_flood: Callable[[], None],
    ) -> None:
        self.fault: FetchError | None = None
        self.changed = asyncio.Event()
        self.document: Answer | None = None
        self.ended: asyncio.Queue[Answer] = asyncio.Queue()
        self.captured: list[Answer] = []
        self.last_traffic_s = 0.0
        self._request = request
        self._frame = frame
        self._left = left
        self._on_fault = on_fault
        self._on_flood = on_flood
        self._coming: Answer | None = None
        self._documents = 0
        self._dialogs = 0
        self._traffic = 0
        self._floods = 0

    @property
    def is_leaving(self) -> bool:
        """Whether a newer document than the one shown has been asked for."""
        return self.document is not None and self._coming is not None

    def fail(self, error: FetchError) -> None:
        """Note what ends this page load; the first one counts."""
        if self.fault is None:
            self.fault = error
            self._on_fault()

    def stay(self) -> None:
        """Wait no longer for a document that does not come."""
        self._coming = None

    def has_room(self, answer: Answer) -> bool:
        """Whether a body may be fetched: all that is captured is bounded together."""
        if answer not in self.captured:
            return not self.is_too_long(answer)
        kept = sum(len(other.body or b"") for other in self.captured)
        return kept + answer.length <= self._request.max_bytes

    def taken(self) -> list[Answer]:
        """Return the answers captured that came whole."""
        return [answer for answer in self.captured if answer.body is not None]

    # --- events of the browser --------------------------------------------------------

    def on_request(self, event: cdp.network.RequestWillBeSent) -> None:
        """Somebody asks: the main frame for a document, or the page for anything."""
        self._note()
        if event.type_ == cdp.network.ResourceType.DOCUMENT:
            if event.frame_id == self._frame:
                self._on_document(event)
        elif self._is_wanted(event):
            self.captured.append(_asked(event))

    def _on_document(self, event: cdp.network.RequestWillBeSent) -> None:
        if urlsplit(event.request.url).scheme not in _SCHEMES:
            return  # for another program, and refused
        came = self._coming
        if came is None or came.id != event.request_id:
            self._documents += 1
            self._coming = _asked(event)
        else:  # redirected
            came.url = event.request.url
        if self._documents > MOST_DOCUMENTS:
            self.fail(self._error("the page goes from one document to the next"))

    def _is_wanted(self, event: cdp.network.RequestWillBeSent) -> bool:
        url = event.request.url
        is_full = len(self.captured) >= MOST_CAPTURED
        if is_full or len(url) > LONGEST_URL or self._known(event.request_id):
            return False
        asked_by = {shown.id for shown in (self.document, self._coming) if shown}
        path = urlsplit(url).path
        return event.loader_id in asked_by and any(
            path.startswith(wanted) for wanted in self._request.captures
        )

    def on_response(self, event: cdp.network.ResponseReceived) -> None:
        """The head of an answer is here."""
        self._note()
        if (answer := self._known(event.request_id)) is not None:
            answer.url = event.response.url
            answer.status = event.response.status
            answer.headers = event.response.headers

    def on_data(self, event: cdp.network.DataReceived) -> None:
        """A part of a body is here."""
        self._note()
        self._traffic += event.data_length
        if self._traffic > _TRAFFIC * self._request.max_bytes:
            self._traffic, self._floods = 0, self._floods + 1
            self._on_flood()
        answer = self._known(event.request_id)
        if answer is not None:
            answer.length += event.data_length
        is_main = answer is not None and answer in {self.document, self._coming}
        if self._floods > 1 or (is_main and self.is_too_long(answer)):
            most = self._request.max_bytes
            told = f"the body is larger than {most} bytes"
            self.fail(BodyLimitError(told, url=self._request.url))

    def is_too_long(self, answer: Answer | None) -> bool:
        """Whether a body is larger than the request allows."""
        return answer is not None and answer.length > self._request.max_bytes

    def on_finished(self, event: cdp.network.LoadingFinished) -> None:
        """A body is complete: it is to be fetched before the browser forgets it."""
        self._note()
        if (answer := self._known(event.request_id)) is not None:
            self.ended.put_nowait(answer)

    def on_failed(self, event: cdp.network.LoadingFailed) -> None:
        """A body will not come, or not wholly."""
        self._note()
        answer = self._known(event.request_id)
        if answer is None:
            return
        answer.error, answer.over = event.error_text, True
        if answer is self._coming:
            if event.error_text == _ABORTED and self.document is not None:
                self.stay()
            else:
                self._arrive()

    def on_life(self, event: cdp.page.LifecycleEvent) -> None:
        """A document has come a step further."""
        shown = self.document
        if shown is not None and event.loader_id == shown.id:
            shown.stages.add(event.name)
            self.changed.set()

    def on_navigated(self, event: cdp.page.FrameNavigated) -> None:
        """The main frame shows another document."""
        frame = event.frame
        is_ours = frame.id_ == self._frame and frame.unreachable_url is None
        if not is_ours or frame.loader_id == self._left:
            return
        if self._coming is not None and frame.loader_id == self._coming.id:
            self._arrive()
        elif self.document is not None and frame.loader_id != self.document.id:
            self._documents += 1
            self.document = Answer(id=frame.loader_id, url=frame.url, over=True)
            self.changed.set()

    def on_dialog(self) -> None:
        """The page shows a dialog, which is dismissed."""
        self._dialogs += 1
        if self._dialogs > MOST_DIALOGS:
            self.fail(self._error("the page shows one dialog after the other"))

    def on_end(self, told: str) -> None:
        """What shows the page is gone."""
        self.fail(self._error(told))

    # ----------------------------------------------------------------------------------

    def _arrive(self) -> None:
        """What was coming is the page now; what an older one asked is no part of it."""
        self.document, self._coming = self._coming, None
        self.captured = [
            answer
            for answer in self.captured
            if self.document and answer.loader == self.document.id
        ]
        self.changed.set()

    def _known(self, request_id: str) -> Answer | None:
        shown = (self.document, self._coming, *self.captured)
        return next((a for a in shown if a is not None and a.id == request_id), None)

    def _note(self) -> None:
        self.last_traffic_s = asyncio.get_running_loop().time()
        self.changed.set()

    def _error(self, told: str) -> TransientError:
        return TransientError(told, url=self._request.url)


def _asked(event: cdp.network.RequestWillBeSent) -> Answer:
    return Answer(id=event.request_id, url=event.request.url, loader=event.loader_id)
