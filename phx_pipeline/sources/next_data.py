"""The script in which pages made by Next.js carry their data, whatever it means.

What the members mean is read in the package of each source.
"""

import re
from collections.abc import Iterable

from phx_pipeline.model.json_parts import decoded, member

_SCRIPT = re.compile(
    r"<script\b[^<>]*__NEXT_DATA__[^<>]*>\s*(?P<carried>.*)</script",
    re.DOTALL | re.IGNORECASE,
)


def carries(script: str, names: Iterable[str]) -> bool:
    """Whether *script*, given with its tags, carries one of *names* and not emptily.

    They are members of the page's properties, or of those of its component; a value
    may be JSON as a text.
    """
    found = _SCRIPT.match(script)
    if found is None:
        return False
    props = member(member(decoded(found["carried"]), "props"), "pageProps")
    return any(
        bool(decoded(value) if isinstance(value, str) else value)
        for holder in (props, member(props, "componentProps"))
        for value in (member(holder, name) for name in names)
    )
