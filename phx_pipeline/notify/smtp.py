"""Mail by SMTP: one connection a message, encrypted unless it stays on this machine."""

import smtplib
import socket
import ssl
import time
from base64 import b64encode
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from phx_pipeline.errors import DeliveryError
from phx_pipeline.model.message import MailSecurity, Message, Taken
from phx_pipeline.model.printable import printable
from phx_pipeline.notify.in_time import InTime, InTimeByTls, Limits
from phx_pipeline.notify.mail import mail_of

_ANSWER_S: Final = 20.0
_CONVERSATION_S: Final = 120.0  # until the whole mail is with the server
_VERDICT_S: Final = 600.0  # RFC 5321, 4.5.3.2.6: that to the end of a mail is slow
_HIDDEN: Final = "[hidden]"
_LATER: Final = range(400, 500)  # codes of what may do when it is tried again


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """A server that takes mail, and what it is told to let us in."""

    host: str
    port: int
    security: MailSecurity
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: Path | None = None

    @property
    def place(self) -> str:
        """For messages."""
        return f"{self.host}:{self.port}"

    def discreet(self, told: str) -> str:
        """What the server said, without what lets us in: some repeat it."""
        for secret in self._secrets:
            told = told.replace(secret, _HIDDEN)
        return told

    @property
    def _secrets(self) -> list[str]:
        """The password, and what has it, as AUTH sends it; the longest first."""
        user, password = self.user or "", self.password or ""
        if not password:
            return []
        sent = (password, user, f"\0{user}\0{password}", f"{user}\0{user}\0{password}")
        coded = [b64encode(it.encode()).decode().rstrip("=") for it in sent if it]
        return sorted([password, *coded], key=len, reverse=True)


class SmtpNotifier:
    """Sends mails from one address to some others."""

    def __init__(
        self,
        server: MailServer,
        *,
        sender: str,
        recipients: tuple[str, ...],
        timeout_s: float = _ANSWER_S,
        lasting_s: float = _CONVERSATION_S,
        verdict_s: float = _VERDICT_S,
    ) -> None:
        self._server = server
        self._sender = sender
        self._recipients = recipients
        self._timeout_s = timeout_s
        self._lasting_s = lasting_s
        self._verdict_s = verdict_s

    def send(self, message: Message, *, only: Collection[str] | None = None) -> Taken:
        """Hand the mail to the server; tell which recipients it refused, if not all.

        Those that it refused for now are to be sent it later. What is sent to some is
        the same mail, which names all. A server that has the whole mail and does not
        answer counts as one that took it, which is told.

        Raises:
            DeliveryError: the server did not take it.
        """
        wanted = [it for it in self._recipients if only is None or it in only]
        if not wanted:  # nobody is left who is to have it
            return Taken()
        mail = mail_of(message, sender=self._sender, recipients=self._recipients)
        with _explaining(self._server), self._session() as session:
            refused = session.sendmail(self._sender, wanted, mail)
        later = [it for it, (code, _) in refused.items() if code in _LATER]
        notes = [_refused(refused, self._server)] if refused else []
        notes += [f"it took the mail for {_others(wanted, refused)}"] if refused else []
        notes += [_in_doubt(session.doubt)] if session.doubt is not None else []
        place = f"{self._server.place}: " if notes else ""
        return Taken(note=f"{place}{'; '.join(notes)}", later=tuple(later))

    @contextmanager
    def _session(self) -> Iterator[InTime]:
        session = self._connected()
        try:
            server = self._server
            if server.security is MailSecurity.STARTTLS:
                self._encrypt(session)
            if server.user:
                session.login(server.user, server.password or "")
            yield session
            _say_goodbye(session)
        finally:
            session.close()

    def _connected(self) -> InTime:
        server = self._server
        ends_s = time.monotonic() + self._lasting_s
        given: dict[str, Any] = {
            "host": server.host,
            "port": server.port,
            # Its own name, which the library would ask name servers for, tells nothing.
            "local_hostname": self._sender.rpartition("@")[2],
            "limits": Limits(
                ends_s=ends_s, answer_s=self._timeout_s, verdict_s=self._verdict_s
            ),
        }
        if server.security is MailSecurity.TLS:
            return InTimeByTls(**given, context=self._trust())
        return InTime(**given)

    def _encrypt(self, session: smtplib.SMTP) -> None:
        try:
            session.starttls(context=self._trust())
        except (
            smtplib.SMTPNotSupportedError,
            smtplib.SMTPHeloError,
            smtplib.SMTPResponseException,
        ):
            raise DeliveryError(
                "the server does not encrypt by STARTTLS: PHX_SMTP_SECURITY is to be "
                "tls (for port 465), or none for a server on this machine"
            ) from None

    def _trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self._server.ca_file)


def _say_goodbye(session: smtplib.SMTP) -> None:
    """The mail is taken: whatever goes wrong from now on must not send it again."""
    try:
        session.quit()
    except (OSError, smtplib.SMTPException, DeliveryError):
        return


@contextmanager
def _explaining(server: MailServer) -> Iterator[None]:
    """Tell what went wrong in one line; the cause is left out, it knows the password.

    Raises:
        DeliveryError: in place of what the library raises.
    """
    try:
        yield
    except DeliveryError as error:
        raise DeliveryError(f"{server.place}: {error}") from None
    except smtplib.SMTPException as error:
        raise DeliveryError(f"{server.place}: {_of_smtp(error, server)}") from None
    except ssl.SSLError as error:
        raise DeliveryError(f"{server.place}: {_of_tls(error, server)}") from None
    except OSError as error:
        raise DeliveryError(f"{server.place}: {_of_system(error)}") from None


def _of_smtp(error: smtplib.SMTPException, server: MailServer) -> str:
    match error:
        case smtplib.SMTPAuthenticationError():
            told = (
                f"the server refuses user and password with {error.smtp_code}: see "
                "PHX_SMTP_USER and PHX_SMTP_PASSWORD; some providers want a password "
                "made for this program alone"
            )
        case smtplib.SMTPRecipientsRefused():
            told = _refused(error.recipients, server)
        case smtplib.SMTPSenderRefused():
            answer = _answer(error.smtp_code, error.smtp_error, server)
            told = f"the server refuses the sender of PHX_SMTP_FROM: {answer}"
        case smtplib.SMTPResponseException():
            answer = _answer(error.smtp_code, error.smtp_error, server)
            told = f"the server answered {answer}"
        case smtplib.SMTPServerDisconnected():
            told = (
                "the server ended the connection; if it always does, see "
                "PHX_SMTP_SECURITY and PHX_SMTP_PORT"
            )
        case smtplib.SMTPNotSupportedError():
            told = (
                f"the server cannot do what is asked: {printable(str(error))}; see "
                "PHX_SMTP_USER and PHX_SMTP_SECURITY"
            )
        case _:
            why = printable(server.discreet(str(error)))
            told = f"it is no mail server, or it failed: {why}"
    return told


def _of_tls(error: ssl.SSLError, server: MailServer) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"its certificate is not trusted: {printable(error.verify_message)}; "
            "PHX_SMTP_HOST must be the name in it, and PHX_CA_FILE names others to "
            "trust"
        )
    other = "starttls" if server.security is MailSecurity.TLS else "tls"
    return f"the TLS handshake failed; maybe PHX_SMTP_SECURITY is to be {other}"


def _of_system(error: OSError) -> str:
    match error:
        case socket.gaierror():
            return "no name server knows this host: see PHX_SMTP_HOST"
        case ConnectionRefusedError():
            return "nothing answers there: see PHX_SMTP_HOST and PHX_SMTP_PORT"
        case TimeoutError():
            return (
                "no answer in time; maybe a firewall is in between, or "
                "PHX_SMTP_SECURITY does not fit PHX_SMTP_PORT"
            )
    return f"the connection failed: {printable(error.strerror or str(error))}"


def _refused(recipients: Mapping[str, tuple[int, bytes]], server: MailServer) -> str:
    """Tell whom the server refuses for good, and whom for now."""
    told: dict[bool, list[str]] = {False: [], True: []}
    for address, (code, text) in sorted(recipients.items()):
        told[code in _LATER].append(f"{address} ({_answer(code, text, server)})")
    what = {False: "the server refuses", True: "the server does not yet take"}
    return "; ".join(
        f"{what[is_later]} recipients of PHX_SMTP_TO: {', '.join(some)}"
        for is_later, some in told.items()
        if some
    )


def _others(wanted: Iterable[str], refused: Collection[str]) -> str:
    return ", ".join(it for it in wanted if it not in refused)


def _in_doubt(why: str) -> str:
    return (
        f"the server has the whole mail, and did not say that it took it "
        f"({why}); so that it does not come twice it is not sent again: if "
        "it did not come, `phx digest` shows the news"
    )


def _answer(code: int, text: bytes | str, server: MailServer) -> str:
    line = text.decode(errors="replace") if isinstance(text, bytes) else text
    return printable(f"{code} {server.discreet(line)}", most=160)
