"""The rows behind the proxies' health: atomic, shared, and without any password."""

import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import chain

import pytest
import sqlalchemy as sa

from phx_pipeline.catalog.engine import open_engine
from phx_pipeline.catalog.proxies import CatalogProxies
from phx_pipeline.errors import ProxyError
from phx_pipeline.fetch.base import Request, RequestKind
from phx_pipeline.fetch.proxies import CoolRules, Proxy, ProxyPool
from phx_pipeline.model.proxy_health import ProxyHealth
from phx_pipeline.model.source import Source

FRESH = ProxyHealth(proxy_id="0123456789ab", source=Source.REDFIN, place="10.0.0.1:80")
FULL = replace(
    FRESH,
    failures=3,
    cool_until=1_796_000_000.25,
    failed_at=1_796_000_001.5,
    fault="dead\0 \N{SNOWMAN}",
)
URLS = tuple(f"http://anna:hush@10.0.0.{n}:80" for n in range(3))


@pytest.fixture
def book(engine: sa.Engine) -> CatalogProxies:
    return CatalogProxies(engine)


def one_more(health: ProxyHealth, _now_s: float) -> ProxyHealth:
    return replace(health, failures=health.failures + 1)


def count_up(url: str, times: int) -> list[int]:
    """Count from another process; returns every number this one reached."""
    engine = open_engine(url)
    book = CatalogProxies(engine)
    reached = [book.change(FRESH, one_more).failures for _ in range(times)]
    engine.dispose()
    return reached


def request() -> Request:
    return Request(
        url="https://www.redfin.com/", source=Source.REDFIN, kind=RequestKind.PAGE
    )


def pool_at(engine: sa.Engine) -> ProxyPool:
    known = [Proxy.of(url) for url in URLS]
    return ProxyPool(lambda: known, store=CatalogProxies(engine))


def choose_in(url: str) -> str:
    """The proxy a house gets in another process."""
    engine = open_engine(url)
    chosen = pool_at(engine).choose(request(), key="house").id
    engine.dispose()
    return chosen


def fail_in(url: str) -> str:
    """The proxy that a house gets in another process, at fault there."""
    engine = open_engine(url)
    chosen = pool_at(engine).choose(request(), key="house")
    fail(engine, chosen)
    engine.dispose()
    return chosen.id


def fail_first_in(url: str) -> None:
    """The first proxy at fault in another process."""
    engine = open_engine(url)
    fail(engine, Proxy.of(URLS[0]))
    engine.dispose()


def fail(engine: sa.Engine, proxy: Proxy) -> None:
    fault = ProxyError("proxy: dead", url="")
    pool_at(engine).note_failed(proxy, request(), error=fault)


def test_every_field_is_kept_for_the_next_process(
    book: CatalogProxies, url: str, opened: Callable[[str], sa.Engine]
) -> None:
    book.change(FRESH, lambda _old, _now_s: FULL)

    _, healths = CatalogProxies(opened(url)).healths()

    assert healths == [replace(FULL, fault="dead \N{SNOWMAN}")]


def test_rows_are_of_one_proxy_and_one_source(book: CatalogProxies) -> None:
    for fresh in (
        FRESH,
        FRESH,
        replace(FRESH, source=Source.ZILLOW),
        replace(FRESH, proxy_id="a"),
    ):
        book.change(fresh, one_more)

    _, of_redfin = book.healths(Source.REDFIN)
    _, of_all = book.healths()

    assert [row.failures for row in of_redfin] == [2, 1]
    assert [(row.proxy_id, row.source.value) for row in of_all] == [
        ("0123456789ab", "redfin"),
        ("0123456789ab", "zillow"),
        ("a", "redfin"),
    ]


def test_a_decision_that_fails_writes_nothing(book: CatalogProxies) -> None:
    def fail(_health: ProxyHealth, _now_s: float) -> ProxyHealth:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        book.change(FRESH, fail)

    assert book.healths()[1] == []


def test_the_clock_is_that_of_now(book: CatalogProxies) -> None:
    seen: list[float] = []

    def look(health: ProxyHealth, now_s: float) -> ProxyHealth:
        seen.append(now_s)
        return health

    book.change(FRESH, look)

    assert seen[0] == pytest.approx(time.time(), abs=60)
    assert book.healths()[0] >= seen[0]


def test_a_reset_forgets_one_proxy_for_all_sources(book: CatalogProxies) -> None:
    other = replace(FRESH, proxy_id="a")
    for fresh in (FRESH, replace(FRESH, source=Source.ZILLOW), other):
        book.change(fresh, one_more)

    book.reset(FRESH.proxy_id)

    assert [row.proxy_id for row in book.healths()[1]] == ["a"]


def test_no_change_of_four_processes_is_lost(
    url: str, processes: ProcessPoolExecutor
) -> None:
    reached = processes.map(partial(count_up, times=25), [url] * 4)

    assert sorted(chain.from_iterable(reached)) == list(range(1, 101))


def test_a_proxy_that_failed_in_one_process_is_left_alone_by_all(
    url: str, engine: sa.Engine, processes: ProcessPoolExecutor
) -> None:
    dead = processes.submit(fail_in, url).result()

    elsewhere = set(processes.map(choose_in, [url] * 4))

    assert len(elsewhere) == 1
    assert dead not in elsewhere
    assert pool_at(engine).choose(request(), key="house").id in elsewhere


def test_processes_that_meet_one_fault_together_count_it_once(
    url: str, book: CatalogProxies, processes: ProcessPoolExecutor
) -> None:
    list(processes.map(fail_first_in, [url] * 8))

    now_s, (health,) = book.healths()

    assert health.failures == 1
    assert health.cool_until - now_s <= CoolRules().first_s


def test_rows_hold_neither_user_nor_password(
    url: str, engine: sa.Engine, processes: ProcessPoolExecutor
) -> None:
    processes.submit(fail_in, url).result()

    _, healths = CatalogProxies(engine).healths()

    assert len(healths) == 1
    assert "anna" not in repr(healths)
    assert "hush" not in repr(healths)
