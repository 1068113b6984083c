"""Webhooks: a POST of JSON as programs of one's own, ntfy or Slack read it.

ntfy's `publish as JSON`: to the server itself, the topic in the body. Slack's incoming
webhooks, which Mattermost and Discord (`/slack`) take too: a `text`, in which `&`, `<`
and `>` stand for themselves only when they are escaped.
"""

import json
from collections.abc import Collection, Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import unquote, urlsplit

from phx_pipeline.errors import DeliveryError
from phx_pipeline.model.message import Message, Post, Taken, WebhookCall, WebhookStyle
from phx_pipeline.model.printable import printable

_LONGEST_NTFY: Final = 3_800  # bytes; ntfy makes a file of what has more than 4,096
_LONGEST_SLACK: Final = 30_000  # characters
_LONGEST_TITLE: Final = 150
_MORE: Final = "\n…"


class WebhookNotifier:
    """Posts messages to one URL; `token`, if there is one, as a bearer's."""

    def __init__(
        self, *, url: str, style: WebhookStyle, token: str | None, post: Post
    ) -> None:
        self._url = url
        self._style = style
        self._token = token
        self._post = post

    def send(
        self,
        message: Message,
        *,
        only: Collection[str] | None = None,  # noqa: ARG002 - it has one reader
    ) -> Taken:
        """Post it; the header `Idempotency-Key` is the same each time.

        Raises:
            DeliveryError: it was not taken.
        """
        secret = {"authorization": f"Bearer {self._token}"} if self._token else {}
        status = self._post(
            WebhookCall(
                url=_ntfy_server(self._url)
                if self._style is WebhookStyle.NTFY
                else self._url,
                body=json.dumps(self._body(message)).encode(),
                headers={
                    "content-type": "application/json",
                    "idempotency-key": message.key,
                },
                secret_headers=secret,
            )
        )
        if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            raise DeliveryError(f"{self._place} answered {status}{_remedy(status)}")
        return Taken()

    @property
    def _place(self) -> str:
        """For messages, without what nobody should know."""
        parts = urlsplit(self._url)
        port = f":{parts.port}" if parts.port else ""
        return f"the webhook {parts.hostname}{port}"

    def _body(self, message: Message) -> Mapping[str, object]:
        title = printable(message.subject, most=_LONGEST_TITLE)
        match self._style:
            case WebhookStyle.NTFY:
                topic = unquote(urlsplit(self._url).path.strip("/"))
                text = _cut_bytes(_below_title(message), _LONGEST_NTFY)
                return {"topic": topic, "title": title, "message": text}
            case WebhookStyle.SLACK:
                text = _escaped(f"{title}\n{_below_title(message)}")
                return {"text": _cut(text, _LONGEST_SLACK)}
            case WebhookStyle.JSON:
                return {
                    "key": message.key,
                    "at": message.at.isoformat(timespec="seconds"),
                    "subject": title,
                    "text": message.text,
                    **message.document,
                }


def _below_title(message: Message) -> str:
    """The text without its first line, where that is the subject once more."""
    first, _, rest = message.text.partition("\n")
    is_title = bool(first) and message.subject.startswith(first)
    return rest.strip() if is_title and rest.strip() else message.text


def _ntfy_server(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/"


def _remedy(status: int) -> str:
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return ": see PHX_WEBHOOK_TOKEN"
    if status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
        return ": see PHX_WEBHOOK_URL"
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return (
            ", which leads elsewhere and is not followed: give PHX_WEBHOOK_URL the "
            "address in its header `Location`, which `curl -i --data x URL` shows"
        )
    if status == HTTPStatus.BAD_REQUEST:
        return ": maybe it wants another PHX_WEBHOOK_STYLE"
    return "; if it always does, see PHX_WEBHOOK_URL"


def _escaped(text: str) -> str:
    """Text that calls nobody: Discord, too, takes Slack's bodies, and reads names."""
    text = text.replace("@", "@\N{ZERO WIDTH SPACE}")
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - len(_MORE)] + _MORE


def _cut_bytes(text: str, most: int) -> str:
    body = text.encode()
    return text if len(body) <= most else body[:most].decode(errors="ignore") + _MORE
