"""Who is told, and by which channels."""

from functools import partial

from phx_pipeline.errors import InputError
from phx_pipeline.fetch.hosts import AllowList
from phx_pipeline.model.message import Channel, Notifier
from phx_pipeline.reads.base import Reads
from phx_pipeline.reads.digest import Feeds, found_matches
from phx_pipeline.reads.history import find_events
from phx_pipeline.settings import Settings
from phx_pipeline.sources.registry import available_sources, hosts_of
from phx_pipeline.workflows.digest import Desk


def build_notifiers(settings: Settings) -> dict[Channel, Notifier]:
    """Return the channels that are set up.

    Raises:
        InputError: a setting of one will not do.
    """
    makers = {Channel.SMTP: _mailing, Channel.WEBHOOK: _posting}
    return {channel: makers[channel](settings) for channel in settings.channels}


def _mailing(settings: Settings) -> Notifier:
    from phx_pipeline.notify.smtp import (
        MailServer,
        SmtpNotifier,
    )

    if settings.smtp_user and not settings.smtp_password:
        raise InputError(
            "PHX_SMTP_USER needs PHX_SMTP_PASSWORD, which is not set here: set it in "
            "the environment of whoever sends"
        )
    server = MailServer(
        host=settings.smtp_host or "",
        port=settings.smtp_port,
        security=settings.smtp_security,
        user=settings.smtp_user,
        password=settings.smtp_password,
        ca_file=settings.ca_file,
    )
    return SmtpNotifier(
        server, sender=settings.smtp_from or "", recipients=settings.smtp_to
    )


def _posting(settings: Settings) -> Notifier:
    from phx_pipeline.fetch.webhook import (
        WebhookClient,
    )
    from phx_pipeline.notify.webhook import (
        WebhookNotifier,
    )

    url = settings.webhook_url or ""
    return WebhookNotifier(
        url=url,
        style=settings.webhook_style,
        token=settings.webhook_token,
        post=WebhookClient(
            url, private=settings.webhook_address, ca_file=settings.ca_file
        ),
    )


def build_desk(settings: Settings, reads: Reads, *, run_id: str) -> Desk:
    """Put together what people are told by.

    Raises:
        InputError: a setting of a channel will not do.
    """
    return Desk(
        reads=reads,
        feeds=Feeds(
            events=partial(find_events, reads),
            matches=partial(found_matches, reads),
            former=reads.catalog.houses.aliases,
        ),
        notifiers=build_notifiers(settings),
        alerts=settings.told_at_once,
        known=AllowList(hosts_of(available_sources())),
        run_id=run_id,
    )
