"""What is told to people, when, and by which mail server or webhook."""

from dataclasses import dataclass, field
from typing import Final

from phx_pipeline.errors import InputError
from phx_pipeline.model.event import ALERTABLE
from phx_pipeline.model.message import Channel, MailSecurity, WebhookStyle
from phx_pipeline.model.notifying import MAIL_PORTS, is_mail_address, is_mail_host
from phx_pipeline.model.web_place import is_this_machine
from phx_pipeline.settings.variables import (
    LONGEST_TOKEN,
    OFF,
    PREFIX,
    Environment,
    choice,
    cron,
    ip,
    quoted,
    token,
    whole,
    words,
    wrong_names,
)

ALERTS: Final = ("price_cut", "back_on_market", "new_match")

_SECURITIES = tuple(it.value for it in MailSecurity)
_STYLES = tuple(it.value for it in WebhookStyle)
_MOST_RECIPIENTS = 20


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class Notify:
    """The digest, alerts, and the channels they go by."""

    digest_cron: str  # or `off`
    alerts: tuple[str, ...]
    smtp_host: str | None
    smtp_port: int
    smtp_security: MailSecurity
    smtp_user: str | None
    smtp_password: str | None = field(repr=False)
    smtp_from: str | None
    smtp_to: tuple[str, ...]
    webhook_url: str | None = field(repr=False)  # whoever knows it may post
    webhook_style: WebhookStyle
    webhook_token: str | None = field(repr=False)
    webhook_address: str | None

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Where people are told; none by default."""
        is_set = {Channel.SMTP: self.smtp_host, Channel.WEBHOOK: self.webhook_url}
        return tuple(channel for channel, place in is_set.items() if place)

    @property
    def told_at_once(self) -> tuple[str, ...]:
        """The kinds of news that do not wait for the digest."""
        return () if self.alerts == (OFF,) else self.alerts


def read_notify(given: Environment) -> Notify:
    """Read what is told to people, and how."""
    security = MailSecurity(choice(given, "SMTP_SECURITY", among=_SECURITIES))
    host = _mail_host(given, security=security)
    return Notify(
        digest_cron=digest_cron(given),
        alerts=_alerts(given),
        smtp_host=host,
        smtp_port=whole(
            given, "SMTP_PORT", default=MAIL_PORTS[security], low=1, high=65535
        ),
        smtp_security=security,
        smtp_user=token(given, "SMTP_USER"),
        smtp_password=_password(given, "SMTP_PASSWORD"),
        smtp_from=next(iter(_addresses(given, "SMTP_FROM", most=1)), None),
        smtp_to=_addresses(given, "SMTP_TO", most=_MOST_RECIPIENTS),
        webhook_url=_webhook_url(given),
        webhook_style=WebhookStyle(choice(given, "WEBHOOK_STYLE", among=_STYLES)),
        webhook_token=token(given, "WEBHOOK_TOKEN"),
        webhook_address=ip(given, "WEBHOOK_ADDRESS"),
    )


def digest_cron(environ: Environment | None = None) -> str:
    """When the digest is due, as cron says it, in Phoenix; `OFF` if never.

    Raises:
        InputError: it cannot be used.
    """
    return cron(environ, "DIGEST_CRON", default="0 7 * * *")


def _alerts(given: Environment) -> tuple[str, ...]:
    """What is told at once; `off` alone for nothing."""
    found = words(given, "ALERTS") or ALERTS
    wrong = [it for it in found if it not in ALERTABLE]
    if wrong and found != (OFF,):
        raise InputError(
            f"PHX_ALERTS: there is no {wrong_names(wrong, among=ALERTABLE)}: choose "
            f"from {', '.join(ALERTABLE)}, or {OFF}"
        )
    return found


def _mail_host(given: Environment, *, security: MailSecurity) -> str | None:
    host = (given.get("PHX_SMTP_HOST") or "").strip()
    if not host:
        return None
    if not is_mail_host(host):
        raise InputError(
            f"PHX_SMTP_HOST={quoted(host)}: give a name such as smtp.example.com; "
            "the port is PHX_SMTP_PORT"
        )
    if security is MailSecurity.NONE and not is_this_machine(host):
        raise InputError(
            "PHX_SMTP_SECURITY=none: mail goes in the clear only to a server on this "
            f"machine, and PHX_SMTP_HOST is {host}: set it to starttls or tls"
        )
    missing = [it for it in ("SMTP_FROM", "SMTP_TO") if not given.get(PREFIX + it)]
    if missing:
        raise InputError(
            f"PHX_SMTP_HOST needs PHX_{' and PHX_'.join(missing)}: from whom and to "
            "whom mail goes"
        )
    return host


def _addresses(given: Environment, name: str, *, most: int) -> tuple[str, ...]:
    found = words(given, name)
    for address in found:
        if not is_mail_address(address):
            shown = quoted(address) if ":" not in address else "an address"
            raise InputError(
                f"{PREFIX}{name}: {shown} will not do: give plain addresses, such as "
                "me@example.com"
            )
    if len(found) > most:
        raise InputError(f"{PREFIX}{name}: give at most {most}, not {len(found)}")
    return found


def _password(given: Environment, name: str) -> str | None:
    """Read a password, which may have blanks; a wrong one is not shown."""
    password = given.get(PREFIX + name) or ""
    fits = len(password) <= LONGEST_TOKEN and password.isprintable()
    if not (fits and password.isascii()):  # the library sends no other
        raise InputError(
            f"{PREFIX}{name}: give one line of at most {LONGEST_TOKEN} characters of "
            "ASCII"
        )
    return password or None


def _webhook_url(given: Environment) -> str | None:
    """Read a URL that may be posted to; a wrong one is not shown, it is a secret."""
    if url := token(given, "WEBHOOK_URL"):
        from phx_pipeline.fetch.hosts import Endpoint  # noqa: PLC0415 - seldom used

        Endpoint.of(url, setting="PHX_WEBHOOK_URL")
    return url
