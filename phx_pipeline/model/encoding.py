"""The text of bytes that a person saved, whatever the encoding; nothing is guessed.

UTF-8, UTF-16 and UTF-32 with or without a mark; a line that is none of them was written
by an older program, for which see `model.older_encodings`.
"""

import codecs
import re

from phx_pipeline.model.older_encodings import older_texts

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_LOOKED_AT = 4096  # bytes
_MOSTLY = 0.4  # of the bytes at even, or odd, places are zero in Latin text as UTF-16
_NO_TEXT = re.compile(r"[\0-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")
_NO_BYTES = re.compile(rb"[\0-\x08\x0e-\x1f\x7f]")  # before all words are judged
_PADDING = b"\x1a\0"  # at the end of a DOS file


def decoded(content: bytes) -> str | None:
    """Return the text without its mark, or None if it is none, such as a picture.

    `older_encodings.UNTOLD` in it stands for a letter that nothing tells.
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            text = _strict(content[len(mark) :], encoding)
            break
    else:
        text = _unmarked(content)
    if text is None:
        return None
    text = text.removeprefix("\ufeff").rstrip(_PADDING.decode())
    return None if _NO_TEXT.search(text) else text


def _unmarked(content: bytes) -> str | None:
    head = content[:_LOOKED_AT]
    if 0 in head:
        half = max(len(head) // 2, 1)
        if head[1::2].count(0) > _MOSTLY * half:
            return _strict(content, "utf-16-le")
        if head[::2].count(0) > _MOSTLY * half:
            return _strict(content, "utf-16-be")
    text = _strict(content, "utf-8")
    if text is not None:
        return text
    if _NO_BYTES.search(content.rstrip(_PADDING)):
        return None
    lines = content.split(b"\n")
    new = [_strict(line, "utf-8") for line in lines]
    old = [line for line, text in zip(lines, new, strict=True) if text is None]
    older = iter(older_texts(old))
    return "\n".join(next(older) if text is None else text for text in new)


def _strict(content: bytes, encoding: str) -> str | None:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return None
