"""Settings in, ready objects out: the one place where parts are put together."""

import fcntl
import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache, partial
from importlib.util import find_spec
from pathlib import Path

from phx_pipeline.catalog.complaints import explaining
from phx_pipeline.catalog.engine import answering, catalogue_url, file_of, open_engine
from phx_pipeline.catalog.leases import Leases, process_owner
from phx_pipeline.catalog.migrate import (
    lock_beside,
    one_at_a_time,
    require_current,
    upgrade,
)
from phx_pipeline.catalog.policies import CatalogPolicies, StandinPolicies
from phx_pipeline.catalog.store import Catalog
from phx_pipeline.categorize.network.kept import sweep_drafts
from phx_pipeline.categorize.registry import (
    Backend,
    Equipment,
    chosen,
    equip,
    gap_lines,
)
from phx_pipeline.errors import BrowserError, InputError
from phx_pipeline.fetch.base import (
    BrowserTurns,
    Client,
    ClientName,
    Fetcher,
    PolicyStore,
    ProxyStore,
)
from phx_pipeline.fetch.chain import build_fetcher
from phx_pipeline.fetch.clients.browser.launch import find_chromium
from phx_pipeline.fetch.clients.browser.version import version_line
from phx_pipeline.fetch.hosts import AllowList
from phx_pipeline.fetch.identity import installed_of, profile_of
from phx_pipeline.fetch.policies import rules_for
from phx_pipeline.fetch.profile import ClientProfile
from phx_pipeline.fetch.proxies import ListProxies, Proxy, ProxyPool, read_proxies
from phx_pipeline.fetch.route import Route, asked_by, browsed
from phx_pipeline.fetch.session import Session
from phx_pipeline.imaging.standardize import recipe_name
from phx_pipeline.jobs.quota import Limits
from phx_pipeline.model.message import Channel, Notifier
from phx_pipeline.model.moments import PHOENIX
from phx_pipeline.model.refusal import on_disk
from phx_pipeline.model.source import Source
from phx_pipeline.reads.base import Reads
from phx_pipeline.reads.digest import Feeds, found_matches
from phx_pipeline.reads.history import find_events
from phx_pipeline.settings import Settings
from phx_pipeline.sources.base import ListingSource
from phx_pipeline.sources.registry import (
    available_sources,
    browsed_among,
    browser_hosts_of,
    clients_of,
    data_of,
    hosts_of,
    paces_of,
)
from phx_pipeline.sources.standing import circuits_of, means_of
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.trained_models import model_in_use
from phx_pipeline.storage.atomic import create_folder, sweep_temporaries
from phx_pipeline.storage.blobs import BlobStore
from phx_pipeline.storage.layout import Layout
from phx_pipeline.storage.private import private_file, tighten
from phx_pipeline.workflows.digest import Desk
from phx_pipeline.workflows.typed import address_in

logger = logging.getLogger(__name__)

_ENDINGS = ("", "-wal", "-shm")  # of the files of an SQLite database
_SESSIONS = 64  # of properties, remembered at once
_LEFTOVER_S = 86_400.0  # older than the longest run
_TURN_PATIENCE_S = 120.0  # for the browser of another run, which reads a page or two


def utc_now() -> datetime:
    """The wall clock, as an aware UTC time."""
    return datetime.now(UTC)  # noqa: TID251 - the one clock that is handed to others


def build_catalog(
    settings: Settings, *, clock: Callable[[], datetime] = utc_now
) -> Catalog:
    """Open the catalogue; `RevisionError` tells when `phx init` is due.

    Circuits go by *clock*; leases by the machine's, for processes share them.
    """
    engine = open_engine(_url(settings))
    require_current(engine)
    asks_standins = settings.proxy is not None and settings.standins == settings.proxy
    policies = StandinPolicies if asks_standins else CatalogPolicies
    return Catalog(
        engine,
        leases=Leases(engine, ttl_s=settings.lease_ttl_s),
        policies=policies(engine, now=lambda: clock().timestamp()),
    )


def quota_limits(settings: Settings) -> Limits:
    """What a user who comes with a key may ask for."""
    return Limits(
        jobs_per_hour=settings.jobs_per_hour,
        jobs_per_day=settings.jobs_per_day,
        jobs_at_once=settings.jobs_at_once,
        images_per_day=settings.images_per_day,
    )


def initialise(settings: Settings) -> str:
    """Bring the catalogue to this version; return the revision it had.

    Folders and catalogue are for their owner alone. Temporary files that killed
    processes left behind are removed on the way.

    Raises:
        CatalogError: the database cannot be made or used.
        DiskError: a folder cannot be made or cleaned.
    """
    layout, now = Layout(settings.data_dir), utc_now().timestamp()
    images = layout.images
    engine = open_engine(_url(settings))
    _keep_private(settings, catalogue=file_of(engine))
    with on_disk(images):
        sweep_temporaries(images, older_than_s=_LEFTOVER_S, now=now)
    sweep_drafts(layout.networks, before=now - _LEFTOVER_S)
    try:
        return upgrade(engine)
    finally:
        engine.dispose()


@on_disk()
def _keep_private(settings: Settings, *, catalogue: Path | None) -> None:
    create_folder(settings.data_dir)
    kept = [settings.data_dir, settings.dagster_dir]
    if catalogue is not None:
        create_folder(catalogue.parent)
        private_file(catalogue)
        private_file(lock := lock_beside(catalogue))
        kept += [lock]
        kept += [catalogue.with_name(catalogue.name + end) for end in _ENDINGS]
    for path in tighten(kept):
        logger.info("%s is for its owner alone from now on", path)


@contextmanager
def opening_dagster(settings: Settings) -> Iterator[None]:
    """Be the only process that opens Dagster's store, which makes it on first use.

    On PostgreSQL the lock is in that database: it counts for all hosts.

    Raises:
        CatalogDownError: the database does not answer.
        CatalogUnusableError: its file is damaged, read-only, or the disk full.
        DiskError: the folder cannot be used.
    """
    folder = settings.dagster_dir
    with on_disk(folder):
        create_folder(folder)
    if settings.dagster_pg_url is None:
        with explaining(folder), on_disk(folder), ExitStack() as stack:
            private_file(file := folder / "opening.lock")
            lock = stack.enter_context(file.open("w", encoding="ascii"))
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        return
    engine = open_engine(settings.dagster_pg_url)
    try:
        with answering(engine), one_at_a_time(engine):
            yield
    finally:
        engine.dispose()


def build_fetcher_factory(
    settings: Settings,
    *,
    policies: PolicyStore,
    proxies: ProxyStore,
    turns: BrowserTurns | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> Callable[[str], Fetcher]:
    """Return a maker of fetchers, each for a property and the event loop it is used in.

    All fetchers of a property look like one browser for a day, share its cookies, and
    keep to one proxy. Where this machine has a browser they may ask by it, in its
    *turns*, and plain HTTP looks like it.
    """
    lacking = lacking_browser(settings) if turns else "a browser is not to be asked"
    room = _BrowserRoom.of(settings) if turns and not lacking else None
    session_of = lru_cache(_SESSIONS)(Session)
    listing = None if settings.proxy else proxy_list(settings)
    pool = ProxyPool(listing, store=proxies) if listing else None
    sources = available_sources()
    paces = paces_of(sources)
    # SOCKS, and one of many proxies for each house, are ways that httpx does not go.
    is_for_curl = pool is not None or (settings.proxy or "").startswith("socks")
    build = partial(
        build_fetcher,
        allowed=hosts_of(sources),
        proxy=settings.proxy,
        ca_file=settings.ca_file,
        attempts=settings.attempts,
        policies=policies,
        rules=partial(rules_for, pace=settings.pace_percent / 100, paces=paces),
        holds_data=data_of(sources),
        pool=pool,
        probe_url=settings.probe_url,
        route=Route(
            own={
                **browsed(browsed_among(sources)),
                **({} if is_for_curl else asked_by(clients_of(sources))),
            },
            lacking=lacking,
        ),
    )

    def open_fetcher(slug: str) -> Fetcher:
        if lacking:
            _tell_once(lacking)
        day = clock().astimezone(PHOENIX).date()
        session = session_of(slug, day, profile=room.profile if room else None)
        further: dict[ClientName, Client] = {}
        if room and turns:
            browser = room.client(session, turns=turns, pool=pool)
            further[ClientName.BROWSER] = browser
        return build(sticky=slug, session=session, further=further)

    return open_fetcher


@lru_cache
def _tell_once(lacking: str) -> None:
    logger.info("sources are asked by plain HTTP alone: %s", lacking)


def lacking_browser(settings: Settings) -> str:
    """Return why no browser can be asked here, for people; empty if one can."""
    if settings.browser == "off":
        return (
            "the browser is switched off (PHX_BROWSER); unset PHX_BROWSER, or set it "
            "to auto"
        )
    if not _is_installed("nodriver"):
        return "there is no browser to ask: the package nodriver is not installed"
    try:
        executable = find_chromium(settings.chromium)
    except BrowserError as error:
        return f"there is no browser to ask: {error}"
    if executable is None:
        return (
            "there is no browser to ask: install Chromium, or name its executable by "
            "PHX_CHROMIUM"
        )
    return ""


def _is_installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except (ImportError, ValueError):  # as who blocks imports would have it
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class _BrowserRoom:
    """A Chromium of this machine."""

    settings: Settings
    executable: Path

    @classmethod
    def of(cls, settings: Settings) -> "_BrowserRoom | None":
        executable = find_chromium(settings.chromium)
        return cls(settings=settings, executable=executable) if executable else None

    @property
    def profile(self) -> ClientProfile | None:
        """Who it says it is, asked once per process; None if it does not tell."""
        installed = installed_of(version_line(self.executable))
        return profile_of(installed, platform=sys.platform) if installed else None

    def client(
        self, session: Session, *, turns: BrowserTurns, pool: ProxyPool | None
    ) -> Client:
        """Return a client for one property; it starts nothing before it is asked."""
        from phx_pipeline.fetch.clients.browser.client import (  # noqa: PLC0415 - seldom
            BrowserClient,
        )

        settings, sources = self.settings, available_sources()
        return BrowserClient(
            executable=self.executable,
            profiles=Layout(settings.data_dir).browsers,
            isolation=settings.isolation,
            hosts=browser_hosts_of(sources),
            holds_data=data_of(sources),
            turns=turns,
            session=session,
            proxy=settings.proxy,
            pool=pool,
            ca_file=settings.ca_file,
            seed=session.slug,
            pace=settings.pace_percent / 100,
        )


class LeaseTurns:
    """`BrowserTurns` by the catalogue's leases `browser/SOURCE`.

    A turn is renewed while it is held, and free at once when its process has died.
    """

    def __init__(
        self, leases: Leases, *, owner: str, patience_s: float = _TURN_PATIENCE_S
    ) -> None:
        self._leases = leases
        self._owner = owner
        self._patience_s = patience_s

    @contextmanager
    def hold(self, source: Source) -> Iterator[None]:
        """Hold the turn of *source*; `LeaseHeldError` after the patience."""
        name = f"browser/{source.value}"
        with self._leases.hold(name, owner=self._owner, wait_s=self._patience_s):
            yield


def proxy_list(settings: Settings) -> ListProxies | None:
    """Return what lists the proxies of *settings*; None if requests go directly."""
    if settings.webshare_token:
        from phx_pipeline.fetch.webshare import (  # noqa: PLC0415 - 0.2 s, seldom used
            WebshareList,
        )

        return WebshareList(settings.webshare_token, mode=settings.webshare_mode)
    if settings.proxies_file:
        listed: Sequence[Proxy] = read_proxies(settings.proxies_file)
    elif settings.proxy:
        listed = (Proxy.of(settings.proxy),)
    else:
        return None
    return lambda: listed


def build_context(
    settings: Settings, *, run_id: str, clock: Callable[[], datetime] = utc_now
) -> StageContext:
    """Put everything together that the stages need."""
    registered = equipped_sources(settings)
    layout = Layout(settings.data_dir)
    wanted = chosen(settings.categorizers)  # a wrong name opens no store
    catalog = build_catalog(settings, clock=clock)
    equipment = build_equipment(settings, catalog)
    backends = equip(wanted, equipment)
    return StageContext(
        catalog=catalog,
        blobs=BlobStore(layout),
        layout=layout,
        sources={it: registered[it] for it in settings.sources or registered},
        registered=registered,
        open_fetcher=build_fetcher_factory(
            settings,
            policies=catalog.policies,
            proxies=catalog.proxies,
            turns=LeaseTurns(catalog.leases, owner=process_owner(run_id)),
            clock=clock,
        ),
        lacks_browser=lacking_browser(settings),
        categorizers=backends.categorizers,
        lacks_categorizers=backends.missing,
        away_categorizers=backends.away,
        calibration=equipment.trained,
        clock=clock,
        run_id=run_id,
        downloads=settings.downloads,
        max_side=_max_side(settings),
        stale_days=settings.stale_days,
        final_after_days=settings.final_after_days,
        who=settings.user,
        lease_wait_s=settings.lease_wait_s,
    )


def _max_side(settings: Settings) -> int | None:
    return None if settings.image_format == "original" else settings.max_side


def build_reads(
    settings: Settings,
    *,
    catalog: Catalog | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> Reads:
    """Put together what reads need: of the stages and their backends nothing is made.

    Args:
        settings: of the store, and of what this machine has.
        catalog: one that is open; else one is opened, for the caller to close.
        clock: the current time.
    """
    wanted = chosen(settings.categorizers)  # a wrong name opens no store
    registered = equipped_sources(settings)
    catalog = catalog or build_catalog(settings, clock=clock)
    lacking = lacking_browser(settings)
    return Reads(
        catalog=catalog,
        layout=Layout(settings.data_dir),
        enabled=settings.sources or tuple(registered),
        means=means_of(registered, named=settings.sources),
        circuits=circuits_of(
            registered, catalog.policies.source_states, has_browser=not lacking
        ),
        recipe=recipe_name(max_side=_max_side(settings)),
        final_after_days=settings.final_after_days,
        clock=clock,
        typed_address=address_in,
        lacks_browser=lacking,
        naming_gaps=lambda: _naming_gaps(settings, catalog, wanted),
    )


def _naming_gaps(
    settings: Settings, catalog: Catalog, wanted: Sequence[Backend]
) -> Iterator[str]:
    backends = equip(wanted, build_equipment(settings, catalog))
    return gap_lines(backends.missing, away=[it.name for it in backends.away])


def reads_of(context: StageContext) -> Reads:
    """Return the reads of a context's catalogue, sources and clock."""
    away = [it.name for it in context.away_categorizers]
    registered = {**context.registered, **context.sources}
    return Reads(
        catalog=context.catalog,
        layout=context.layout,
        enabled=tuple(context.sources),
        means=means_of(registered, named=context.sources),
        circuits=circuits_of(
            registered,
            context.catalog.policies.source_states,
            has_browser=not context.lacks_browser,
        ),
        recipe=context.recipe,
        final_after_days=context.final_after_days,
        clock=context.clock,
        typed_address=address_in,
        lacks_browser=context.lacks_browser,
        naming_gaps=lambda: gap_lines(context.lacks_categorizers, away=away),
    )


def build_notifiers(settings: Settings) -> dict[Channel, Notifier]:
    """Return the channels that are set up.

    Raises:
        InputError: a setting of one will not do.
    """
    makers = {Channel.SMTP: _mailing, Channel.WEBHOOK: _posting}
    return {channel: makers[channel](settings) for channel in settings.channels}


def _mailing(settings: Settings) -> Notifier:
    from phx_pipeline.notify.smtp import (  # noqa: PLC0415 - seldom used
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
    from phx_pipeline.fetch.webhook import (  # noqa: PLC0415 - 0.1 s, seldom used
        WebhookClient,
    )
    from phx_pipeline.notify.webhook import (  # noqa: PLC0415 - as above
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
            events=partial(find_events, reads), matches=partial(found_matches, reads)
        ),
        notifiers=build_notifiers(settings),
        alerts=settings.told_at_once,
        known=AllowList(hosts_of(available_sources())),
        run_id=run_id,
    )


def build_equipment(settings: Settings, catalog: Catalog) -> Equipment:
    """Return what backends of `categorize.registry` are made with."""
    used = model_in_use(catalog)
    return Equipment(
        cache_dir=Layout(settings.data_dir).networks,
        features=catalog.features,
        trained=used.model if used else None,
    )


def equipped_sources(settings: Settings) -> dict[Source, ListingSource]:
    """Return all sources with their tokens; each tells what it lacks to be asked here.

    Who names a source in PHX_SOURCES wants it asked by plain HTTP too, where there is
    no browser.
    """
    lacks_browser = "" if settings.sources else lacking_browser(settings)
    return available_sources(settings.secrets, lacks_browser=lacks_browser)


def _url(settings: Settings) -> str:
    return catalogue_url(
        settings.catalog_url, default_file=Layout(settings.data_dir).catalogue
    )
