"""How people are told, and by what that nobody may see."""

import pytest

from phx_pipeline.errors import InputError
from phx_pipeline.model.message import Channel
from phx_pipeline.settings import (
    exported,
    load_settings,
    told_to_shells,
)

MAIL = {
    "PHX_SMTP_HOST": "smtp.example.com",
    "PHX_SMTP_FROM": "phx@example.com",
    "PHX_SMTP_TO": "me@example.com",
}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SMTP_HOST", "smtp.example.com/25"),
        ("SMTP_SECURITY", "none"),
        ("SMTP_FROM", "a@example.com,b@example.com"),
        ("SMTP_FROM", "Me <me@example.com>"),
        ("SMTP_TO", ""),
        ("SMTP_TO", "me@example.com\r\nBcc: all@example.com"),
        ("SMTP_TO", ",".join(f"{n}@example.com" for n in range(21))),
        ("SMTP_PASSWORD", "h\u00fcnter2"),
        ("DIGEST_CRON", "7:00"),
        ("DIGEST_CRON", "0 24 * * *"),
        ("DIGEST_CRON", "*/0 7 * * *"),
        ("DIGEST_CRON", "0 9-7 * * *"),
        ("ALERTS", "price_cut,nothing"),
        ("WEBHOOK_STYLE", "discord"),
        ("WEBHOOK_ADDRESS", "hooks.example"),
        ("WEBHOOK_URL", "http://hooks.example/s3cret"),
        ("WEBHOOK_URL", "http://192.168.7.9/s3cret"),
    ],
)
def test_how_people_are_told_is_refused_with_the_remedy(name: str, value: str) -> None:
    with pytest.raises(
        InputError, match=r"PHX_[A-Z_]+.*(give|set|needs|choose|must)"
    ) as told:
        load_settings(MAIL | {f"PHX_{name}": value})

    assert f"PHX_{name}" in str(told.value)
    assert "s3cret" not in str(told.value)
    assert ("PHX_WEBHOOK_ADDRESS holds" in str(told.value)) is ("192.168" in value)
    assert "\u00fc" not in str(told.value)


def test_secrets_of_channels_are_shown_nowhere_and_given_to_our_own_processes() -> None:
    secret = {
        "PHX_SMTP_PASSWORD": "hunter2",
        "PHX_WEBHOOK_URL": "https://hooks.example/hunter2",
        "PHX_WEBHOOK_TOKEN": "hunter2",
    }
    settings = load_settings(MAIL | secret)

    assert "hunter2" not in repr(settings)
    assert "hunter2" not in "".join(told_to_shells(settings).values())
    assert secret.items() <= exported(settings).items()
    assert settings.channels == (Channel.SMTP, Channel.WEBHOOK)
    assert load_settings({"PHX_ALERTS": "off"}).told_at_once == ()
