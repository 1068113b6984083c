"""Mail to a real server on loopback: what arrives, and what is told if nothing does."""

import socketserver
import ssl
from base64 import b64encode
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
import trustme

from phx_pipeline.errors import DeliveryError
from phx_pipeline.model.message import MailSecurity, Message, SmallPicture, Taken
from phx_pipeline.notify.smtp import MailServer as Server
from phx_pipeline.notify.smtp import SmtpNotifier
from phx_pipeline.supervise.addresses import free_port
from phx_pipeline_tests.mail_server import MailServer, mail_server

SECRET = "hunter2 with blanks"  # noqa: S105 - of a server of this test
MESSAGE = Message(
    key="digest:2026-11-28",
    at=datetime(2026, 11, 28, 14, tzinfo=UTC),
    subject="phx: 12 N Elm St\r\nBcc: all@example.com \N{HOUSE BUILDING}",
    text="two\n.\nlines, one of a dot\n",
    html='<p>\N{HOUSE BUILDING}</p><img src="cid:front">',
    pictures=(SmallPicture(name="front", jpeg=b"\xff\xd8\xff"),),
)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def context(authority: trustme.CA) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(made)
    return made


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    return tmp_path / "ca.pem"


def notifier(server: MailServer, **changes: Any) -> SmtpNotifier:
    given: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": server.port,
        "security": MailSecurity.NONE,
    }
    return SmtpNotifier(
        Server(**given | changes),
        sender="phx@example.com",
        recipients=("me@example.com", "you@example.com"),
        timeout_s=5,
    )


@pytest.mark.parametrize("security", [MailSecurity.STARTTLS, MailSecurity.TLS])
def test_a_mail_arrives_whole_and_with_no_header_of_a_site(
    security: MailSecurity, context: ssl.SSLContext, ca_file: Path
) -> None:
    is_tls = security is MailSecurity.TLS
    with mail_server(context=context, is_tls=is_tls, login=("me", SECRET)) as server:
        sending = notifier(
            server, security=security, user="me", password=SECRET, ca_file=ca_file
        )
        assert sending.send(MESSAGE) == Taken()
        sending.send(replace(MESSAGE, text="another text, sent again"))

    first, again = server.mails
    assert server.envelopes[0] == ["me@example.com", "you@example.com"]
    assert first["Bcc"] is None
    assert (
        first["Subject"] == "phx: 12 N Elm St Bcc: all@example.com \N{HOUSE BUILDING}"
    )
    assert first["Message-ID"] == again["Message-ID"]
    assert "Elm" not in first["Message-ID"]
    text = first.get_body(("plain",))
    page = first.get_body(("html",))
    assert text is not None
    assert page is not None
    assert text.get_content().splitlines() == MESSAGE.text.splitlines()
    assert page.get_content().strip() == MESSAGE.html
    (picture,) = (it for it in first.walk() if it.get_content_type() == "image/jpeg")
    assert picture["Content-ID"] == "<front>"
    assert picture.get_payload(decode=True) == b"\xff\xd8\xff"


def test_what_is_wrong_is_one_line_that_knows_no_password(
    context: ssl.SSLContext, ca_file: Path
) -> None:
    tls: dict[str, Any] = {"security": MailSecurity.STARTTLS, "ca_file": ca_file}
    with ExitStack() as stack:

        def complaint(changes: dict[str, Any], **behaviour: Any) -> str:
            server = stack.enter_context(mail_server(**behaviour))
            with pytest.raises(DeliveryError) as raised:
                notifier(server, **changes).send(MESSAGE)
            told = str(raised.value)
            assert "\n" not in told
            assert SECRET not in f"{told}{raised.value!r}"
            assert raised.value.__cause__ is None
            assert server.mails == []
            return told

        user = {"user": "me", "password": SECRET}
        login = ("me", "another")
        assert "PHX_SMTP_PASSWORD" in complaint(
            tls | user, context=context, login=login
        )
        assert "certificate is not trusted" in complaint(
            {"security": MailSecurity.STARTTLS}, context=context
        )
        assert "or none for a server on this machine" in complaint(tls)
        assert "PHX_SMTP_SECURITY is to be starttls" in complaint(
            tls | {"security": MailSecurity.TLS}, context=context
        )
        everybody = frozenset({"me@example.com", "you@example.com"})
        assert "refuses recipients of PHX_SMTP_TO: me@example.com (550" in complaint(
            {}, refused=everybody
        )
        assert "552 too large" in complaint({}, answer=b"552 too large")
        assert "nothing answers there" in complaint({"port": free_port()})
        plain = b64encode(f"\0me\0{SECRET}".encode()).rstrip(b"=")
        for sent in (plain, b64encode(SECRET.encode()), SECRET.encode()):
            said = b"552 who says " + sent
            told = complaint(user, context=context, login=("me", SECRET), answer=said)
            assert "552 who says [hidden]" in told
        assert SECRET not in repr(Server(host="a", port=1, **tls | user))


def test_a_refused_recipient_is_told_while_others_have_the_mail() -> None:
    with mail_server(refused=frozenset({"you@example.com"})) as server:
        taken = notifier(server).send(MESSAGE)

    assert "you@example.com (550 nobody of this name)" in taken.note
    assert taken.later == ()
    assert server.envelopes == [["me@example.com"]]


def test_who_is_greylisted_is_to_be_sent_the_same_mail_later_and_alone() -> None:
    with mail_server(greylisted={"you@example.com"}) as server:
        first = notifier(server).send(MESSAGE)
        again = notifier(server).send(MESSAGE, only=first.later)
        nobody = notifier(server).send(MESSAGE, only=("gone@example.com",))

    assert "not yet take recipients of PHX_SMTP_TO: you@example.com (451" in first.note
    assert first.later == ("you@example.com",)
    assert (again, nobody) == (Taken(), Taken())
    assert server.envelopes == [["me@example.com"], ["you@example.com"]]
    assert len({mail["Message-ID"] for mail in server.mails}) == 1


@pytest.mark.parametrize(("verdict_s", "told"), [(60, ""), (0.1, "in time")])
def test_a_mail_that_the_server_has_whole_is_not_sent_again(
    verdict_s: float, told: str
) -> None:
    is_over = Event()
    with mail_server(taken=lambda _: is_over.wait(1.5)) as server:
        sending = SmtpNotifier(
            Server(host="127.0.0.1", port=server.port, security=MailSecurity.NONE),
            sender="phx@example.com",
            recipients=("me@example.com",),
            timeout_s=1,
            verdict_s=verdict_s,
        )
        note = sending.send(MESSAGE).note
        is_over.set()

    assert told in note
    assert bool(note) is bool(told)


@contextmanager
def endless(piece: bytes, *, pause_s: float) -> Iterator[int]:
    """A server that greets, and answers with a piece after the other; its port."""
    is_over = Event()

    class Talk(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 here\r\n")
            with suppress(OSError):
                while not is_over.wait(pause_s):
                    self.wfile.write(piece)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Talk) as served:
        thread = Thread(target=served.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield served.server_address[1]
        finally:
            is_over.set()
            served.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("piece", "pause_s", "told"),
    [
        (b"2", 0.01, "in time"),  # a line that does not end
        (b"250-x\r\n", 0.01, "in time"),
        (b"250-" + b"x" * 1_000 + b"\r\n", 0, "without an end"),
    ],
)
def test_a_server_that_drips_or_talks_without_end_holds_nobody(
    piece: bytes, pause_s: float, told: str
) -> None:
    with endless(piece, pause_s=pause_s) as port:
        server = Server(host="127.0.0.1", port=port, security=MailSecurity.NONE)
        sending = SmtpNotifier(
            server, sender="a@example.com", recipients=("b@example.com",), lasting_s=0.2
        )
        with pytest.raises(DeliveryError, match=told):
            sending.send(MESSAGE)
