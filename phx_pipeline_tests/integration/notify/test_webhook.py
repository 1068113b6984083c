"""Webhooks to a real server on loopback, and the addresses none is sent to."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from phx_pipeline.errors import DeliveryError, InputError
from phx_pipeline.fetch.webhook import WebhookClient
from phx_pipeline.model.message import Message, Taken, WebhookCall, WebhookStyle
from phx_pipeline.notify.webhook import WebhookNotifier
from phx_pipeline_tests.web_hook import hooked

TOKEN = "of-this-test"  # noqa: S105
MESSAGE = Message(
    key="alerts:0123",
    at=datetime(2026, 11, 28, 14, tzinfo=UTC),
    subject="phx: @all <!channel> & co",
    text="phx: @all <!channel> & co\n\n" + "one <b>line</b>\n" * 400,
    document={"changes": [{"kind": "price_cut"}]},
)


def notifier(url: str, style: WebhookStyle) -> WebhookNotifier:
    return WebhookNotifier(url=url, style=style, token=TOKEN, post=WebhookClient(url))


def test_each_style_has_its_body_and_all_have_the_key() -> None:
    with hooked() as hook:
        for style in WebhookStyle:
            assert notifier(f"{hook.url}/a/topic", style).send(MESSAGE) == Taken()
    (plain, ntfy, slack) = hook.posts

    assert [path for path, _, _ in hook.posts] == ["/a/topic", "/", "/a/topic"]
    assert {headers["idempotency-key"] for _, headers, _ in hook.posts} == {MESSAGE.key}
    assert plain[1]["authorization"] == f"Bearer {TOKEN}"
    assert plain[2]["changes"] == [{"kind": "price_cut"}]
    assert plain[2]["key"] == MESSAGE.key
    assert ntfy[2]["topic"] == "a/topic"
    assert len(ntfy[2]["message"].encode()) < 4096
    assert slack[2]["text"].startswith(
        "phx: @\N{ZERO WIDTH SPACE}all &lt;!channel&gt; &amp; co\none &lt;b&gt;"
    )


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (500, r"127.0.0.1:\d+ answered 500; .* PHX_WEBHOOK_URL"),
        (403, "PHX_WEBHOOK_TOKEN"),
        (302, "is not followed"),
    ],
)
def test_what_was_not_taken_is_told_and_no_redirect_is_followed(
    status: int, told: str
) -> None:
    with hooked() as hook:
        hook.status = status
        with pytest.raises(DeliveryError, match=told):
            notifier(hook.url, WebhookStyle.JSON).send(MESSAGE)

    assert len(hook.posts) == 1


@pytest.mark.parametrize(
    "rest",
    [
        b"content-length: 1000\r\n\r\ncut off",
        b"transfer-encoding: chunked\r\n\r\nno size\r\n",
        b"content-encoding: gzip\r\n\r\n" + b"x" * 200_000,
    ],
)
def test_the_status_decides_whatever_body_comes_after_it(rest: bytes) -> None:
    with hooked() as hook:
        hook.raw = b"HTTP/1.1 200 OK\r\n" + rest
        assert notifier(hook.url, WebhookStyle.JSON).send(MESSAGE) == Taken()


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example/a",
        "https://10.0.0.1/a",
        "https://me:pw@hooks.example/a",
        "ftp://127.0.0.1/a",
    ],
)
def test_a_url_that_will_not_do_is_refused_without_being_told(url: str) -> None:
    with pytest.raises(InputError, match="PHX_WEBHOOK_URL must be https") as raised:
        WebhookClient(url)
    assert url not in str(raised.value)


@pytest.mark.parametrize(
    ("private", "told"),
    [
        (None, "is not public"),
        ("10.1.2.4", "is not public"),
        ("10.1.2.3", r"hooks.example:443: .*connection.*; see PHX_WEBHOOK_URL"),
    ],
)
def test_a_private_address_is_asked_only_where_it_is_declared(
    private: str | None, told: str
) -> None:
    async def resolve(_: str) -> Sequence[str]:
        return ["10.1.2.3"]

    # What is accepted is connected to, which ends here: no socket leaves this machine.
    client = WebhookClient(
        "https://hooks.example/a", private=private, resolve=resolve, timeout_s=5
    )
    with pytest.raises(DeliveryError, match=told):
        client(WebhookCall(url="https://hooks.example/a", body=b"{}"))
