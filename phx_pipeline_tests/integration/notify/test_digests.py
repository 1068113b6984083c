"""Digests and alerts to real servers on loopback: each once, whatever dies or is down.

Where rows decide between processes, on both databases.
"""

import os
import signal
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from multiprocessing import get_context
from threading import Event
from typing import Any

import pytest

from phx_pipeline.catalog.engine import open_engine
from phx_pipeline.catalog.leases import Leases
from phx_pipeline.catalog.store import Catalog
from phx_pipeline.fetch.webhook import WebhookClient
from phx_pipeline.model.address import Address
from phx_pipeline.model.job import Mode
from phx_pipeline.model.message import Channel, DeliveryState, WebhookStyle
from phx_pipeline.model.run import RunOutcome
from phx_pipeline.model.source import Source
from phx_pipeline.model.source_state import SourceState
from phx_pipeline.notify.webhook import WebhookNotifier
from phx_pipeline.reads.digest import NewMatch, read_digest
from phx_pipeline.workflows.digest import book_alerts, book_digest, send_due
from phx_pipeline_tests.integration.conftest import Scene
from phx_pipeline_tests.integration.notify.conftest import (
    DAY,
    MORNING,
    URL,
    Store,
    mailing,
)
from phx_pipeline_tests.mail_server import MailServer, mail_server
from phx_pipeline_tests.web_hook import hooked

SMTP = [Channel.SMTP]
HOUR = timedelta(hours=1)


def body_of(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return "\n".join(str(part.get_content()).splitlines())


def morning(store: Store, server: MailServer, *, days: int = 0) -> list[str]:
    """What the schedule does at seven, and the sensor after it."""
    store.now = MORNING + days * DAY
    book_digest(store.catalog, SMTP, at=store.now)
    return send_due(store.desk(mailing(server)))


def test_each_morning_has_one_mail_with_what_none_before_it_told(
    store: Store, say: Callable[..., None]
) -> None:
    say(450_000, at=MORNING - 2 * DAY)
    say(440_000, at=MORNING - HOUR)
    with mail_server() as server:
        assert morning(store, server) == []
        assert morning(store, server) == []
        say(440_000, at=MORNING + HOUR, source=Source.ZILLOW)
        say(430_000, at=MORNING + 5 * HOUR)
        store.matches = [
            NewMatch(
                key="new_match:1",
                on=(MORNING + DAY).date(),
                address="12 <b>N</b> Elm St",
                search="pool",
                source=Source.REDFIN,
                price=399_000,
                url="https://evil.example/",
            )
        ]
        morning(store, server, days=1)
        morning(store, server, days=2)

    first, second, third = server.mails
    assert first["Subject"] == "phx 2025-03-09: 1 price cut"
    assert "price cut from $450,000 to $440,000 (redfin)" in body_of(first)
    assert URL in body_of(first)
    assert second["Subject"] == "phx 2025-03-10: 1 price cut, 1 new match"
    assert "to $430,000 (redfin), on 2025-03-09" in body_of(second)
    assert "440,000 (" not in body_of(second)
    assert "evil.example" not in second.as_string()
    page = second.get_body(("html",))
    assert page is not None
    assert "12 &lt;b&gt;N&lt;/b&gt; Elm St" in page.get_content()
    assert third["Subject"] == "phx 2025-03-11: nothing changed"


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_a_server_that_was_down_for_hours_gets_each_message_once(store: Store) -> None:
    with mail_server() as server:
        pass
    book_digest(store.catalog, SMTP, at=MORNING)
    tried = []
    for minutes in (0, 0.5, 1, 5, 6, 20, 21, 80, 81, 300, 321, 560, 561):
        store.now = MORNING + timedelta(minutes=minutes)
        if send_due(store.desk(mailing(server))):
            tried.append(minutes)
    assert tried == [0, 1, 6, 21, 81, 321, 561]
    (row,) = store.catalog.deliveries.open()
    assert "nothing answers there" in row.detail

    with mail_server(server.port) as back:
        store.now = MORNING + 15 * HOUR
        assert send_due(store.desk(mailing(back))) == []
        assert send_due(store.desk(mailing(back))) == []
    assert [it["Subject"] for it in back.mails] == ["phx 2025-03-09: nothing changed"]


def test_killed_between_sending_and_booking_the_same_mail_comes_once_more(
    store: Store, say: Callable[..., None], url: str
) -> None:
    say(450_000, at=MORNING - 2 * DAY)
    say(440_000, at=MORNING - HOUR)
    book_digest(store.catalog, SMTP, at=MORNING)
    killed: list[int] = []

    def kill(_: EmailMessage) -> None:
        if not killed:
            killed.append(sender.pid or 0)
            os.kill(killed[0], signal.SIGKILL)
            with suppress(ChildProcessError):  # who started it has waited already
                os.waitid(os.P_PID, killed[0], os.WEXITED | os.WNOWAIT)

    with mail_server(taken=kill) as server:
        sender = get_context("fork").Process(target=_send, args=(store, server, url))
        sender.start()
        sender.join(60)
        assert sender.exitcode == -signal.SIGKILL
        store.now = MORNING + timedelta(minutes=2)
        for _ in range(2):
            assert send_due(store.desk(mailing(server))) == []

    first, again = server.mails
    assert first["Message-ID"] == again["Message-ID"]
    assert body_of(first) == body_of(again)
    found = store.catalog.deliveries.find(Channel.SMTP, "digest:2025-03-09")
    assert found is not None
    assert (found.state, found.tries) == (DeliveryState.SENT, 2)


def _send(store: Store, server: MailServer, url: str) -> None:
    engine = open_engine(url)
    catalog = Catalog(engine, leases=Leases(engine, ttl_s=30))
    send_due(replace(store, catalog=catalog).desk(mailing(server)))


def test_two_daemons_at_once_send_one_mail(store: Store, url: str) -> None:
    def daemon(number: int) -> None:
        engine = open_engine(url)
        try:
            catalog = Catalog(engine, leases=Leases(engine, ttl_s=30))
            own = replace(store, catalog=catalog)
            book_digest(catalog, SMTP, at=MORNING)
            send_due(own.desk(mailing(server), run_id=f"daemon-{number}"))
        finally:
            engine.dispose()

    with mail_server() as server, ThreadPoolExecutor(2) as pool:
        list(pool.map(daemon, range(4)))

    assert len(server.mails) == 1


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_alerts_come_at_once_each_once_and_not_more_often_than_they_may(
    store: Store, say: Callable[..., None]
) -> None:
    say(450_000, at=MORNING - 2 * DAY)
    say(445_000, at=MORNING - DAY)
    with hooked() as hook:
        post = WebhookNotifier(
            url=hook.url,
            style=WebhookStyle.JSON,
            token=None,
            post=WebhookClient(hook.url),
        )

        def tick(minutes: int) -> int:
            store.now = MORNING + timedelta(minutes=minutes)
            desk = store.desk({Channel.WEBHOOK: post})
            booked = book_alerts(desk)
            send_due(desk)
            return booked

        assert tick(0) == 0  # the cut of the day before is no news any more
        say(440_000, at=MORNING + timedelta(minutes=1))
        assert (tick(1), tick(2), len(hook.posts)) == (1, 0, 1)
        say(435_000, at=MORNING + timedelta(minutes=3))
        assert (tick(3), len(hook.posts)) == (1, 1)
        hook.status = 503
        tick(7)
        tick(9)
        hook.status = 200
        tick(20)
        tick(90)

    keys = [headers["idempotency-key"] for _, headers, _ in hook.posts]
    assert keys == [keys[0], keys[1], keys[1], keys[1]]
    told = [[it["after"] for it in body["changes"]] for _, _, body in hook.posts]
    assert told == [["$440,000"], ["$435,000"], ["$435,000"], ["$435,000"]]
    assert store.catalog.deliveries.open() == []


def test_a_clock_that_was_ahead_for_a_while_keeps_no_digest_back(
    store: Store, say: Callable[..., None]
) -> None:
    say(450_000, at=MORNING - 2 * DAY)
    with mail_server() as server:
        for days in (0, 60, 1, 2, 60):
            say(440_000 - len(server.mails) * 1_000, at=MORNING + days * DAY - HOUR)
            morning(store, server, days=days)

    assert [mail["Subject"][4:14] for mail in server.mails] == [
        *("2025-03-09", "2025-05-08", "2025-03-10", "2025-03-11", "2025-05-08")
    ]


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize("back", [timedelta(days=2), timedelta(days=40)])
def test_a_clock_that_was_behind_for_a_while_has_no_digest_made_again(
    store: Store, say: Callable[..., None], back: timedelta
) -> None:
    say(470_000, at=MORNING - 40 * DAY)
    say(450_000, at=MORNING - 30 * DAY)  # long before there was a channel
    with mail_server() as server:
        for days in (0, 1, 2, 3, 3, 4):
            say(440_000 - days * 1_000, at=MORNING + days * DAY - HOUR)
            morning(store, server, days=days)
            store.catalog.deliveries.settle(SMTP, at=store.now - back)

    assert [mail["Subject"][4:] for mail in server.mails] == [
        f"2025-03-{day:02}: 1 price cut" for day in (9, 10, 11, 12, 13)
    ]


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("days", "wrong", "down"),
    [
        pytest.param(5, {3: -41}, (), id="behind"),
        pytest.param(5, {3: -41}, (3,), id="behind while it is down"),
        pytest.param(3, {0: 2}, (), id="ahead, of a day that comes"),
        pytest.param(12, {1: 40, 9: 40}, range(2, 10), id="ahead while it is down"),
    ],
)
def test_what_was_told_is_told_whatever_date_a_clock_gave_the_digest(
    store: Store,
    say: Callable[..., None],
    days: int,
    wrong: Mapping[int, int],
    down: Collection[int],
) -> None:
    say(460_000, at=MORNING - 45 * DAY)
    say(450_000, at=MORNING - 20 * DAY)  # long before there was a channel
    mails: list[EmailMessage] = []
    with mail_server() as server:
        for day in range(days):
            say(440_000 - day, at=MORNING + day * DAY - HOUR)
            server.answer = b"451 later" if day in down else b"250 taken"
            for off in dict.fromkeys([wrong.get(day, 0), 0]):
                morning(store, server, days=day + off)
                store.catalog.deliveries.settle(SMTP, at=MORNING + day * DAY + HOUR)
            mails += [] if day in down else server.mails
            server.mails.clear()

    told = "\n".join(map(body_of, mails))
    cuts = [told.count(f" to ${440_000 - day:,} (") for day in range(days)]
    assert cuts == [1] * days
    assert " to $450,000 (" not in told
    assert len({it["Message-ID"] for it in mails}) == len(mails)


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_a_clock_that_is_ahead_gives_up_no_alert_that_no_digest_tells(
    store: Store, say: Callable[..., None]
) -> None:
    say(450_000, at=MORNING - 2 * DAY)
    with mail_server(answer=b"451 later") as server:
        for hours in (0, 1, 10 * 24, 2, 6):
            store.now = MORNING + hours * HOUR
            if hours == 1:
                say(440_000, at=store.now)
            if hours == 2:
                server.answer = b"250 taken"
                server.mails.clear()
            desk = store.desk(mailing(server))
            book_alerts(desk)
            send_due(desk)

    assert ["to $440,000" in body_of(it) for it in server.mails] == [True]


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_a_clock_that_was_ahead_for_a_while_keeps_no_alert_back(
    store: Store, say: Callable[..., None]
) -> None:
    say(450_000, at=MORNING - 2 * DAY)
    with mail_server() as server:
        for minutes, price in ((0, 449), (30 * 24 * 60, 445), (60, 440), (70, 440)):
            store.now = MORNING + timedelta(minutes=minutes)
            say(price * 1_000, at=store.now)
            desk = store.desk(mailing(server))
            book_alerts(desk)
            send_due(desk)

    assert len(server.mails) == 2
    assert store.catalog.deliveries.open() == []


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_what_was_told_at_once_is_not_forgotten_while_it_could_be_told_again(
    store: Store, say: Callable[..., None]
) -> None:
    say(450_000, at=MORNING - 2 * DAY)
    with mail_server() as server:
        booked = []
        for hours in (0, 1, 25):
            store.now = MORNING + hours * HOUR
            if hours == 1:
                say(440_000, at=store.now)
            book_digest(store.catalog, SMTP, at=store.now)
            desk = store.desk(mailing(server))
            booked.append(book_alerts(desk))
            send_due(desk)
            before = store.now - DAY + timedelta(minutes=1)
            list(store.catalog.history.forget(before=before, open_jobs=()))
            booked.append(book_alerts(desk))

    assert booked == [0, 0, 1, 0, 0, 0]


def test_what_a_digest_was_to_tell_that_was_given_up_the_next_one_tells(
    store: Store, say: Callable[..., None]
) -> None:
    say(450_000, at=MORNING - 2 * DAY)
    say(440_000, at=MORNING - HOUR)
    with mail_server() as server:
        pass
    for days in range(8):
        morning(store, server, days=days)
    with mail_server(server.port) as back:
        for days in (8, 9):
            morning(store, back, days=days)
            send_due(store.desk(mailing(back)), hurry=True)

    told = "price cut from $450,000 to $440,000"
    assert [told in body_of(mail) for mail in back.mails].count(True) == 1
    found = store.catalog.deliveries.find(Channel.SMTP, "digest:2025-03-09")
    assert found is not None
    assert found.state is DeliveryState.PASSED_ON


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_what_waits_is_told_once_though_the_house_is_renamed_meanwhile(
    store: Store, scene: Scene, say: Callable[..., None]
) -> None:
    say(450_000, at=MORNING - 2 * DAY)
    renamed = Address.parse("4734 W Davis Rd, Glendale, AZ 85306")
    with mail_server() as server:
        book_alerts(store.desk(mailing(server)))
        say(440_000, at=MORNING - HOUR)
        server.answer = b"451 later"
        store.now = MORNING
        book_digest(store.catalog, SMTP, at=MORNING)
        assert len(send_due(store.desk(mailing(server)))) == 1
        assert book_alerts(store.desk(mailing(server))) == 1
        store.catalog.houses.rename(scene.lease, scene.slug, renamed, at=MORNING)
        server.answer = b"250 taken"
        send_due(store.desk(mailing(server)), hurry=True)
        assert book_alerts(store.desk(mailing(server))) == 0
        morning(store, server, days=1)

    assert [it["Subject"] for it in server.mails] == [
        *["phx 2025-03-09: 1 price cut"] * 2,
        "phx 2025-03-10: nothing changed",
    ]


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_what_was_given_up_is_told_however_short_history_is_kept(
    store: Store, say: Callable[..., None]
) -> None:
    say(470_000, at=MORNING - 2 * DAY)
    with mail_server() as server:

        def refuse(mail: EmailMessage) -> None:
            is_spam = "2025-03-09" in mail["Subject"]
            server.answer = b"550 spam" if is_spam else b"250 taken"

        server.taken = refuse
        for days in range(9):
            say(450_000 - days * 1_000, at=MORNING + days * DAY - HOUR)
            morning(store, server, days=days)
            before = store.now - DAY
            list(store.catalog.history.forget(before=before, open_jobs=()))

    told = "\n".join(map(body_of, server.mails))
    assert [told.count(f" to ${450 - days},000 (") for days in range(9)] == [1] * 9


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize("has_digest", [True, False])
def test_an_alert_is_given_up_for_a_digest_alone_and_holds_up_none_after_it(
    store: Store, say: Callable[..., None], *, has_digest: bool
) -> None:
    say(450_000, at=MORNING - 2 * DAY)

    def tick(minutes: int, price: int) -> None:
        store.now = MORNING + timedelta(minutes=minutes)
        say(price, at=store.now)
        desk = store.desk(mailing(server))
        book_alerts(desk)
        send_due(desk)

    with mail_server(answer=b"451 later") as server:
        tick(0, 450_000)
        for minutes in (1, 6, 60, 180, 1_430):
            tick(minutes, 440_000)
            if has_digest:
                book_digest(store.catalog, SMTP, at=store.now)
        server.answer = b"250 taken"
        tick(1_500, 430_000)
        soon = "\n".join(map(body_of, server.mails))
        tick(1_700, 430_000)

    assert ("to $430,000" in soon) is has_digest
    told = "\n".join(map(body_of, server.mails))
    assert "to $440,000" in told
    assert "to $430,000" in told


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_a_mail_server_that_is_slow_holds_no_webhook_up(store: Store) -> None:
    is_posted = Event()
    waited: list[bool] = []
    with (
        mail_server(taken=lambda _: waited.append(is_posted.wait(60))) as server,
        hooked() as hook,
    ):
        hook.on_post = is_posted.set
        posting = WebhookNotifier(
            url=hook.url,
            style=WebhookStyle.JSON,
            token=None,
            post=WebhookClient(hook.url),
        )
        book_digest(store.catalog, [*SMTP, Channel.WEBHOOK], at=MORNING)
        notifiers = mailing(server) | {Channel.WEBHOOK: posting}
        assert send_due(store.desk(notifiers)) == []

    assert waited == [True]


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_who_is_greylisted_gets_the_digest_later_and_nobody_twice(store: Store) -> None:
    both = ("me@example.com", "you@example.com")
    with mail_server(greylisted={both[1]}) as server:
        book_digest(store.catalog, SMTP, at=MORNING)
        for minutes in (0, 0.5, 1, 30):
            store.now = MORNING + timedelta(minutes=minutes)
            send_due(store.desk(mailing(server, *both)))

    assert server.envelopes == [[both[0]], [both[1]]]
    assert body_of(server.mails[0]) == body_of(server.mails[1])
    assert store.catalog.deliveries.open() == []


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_what_some_have_is_never_given_up_as_a_whole(store: Store) -> None:
    book, key = store.catalog.deliveries, "digest:2025-03-09"
    book_digest(store.catalog, SMTP, at=MORNING)
    (taken,) = book.take(Channel.SMTP, at=MORNING)
    told: dict[str, Any] = {
        "detail": "refused for now",
        "tries": taken.tries,
        "later": ["b@a.example"],
    }
    book.record_partly_sent(Channel.SMTP, taken.message, at=MORNING, **told)
    book.give_up(digests=MORNING + DAY, alerts=MORNING + DAY)

    found = book.find(Channel.SMTP, key)
    assert found is not None
    assert (found.state, found.recipients) == (DeliveryState.SENT, ("b@a.example",))


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_a_digest_does_not_say_of_itself_that_it_was_not_sent(store: Store) -> None:
    with mail_server() as server:
        pass
    for minutes in (0, 1, 6):
        store.now = MORNING + timedelta(minutes=minutes)
        book_digest(store.catalog, SMTP, at=store.now)
        send_due(store.desk(mailing(server)))
    feeds, day = store.desk({}).feeds, MORNING.date()
    (line,) = read_digest(store.reads, feeds, since=day, day=day).undelivered
    with mail_server(server.port) as back:
        send_due(store.desk(mailing(back)), hurry=True)

    assert line.startswith(
        "smtp: the digest of 2025-03-09 not sent after 3 tries: 127.0.0.1"
    )
    (mail,) = back.mails
    assert "not sent" not in body_of(mail)


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_what_failed_and_which_sources_rest_stand_in_the_same_mail(
    store: Store, scene: Scene
) -> None:
    stamp = replace(scene.stamp, at=MORNING - HOUR)
    runs, slug = store.catalog.runs, scene.slug
    started: dict[str, Any] = {"mode": Mode.RESUME, "job_id": None, "stamp": stamp}
    runs.record_started(scene.lease, slug, photos=(), interrupted={}, **started)
    failed = RunOutcome.FAILED
    runs.record_ended(
        scene.lease, slug, outcome=failed, result=None, error="disk full", stamp=stamp
    )

    def refuse(state: SourceState, now_s: float) -> tuple[SourceState, None]:
        rests: dict[str, Any] = {
            "opened_at": now_s,
            "open_until": now_s + 3_600,
            "block": "a challenge",
        }
        return replace(state, blocked_at=now_s, **rests), None

    with mail_server() as server:
        morning(store, server)
        store.catalog.policies.change("redfin", refuse)
        morning(store, server, days=1)
    feeds, day = store.desk({}).feeds, MORNING.date()
    shown = read_digest(store.reads, feeds, since=day, day=day)

    assert [it.error for it in shown.failures] == ["disk full"]
    first, second = server.mails
    assert "rest" not in body_of(first)
    assert "Sources that rest\n- redfin is open: a challenge, tried" in body_of(second)
    assert f"Runs that failed\n- {slug}: 2025-03-09 06:00:00 MST: disk full" in body_of(
        first
    )
    assert "Runs that failed" not in body_of(second)
