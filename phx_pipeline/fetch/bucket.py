"""Does a store of objects say that one object is not there, with a 403?

S3, and what stands before it (CloudFront) or is like it, says 403 AccessDenied in XML
for an object that is missing, unless one may list the bucket. That tells of the object.
Any other 403 is a refusal of the host, and so is one in HTML, in other words or without
any: a firewall in front of the same bucket answers so.
"""

import re
from http import HTTPStatus
from typing import Final

from phx_pipeline.fetch.base import Fetched
from phx_pipeline.fetch.page_parts import page_text

_XML: Final = re.compile(r"(?:application|text)/xml\s*(?:;|$)", re.IGNORECASE)
_MOST_BYTES: Final = 8192  # such an answer has some hundred
# Read as text, not as XML: what a site sends may name entities without end. Codes that
# speak of the asker (a signature, a clock, a rate) or of the whole bucket are others.
_SAYS_SO: Final = re.compile(
    r"(?:<\?xml\b[^<>]*\?>\s*)?<Error(?:\s[^<>]*)?>\s*(?:<(?!Code>)(\w+)>[^<>]*</\1>\s*)*"
    r"<Code>\s*(?:AccessDenied|NoSuchKey|NoSuchVersion|InvalidObjectState)\s*</Code>"
)


def is_missing_object(answer: Fetched) -> bool:
    """Whether *answer* refuses one object only, most likely because it is not there."""
    if answer.status != HTTPStatus.FORBIDDEN or len(answer.body) > _MOST_BYTES:
        return False
    if not _XML.match(answer.headers.get("content-type", "")):
        return False
    return _SAYS_SO.match(page_text(answer.body)) is not None
