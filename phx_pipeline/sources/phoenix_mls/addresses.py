"""The address and the MLS number that the URL of a listing's page names."""

import re
from urllib.parse import unquote, urlsplit

from phx_pipeline.model.places import line_of_slug, with_commas

HOST = "phoenixmlssearch.com"
HOSTS = (HOST, f"www.{HOST}")
SITE = f"https://{HOST}"

_LISTING = re.compile(
    r"/(?:[a-z]+/)?(?P<words>[^/?#]+)-mls_(?P<number>[A-Za-z0-9]{4,20})/?",
    re.ASCII | re.IGNORECASE,
)


def address_in(path: str) -> str | None:
    """Return the address that the path of a listing's page names; else None."""
    found = _LISTING.fullmatch(unquote(path))
    return address_of_slug(found["words"]) if found else None


def address_of_slug(words: str) -> str:
    """Return the words of a link, `94-E-King-Ct-Mesa-AZ-85201`, as an address."""
    return with_commas(line_of_slug(words))


def listing_named(link: str) -> tuple[str, str] | None:
    """Return the words of the address and the MLS number that a link names.

    None if it leads to no listing of the site.
    """
    try:
        parts = urlsplit(link.strip())
        host = (parts.hostname or HOST).rstrip(".")
    except ValueError:  # such as brackets that hold no address
        return None
    found = _LISTING.fullmatch(unquote(parts.path)) if host in HOSTS else None
    return (found["words"], found["number"]) if found else None


def listing_url(link: str) -> str | None:
    """Return where a link to a listing leads, without what it was found by."""
    named = listing_named(link)
    return f"{SITE}/mls/{named[0]}-mls_{named[1]}/" if named else None
