"""Sensor `alerts`: some news are told at once, and whatever is due is sent.

A process of its own sends: a mail server may take long to answer, and the other sensors
wait for this one.
"""

import logging
import multiprocessing
import os
from datetime import datetime

import dagster as dg

from phx_pipeline.catalog.store import Catalog
from phx_pipeline.defs.schedules.daily_digest import NO_CHANNEL
from phx_pipeline.defs.stores import Stores
from phx_pipeline.model.counted import counted
from phx_pipeline.model.message import sender_lease
from phx_pipeline.reads.digest import news_mark
from phx_pipeline.settings import Settings
from phx_pipeline.wiring.messages import build_desk
from phx_pipeline.wiring.reads import build_reads
from phx_pipeline.workflows.digest import book_alerts, send_due

logger = logging.getLogger(__name__)

# In the code server it is the warm one of `code_server`, which runs are forked from.
_FORKS = multiprocessing.get_context("forkserver")


@dg.sensor(
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Tells some news at once, and sends what is due, by mail or webhook.",
)
def alerts(
    context: dg.SensorEvaluationContext, stores: dg.ResourceParam[Stores]
) -> dg.SkipReason:
    """Note what is new, and start a process that sends what is due."""
    settings, at = stores.settings(), stores.clock()
    if not settings.channels:
        return dg.SkipReason(NO_CHANNEL)
    with stores.catalog() as catalog:
        catalog.deliveries.settle(settings.channels, at=at)
        mark = news_mark(catalog, settings.told_at_once, now=at)
        if mark != context.cursor:
            note_news(settings, catalog, at=at)
        told, is_due = due(settings, catalog, at=at)
    context.update_cursor(mark)
    if is_due:
        _FORKS.Process(target=send, args=(settings, at)).start()
    return dg.SkipReason(told)


def note_news(settings: Settings, catalog: Catalog, *, at: datetime) -> int:
    """Note what is to be told at once; return how many things are new."""
    reads = build_reads(settings, catalog=catalog, clock=lambda: at)
    return book_alerts(build_desk(settings, reads, run_id=_run_id()))


def due(settings: Settings, catalog: Catalog, *, at: datetime) -> tuple[str, bool]:
    """Return what waits to be sent, in a line, and whether somebody has to send it."""
    waiting = [
        it for it in catalog.deliveries.open() if it.channel in settings.channels
    ]
    if not waiting:
        return "all was told", False
    failed = [f"; {it.channel}: {it.detail}" for it in waiting if it.detail]
    told = f"{counted(len(waiting), 'thing')} to tell{(failed or [''])[-1]}"
    free = {it for it in settings.channels if not _is_sending(catalog, it)}
    return told, any(it.is_due(now=at) and it.channel in free for it in waiting)


def send(settings: Settings, at: datetime) -> None:
    """Send what is due at *at*; for a process of its own."""
    reads = build_reads(settings, clock=lambda: at)
    try:
        for line in send_due(build_desk(settings, reads, run_id=_run_id())):
            logger.warning(line)
    finally:
        reads.catalog.close()


def _is_sending(catalog: Catalog, channel: str) -> bool:
    lease = catalog.leases.state(sender_lease(channel))
    return lease is not None and lease.is_live


def _run_id() -> str:
    return f"alerts-{os.getpid()}"
