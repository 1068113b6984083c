"""SMTP whose whole conversation ends in time, and whose answers are bounded.

The library's limit is for each read: a server that sends a byte now and then, or lines
without end, would hold whoever sends for ever. What is said is the business of `smtp`.
"""

import re
import smtplib
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from phx_pipeline.errors import DeliveryError

_MOST_ANSWERED: Final = 100_000  # bytes, of all answers of a conversation
_GO_ON: Final = 354  # the answer to DATA
_TAKEN: Final = 250
_LINE_END: Final = re.compile(rb"\r\n|\r|\n")
_AT_ONCE: Final = 4096


@dataclass(slots=True, kw_only=True)
class Limits:
    """What is left for a conversation: seconds to its end, and bytes of answers.

    One answer may take `answer_s`, and that to a whole mail `verdict_s`, however late
    it is: a server may look into the mail first.
    """

    ends_s: float
    answer_s: float
    verdict_s: float
    ticks: Callable[[], float] = time.monotonic
    most_bytes: int = _MOST_ANSWERED

    def left_s(self) -> float:
        """The most seconds for the next step.

        Raises:
            DeliveryError: none is left.
        """
        left_s = self.ends_s - self.ticks()
        if left_s <= 0:
            raise DeliveryError("it did not take the message in time")
        return min(left_s, self.answer_s)

    def go_on(self, answer_s: float) -> None:
        """Let the conversation last for one more answer of so many seconds."""
        self.ends_s, self.answer_s = self.ticks() + answer_s, answer_s

    def take(self, count: int) -> None:
        """Count bytes that came.

        Raises:
            DeliveryError: they are too many.
        """
        self.most_bytes -= count
        if self.most_bytes < 0:
            raise DeliveryError("it answers without an end: it is no mail server")


@dataclass(slots=True, kw_only=True)
class _Lines:
    """The lines of a socket, within limits: what the library reads answers from."""

    sock: socket.socket
    limits: Limits
    _read: bytearray = field(default_factory=bytearray)

    def readline(self, most: int) -> bytes:
        """The next line, or as much of it; without an end where the server is gone."""
        while b"\n" not in self._read and len(self._read) < most:
            with _telling_of_silence():
                self.sock.settimeout(self.limits.left_s())
                more = self.sock.recv(_AT_ONCE)
            self.limits.take(len(more))
            if not more:
                break
            self._read += more
        end = min(self._read.find(b"\n") + 1 or len(self._read), most)
        line = bytes(self._read[:end])
        del self._read[:end]
        return line

    def close(self) -> None:
        """The socket is closed by whoever opened it."""


class InTime(smtplib.SMTP):
    """The library's session, within *limits*."""

    file: Any
    sock: socket.socket | None
    doubt: str | None = None
    """Why nobody knows whether the server took a mail that it was sent whole."""

    def __init__(self, *, limits: Limits, **given: Any) -> None:
        self._limits = limits
        try:
            super().__init__(**given, timeout=limits.left_s())
        except DeliveryError:  # which the library does not know
            self.close()
            raise

    def getreply(self) -> tuple[int, bytes]:
        """As the library does, from lines that are bounded.

        Raises:
            DeliveryError: the answer takes too long, or is too long.
        """
        if self.file is None and self.sock is not None:  # TLS begins with another one
            self.file = _Lines(sock=self.sock, limits=self._limits)
        return super().getreply()

    def data(self, msg: Any) -> tuple[int, bytes]:
        """Send a mail, and wait for the server's verdict on it.

        A server that gives none may have taken it. As it is never to be sent twice,
        that counts as taken, and `doubt` tells why.

        Raises:
            DeliveryError: the server takes the mail too slowly.
            SMTPDataError: it wants none.
            SMTPServerDisconnected: it ended the connection before it had all.
        """
        code, told = self.docmd("data")
        if code != _GO_ON:
            raise smtplib.SMTPDataError(code, told)
        self.send(_whole(msg))
        answer_s = self._limits.answer_s
        self._limits.go_on(self._limits.verdict_s)
        try:
            return self.getreply()
        except DeliveryError:
            self.doubt = "no whole answer in time"
        except smtplib.SMTPServerDisconnected:
            self.doubt = "it ended the connection"
        finally:
            self._limits.go_on(answer_s)
        return _TAKEN, b""

    def send(self, s: Any) -> None:
        """As the library does, with all the time that is left for the whole of it.

        Raises:
            DeliveryError: the server takes it too slowly.
            SMTPServerDisconnected: it ended the connection.
        """
        left = memoryview(s.encode("ascii") if isinstance(s, str) else s)
        while left:
            if self.sock is None:
                raise smtplib.SMTPServerDisconnected("not connected")
            with _telling_of_silence():
                self.sock.settimeout(self._limits.left_s())
                left = left[self.sock.send(left) :]


class InTimeByTls(InTime, smtplib.SMTP_SSL):
    """The same by TLS from the first byte on."""


def _whole(mail: bytes) -> bytes:
    """A mail as DATA has it: lines that begin with a dot get another, a dot ends it."""
    lines = _LINE_END.split(mail.removesuffix(b"\r\n"))
    return b"\r\n".join([*(b"." * it.startswith(b".") + it for it in lines), b".", b""])


@contextmanager
def _telling_of_silence() -> Iterator[None]:
    try:
        yield
    except TimeoutError:
        raise DeliveryError(
            "no answer in time; maybe PHX_SMTP_SECURITY does not fit PHX_SMTP_PORT"
        ) from None
    except OSError as error:
        raise smtplib.SMTPServerDisconnected(str(error)) from None
