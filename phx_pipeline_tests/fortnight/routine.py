"""What daemons do on a day, by the real parts of the product.

A process that is to be killed runs one of these; `days` says when which is called.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Final

from phx_pipeline.jobs.tick import Launch
from phx_pipeline.model.moments import PHOENIX
from phx_pipeline.reads.base import Reads
from phx_pipeline.settings import Settings
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.extract import extract
from phx_pipeline.wiring.messages import build_desk
from phx_pipeline.wiring.reads import build_reads
from phx_pipeline.wiring.runs import build_context
from phx_pipeline.workflows.digest import book_alerts, book_digest, send_due
from phx_pipeline.workflows.look import Look
from phx_pipeline.workflows.searches import accept_ready, ask_searches, within
from phx_pipeline_tests.fortnight.table import date_of

_SIX: Final = time(6, tzinfo=PHOENIX)


@dataclass(frozen=True, slots=True, kw_only=True)
class Morning:
    """A clock that stands still some minutes after six in Phoenix, in any process."""

    day: int
    minutes: int = 0

    def __call__(self) -> datetime:
        """The moment, in UTC."""
        six = datetime.combine(date_of(self.day), _SIX)
        return (six + timedelta(minutes=self.minutes)).astimezone(UTC)


@contextmanager
def context_at(
    settings: Settings, clock: Morning, run_id: str = "daemon"
) -> Iterator[StageContext]:
    """A context as each process of that moment makes its own."""
    context = build_context(settings, run_id=run_id, clock=clock)
    try:
        yield context
    finally:
        context.catalog.close()


@contextmanager
def reads_at(settings: Settings, clock: Morning) -> Iterator[Reads]:
    """What people are told from at that moment."""
    reads = build_reads(settings, clock=clock)
    try:
        yield reads
    finally:
        reads.catalog.close()


def search_at(settings: Settings, clock: Morning) -> None:
    """Run the saved searches, and follow what they accept by themselves."""
    with context_at(settings, clock) as context:
        saved = context.catalog.searches.saved()
        may_ask = within(context, most=settings.daily_pages)
        asyncio.run(ask_searches(context, saved, may_ask=may_ask))
        stamp = context.stamp()
        accept_ready(context.catalog, at=stamp.at, today=stamp.today)


def look_at(settings: Settings, clock: Morning) -> None:
    """Look at all houses that are due."""
    with context_at(settings, clock) as context:
        for _ in Look(context, most_pages=settings.daily_pages).all_due():
            pass


def run_at(settings: Settings, clock: Morning, launch: Launch, run_id: str) -> None:
    """Do what a run of a house does."""
    with context_at(settings, clock, run_id) as opened:
        context = opened.for_run(run_id, job_id=launch.job_id)
        sources = launch.sources or None
        asyncio.run(extract(context, launch.slug, sources=sources, mode=launch.mode))


def book_at(settings: Settings, clock: Morning) -> None:
    """Have the digest of the day be due."""
    with context_at(settings, clock) as context:
        book_digest(context.catalog, settings.channels, at=clock())


def tell_at(settings: Settings, clock: Morning) -> None:
    """Note what is told at once, and send all that is due."""
    with reads_at(settings, clock) as reads:
        desk = build_desk(settings, reads, run_id="daemon")
        book_alerts(desk)
        send_due(desk)
