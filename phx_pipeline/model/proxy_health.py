"""What all processes together know of one proxy as a way to one source."""

from dataclasses import dataclass

from phx_pipeline.model.source import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyHealth:
    """One row of the catalogue; a fresh one is healthy.

    Times are seconds since 1970 by the catalogue's clock. What the fields mean together
    is decided in `fetch.proxies`.

    Attributes:
        proxy_id: tells proxies apart without their passwords.
        place: its host:port, for people.
        failures: faults of the proxy in a row.
        cool_until: it is not used for this source before; 0 when it never failed.
        failed_at: when it last failed or was refused; `fault` tells how.
    """

    proxy_id: str
    source: Source
    place: str = ""
    failures: int = 0
    cool_until: float = 0.0
    failed_at: float | None = None
    fault: str = ""
