"""Mail by SMTP: one connection a message, encrypted unless it stays on this machine."""

import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from phx_pipeline.errors import DeliveryError
from phx_pipeline.model.message import MailSecurity, Message
from phx_pipeline.model.printable import printable
from phx_pipeline.notify.mail import mail_of

_TIMEOUT_S: Final = 20.0  # for each answer


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


class SmtpNotifier:
    """Sends mails from one address to some others."""

    def __init__(
        self,
        server: MailServer,
        *,
        sender: str,
        recipients: tuple[str, ...],
        timeout_s: float = _TIMEOUT_S,
    ) -> None:
        self._server = server
        self._sender = sender
        self._recipients = recipients
        self._timeout_s = timeout_s

    def send(self, message: Message) -> str:
        """Hand the mail to the server; tell which recipients it refused, if not all.

        Raises:
            DeliveryError: the server did not take it, or did not say so.
        """
        mail = mail_of(message, sender=self._sender, recipients=self._recipients)
        with _explaining(self._server), self._session() as session:
            refused = session.sendmail(self._sender, self._recipients, mail)
        return _refused(refused) if refused else ""

    @contextmanager
    def _session(self) -> Iterator[smtplib.SMTP]:
        session = self._connected()
        try:
            server = self._server
            if server.security is MailSecurity.STARTTLS:
                session.starttls(context=self._trust())
            if server.user:
                session.login(server.user, server.password or "")
            yield session
            _say_goodbye(session)
        finally:
            session.close()

    def _connected(self) -> smtplib.SMTP:
        server = self._server
        # Its own name, which the library would ask name servers for, tells nothing.
        own_name = self._sender.rpartition("@")[2]
        if server.security is MailSecurity.TLS:
            return smtplib.SMTP_SSL(
                server.host,
                server.port,
                local_hostname=own_name,
                timeout=self._timeout_s,
                context=self._trust(),
            )
        return smtplib.SMTP(
            server.host, server.port, local_hostname=own_name, timeout=self._timeout_s
        )

    def _trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self._server.ca_file)


def _say_goodbye(session: smtplib.SMTP) -> None:
    """The mail is taken: whatever goes wrong from now on must not send it again."""
    try:
        session.quit()
    except (OSError, smtplib.SMTPException):
        return


@contextmanager
def _explaining(server: MailServer) -> Iterator[None]:
    """Tell what went wrong in one line; the cause is left out, it knows the password.

    Raises:
        DeliveryError: in place of what the library raises.
    """
    try:
        yield
    except smtplib.SMTPException as error:
        raise DeliveryError(f"{server.place}: {_of_smtp(error)}") from None
    except ssl.SSLError as error:
        raise DeliveryError(f"{server.place}: {_of_tls(error, server)}") from None
    except OSError as error:
        raise DeliveryError(f"{server.place}: {_of_system(error)}") from None


def _of_smtp(error: smtplib.SMTPException) -> str:
    match error:
        case smtplib.SMTPAuthenticationError():
            told = (
                f"the server refuses user and password with {error.smtp_code}: see "
                "PHX_SMTP_USER and PHX_SMTP_PASSWORD; some providers want a password "
                "made for this program alone"
            )
        case smtplib.SMTPRecipientsRefused():
            told = _refused(error.recipients)
        case smtplib.SMTPSenderRefused():
            answer = _answer(error.smtp_code, error.smtp_error)
            told = f"the server refuses the sender of PHX_SMTP_FROM: {answer}"
        case smtplib.SMTPResponseException():
            told = f"the server answered {_answer(error.smtp_code, error.smtp_error)}"
        case smtplib.SMTPServerDisconnected():
            told = (
                "the server ended the connection; if it always does, see "
                "PHX_SMTP_SECURITY and PHX_SMTP_PORT"
            )
        case smtplib.SMTPNotSupportedError():
            told = (
                f"the server cannot do what is asked: {printable(str(error))}; see "
                "PHX_SMTP_SECURITY (tls, for port 465) and PHX_SMTP_USER"
            )
        case _:
            told = f"it is no mail server, or it failed: {printable(str(error))}"
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


def _refused(recipients: dict[str, tuple[int, bytes]]) -> str:
    told = [
        f"{address} ({_answer(code, text)})"
        for address, (code, text) in sorted(recipients.items())
    ]
    return f"the server refuses recipients of PHX_SMTP_TO: {', '.join(told)}"


def _answer(code: int, text: bytes | str) -> str:
    line = text.decode(errors="replace") if isinstance(text, bytes) else text
    return printable(f"{code} {line}", most=160)
