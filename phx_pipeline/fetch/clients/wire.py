"""What all clients do alike: CA files, bounds of headers, error texts."""

from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from curl_cffi.curl import DEFAULT_CACERT

from phx_pipeline.errors import DeadlineError, InputError, NoWayError
from phx_pipeline.fetch.base import Request
from phx_pipeline.fetch.trace import Certificate, WireEvent, WireStep
from phx_pipeline.model.no_way import no_way
from phx_pipeline.model.printable import printable

# Of each answer; browsers send and servers need far less.
_MOST_HEADERS: Final = 200
_LONGEST_NAME: Final = 100
_LONGEST_HEADER: Final = 8192


def trusted(ca_file: Path | None) -> str:
    """Return the path of the certificates to trust, the usual ones for None.

    Raises:
        InputError: the file does not exist.
    """
    if ca_file is not None and not ca_file.is_file():
        raise InputError(f"the CA file {ca_file} does not exist; give a PEM file")
    return str(ca_file or DEFAULT_CACERT)


def bounded(headers: Iterable[tuple[str, str | None]]) -> dict[str, str]:
    """Return the first headers, names in lower case, each one printable and short."""
    found: dict[str, str] = {}
    for name, value in islice(headers, _MOST_HEADERS):
        line = printable(value or "", most=_LONGEST_HEADER)
        found.setdefault(printable(name, most=_LONGEST_NAME).lower(), line)
    return found


def no_way_to(request: Request, why: str) -> NoWayError:
    """Return the error for a host that cannot be reached from here."""
    told = no_way(f"{urlsplit(request.url).hostname}: {why}")
    return NoWayError(printable(told), url=request.url)


def too_late(request: Request) -> DeadlineError:
    """Return the error for an answer that was not complete in time."""
    return DeadlineError(
        f"no complete answer within {round(request.timeout_s, 2):g} s", url=request.url
    )


def tell(
    request: Request,
    step: WireStep,
    *,
    is_proxied: bool,
    addresses: int = 0,
    certificate: Certificate | None = None,
    fault: str = "",
) -> None:
    """Tell the trace of *request*, if it has one, what it has come to."""
    if request.trace is not None:
        event = WireEvent(
            step=step,
            host=urlsplit(request.url).hostname or "",
            is_proxied=is_proxied,
            addresses=addresses,
            certificate=certificate,
            fault=fault,
        )
        request.trace(event)
