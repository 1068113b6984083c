"""What a webhook was told, read back as lines that can be compared."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from phx_pipeline_tests.fortnight.expected import News
from phx_pipeline_tests.web_hook import Hooked


@dataclass(slots=True, kw_only=True)
class Mailbox:
    """The posts of a hook; a message that came twice under its key is read once.

    `again` are the keys of those.
    """

    hook: Hooked
    again: list[str] = field(default_factory=list)
    _read: dict[str, Any] = field(default_factory=dict)

    def new(self) -> dict[str, Any]:
        """The bodies of messages that came since this was last asked, by their key."""
        found: dict[str, Any] = {}
        for _, headers, body in self.hook.posts:
            key = headers["idempotency-key"]
            if key not in self._read:
                found[key] = self._read[key] = body
            else:
                self._require_same_news(key, body)
                self.again.append(key)
        self.hook.posts.clear()
        return found

    def _require_same_news(self, key: str, body: Any) -> None:
        """States, as what rests, are those of the moment."""
        before = self._read[key]
        for name in ("changes", "new_matches"):
            assert body[name] == before[name]


def changes(bodies: list[Any]) -> list[News]:
    """The changes they tell, in order."""
    return sorted(line for body in bodies for line in _lines(body))


def matches(bodies: list[Any]) -> list[str]:
    """The addresses of new matches."""
    return [it["address"] for body in bodies for it in body["new_matches"]]


def _lines(body: Any) -> Iterator[News]:
    for it in body["changes"]:
        sources = "+".join(sorted(it["sources"]))
        yield it["property"], it["kind"], it["after"], sources
