"""A house that changes from day to day, and a desk that tells of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from phx_pipeline.catalog.store import Catalog
from phx_pipeline.fetch.hosts import AllowList
from phx_pipeline.model.facts import ListingFacts
from phx_pipeline.model.message import Channel, MailSecurity, Notifier
from phx_pipeline.model.source import Source
from phx_pipeline.notify.smtp import MailServer as Server
from phx_pipeline.notify.smtp import SmtpNotifier
from phx_pipeline.reads.base import Reads
from phx_pipeline.reads.digest import Feeds, NewMatch
from phx_pipeline.reads.history import find_events
from phx_pipeline.sources.standing import circuits_of
from phx_pipeline.storage.layout import Layout
from phx_pipeline.workflows.digest import Desk
from phx_pipeline_tests.integration.conftest import STAMP, Scene, gallery
from phx_pipeline_tests.mail_server import MailServer

MORNING = datetime(2025, 3, 9, 14, tzinfo=STAMP.at.tzinfo)  # seven in Phoenix
DAY = timedelta(days=1)
URL = "https://www.redfin.com/AZ/Glendale/4732-W-Davis-Rd-85306/home/1"


@dataclass(kw_only=True)
class Store:
    """What a desk is made of; `now` and `matches` may be changed."""

    catalog: Catalog
    folder: Path
    now: datetime = MORNING
    matches: list[NewMatch] = field(default_factory=list)

    @property
    def reads(self) -> Reads:
        return Reads(
            catalog=self.catalog,
            layout=Layout(self.folder),
            enabled=(Source.REDFIN,),
            means=dict,
            circuits=circuits_of(
                {}, self.catalog.policies.source_states, has_browser=False
            ),
            recipe="made-for-tests",
            final_after_days=1,
            clock=lambda: self.now,
            typed_address=lambda _: None,
        )

    def desk(self, notifiers: dict[Channel, Notifier], run_id: str = "one") -> Desk:
        reads = self.reads
        return Desk(
            reads=reads,
            feeds=Feeds(
                events=partial(find_events, reads),
                matches=self._found,
                former=self.catalog.houses.aliases,
            ),
            notifiers=notifiers,
            alerts=("price_cut", "back_on_market", "new_match"),
            known=AllowList({Source.REDFIN: ("www.redfin.com",)}),
            run_id=run_id,
        )

    def _found(self, since: date, day: date) -> Sequence[NewMatch]:
        return [it for it in self.matches if since <= it.on <= day]


@pytest.fixture
def store(catalog: Catalog, tmp_path: Path) -> Store:
    return Store(catalog=catalog, folder=tmp_path)


@pytest.fixture
def say(scene: Scene) -> Callable[..., None]:
    """Have a source say a price, at a moment."""

    def tell(price: int, *, at: datetime, **changes: Any) -> None:
        stamp = replace(STAMP, at=at, today=(at - 7 * timedelta(hours=1)).date())
        facts = ListingFacts(list_price=price, standard_status="Active")
        given: dict[str, Any] = {"facts": facts, "mls_id": "6001", "url": URL}
        listing = gallery("a", **given | changes)
        replace(scene, stamp=stamp).say(listing)

    return tell


def mailing(server: MailServer, *recipients: str) -> dict[Channel, Notifier]:
    """The channel of mail, to a server of this machine."""
    place = Server(host="127.0.0.1", port=server.port, security=MailSecurity.NONE)
    notifier = SmtpNotifier(
        place,
        sender="phx@example.com",
        recipients=recipients or ("me@example.com",),
        timeout_s=5,
    )
    return {Channel.SMTP: notifier}
