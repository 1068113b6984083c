"""One variable of the environment: found, read and refused by its name.

What any of them is for is told by the rooms beside this.
"""

import errno
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from phx_pipeline.errors import InputError
from phx_pipeline.model.cron import HOW as HOW_CRON
from phx_pipeline.model.cron import why_not as why_no_cron
from phx_pipeline.model.nearest import did_you_mean
from phx_pipeline.model.web_place import plain_ip

Environment = Mapping[str, str]

PREFIX: Final = "PHX_"
OFF: Final = "off"  # in place of a time: never by itself
MANY: Final = 1_000_000_000
LONGEST_TOKEN: Final = 4096
LONGEST_TOLD: Final = 100  # characters of a wrong value

_NOT_OURS = {"dagster_home": "DAGSTER_HOME"}
_QUOTES = ("'", '"')
_EXAMPLE = "https://example.com/path"
_NUMBER = re.compile(r"[0-9]{1,20}")  # Python reads no number of thousands of digits
_HTTPS = re.compile(r"https://\S+")


def variable_of(field: str) -> str:
    """The variable that a field of the settings is read from."""
    return _NOT_OURS.get(field, PREFIX + field.upper())


def words(given: Environment, name: str) -> tuple[str, ...]:
    """Read a comma-separated list; repeats do not matter."""
    words = [word.strip() for word in (given.get(PREFIX + name) or "").split(",")]
    return tuple(dict.fromkeys(filter(None, words)))


def token(given: Environment, name: str) -> str | None:
    """Read what goes into a header; a wrong one is not shown."""
    token = (given.get(PREFIX + name) or "").strip()
    if token[:1] in _QUOTES:
        raise InputError(
            f"{PREFIX}{name} begins with a quotation mark: leave the quotes out, "
            "because they are taken as part of it"
        )
    if len(token) > LONGEST_TOKEN or not all("!" <= char <= "~" for char in token):
        raise InputError(
            f"{PREFIX}{name}: give the token alone, at most {LONGEST_TOKEN} "
            "printable characters without blanks"
        )
    return token or None


def whole(given: Environment, name: str, *, default: int, low: int, high: int) -> int:
    """Read a whole number."""
    text = given.get(PREFIX + name)
    if not text:
        return default
    is_number = _NUMBER.fullmatch(text) is not None
    if not (is_number and low <= int(text) <= high):
        raise InputError(
            f"{PREFIX}{name}={quoted(text)}: give a whole number from {low} to {high}"
        )
    return int(text)


def limit(given: Environment, name: str, *, default: int) -> int:
    """How much one user may ask for; 0 is no limit."""
    return whole(given, name, default=default, low=0, high=MANY)


def choice(given: Environment, name: str, *, among: Sequence[str]) -> str:
    """Read one of a few words; the first is the default."""
    word = given.get(PREFIX + name) or among[0]
    if word not in among:
        raise InputError(f"{PREFIX}{name}={quoted(word)}: give {' or '.join(among)}")
    return word


def cron(environ: Environment | None, name: str, *, default: str) -> str:
    """Read when something is due by itself, or `OFF`."""
    given = os.environ if environ is None else environ
    text = " ".join((given.get(PREFIX + name) or default).split())
    if text != OFF and (wrong := why_no_cron(text)):
        raise InputError(f"{PREFIX}{name}={quoted(text)}: {wrong}; give {HOW_CRON}")
    return text


def ip(given: Environment, name: str) -> str | None:
    """Read an address of a machine, in its plain spelling."""
    text = given.get(PREFIX + name)
    if text and plain_ip(text) is None:
        raise InputError(
            f"{PREFIX}{name}={quoted(text)}: give an address, such as 192.168.1.2"
        )
    return plain_ip(text) if text else None


def https_url(given: Environment, name: str) -> str | None:
    """Read a URL; one that cannot be used is not shown, it may hold a password."""
    url = given.get(PREFIX + name)
    if url and not (_HTTPS.fullmatch(url) and _has_place(url)):
        raise InputError(f"{PREFIX}{name}: give an https URL, such as {_EXAMPLE}")
    return url or None


def _has_place(url: str) -> bool:
    """Whether a URL names a host, and a port that there may be."""
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def path(given: Environment, name: str) -> Path | None:
    """Read a path, as a whole one."""
    text = given.get(PREFIX + name)
    return resolved(text, PREFIX + name) if text else None


def resolved(text: str, name: str) -> Path:
    """The whole path of *text*, which the variable or option *name* has given.

    Raises:
        InputError: there is none, as of a link that leads to itself.
    """
    try:
        return _whole_path(text)
    except FileNotFoundError as error:
        raise InputError(
            f"the working directory was removed: change into one that is there, or "
            f"give {name} a whole path"
        ) from error
    except RuntimeError as error:
        raise InputError(
            f"{name}={quoted(text)}: it names an unknown user, or a link that leads "
            "to itself: give a whole path"
        ) from error
    except OSError as error:
        raise InputError(
            f"{name}={quoted(text)}: it is too long for a path: give a shorter one"
        ) from error


def _whole_path(text: str) -> Path:
    """Make a path absolute.

    Raises:
        FileNotFoundError: the working directory was removed.
        RuntimeError: there is no such user, or a link leads to itself.
        OSError: it is too long.
    """
    # Of such a link `Path.resolve` tells only up to Python 3.12.
    found = Path(os.path.realpath(Path(text).expanduser()))
    try:
        found.stat()
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise RuntimeError from error
        if error.errno == errno.ENAMETOOLONG:
            raise
    return found


def require_no_file(folder: Path, name: str) -> None:
    """Raise `InputError` if a file has the name of *folder*, or of one around it.

    What a user names is never moved: only names below it are ours to make way for.
    """
    there = next(it for it in (folder, *folder.parents) if os.path.lexists(it))
    if not there.is_dir():
        raise InputError(
            f"{name}: {quoted(str(there))} is a file, and a folder is needed: name "
            "another folder, or move the file away"
        )


def file(given: Environment, name: str) -> Path | None:
    """Read the path of a file that is there."""
    found = path(given, name)
    if found is not None and (wrong := _why_no_file(found)):
        raise InputError(f"{PREFIX}{name}: {wrong} {quoted(str(found))}")
    return found


def _why_no_file(place: Path) -> str | None:
    try:
        return None if place.is_file() else "there is no file"
    except PermissionError:
        return "this user may not look for the file"


def quoted(text: str) -> str:
    """A wrong value for a message: short, and without a password put there in error."""
    if "@" in text and ":" in text:
        return "(not shown, it may hold a password)"
    return repr(text if len(text) <= LONGEST_TOLD else text[:LONGEST_TOLD] + "…")


def wrong_names(unknown: Sequence[str], *, among: Sequence[str]) -> str:
    """Wrong words of a list for a message, each with what may have been meant."""
    told = (f"{quoted(name)}{did_you_mean(name, among)}" for name in unknown)
    wrong = ", ".join(told)
    is_short = len(wrong) <= LONGEST_TOLD * 2
    return wrong if is_short else f"{quoted(unknown[0])} and {len(unknown) - 1} more"
