"""`phx digest`: shown in each format, sent once a day, and tried."""

from dataclasses import replace
from pathlib import Path

import pytest

from phx_pipeline.model.message import MailSecurity
from phx_pipeline.model.source import Source
from phx_pipeline.settings import Settings
from phx_pipeline.stages.context import StageContext
from phx_pipeline.supervise.addresses import free_port
from phx_pipeline_tests.commands import Phx, UseSettings
from phx_pipeline_tests.mail_server import mail_server
from phx_pipeline_tests.unit.cli.test_changes import answer


@pytest.fixture
def silent(collected: StageContext, healthy: Settings) -> Settings:
    """The settings of a copy of the store, by which nobody is told."""
    return replace(healthy, data_dir=collected.layout.catalogue.parent)


def mailed(settings: Settings, *, port: int) -> Settings:
    return replace(
        settings,
        smtp_host="127.0.0.1",
        smtp_port=port,
        smtp_security=MailSecurity.NONE,
        smtp_from="phx@example.com",
        smtp_to=("me@example.com",),
        digest_cron="off",
    )


def test_a_digest_is_shown_in_each_format_and_sent_once(
    phx: Phx,
    collected: StageContext,
    silent: Settings,
    use_settings: UseSettings,
    tmp_path: Path,
) -> None:
    use_settings(silent)
    (slug,) = collected.catalog.slugs()
    photos = (it.ref for it in collected.catalog.photos(slug))
    keys = {it.photo_key for it in photos if it.source is Source.REDFIN}
    answer(collected, slug, keys=keys, number="6001")
    answer(collected, slug, keys=keys, number="7002")
    file = tmp_path / "digest.html"

    shown = phx("digest")
    text = phx("digest", "--since", "1d", "--format", "text").out
    written = phx("digest", "--output", str(file))
    told = phx("digest", "--json", "--since", "0001-01-01").json

    day = collected.stamp().today
    assert shown.out.startswith(f"# phx {day}: ")
    assert "## Relisted" in shown.out
    line = "relisted under another number: 7002, before 6981407 (redfin)"
    assert line in text
    assert written.out == f"the digest written to {file}\n"
    page = file.read_text(encoding="utf-8")
    assert line in page
    assert page.count('src="data:image/jpeg;base64,') == 1
    assert "relisted" in {it["kind"] for it in told["changes"]}

    with mail_server() as server:
        use_settings(mailed(silent, port=server.port))
        sent = [phx("digest", "--send") for _ in range(2)]
    assert [it.code for it in sent] == [0, 0]
    told = f"smtp: the digest of {day} was sent"
    assert sent[0].out == f"{told}\n"
    assert sent[1].out.startswith(f"{told} before, at {day} ")
    assert sent[1].out.endswith(" MST; the next one tells what came since\n")
    (mail,) = server.mails
    assert mail["Subject"] in shown.out
    assert [it.get_content_type() for it in mail.walk()].count("image/jpeg") == 1


def test_a_trial_leaves_the_digest_of_the_day_alone(
    phx: Phx, collected: StageContext, silent: Settings, use_settings: UseSettings
) -> None:
    today = collected.stamp().today
    with mail_server() as server:
        due = mailed(silent, port=server.port)
        for month in (today.month % 12 + 1, today.month):
            use_settings(replace(due, digest_cron=f"0 0 * {month} *"))
            said = phx("digest", "--send")
            if month != today.month:
                assert "a trial was sent, which counts for nothing" in said.out
                assert collected.catalog.deliveries.open() == []

            if month == today.month:
                use_settings(
                    replace(due, digest_cron=f"0 0 * {today.month % 12 + 1} *")
                )
                late = phx("digest", "--send").out
                assert f"the digest of {today} was sent before, at {today} " in late

    trial, real = (str(mail["Subject"]) for mail in server.mails)
    assert trial == f"{real} (a trial)"


def test_a_server_that_is_down_is_told_once_and_a_password_is_asked_for(
    phx: Phx, collected: StageContext, silent: Settings, use_settings: UseSettings
) -> None:
    today = collected.stamp().today
    use_settings(mailed(silent, port=free_port()))
    down = phx("digest", "--send")
    use_settings(replace(mailed(silent, port=free_port()), smtp_user="me"))
    lacking = phx("digest", "test", "--channel", "smtp")

    assert (down.code, down.err.count("nothing answers there")) == (1, 1)
    assert down.err.startswith(f"phx: smtp: the digest of {today} not sent: 127.0.0.1:")
    assert "is not sent yet" not in down.out
    assert lacking.code == 2
    assert "PHX_SMTP_USER needs PHX_SMTP_PASSWORD" in lacking.err


def test_a_try_says_in_one_line_what_is_wrong(
    phx: Phx, silent: Settings, use_settings: UseSettings
) -> None:
    with mail_server(refused=frozenset({"bad@example.com"})) as server:
        mine = mailed(silent, port=server.port)
        use_settings(mine)
        taken = phx("digest", "test", "--channel", "smtp")
        use_settings(replace(mine, smtp_to=("bad@example.com", "me@example.com")))
        partly = phx("digest", "test", "--channel", "smtp")
    use_settings(mailed(silent, port=free_port()))
    down = phx("digest", "test", "--channel", "smtp")
    use_settings(silent)
    unset = phx("digest", "test", "--channel", "webhook")

    assert (taken.code, taken.out) == (0, "smtp: the message was taken\n")
    assert [it["Subject"] for it in server.mails] == ["phx: this is a try"] * 2
    assert (partly.code, partly.out) == (1, "")
    assert partly.err.startswith(f"phx: 127.0.0.1:{server.port}: the server refuses ")
    assert partly.err.endswith("; it took the mail for me@example.com\n")
    assert (down.code, down.err.count("\n")) == (1, 1)
    assert "nothing answers there: see PHX_SMTP_HOST" in down.err
    assert unset.code == 2
    assert "webhook is not set up: set PHX_WEBHOOK_URL" in unset.err
    assert "tells nothing" not in phx("digest", "test", "--channel", "console").err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--send", "--json"), "leave out --date"),
        (("--channel", "smtp"), "give --send too"),
        (("--send",), "nobody is told: set PHX_SMTP_HOST or PHX_WEBHOOK_URL"),
        (("--date", "2026-01-01", "--since", "2026-01-02"), "give an earlier day"),
        (("--date", "9999-12-31"), "is to come: give today"),
        (("--format", "pdf"), "choose from md, html, text"),
        (("--format", "html", "--output", "x.md"), "--output x.md is for md"),
        (("--output", "x.json"), "give --json"),
    ],
)
def test_what_cannot_be_is_refused_with_the_remedy(
    arguments: tuple[str, ...],
    told: str,
    phx: Phx,
    silent: Settings,
    use_settings: UseSettings,
) -> None:
    use_settings(silent)
    refused = phx("digest", *arguments)

    assert refused.code == 2
    assert told in refused.err
