"""How many wrong keys an address may show. Right keys are not counted, nor stopped."""

import ipaddress
from collections import OrderedDict, deque
from collections.abc import Callable

MOST_WRONG = 10
SPAN_S = 60.0
_MOST_ADDRESSES = 10_000
_NETWORK_BITS = 64  # of IPv6: who has one such address has them all


class WrongKeys:
    """Counts wrong keys by address, for a minute each."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Count with a clock in seconds that never goes back."""
        self._clock = clock
        self._shown: OrderedDict[str, deque[float]] = OrderedDict()

    def note(self, address: str) -> float:
        """Note a wrong key.

        Returns:
            In how many seconds the next one is answered; 0 as long as it is at once.
        """
        now, known = self._clock(), self._shown.setdefault(_network(address), deque())
        self._shown.move_to_end(_network(address))
        if len(self._shown) > _MOST_ADDRESSES:
            self._shown.popitem(last=False)
        while known and known[0] <= now - SPAN_S:
            known.popleft()
        if len(known) >= MOST_WRONG:
            return known[0] + SPAN_S - now
        known.append(now)
        return 0.0


def _network(address: str) -> str:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if found.version == 4:  # noqa: PLR2004 - of the Internet Protocol
        return address
    return str(ipaddress.ip_network((found, _NETWORK_BITS), strict=False))
