"""Webshare's list API: the proxies of an account, read again every few minutes.

Public description: `GET {base}/proxy/list/?mode=direct|backbone&page=N&page_size=M`
with `Authorization: Token KEY`; pages hold `results` and `next`.
"""

import contextlib
import json
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

import httpx

from phx_pipeline.errors import InputError, ProxyError
from phx_pipeline.fetch.proxies import Proxy

logger = logging.getLogger(__name__)

WEBSHARE: Final = "https://proxy.webshare.io/api/v2"

_BACKBONE = "p.webshare.io"  # where residential proxies, without an address, are met
_PAGE_SIZE = 100
_MAX_PAGES = 50
_MAX_PAGE_BYTES = 5_000_000
_TIMEOUT_S = 10.0
_KEPT_S = 300.0
_REFUSED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


class _UnreadableError(Exception):
    """The list cannot be had now; the text may be shown."""


class WebshareList:
    """The valid proxies of one account; call it for them. One per process.

    While the API fails the last list goes on being used; it is asked again after
    *kept_s* seconds, whether it answered or not.

    Args:
        token: never part of a text this raises or logs.
        mode: `direct` (addresses of proxies) or `backbone` (residential ones).
        base_url: the API, for tests.
        clock: seconds that only rise.
    """

    def __init__(
        self,
        token: str,
        *,
        mode: str = "direct",
        base_url: str = WEBSHARE,
        kept_s: float = _KEPT_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._token = token
        self._mode = mode
        self._base_url = base_url
        self._kept_s = kept_s
        self._clock = clock
        self._lock = threading.Lock()
        self._read_at: float | None = None
        self._last: tuple[Proxy, ...] = ()
        self._trouble = ""

    def __call__(self) -> Sequence[Proxy]:
        """Return the proxies.

        Raises:
            ProxyError: there is no list yet, and it cannot be had now.
            InputError: the token is refused.
        """
        with self._lock:
            now_s = self._clock()
            if self._read_at is None or now_s - self._read_at >= self._kept_s:
                self._refresh()
                self._read_at = now_s
            if self._trouble and not self._last:
                told = f"proxy: Webshare's list cannot be read: {self._trouble}"
                raise ProxyError(told, url=self._base_url)
            return self._last

    def _refresh(self) -> None:
        try:
            self._last, self._trouble = self._read(), ""
        except _UnreadableError as error:
            self._trouble = str(error)
            logger.warning("Webshare's list cannot be read: %s", self._trouble)

    def _read(self) -> tuple[Proxy, ...]:
        found: dict[str, Proxy] = {}
        # trust_env off: the environment's proxies, netrc and CA files have no say.
        with httpx.Client(timeout=_TIMEOUT_S, trust_env=False) as client:
            for row in self._rows(client):
                if (proxy := _proxy_of(row)) is not None:
                    found[proxy.id] = proxy
        return tuple(found.values())

    def _rows(self, client: httpx.Client) -> Iterator[Any]:
        # Pages are counted: an address in an answer must not be sent the token.
        for number in range(1, _MAX_PAGES + 1):
            page = self._page(client, number)
            rows = page.get("results") if isinstance(page, dict) else None
            if not isinstance(rows, list):
                raise _UnreadableError("the answer has no list of results")
            yield from rows
            if not page.get("next"):
                return

    def _page(self, client: httpx.Client, number: int) -> Any:
        wanted: dict[str, str | int] = {
            "mode": self._mode,
            "page": number,
            "page_size": _PAGE_SIZE,
        }
        try:
            with client.stream(
                "GET",
                f"{self._base_url}/proxy/list/",
                params=wanted,
                headers={"Authorization": f"Token {self._token}"},
            ) as answer:
                body = _body(answer)
        except httpx.HTTPError as error:
            # Its request holds the token: not to be kept in a chain of causes.
            raise _UnreadableError(type(error).__name__) from None
        # Suppressed, for these errors would repeat the passwords in the answer.
        with contextlib.suppress(ValueError, RecursionError):
            return json.loads(body)
        raise _UnreadableError("the answer is not JSON")


def _body(answer: httpx.Response) -> bytes:
    if answer.status_code in _REFUSED:
        raise InputError(
            f"PHX_WEBSHARE_TOKEN: Webshare refuses it with {answer.status_code}; "
            "copy the API key of your account"
        )
    if answer.status_code != HTTPStatus.OK:
        raise _UnreadableError(f"it answered {answer.status_code}")
    body = bytearray()
    for chunk in answer.iter_bytes():
        body += chunk
        if len(body) > _MAX_PAGE_BYTES:
            raise _UnreadableError("the answer is too large")
    return bytes(body)


def _proxy_of(row: Any) -> Proxy | None:
    """Return the proxy a result describes, None if it is not valid or not usable."""
    if not isinstance(row, dict) or row.get("valid") is not True:
        return None
    user, password = row.get("username"), row.get("password")
    credentials = f"{_quoted(user)}:{_quoted(password)}@" if user else ""
    place = f"{row.get('proxy_address') or _BACKBONE}:{row.get('port')}"
    try:
        return Proxy.of(f"http://{credentials}{place}")
    except InputError:
        logger.warning("Webshare lists a proxy that cannot be used")
        return None


def _quoted(text: object) -> str:
    return quote(str(text or ""), safe="")
