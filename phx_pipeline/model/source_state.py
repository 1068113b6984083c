"""What all processes together know of one group of hosts."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceState:
    """One row of the catalogue: pace, Retry-After and circuit of a group of hosts.

    `name` is that of the source for its page and API hosts, `SOURCE/photos` for its
    photo hosts; a row `NAME/browser` holds the circuit of a browser that asks such a
    group, whose pace is the group's. Times are seconds since 1970 by the catalogue's
    clock. What the fields mean together is decided in `fetch.pacing` and
    `fetch.breaker`.

    Attributes:
        next_slot: when the next request may leave; those before it are given away.
        period_s: between two slots; 0 until a source was asked for patience.
        not_before: the end of the longest Retry-After.
        failures: in a row, while the circuit is closed.
        successes: of probes in a row, while it is half-open.
        opened_at: when it was last closed; None while it is.
        open_until: when probing starts; None while it is closed.
        probe: who may send the one probe, until `probe_until`.
        blocked_at: when the source last refused us; `block` tells how.
    """

    name: str
    disabled: bool = False
    next_slot: float = 0.0
    period_s: float = 0.0
    not_before: float = 0.0
    failures: int = 0
    successes: int = 0
    opened_at: float | None = None
    open_until: float | None = None
    probe: str = ""
    probe_until: float = 0.0
    blocked_at: float | None = None
    block: str = ""
