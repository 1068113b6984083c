"""The address that the URL of a Redfin page names; nothing is asked for it."""

import re
from urllib.parse import unquote

from phx_pipeline.model.places import line_of_slug

HOSTS = ("redfin.com", "www.redfin.com", "m.redfin.com")
SHORT_HOSTS = ("redf.in", "redfin.app.link")

_HOME = re.compile(
    r"/(?P<state>[A-Za-z]{2})/(?P<city>[^/]+)/(?P<street>[^/]+)-(?P<zip>\d{5})"
    r"(?:/(?P<unit>[^/]+))?/home/\d+(?:/.*)?",
    re.ASCII | re.IGNORECASE,
)
_UNIT_WORD = re.compile(
    r"(?:unit|apt|ste|suite|no|bldg|lot|spc|trlr|rm|ph)\b", re.IGNORECASE
)


def address_in(path: str) -> str | None:
    """Return the address that the path of a home's page names; else None."""
    if not (found := _HOME.fullmatch(unquote(path))):
        return None
    street, city = line_of_slug(found["street"]), found["city"].replace("-", " ")
    unit = (found["unit"] or "").replace("-", " ", 1)
    if unit and not _UNIT_WORD.match(unit):
        unit = f"Unit {unit}"
    line = f"{street} {unit}".strip()
    return f"{line}, {city}, {found['state']} {found['zip']}"
