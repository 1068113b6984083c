"""One request to a service, sent again where that is safe; what it refused is raised.

Nothing here knows what the requests are about.
"""

import ssl
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Self

import httpx

from phx_pipeline.client.problems import PASSING, Meanings, refusal
from phx_pipeline.errors import InputError, ServiceError
from phx_pipeline.model.server_url import server_url

_TIMEOUT: Final = httpx.Timeout(30.0, connect=5.0)
_ATTEMPTS: Final = 4
_FIRST_PAUSE_S: Final = 0.5
_DISTRUSTS: Final = (  # a word of OpenSSL's, and what helps
    (
        "mismatch",
        "write the URL with a name that is in it (--server, PHX_SERVER)",
    ),
    ("expired", "whoever runs the service has to renew it"),
    ("not yet valid", "see whether the clocks of both computers are right"),
    ("", "name the file of its authority in PHX_CA_FILE"),
)
_PLAIN: Final = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE")
_NO_TLS: Final = (
    "a key is sent by TLS alone to another computer; ask whoever runs it for its https "
    "address, or reach it through a tunnel as http://127.0.0.1:PORT"
)
_JSON: Final = "application/json, application/problem+json"


class Transport:
    """A connection to the service at *server*; its redirects are never followed.

    Args:
        server: the URL in front of `/api`.
        key: goes into each request, and to no other host.
        ca_file: certificates to trust instead of those of the system.
        key_by: what names the key, for messages.
        sleep: waits between attempts.
    """

    def __init__(
        self,
        server: str,
        *,
        key: str | None = None,
        ca_file: Path | None = None,
        key_by: str = "PHX_KEY",
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.server = server
        self._sleep = sleep
        self._key_by = key_by
        headers = {"Accept": _JSON, "User-Agent": "phx_pipeline"}
        if key:
            headers["Authorization"] = f"Bearer {key}"
        self._http = httpx.Client(
            base_url=server,
            headers=headers,
            timeout=_TIMEOUT,
            verify=_trusted(ca_file),
            trust_env=False,  # a proxy of the environment is for other hosts
        )

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def __enter__(self) -> Self:
        """Use it to the end of a block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def ask(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        means: Meanings = MappingProxyType({}),
        is_safe: bool = True,
    ) -> Any:
        """Send a request and return the JSON of its answer; None if it has no body.

        Args:
            method: of HTTP.
            path: below the server's URL.
            params: of the query.
            body: sent as JSON.
            headers: further ones.
            means: what the service refuses with some statuses, as for this path.
            is_safe: to send it twice changes no more than once; else it is sent again
                only where it cannot have arrived.

        Raises:
            PhxError: as the service refused it, see `problems.refusal`.
            ServiceError: it cannot be reached, or what answers is no service of ours.
        """
        request = self._http.build_request(
            method, path, params=params, json=body, headers=headers
        )
        answer = self._answer(request, is_safe=is_safe)
        if not answer.is_success:
            raise refusal(answer, server=self.server, key_by=self._key_by, means=means)
        try:
            return answer.json() if answer.content else None
        except ValueError as error:
            raise ServiceError(
                f"what answers at {self.server} is no service of phx_pipeline: its "
                "answer is not JSON"
            ) from error

    def _answer(self, request: httpx.Request, *, is_safe: bool) -> httpx.Response:
        for attempt in range(1, _ATTEMPTS + 1):
            is_last = attempt == _ATTEMPTS
            try:
                answer = self._http.send(request)
            except httpx.TransportError as error:
                may_repeat = is_safe or isinstance(error, httpx.ConnectError)
                is_lasting = _is_distrust(error) or _is_plain(error)
                if is_last or not may_repeat or is_lasting:
                    raise self._unreachable(error) from error
            else:
                if is_last or not is_safe or answer.status_code not in PASSING:
                    return answer
            self._sleep(_FIRST_PAUSE_S * 2 ** (attempt - 1))
        raise AssertionError

    def _unreachable(self, error: httpx.TransportError) -> ServiceError:
        told = " ".join(str(error).split()) or "no answer in time"
        if _is_distrust(error):
            remedy = next(it for word, it in _DISTRUSTS if word in told.lower())
            return ServiceError(
                f"the certificate of {self.server} is not trusted ({told}): {remedy}"
            )
        if _is_plain(error):
            plain = server_url(f"http{self.server.removeprefix('https')}")
            remedy = f"write {plain}" if plain else _NO_TLS
            return ServiceError(
                f"{self.server} speaks plain HTTP: {remedy} (--server, PHX_SERVER)"
            )
        if self._may_speak_tls(error):
            return ServiceError(
                f"{self.server} does not speak plain HTTP ({told}): is it "
                f"https{self.server.removeprefix('http')} (--server, PHX_SERVER)?"
            )
        return ServiceError(
            f"{self.server} does not answer ({told}): is `phx up` running there, and "
            "the URL right (--server, PHX_SERVER)?"
        )

    def _may_speak_tls(self, error: httpx.TransportError) -> bool:
        """Whether somebody took a plain request and hung up, as TLS servers do."""
        hung_up = isinstance(error, httpx.RemoteProtocolError | httpx.ReadError)
        return hung_up and self.server.startswith("http://")


def _is_distrust(error: Exception) -> bool:
    return "CERTIFICATE_VERIFY_FAILED" in str(error)


def _is_plain(error: Exception) -> bool:
    """Whether what answered a greeting of TLS was no TLS, in words of OpenSSL's."""
    told = str(error).upper().replace(" ", "_")
    return any(word in told for word in _PLAIN)


def _trusted(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    except ssl.SSLError as error:
        raise InputError(
            f"PHX_CA_FILE: {ca_file} holds no certificates: give a file in PEM format"
        ) from error
