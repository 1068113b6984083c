"""Which setting each part of a webhook is."""

from datetime import UTC, datetime

from phx_pipeline.model.message import Channel, Message
from phx_pipeline.settings import load_settings
from phx_pipeline.wiring.messages import build_notifiers
from phx_pipeline_tests.web_hook import hooked

MESSAGE = Message(
    key="alerts:0123",
    at=datetime(2026, 11, 28, 14, tzinfo=UTC),
    subject="phx: one & two",
    text="a line",
    document={},
)


def test_a_webhook_has_its_url_style_and_token() -> None:
    with hooked() as hook:
        given = {
            "PHX_WEBHOOK_URL": f"{hook.url}/a",
            "PHX_WEBHOOK_STYLE": "slack",
            "PHX_WEBHOOK_TOKEN": "of-this-test",
        }
        found = build_notifiers(load_settings(given))
        found[Channel.WEBHOOK].send(MESSAGE)
    ((path, headers, body),) = hook.posts

    assert found.keys() == {Channel.WEBHOOK}
    assert (path, headers["authorization"]) == ("/a", "Bearer of-this-test")
    assert body == {"text": "phx: one &amp; two\na line"}
