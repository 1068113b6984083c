"""What a request meets on its way, told while it is under way to who asks for it.

Nothing is asked for it, and nothing is decided by it: what an end means is told by the
errors of `fetch.base`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class WireStep(StrEnum):
    """What was come to."""

    NAME = "name"
    TLS = "tls"
    ANSWER = "answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """Whose certificate a host showed: the names in it, and its last moment."""

    names: tuple[str, ...]
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WireEvent:
    """One step of one hop.

    Attributes:
        is_proxied: whether a proxy stood between; then it resolves names.
        addresses: how many the name has, of a name we resolved.
        certificate: of TLS that came about; only a new connection tells it.
        fault: why TLS did not come about.
        client: who asked, of an answer.
        status: of an answer.
        size_bytes: of the body of an answer.
    """

    step: WireStep
    host: str
    is_proxied: bool = False
    addresses: int = 0
    certificate: Certificate | None = None
    fault: str = ""
    client: str = ""
    status: int = 0
    size_bytes: int = 0


Trace = Callable[[WireEvent], None]
