"""A mail server on loopback that keeps what it takes, or refuses as it is told."""

import base64
import socketserver
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from threading import Thread
from typing import Any


@dataclass(kw_only=True)
class MailServer:
    """What it took, and how it behaves.

    `context` is for TLS: from the first byte if `is_tls`, else after STARTTLS. `taken`
    is called with each mail before it is said to be taken. Who is `greylisted` is
    refused once, for now.
    """

    port: int = 0
    context: ssl.SSLContext | None = None
    is_tls: bool = False
    login: tuple[str, str] | None = None
    refused: frozenset[str] = frozenset()
    greylisted: set[str] = field(default_factory=set)
    answer: bytes = b"250 taken"
    taken: Callable[[EmailMessage], None] = lambda _: None
    mails: list[EmailMessage] = field(default_factory=list)
    envelopes: list[list[str]] = field(default_factory=list)


@contextmanager
def mail_server(port: int = 0, **behaviour: Any) -> Iterator[MailServer]:
    """Serve as long as the body lasts."""
    made = MailServer(**behaviour)

    class Session(_Session):
        server_is = made

    socketserver.ThreadingTCPServer.allow_reuse_address = True
    with socketserver.ThreadingTCPServer(("127.0.0.1", port), Session) as served:
        served.daemon_threads = True
        made.port = served.server_address[1]
        thread = Thread(target=served.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield made
        finally:
            served.shutdown()
            thread.join()


class _Session(socketserver.StreamRequestHandler):
    server_is: MailServer

    def handle(self) -> None:
        with suppress(OSError):  # whoever asked has gone, or does not trust us
            if self.server_is.is_tls:
                self._encrypt()
            self._talk()

    def finish(self) -> None:
        with suppress(OSError):
            super().finish()
        self.request.close()  # the one in TLS, of which the server knows nothing

    def _encrypt(self) -> None:
        assert self.server_is.context is not None
        self.request = self.server_is.context.wrap_socket(
            self.request, server_side=True
        )
        self.rfile = self.request.makefile("rb")
        self.wfile = self.request.makefile("wb", buffering=0)

    def _say(self, line: bytes) -> None:
        self.wfile.write(line + b"\r\n")

    def _talk(self) -> None:
        it = self.server_is
        recipients: list[str] = []
        self._say(b"220 here")
        while line := self.rfile.readline():
            word, _, rest = line.decode().strip().partition(" ")
            match word.upper():
                case "EHLO":
                    offers = [b"250-here"]
                    offers += [b"250-STARTTLS"] if it.context and not it.is_tls else []
                    offers += [b"250-AUTH PLAIN"] if it.login else []
                    self._say(b"\r\n".join([*offers, b"250 8BITMIME"]))
                case "STARTTLS":
                    self._say(b"220 go on")
                    self._encrypt()
                case "AUTH":
                    given = base64.b64decode(rest.split()[1]).decode().split("\0")[1:]
                    is_right = tuple(given) == it.login
                    self._say(b"235 come in" if is_right else b"535 wrong password")
                case "RCPT":
                    address = rest.partition("<")[2].rstrip(">")
                    if address in it.refused:
                        self._say(b"550 nobody of this name")
                    elif address in it.greylisted:
                        it.greylisted.remove(address)
                        self._say(b"451 greylisted, come back later")
                    else:
                        recipients.append(address)
                        self._say(b"250 fine")
                case "DATA":
                    self._say(b"354 go on")
                    self._take(recipients)
                    recipients = []
                case "QUIT":
                    self._say(b"221 bye")
                    return
                case _:
                    self._say(b"250 fine")

    def _take(self, recipients: list[str]) -> None:
        it, body = self.server_is, b""
        while (line := self.rfile.readline()) != b".\r\n":
            body += line.removeprefix(b".")
        mail = message_from_bytes(body, policy=policy.default)
        it.taken(mail)
        if it.answer.startswith(b"250"):
            it.mails.append(mail)
            it.envelopes.append(recipients)
        self._say(it.answer)
