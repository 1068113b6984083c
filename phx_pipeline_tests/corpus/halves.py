"""Which photos limits are set on, and which they are judged on: split by house."""

from enum import StrEnum
from hashlib import sha256


class Half(StrEnum):
    """A half of the houses; nobody looks at the judging half to set a limit."""

    TUNING = "tuning"
    JUDGING = "judging"


def half_of(house: str) -> Half:
    """Return the half of a house by the parity of its number's SHA-256."""
    odd = sha256(house.encode()).digest()[-1] & 1
    return Half.JUDGING if odd else Half.TUNING
