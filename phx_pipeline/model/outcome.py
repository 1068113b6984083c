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
        ListingOutcome.DISABLED,
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
    def wants_download(self) -> bool:
        """Whether a later run should ask for the photo again."""
        return self in _WANTS_DOWNLOAD


_WANTS_DOWNLOAD = frozenset(
    {
        Verdict.PENDING,
        Verdict.BLOCKED,
        Verdict.RATE_LIMITED,
        Verdict.TIMEOUT,
        Verdict.NETWORK,
    }
)
