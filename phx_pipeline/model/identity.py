"""Ids that follow from content alone, so any run on any machine makes the same."""

from uuid import NAMESPACE_URL, uuid5


def image_id(slug: str, sha256: str) -> str:
    """The id of one picture of one property: uuid5 of the pair."""
    return str(uuid5(NAMESPACE_URL, f"phx:{slug}/{sha256}"))


def property_lease(slug: str) -> str:
    """The name of the lease that guards all writes of one property."""
    return f"property:{slug}"


def run_lease(run_id: str) -> str:
    """The name of the lease a run's worker keeps alive while it works."""
    return f"run:{run_id}"
