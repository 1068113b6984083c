"""The POST of a webhook, straight from here: no proxy, no redirect, no cookie.

It goes by https, or to this machine, and only to public addresses; a private one must
be declared. Sources' hosts, pace and circuits have nothing to do with it.
"""

import asyncio
from pathlib import Path
from typing import Final

from phx_pipeline.errors import DeliveryError, FetchError
from phx_pipeline.fetch.base import Request, RequestKind
from phx_pipeline.fetch.clients.httpx import HttpxClient
from phx_pipeline.fetch.hosts import Endpoint, Resolve
from phx_pipeline.model.message import WebhookCall

SETTING: Final = "PHX_WEBHOOK_URL"

_TIMEOUT_S: Final = 60.0  # until the status; some begin long work before they answer


class WebhookClient:
    """Posts to the server of one URL.

    Args:
        url: the only one that is posted to, or its server's root.
        private: an address that its host may have although it is not public.
        ca_file: certificates to trust instead of the usual ones.
        resolve: of host names, for tests.

    Raises:
        InputError: the URL will not do.
    """

    def __init__(
        self,
        url: str,
        *,
        private: str | None = None,
        ca_file: Path | None = None,
        resolve: Resolve | None = None,
        timeout_s: float = _TIMEOUT_S,
    ) -> None:
        self._endpoint = Endpoint.of(url, setting=SETTING)
        self._private = frozenset({private} if private else ())
        self._ca_file = ca_file
        self._resolve = resolve
        self._timeout_s = timeout_s

    def __call__(self, call: WebhookCall) -> int:
        """Return the status of the answer; what else it says is not waited for.

        Raises:
            DeliveryError: none came, or the address is not to be asked.
        """
        return asyncio.run(self._post(call))

    async def _post(self, call: WebhookCall) -> int:
        client = HttpxClient(
            endpoints=frozenset({self._endpoint}),
            private=self._private,
            ca_file=self._ca_file,
            resolve=self._resolve,
        )
        request = Request(
            url=call.url,
            kind=RequestKind.API,
            method="POST",
            body=call.body,
            headers=call.headers,
            secret_headers=call.secret_headers,
            timeout_s=self._timeout_s,
        )
        try:
            return await client.status(request)
        except FetchError as error:
            # The URL of the error may be a secret, and its cause holds the headers.
            place = f"{self._endpoint.host}:{self._endpoint.port}"
            raise DeliveryError(f"{place}: {error}; see {SETTING}") from None
        finally:
            await client.aclose()
