"""`phx digest`: what a day's news are, shown or sent."""

import json
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import click

from phx_pipeline.cli.console import console, errors
from phx_pipeline.cli.folding import unbroken
from phx_pipeline.cli.nearest import NearestGroup
from phx_pipeline.cli.options import DAY_OR_SPAN, OneOf, json_option
from phx_pipeline.cli.outputs import OutputFile, tell_written
from phx_pipeline.cli.session import opened_reads
from phx_pipeline.errors import DeliveryError, InputError
from phx_pipeline.model.cron import last_due
from phx_pipeline.model.message import Channel
from phx_pipeline.model.moments import PHOENIX, moment
from phx_pipeline.settings import OFF, Settings, load_settings

if TYPE_CHECKING:
    from phx_pipeline.reads.base import Reads
    from phx_pipeline.reads.digest import Digest
    from phx_pipeline.workflows.digest import Desk, Rendered

_FORMATS = ("md", "html", "text")
_FORMAT_OF = {".html": "html", ".htm": "html", ".txt": "text"}
_FIRST_DAY = date(1971, 1, 1)  # nothing was before
_CHANNELS = tuple(it.value for it in Channel)


@click.group(cls=NearestGroup, invoke_without_command=True)
@click.option(
    "--date",
    "day",
    type=DAY_OR_SPAN,
    metavar="DAY",
    help="Show the news of this day in Phoenix, or of so many days or hours back, as "
    "1d or 12h; by default of today.",
)
@click.option(
    "--since",
    type=DAY_OR_SPAN,
    metavar="DAY",
    help="Show those from this day on, up to the day: a date, or 7d or 12h back.",
)
@click.option(
    "--format",
    "form",
    type=OneOf(_FORMATS),
    metavar="FORMAT",
    help="Write md (Markdown), html (one page with its pictures) or text; by default "
    "text to a terminal, else md.",
)
@click.option(
    "--output",
    type=OutputFile(".html", ".htm", ".md", ".txt", ".json"),
    metavar="FILE",
    help="Write to a file instead of standard output, in the format of its ending: "
    ".html, .md, .txt, or .json with --json.",
)
@click.option(
    "--send",
    is_flag=True,
    help="Send today's digest now, once: it is the one of the day. Before the time of "
    "PHX_DIGEST_CRON it is a trial, which counts for nothing.",
)
@click.option(
    "--channel",
    "channels",
    type=OneOf(_CHANNELS),
    multiple=True,
    metavar="CHANNEL",
    help="With --send: by smtp, webhook or console; by default by all that are set up. "
    "May be given again.",
)
@json_option
@click.pass_context
def digest(  # noqa: PLR0913 - each is an option
    ctx: click.Context,
    *,
    day: date | timedelta | None,
    since: date | timedelta | None,
    form: str | None,
    output: Path | None,
    send: bool,
    channels: tuple[str, ...],
    as_json: bool,
) -> None:
    """Show or send what is new: a day's digest.

    Price cuts, houses back on the market or off it, new matches of searches, photos
    that came or left, what is still open and why, sources that rest, runs that failed.
    Sources that say the same have one line together.

    While `phx up` runs, today's is sent every morning, where PHX_SMTP_HOST or
    PHX_WEBHOOK_URL is set; it tells what none before it told. --send does the same now,
    once a day: what came later is told by the next one. Given before the time of
    PHX_DIGEST_CRON, it sends a trial, and the digest of the day comes all the same and
    tells all. Without `phx up`, set PHX_DIGEST_CRON=off and give --send every morning.

    \b
    Examples:
      phx digest
      phx digest --date 2026-11-20 --format html --output digest.html
      phx digest --since 7d --json
      phx digest --send --channel smtp
      phx digest test --channel smtp
    """
    if ctx.invoked_subcommand is not None:
        return
    settings = load_settings()
    if send:
        _refuse_shown(day=day, since=since, form=form, output=output, as_json=as_json)
        _send(settings, [Channel(it) for it in channels] or list(settings.channels))
        return
    if channels:
        raise InputError("--channel says how to send: give --send too")
    _show(settings, day=day, since=since, form=form, output=output, as_json=as_json)


@digest.command()
@click.option(
    "--channel",
    required=True,
    type=OneOf(_CHANNELS),
    metavar="CHANNEL",
    help="By which way: smtp, webhook or console.",
)
def test(*, channel: str) -> None:
    """Send a message that tells nothing, and say what is wrong if it is not taken.

    \b
    Examples:
      phx digest test --channel smtp
      phx digest test --channel webhook
    """
    from phx_pipeline.wiring.clock import utc_now
    from phx_pipeline.wiring.messages import build_notifiers
    from phx_pipeline.workflows.digest import try_message

    settings = load_settings()
    message = try_message(utc_now())
    if channel == Channel.CONSOLE:
        _console(message.subject, message.text)
        return
    _require(settings, [Channel(channel)])
    if note := build_notifiers(settings)[Channel(channel)].send(message).note:
        raise DeliveryError(note)
    console.print(f"{channel}: the message was taken", soft_wrap=True)


def _show(
    settings: Settings,
    *,
    day: date | timedelta | None,
    since: date | timedelta | None,
    form: str | None,
    output: Path | None,
    as_json: bool,
) -> None:
    from phx_pipeline.reads.documents import digest_document
    from phx_pipeline.workflows.digest import render

    _require_ending(output, "json" if as_json else form)
    with opened_reads(settings) as reads:
        desk = _desk(settings, reads)
        found = _read(desk, day=day, since=since)
        rendered = None if as_json else render(desk, found)
    if rendered is None:
        text = json.dumps(digest_document(found), indent=2) + "\n"
    else:
        form = form or _usual_format(output)
        text = _formatted(rendered, form)
    _write(text, output, form="json" if as_json else form)


def _read(
    desk: "Desk", *, day: date | timedelta | None, since: date | timedelta | None
) -> "Digest":
    from phx_pipeline.reads.digest import read_digest
    from phx_pipeline.reads.images import first_day

    today = desk.reads.today
    last = first_day(desk.reads, day) or today
    first = first_day(desk.reads, since) or last
    if last > today:
        raise InputError(f"--date {last} is to come: give today, {today}, or before")
    if first > last:
        raise InputError(f"--since {first} is later than {last}: give an earlier day")
    first, last = max(first, _FIRST_DAY), max(last, _FIRST_DAY)
    return read_digest(desk.reads, desk.feeds, since=first, day=last)


def _require_ending(output: Path | None, form: str | None) -> None:
    """Refuse a file whose ending is not that of what is written; None is either."""
    ending = output.suffix.lower() if output else ""
    told = {".json": "json", ".md": "md", **_FORMAT_OF}.get(ending)
    if (told and told != (form or told)) or (told == "json" and form is None):
        wanted = "--json" if told == "json" else f"--format {told} or no --format"
        raise InputError(
            f"--output {output} is for {told}, and {form or 'no JSON'} is asked for: "
            f"give {wanted}, or a file with another ending"
        )


def _usual_format(output: Path | None) -> str:
    if output is not None:
        return _FORMAT_OF.get(output.suffix.lower(), "md")
    return "text" if console.is_terminal else "md"


def _formatted(rendered: "Rendered", form: str) -> str:
    if form == "html":
        return rendered.html
    return rendered.text if form == "text" else rendered.markdown


def _write(text: str, output: Path | None, *, form: str | None) -> None:
    from phx_pipeline.storage.outputs import write_output

    if output is None:
        shown = text if form == "text" else unbroken(text)
        console.print(shown, end="", soft_wrap=True)
        return
    write_output(output, text.encode())
    tell_written("the digest", output, as_json=form == "json")


def _send(settings: Settings, channels: list[Channel]) -> None:
    """Note today's digest as due, and send what is due; tell what came of each."""
    from phx_pipeline.workflows.digest import book_digest, send_due

    if Channel.CONSOLE in channels:
        _show(settings, day=None, since=None, form="text", output=None, as_json=False)
        channels = [it for it in channels if it is not Channel.CONSOLE]
        if not channels:
            return
    _require(settings, channels)
    with opened_reads(settings) as reads:
        desk = _desk(settings, reads, channels=channels)
        began = reads.now()
        if _is_to_come(settings, began):
            _try(desk, settings.digest_cron, at=began)
            return
        book_digest(reads.catalog, channels, at=began)
        failed = list(dict.fromkeys(send_due(desk, hurry=True)))
        for channel in channels:
            if told := _what_came(reads, channel, since=began, is_told=bool(failed)):
                console.print(told, soft_wrap=True)
    for line in failed[:-1]:
        errors.print(line, soft_wrap=True)
    if failed:
        again = "`phx up` tries it again, if it was started with this channel"
        raise DeliveryError(f"{failed[-1]}; {again}")


def _is_to_come(settings: Settings, at: datetime) -> bool:
    """Whether the digest of today is not due yet, if one is due at all."""
    if settings.digest_cron == OFF:
        return False
    local = at.astimezone(PHOENIX)
    due = last_due(settings.digest_cron, by=local)
    return due is None or due.date() != local.date()


def _try(desk: "Desk", cron: str, *, at: datetime) -> None:
    """Send trials, but where today's digest was sent already: then tell that."""
    from phx_pipeline.workflows.at_once import at_once
    from phx_pipeline.workflows.digest import digest_key, trial_of

    key, book = digest_key(desk.reads.today), desk.reads.catalog.deliveries

    def send(channel: Channel) -> None:
        if book.find(channel, key) is not None:
            told = _what_came(desk.reads, channel, since=at, is_told=False)
            console.print(told, soft_wrap=True)
            return
        note = desk.notifiers[channel].send(trial_of(desk, channel)).note
        console.print(
            f"{channel}: a trial was sent, which counts for nothing: the digest of "
            f"{desk.reads.today} comes by PHX_DIGEST_CRON={cron} and tells all of it"
            f"{note and f'; {note}'}",
            soft_wrap=True,
        )

    at_once(send, desk.notifiers)


def _what_came(
    reads: "Reads", channel: Channel, *, since: datetime, is_told: bool
) -> str:
    """Tell what became of today's digest; empty if that it failed *is_told*."""
    from phx_pipeline.workflows.digest import digest_key

    found = reads.catalog.deliveries.find(channel, digest_key(reads.today))
    told = f"{channel}: the digest of {reads.today}"
    if found is None or found.sent_at is None:
        return "" if is_told else f"{told} is not sent yet"
    if found.sent_at >= since:
        return f"{told} was sent"
    at = moment(found.sent_at.timestamp())
    return f"{told} was sent before, at {at}; the next one tells what came since"


def _require(settings: Settings, channels: list[Channel]) -> None:
    names = {Channel.SMTP: "PHX_SMTP_HOST", Channel.WEBHOOK: "PHX_WEBHOOK_URL"}
    if not channels:
        raise InputError(f"nobody is told: set {' or '.join(names.values())}")
    for channel in channels:
        if channel not in settings.channels:
            raise InputError(f"{channel} is not set up: set {names[channel]}")


def _desk(
    settings: Settings, reads: "Reads", *, channels: list[Channel] | None = None
) -> "Desk":
    from dataclasses import replace

    from phx_pipeline.wiring.messages import build_desk

    desk = build_desk(settings, reads, run_id=f"cli-{uuid4().hex[:12]}")
    chosen = channels if channels is not None else []
    kept = {it: notifier for it, notifier in desk.notifiers.items() if it in chosen}
    return replace(desk, notifiers=kept)


def _console(subject: str, text: str) -> None:
    console.print(f"{subject}\n\n{text}", end="", soft_wrap=True)


def _refuse_shown(**given: object) -> None:
    if any(value for value in given.values()):
        raise InputError(
            "--send sends today's digest in all its formats: leave out --date, "
            "--since, --format, --output and --json"
        )
