"""The certificate a host showed, as the libraries that did TLS for us tell it."""

import logging
import ssl
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final

from curl_cffi import Curl, CurlInfo
from curl_cffi.curl import (  # type: ignore[attr-defined]  # its low level
    ffi,
    lib,
)
from curl_cffi.requests import Response

from phx_pipeline.fetch.trace import Certificate
from phx_pipeline.model.printable import printable

logger = logging.getLogger(__name__)

_MOST_NAMES: Final = 20
_MOST_ROWS: Final = 200
_LONGEST_ROW: Final = 8192
_NAMES: Final = "X509v3 Subject Alternative Name"
_UNTIL: Final = "Expire date"


class TracedResponse(Response):
    """An answer of curl_cffi that keeps the certificate, which its handle forgets."""

    def __init__(self, curl: Curl | None = None, *others: Any) -> None:
        super().__init__(curl, *others)
        self.certificate = of_curl(curl) if curl else None


def of_curl(curl: Curl) -> Certificate | None:
    """Return the certificate of a handle with `CERTINFO` that has just been answered.

    None on a connection that was there already.
    """
    rows = dict(row.partition(":")[::2] for row in _rows(curl))
    if _UNTIL not in rows:
        return None
    told = (name.strip() for name in rows.get(_NAMES, "").split(","))
    return _certificate(told, rows[_UNTIL])


def of_ssl(connection: object) -> Certificate | None:
    """Return the certificate of a connection of Python's `ssl` that was verified."""
    if not isinstance(connection, ssl.SSLObject | ssl.SSLSocket):
        return None
    told: Mapping[str, Any] = connection.getpeercert() or {}
    names = (f"{kind}:{name}" for kind, name in told.get("subjectAltName", ()))
    return _certificate(names, str(told.get("notAfter", "")))


def _certificate(names: Iterable[str], until: str) -> Certificate | None:
    with suppress(ValueError, OverflowError):
        until_s = ssl.cert_time_to_seconds(until)
        hosts = (name[4:] for name in names if name.startswith("DNS:"))
        return Certificate(
            names=tuple(printable(host) for host in islice(hosts, _MOST_NAMES)),
            until=datetime.fromtimestamp(until_s, UTC),
        )
    logger.debug("a certificate with the end %r", until)
    return None


def _rows(curl: Curl) -> Iterator[str]:
    """Yield what libcurl tells of the host's own certificate, a `name:value` each.

    `CURLINFO_CERTINFO` gives a `curl_certinfo`, which curl_cffi does not declare: a
    number of certificates, the host's own first, and the list of each one's rows.
    """
    found = ffi.new("struct curl_slist **")
    refused = lib.curl_easy_getinfo(curl._curl, CurlInfo.CERTINFO, found)  # noqa: SLF001 - its own `getinfo` takes the answer for a list
    if refused or found[0] == ffi.NULL or ffi.cast("int *", found[0])[0] < 1:
        return
    lists = ffi.cast("char *", found[0]) + ffi.sizeof("void *")
    row = ffi.cast("struct curl_slist ***", lists)[0][0]
    for _ in range(_MOST_ROWS):
        if row == ffi.NULL:
            return
        yield ffi.string(row.data, _LONGEST_ROW).decode("ascii", errors="replace")
        row = row.next
