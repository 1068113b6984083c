"""The closed vocabulary of how things end: listings and photos."""

from enum import StrEnum


class ListingOutcome(StrEnum):
    """How asking one source for one property ended."""

    LISTED = "listed"
    LISTED_EMPTY = "listed_empty"
    OFF_MARKET = "off_market"
    NOT_FOUND = "not_found"
    WRONG_PROPERTY = "wrong_property"
    DISABLED = "disabled"
    AMBIGUOUS = "ambiguous"
    BLOCKED = "blocked"
    RATE_LIMITED = "rate_limited"
    PAGE_CHANGED = "page_changed"
    CIRCUIT_OPEN = "circuit_open"
    FAILED = "failed"

    @property
    def is_final(self) -> bool:
        """Whether asking again soon could not tell more."""
        return self in _FINAL

    @property
    def is_settled(self) -> bool:
        """Whether nothing is left to ask now: final, or the user switched it off."""
        return self.is_final or self is ListingOutcome.DISABLED

    @property
    def saw_gallery(self) -> bool:
        """Whether a complete gallery was seen, so absent photos are truly absent."""
        return self in {ListingOutcome.LISTED, ListingOutcome.LISTED_EMPTY}


_FINAL = frozenset(
    {
        ListingOutcome.LISTED,
        ListingOutcome.LISTED_EMPTY,
        ListingOutcome.OFF_MARKET,
        ListingOutcome.NOT_FOUND,
        ListingOutcome.WRONG_PROPERTY,
    }
)


class VerdictKind(StrEnum):
    """The five bins every discovered photo falls into; they add up."""

    PENDING = "pending"
    KEPT = "kept"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"
    FAILED = "failed"


class Verdict(StrEnum):
    """What became of one photo; the part before the colon is its `VerdictKind`."""

    PENDING = "pending"
    KEPT = "kept"
    DUPLICATE = "duplicate"
    FOREIGN = "rejected:foreign"
    TOO_SMALL = "rejected:too_small"
    NOT_AN_IMAGE = "rejected:not_an_image"
    DAMAGED = "rejected:damaged"
    PLACEHOLDER = "rejected:placeholder"
    TOO_LARGE = "rejected:too_large"
    WITHDRAWN = "rejected:withdrawn"
    GONE = "failed:gone"
    BLOCKED = "failed:blocked"
    RATE_LIMITED = "failed:rate_limited"
    TIMEOUT = "failed:timeout"
    NETWORK = "failed:network"
    REFUSED = "failed:refused"

    @property
    def kind(self) -> VerdictKind:
        """The bin this verdict is counted in."""
        return VerdictKind(self.value.partition(":")[0])

    @property
    def is_passing(self) -> bool:
        """Whether the failure tells of the wire or the host, nothing of the photo."""
        return self in _PASSING

    @property
    def gave_no_picture(self) -> bool:
        """Whether the host answered, but no picture came: a bad minute, or for ever."""
        return self in _NO_PICTURE


_PASSING = frozenset(
    {Verdict.BLOCKED, Verdict.RATE_LIMITED, Verdict.TIMEOUT, Verdict.NETWORK}
)
_NO_PICTURE = frozenset(
    {
        Verdict.TOO_SMALL,
        Verdict.NOT_AN_IMAGE,
        Verdict.DAMAGED,
        Verdict.PLACEHOLDER,
        Verdict.TOO_LARGE,
        Verdict.GONE,
    }
)
