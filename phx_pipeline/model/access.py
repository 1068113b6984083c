"""Who may do what: roles, principals, and the text of keys. No rows, no requests."""

import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from hashlib import sha256
from typing import Self

from phx_pipeline.model.job import PHX, UNKNOWN
from phx_pipeline.model.moments import has_been

KEY_MARK = "phx_"
"""How a key begins, so that scanners for lost secrets know it."""

_OF_THE_SERVICE = frozenset({PHX, UNKNOWN})
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_SECRET_BYTES = 32
_ID_LETTERS = 8


def is_of_the_service(name: str) -> bool:
    """Whether jobs of this name are those that no person asked for, or nobody knows."""
    return name.strip().casefold() in _OF_THE_SERVICE


class Role(IntEnum):
    """What somebody may do; a higher one may do all that the lower ones may."""

    READER = 1
    OPERATOR = 2
    ADMIN = 3

    @property
    def word(self) -> str:
        """As people and rows name it."""
        return self.name.lower()

    @classmethod
    def of(cls, word: str) -> Self:
        """The role of a word; `KeyError` for any other."""
        return cls[word.upper()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who asks.

    Attributes:
        user: The name that jobs, runs and the audit trail tell.
        role: What this user may do.
        key_id: Of the key that was shown, now or at login; None for the local user.
        is_local: Nobody logged in because there is no key: it is the one user of this
            computer, for whom no quota holds.
    """

    user: str
    role: Role
    key_id: str | None = None
    is_local: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key as it is stored: its text is known to its owner alone."""

    id: str
    name: str
    role: Role
    digest: str
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    def is_valid(self, *, at: datetime) -> bool:
        """Whether it opens anything at this moment."""
        is_over = self.expires_at is not None and self.expires_at <= at
        return self.revoked_at is None and not is_over

    @property
    def principal(self) -> Principal:
        """Who shows it."""
        return Principal(user=self.name, role=self.role, key_id=self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A login: `digest` is that of its cookie, which the browser alone holds."""

    digest: str
    key_id: str
    created_at: datetime
    expires_at: datetime

    def is_valid(self, *, at: datetime) -> bool:
        """Whether it goes on: one of a clock ahead would last as much longer."""
        return self.expires_at > at and has_been(self.created_at, now=at)


FILE_ROW = "file.row"
"""A row of `properties.csv` was not taken."""
FILE_REFUSED = "file.refused"
"""The file as a whole cannot be read, until there is a `FILE_READ`."""
FILE_READ = "file.read"
"""The file can be read; the detail tells how many of its rows are left out."""

ACTIONS = (
    *("job.submit", "job.cancel", "job.retry", "job.download"),
    *("house.add", "house.rename", "house.merge", "house.remove", "house.purge"),
    *("ui.launch", "ui.terminate", "ui.change", "ui.download"),
    *("key.add", "key.revoke", "login", "login.refused"),
    *("search.add", "search.remove", "search.pause", "search.resume"),
    *("search.accept", "search.reject", FILE_ROW, FILE_REFUSED, FILE_READ),
)
"""Every action that is noted; the word before the dot is its kind."""


MOST_TARGET = 1_000
"""Characters of what a deed was done to; a longer line of names is shortened before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditNote:
    """One deed: who did what to what, when, and from where.

    `action` is a word such as `job.submit`; `address` is empty for commands.
    """

    at: datetime
    user: str
    action: str
    target: str
    detail: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry(AuditNote):
    """A deed as the trail has it; younger ones have larger ids."""

    id: int


def new_key() -> str:
    """Return the text of a key that nobody had before: 256 random bits."""
    return KEY_MARK + new_token()


def new_token() -> str:
    """Return 43 letters for a URL or a cookie: 256 random bits."""
    return secrets.token_urlsafe(_SECRET_BYTES)


def is_key(text: str) -> bool:
    """Whether *text* has the form of a key."""
    return text.startswith(KEY_MARK) and is_token(text.removeprefix(KEY_MARK))


def is_token(text: str) -> bool:
    """Whether *text* has the form of what `new_token` gives."""
    return _TOKEN.fullmatch(text) is not None


def digest_of(secret: str) -> str:
    """Return what is stored of a key or a cookie: the SHA-256 in hex.

    A slow hash would add nothing: 256 random bits are not guessed.
    """
    return sha256(secret.encode(errors="replace")).hexdigest()


def key_id_of(digest: str) -> str:
    """Return the id of the key with this digest: eight letters, no secret."""
    return digest[:_ID_LETTERS]


def is_same(one: str, other: str) -> bool:
    """Compare two secrets or digests in a time that does not depend on them."""
    return hmac.compare_digest(
        one.encode(errors="replace"), other.encode(errors="replace")
    )
