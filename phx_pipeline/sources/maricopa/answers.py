"""The JSON of the county's answers, its parcel numbers, and how it writes addresses.

What an answer means is read in `rows`, `search`, `parcel` and `parcel_map`.
"""

import re
from typing import Final

from phx_pipeline.errors import SourceChangedError
from phx_pipeline.fetch.base import Fetched
from phx_pipeline.model.address import Address
from phx_pipeline.model.places import with_commas
from phx_pipeline.sources import json_values
from phx_pipeline.sources.json_values import JsonObject, mapping
from phx_pipeline.sources.stated import part
from phx_pipeline.sources.whose import readable

SITE: Final = "https://mcassessor.maricopa.gov"

PERSONS: Final = (
    "DeedTransitionUrl",  # a deed is of persons
    "DEED_NUMBER",
    "InCareOf",
    "MAIL_ADDR1",
    "MAIL_ADDR2",
    "MAIL_ADDRESS",
    "MAIL_CITY",
    "MAIL_STATE",
    "MAIL_ZIP",
    "MailingAddress1",
    "MailingAddress2",
    "FullMailingAddress",
    "MostCurrentDeed",
    "OWNER_NAME",
    "OwnerAddress",
    "OwnerID",
    "OwnerPhone",
    "Ownership",
    "RentalID",
    "RentalInformation",
    "ContoOwnership",
)
"""Members that tell of owners and tenants, in whatever part of an answer."""

_STATE = "AZ"
_PARCEL = re.compile(r"\d{8,9}[A-Z]?", re.ASCII)
_SIGNS = re.compile(r"[\s.-]+")
_ZIP = re.compile(r"(?P<zip>\d{5})(?:-?\d{4})?$", re.ASCII)
_NO_ADDRESS = frozenset({"", "N/A", "NA", "NONE"})


def text_of(fetched: Fetched) -> str:
    """Return the body as text, without the mark of its charset."""
    return fetched.body.decode("utf-8-sig", errors="replace").strip()


def decoded(text: str, *, what: str) -> JsonObject:
    """Return the JSON object of an answer.

    Raises:
        SourceChangedError: it is none, or empty; *what* names the answer.
    """
    if not text:
        raise SourceChangedError(f"{what} is without content")
    return mapping(json_values.decoded(text, what=what), what=what)


def member(holder: JsonObject, name: str, *, what: str) -> str:
    """Return a text or a number of *holder*, empty where it is stated to be none.

    Raises:
        SourceChangedError: it is not there, or of another shape.
    """
    if name not in holder:
        raise SourceChangedError(f"{what} has no {name}")
    return part(holder[name], what=f"the {name} of {what}")


def bare(parcel: str) -> str | None:
    """Return a parcel number without its signs, as `50179577`; None if it is none."""
    letters = _SIGNS.sub("", parcel).upper()
    return letters if _PARCEL.fullmatch(letters) else None


def page_url(parcel: str) -> str:
    """Return where people see a parcel."""
    return f"{SITE}/mcs/?q={parcel}&mod=pd"


def zip_in(text: str) -> str:
    """Return the five digits that *text* ends with, empty if it ends otherwise."""
    found = _ZIP.search(text)
    return found["zip"] if found else ""


def is_address(text: str) -> bool:
    """Whether *text* is more than the word for none."""
    return text.upper() not in _NO_ADDRESS


def situs(line: str, *, city: str, zip_code: str = "") -> Address | None:
    """Read an address as the county writes it: `15847 W PORT ROYALE LN SURPRISE 85379`.

    Args:
        line: with or without city and ZIP.
        city: what the line may end with, and is taken for where it names no place.
        zip_code: where it stands beside the line; what else ends it is a unit then.
    """
    words = line.split()
    own_zip = zip_in(words[-1]) if len(words) > 1 else ""
    has_zip = bool(own_zip) and zip_code in {"", own_zip}
    street = " ".join(words[:-1] if has_zip else words)
    end = f"{_STATE} {zip_code or own_zip}"
    named = f" {city}"
    if street.lower().endswith(named.lower()):
        return readable(f"{street[: -len(named)]}, {city}, {end}")
    return readable(with_commas(f"{street} {end}")) or readable(
        f"{street}, {city}, {end}"
    )
