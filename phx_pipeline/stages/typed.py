"""The address that a person typed, pasted or copied as a URL; no site is asked."""

import re

from phx_pipeline.errors import InputError
from phx_pipeline.model.address import Address
from phx_pipeline.model.places import line_of_slug, with_commas
from phx_pipeline.model.states import state_code, states_of
from phx_pipeline.sources.registry import address_at, site_named

_LONGEST = 300  # characters
_URL = re.compile(r"https?://[^\s\"'<>]+", re.IGNORECASE)
_SLUG = re.compile(r"\d[a-z0-9-]*-[a-z]{2}-\d{5}", re.IGNORECASE)
_DECIMAL_ZIP = re.compile(r"(?<=\d{5})\.0*$")
_SHORT_ZIP = re.compile(r"(?P<state>[A-Za-z]{2})[\s,]+(?P<zip>\d{3,4})$")


def typed_address(text: str) -> Address:
    """Return the address meant by a line, a pasted envelope, a listing's URL or a key.

    Raises:
        InputError: none is; the text names the value and the remedy.
    """
    line = text.strip().strip("\"'\u201c\u201d").strip()
    if len(line) > _LONGEST and not _URL.search(line):
        raise InputError(
            f"address {line[:40]!r}… is too long: write one house per line"
        )
    if url := url_in(line):
        line = address_at(url)
    elif _SLUG.fullmatch(line):
        line = line_of_slug(line)
    line = _DECIMAL_ZIP.sub("", line)
    _refuse_lost_zero(line)
    return Address.parse(with_commas(line))


def url_in(text: str) -> str | None:
    """Return the URL in a text, also one without `https://` of a site we know."""
    if found := _URL.search(text):
        return found[0].rstrip(".,;)")
    is_bare = " " not in text and "/" in text and site_named(text)
    return f"https://{text}" if is_bare else None


def is_address(text: str) -> bool:
    """Whether a text is rather an address or a URL than a key or a folder id."""
    return url_in(text) is not None or len(text.split()) > 1 or "," in text


def _refuse_lost_zero(line: str) -> None:
    if not (found := _SHORT_ZIP.search(line)):
        return
    whole, state = found["zip"].zfill(5), state_code(found["state"])
    if state in states_of(whole):
        raise InputError(
            f"address {line!r}: the ZIP code has lost its leading zero: write {whole}"
        )
