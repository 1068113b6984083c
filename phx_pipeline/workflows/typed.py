"""The address that a person typed, pasted or copied as a URL; no site is asked."""

import re
from html import unescape

from phx_pipeline.errors import InputError
from phx_pipeline.model.address import Address, Match
from phx_pipeline.model.places import line_of_slug, with_commas, without_hyphens
from phx_pipeline.model.states import state_code, states_of
from phx_pipeline.sources.registry import address_at, site_named

_LONGEST = 300  # characters
_URL = re.compile(r"https?://[^\s\"'<>]+", re.IGNORECASE)
_FILE_URL = re.compile(r"\.(?:csv|tsv|txt|xlsx?|ods|numbers)(?:$|[?#])", re.IGNORECASE)
_SLUG = re.compile(r"\d[a-z0-9-]*-[a-z]{2}-\d{5}", re.IGNORECASE)
_SHORT_ZIP = re.compile(r"(?P<state>[A-Za-z]{2})[\s,]+(?P<zip>\d{3,4})$")
_UNIT_LAST = re.compile(
    r"(?P<line>\d.+\s\d{5}(?:-\d{4})?)[\s,]+"
    r"(?P<unit>(?:#|(?:apt|apartment|unit|ste|suite|lot|spc|space)\b\W{0,2})\s*"
    r"(?:(?=[\w-]*\d)[\w-]+|[a-z]))",
    re.IGNORECASE | re.DOTALL,
)
_WHOLE = re.compile(r"\d.*\s\d{5}(?:-\d{4})?\W*", re.DOTALL)

# What people write around an address, or between its parts, that is none of them.
_REWRITES = tuple(
    (re.compile(pattern, re.IGNORECASE), replacement)
    for pattern, replacement in (
        (r"^(?:\w+\s+)?(?:address|location|property|home|house)\s*[:=]\s*", ""),
        (r"(?<=\d{5})\s*(?:\([^()]*\)|!+)$", ""),  # "85306 (for sale)"
        (r"[\U0001f000-\U0001faff\u2600-\u27bf\ufe0f\u200d]", " "),  # emoji
        (r"^<(.*)>$", r"\1"),
        (r"(?<=[^\W\d])\s+/\s+(?=\w)", ", "),
        (r"\bzip(?: ?code)?\W{0,3}(?=\d{5}\b)", " "),
        # Marks of a list, a box to tick, the mark of a quotation in a letter.
        (r"^(?:\d{1,3}[.)]\s+|\[[ x]?\]\s*|[-+]\s+|[^\w\s+=@$#-]\s*)+(?=\d)", ""),
        (r"(?<!\s)\s*[;|\u2022\u00b7]\s*", ", "),
        (r"(?<=\d{5})\.0*$", ""),  # a ZIP code that was taken for a number
        (r"\bAriz\b\.?(?=\W+\d{5})", "AZ"),
        (r",\s*[a-z]+(?: [a-z]+)? county(?=\s*,)", ""),
        (r"(?<=\d{5})[\s,]+[a-z]+(?: [a-z]+)? county$", ""),
    )
)


def typed_address(text: str) -> Address:
    """Return the address meant by a line, a pasted envelope, a listing's URL or a key.

    Raises:
        InputError: none is; the text names the value and the remedy.
    """
    line = unescape(text).strip().strip("\"'\u201c\u201d").strip()
    if len(line) > _LONGEST and not _URL.search(line):
        raise InputError(
            f"address {line[:40]!r}… is too long: write one house per line"
        )
    line = _named_by_url(line)
    if _SLUG.fullmatch(line):
        line = line_of_slug(line)
    line = without_hyphens(_without_addressee(line))
    for pattern, replacement in _REWRITES:
        line = pattern.sub(replacement, line)
    _refuse_lost_zero(line)
    if found := _UNIT_LAST.fullmatch(line):
        return Address.parse(f"{found['unit']}, {with_commas(found['line'])}")
    return Address.parse(with_commas(line))


def _named_by_url(line: str) -> str:
    """Return the address of the URL in a line, or what stands beside it if that is."""
    if line.lower().startswith("file://"):
        raise InputError(f"{line!r}: give the name of the file without 'file://'")
    if not (url := url_in(line)):
        return line
    if _FILE_URL.search(url):
        raise InputError(f"{url!r}: download the file and give its name")
    beside = line.replace(url, " ").strip()
    if len(beside) <= _LONGEST and _WHOLE.fullmatch(beside):
        return beside
    named = address_at(url)
    if (second := url_in(beside)) and site_named(second.partition("//")[2]):
        other = typed_address(second)
        if typed_address(named).compare(other) is Match.OTHER:
            raise InputError(f"{second!r} is of another house: write one per line")
    return named


def _without_addressee(text: str) -> str:
    """Return an envelope without the lines above its street."""
    lines = [line for line in text.splitlines() if line.strip()]
    at = next((at for at, line in enumerate(lines) if line.strip()[0].isdigit()), 0)
    above = "".join(lines[:at])
    return text if any(map(str.isdigit, above)) else "\n".join(lines[at:])


def url_in(text: str) -> str | None:
    """Return the URL in a text, also one without `https://` of a site we know."""
    if found := _URL.search(text):
        return found[0].rstrip(".,;)")
    is_bare = " " not in text and "/" in text and site_named(text)
    return f"https://{text}" if is_bare else None


def is_address(text: str) -> bool:
    """Whether a text is rather an address or a URL than a key or a folder id."""
    return url_in(text) is not None or len(text.split()) > 1 or "," in text


def address_in(text: str) -> Address | None:
    """Return the address that a text means; None for a key or a folder id.

    Raises:
        InputError: it is rather an address or a URL, and none can be read of it.
    """
    return typed_address(text) if is_address(text) else None


def _refuse_lost_zero(line: str) -> None:
    if not (found := _SHORT_ZIP.search(line)):
        return
    whole, state = found["zip"].zfill(5), state_code(found["state"])
    if state in states_of(whole):
        raise InputError(
            f"address {line!r}: the ZIP code has lost its leading zero: write {whole}"
        )
