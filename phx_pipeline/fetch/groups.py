"""The names of the rows in which all processes keep what they know of a source.

A group of hosts has one, and so has the circuit of a browser that asks a group.
"""

from collections.abc import Iterable

from phx_pipeline.fetch.base import ClientName, Request, RequestKind
from phx_pipeline.model.source import Source


def policy_name(request: Request) -> str:
    """Return the group of hosts a request belongs to: `redfin` or `redfin/photos`.

    One that is no listing source's is named by the request itself.
    """
    return (
        request.group or group_names(request.source)[request.kind is RequestKind.PHOTO]
    )


def group_names(source: Source) -> tuple[str, str]:
    """Return the names of a source's two groups: page and API hosts, photo hosts."""
    return source.value, f"{source.value}/photos"


def circuit_name(request: Request) -> str:
    """Return the name of the circuit a request is under, of its group and client.

    All plain HTTP shares the group's own; a browser is served where that is refused, so
    it has another. Pace and Retry-After are the group's, whoever asks.
    """
    group = policy_name(request)
    return _browser_circuit(group) if request.client is ClientName.BROWSER else group


def further_circuits(groups: Iterable[str]) -> list[str]:
    """Return the circuits that *groups* may have beside their own."""
    return [_browser_circuit(group) for group in groups]


def _browser_circuit(group: str) -> str:
    return f"{group}/{ClientName.BROWSER}"
