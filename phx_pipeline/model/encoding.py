"""The text of bytes that a person saved, whatever the encoding; nothing is guessed.

UTF-8, UTF-16 and UTF-32 with or without a mark, else line by line Windows-1252, which
is what an older program writes; or Mac Roman, where a word would have a dash in it.
"""

import codecs
import re

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_LOOKED_AT = 4096  # bytes
_MOSTLY = 0.4  # of the bytes at even, or odd, places are zero in Latin text as UTF-16
_MAC_LETTER = re.compile(rb"[A-Za-z][\x87\x96\x97][a-z]")  # a, n, o with their marks
_WINDOWS_LETTER = re.compile(rb"[\xc0-\xff]")
_NO_TEXT = re.compile(r"[\0-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")


def decoded(content: bytes) -> str | None:
    """Return the text without its mark, or None if it is none, such as a picture."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            text = _strict(content[len(mark) :], encoding)
            break
    else:
        text = _unmarked(content)
    if text is None:
        return None
    text = text.removeprefix("\ufeff").rstrip("\x1a\0")  # the end of a DOS file
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
    lines = [_strict(line, "utf-8") or _older(line) for line in content.split(b"\n")]
    return None if None in lines else "\n".join(line or "" for line in lines)


def _older(line: bytes) -> str | None:
    is_mac = _MAC_LETTER.search(line) and not _WINDOWS_LETTER.search(line)
    return _strict(line, "mac-roman" if is_mac else "cp1252")


def _strict(content: bytes, encoding: str) -> str | None:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return None
