"""Proxies that fail in every way, in front of stand-in sites that work.

Nothing leaves but through them: there is no resolver, and the stand-in's own proxy
refuses every host it does not serve.
"""

import asyncio
import base64
import logging
import ssl
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa

from phx_pipeline.catalog.engine import open_engine
from phx_pipeline.catalog.migrate import upgrade
from phx_pipeline.catalog.policies import CatalogPolicies
from phx_pipeline.catalog.proxies import CatalogProxies
from phx_pipeline.demo.loopback import Answer, Asked, Loopback
from phx_pipeline.errors import (
    BlockedError,
    DeadlineError,
    FetchError,
    GoneError,
    ProxyError,
    TransientError,
)
from phx_pipeline.fetch import proxied
from phx_pipeline.fetch.base import (
    ClientName,
    Fetched,
    Fetcher,
    Request,
    RequestKind,
)
from phx_pipeline.fetch.chain import build_fetcher
from phx_pipeline.fetch.clients.browser.gate import Gate
from phx_pipeline.fetch.clients.browser.line import open_line, over_tls
from phx_pipeline.fetch.clients.curl import CurlClient
from phx_pipeline.fetch.policies import rules_for
from phx_pipeline.fetch.proxies import Proxy, ProxyPool, nearest
from phx_pipeline.fetch.retries import Backoff
from phx_pipeline.fetch.route import Route
from phx_pipeline.model.proxy_health import ProxyHealth
from phx_pipeline.model.source import Source
from phx_pipeline.model.source_state import SourceState
from phx_pipeline.settings import load_settings
from phx_pipeline.sources.registry import available_sources, data_of
from phx_pipeline.wiring.fetchers import build_fetcher_factory
from phx_pipeline_tests.faulty_proxy import PASSWORD, USER, Way, say

REDFIN, ZILLOW, PROBE = "www.redfin.com", "www.zillow.com", "probe.example"
ALLOWED = {Source.REDFIN: (REDFIN,), Source.ZILLOW: (ZILLOW,)}
HOUSE = "4732-w-davis-rd-glendale-az-85306"
BASIC = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
QUICK = Backoff(initial_s=0.001, ceiling_s=0.01, jitter_s=0, patience_s=0)
COVERED = (
    b'<iframe id="px-captcha-modal" style="display: block"></iframe>'
    b"<script>root.__reactServerState.InitialContext = {}</script>"
)


# --- the stand-ins


def site(asked: Asked) -> Answer:
    if asked.target == "/403":
        return Answer(status=403)
    if asked.target == "/covered":
        return Answer(body=COVERED)
    if asked.target == "/404":
        return Answer(status=404)
    return Answer(body=b"fine" * 5000)


@pytest.fixture
def loopback(tmp_path: Path) -> Iterator[Loopback]:
    sites = dict.fromkeys((REDFIN, ZILLOW, PROBE), site)
    with Loopback(sites, folder=tmp_path) as running:
        yield running


@dataclass
class GateClient:
    """Asks through the browser's gate, by hand, as far as the faults go."""

    pool: ProxyPool
    loopback: Loopback

    async def get(self, request: Request) -> Fetched:
        host = urlsplit(request.url).hostname or ""
        upstream = self.pool.url_of(request.proxy)
        gate = Gate(allows=REDFIN.__eq__, upstream=upstream)
        await gate.start()
        try:
            async with asyncio.timeout(request.timeout_s):
                body = await self._ask(gate, host)
        except TimeoutError as error:
            raise DeadlineError("too late", url=request.url) from error
        except (OSError, EOFError) as error:
            told = TransientError("cut off", url=request.url)
            raise gate.failures.get(host, told) from error
        finally:
            await gate.aclose()
        return Fetched(url=request.url, status=200, headers={}, body=body)

    async def _ask(self, gate: Gate, host: str) -> bytes:
        line = await open_line("127.0.0.1", gate.port)
        try:
            line.writer.write(f"CONNECT {host}:443 HTTP/1.1\r\n\r\n".encode())
            if b" 200 " not in await line.reader.readuntil(b"\r\n\r\n"):
                raise EOFError
            trust = ssl.create_default_context(cafile=self.loopback.ca_file)
            line = await over_tls(line, trust, server_name=host)
            ask = f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
            line.writer.write(ask.encode())
            await line.reader.readuntil(b"\r\n\r\n")
            return await line.reader.readexactly(20_000)
        finally:
            line.cut()

    async def aclose(self) -> None:
        """Hold nothing."""


# --- the scene


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Some proxies, a catalogue, and fetchers over both."""

    loopback: Loopback
    engine: sa.Engine
    ways: Sequence[Way]

    @property
    def home(self) -> Way:
        """The proxy that the house prefers for Redfin."""
        first = nearest([way.proxy for way in self.ways], key=f"{HOUSE} redfin")[0]
        return next(way for way in self.ways if way.proxy == first)

    @property
    def others(self) -> list[Way]:
        return [way for way in self.ways if way is not self.home]

    def fetcher(
        self,
        *,
        attempts: int = 1,
        sticky: str = HOUSE,
        probe_url: str | None = None,
        listed: Sequence[Proxy] | None = None,
        by_gate: bool = False,
    ) -> Fetcher:
        known = listed or [way.proxy for way in self.ways]
        pool = ProxyPool(lambda: known, store=CatalogProxies(self.engine))
        how: dict[str, Any] = {}
        if by_gate:
            how["further"] = {ClientName.BROWSER: GateClient(pool, self.loopback)}
            how["route"] = Route(
                usual=dict.fromkeys(RequestKind, (ClientName.BROWSER,))
            )
        return build_fetcher(
            **how,
            allowed=ALLOWED,
            ca_file=self.loopback.ca_file,
            attempts=attempts,
            backoff=QUICK,
            resolve=never,
            policies=CatalogPolicies(self.engine),
            rules=lambda name: rules_for(name, pace=0),
            holds_data=data_of(available_sources()),
            pool=pool,
            probe_url=probe_url,
            sticky=sticky,
        )

    def healths(self) -> dict[tuple[str, str], ProxyHealth]:
        _, rows = CatalogProxies(self.engine).healths()
        return {(row.proxy_id, row.source.value): row for row in rows}

    def state(self, name: str = "redfin") -> SourceState:
        _, states = CatalogPolicies(self.engine).source_states()
        found = [state for state in states if state.name == name]
        return found[0] if found else SourceState(name=name)


def circuit_of(*, by_gate: bool) -> str:
    return "redfin/browser" if by_gate else "redfin"


async def never(host: str) -> Sequence[str]:
    raise AssertionError(f"{host} was to be resolved here")


@pytest.fixture
async def scene(loopback: Loopback, tmp_path: Path) -> AsyncIterator[Scene]:
    engine = open_engine(f"sqlite:///{tmp_path / 'phx.db'}")
    upgrade(engine)
    async with AsyncExitStack() as stack:
        ways = [
            await stack.enter_async_context(Way(upstream=loopback.proxy_url).open())
            for _ in range(3)
        ]
        yield Scene(loopback=loopback, engine=engine, ways=ways)
    engine.dispose()


def page(
    path: str = "/", *, host: str = REDFIN, timeout_s: float = 5, holder: str = ""
) -> Request:
    source = Source.REDFIN if host == REDFIN else Source.ZILLOW
    return Request(
        url=f"https://{host}{path}",
        source=source,
        kind=RequestKind.API,
        timeout_s=timeout_s,
        holder=holder,
    )


def waiting_s(scene: Scene, way: Way, source: str = "redfin") -> float:
    now_s, _ = CatalogProxies(scene.engine).healths()
    return scene.healths()[way.proxy.id, source].cool_until - now_s


# --- staying and moving on


async def test_all_requests_of_a_house_go_through_one_proxy(scene: Scene) -> None:
    async with aclosing(scene.fetcher()) as fetcher:
        await asyncio.gather(*(fetcher.get(page(f"/{n}")) for n in range(8)))
    async with aclosing(scene.fetcher()) as another:
        await another.get(page("/later"))

    assert len(scene.loopback.asked) == 9
    assert scene.home.connects
    assert [way.connects for way in scene.others] == [[], []]
    assert scene.healths() == {}


async def test_without_a_house_the_holder_keeps_its_proxy(scene: Scene) -> None:
    async with aclosing(scene.fetcher(sticky="")) as fetcher:
        for n in range(12):
            await fetcher.get(page(f"/{n}", holder=f"holder {n % 6}"))

    used = [way for way in scene.ways if way.connects]
    assert len(used) > 1
    assert len(scene.loopback.asked) == 12


@pytest.mark.parametrize("by_gate", [False, True])
@pytest.mark.parametrize(
    ("fault", "after", "told"),
    [
        ("407", 0, "refused the tunnel with status 407"),
        ("403", 0, "refused the tunnel with status 403"),
        ("502", 0, "refused the tunnel with status 502"),
        ("close", 0, "broke off"),
        ("reset", 0, "nor does the probe pass|broke off"),
        ("garbage", 0, "nor does the probe pass|broke off|is not HTTP"),
        ("drop", 0, "nor does the probe pass"),
        ("drop", 500, "nor does the probe pass"),
    ],
)
async def test_a_fault_of_the_proxy_is_not_the_sources_and_the_next_one_is_taken(
    scene: Scene, fault: str, after: int, told: str, *, by_gate: bool
) -> None:
    home = scene.home
    home.fault, home.after = fault, after

    async with aclosing(scene.fetcher(attempts=2, by_gate=by_gate)) as fetcher:
        answer = await fetcher.get(page())

    ((_, health),) = scene.healths().items()
    assert answer.body == b"fine" * 5000
    assert health.proxy_id == home.proxy.id
    assert health.place == f"127.0.0.1:{home.port}"
    assert health.failures == 1
    assert 50 < waiting_s(scene, home) <= 60
    assert any(part in health.fault for part in told.split("|"))
    assert scene.state(circuit_of(by_gate=by_gate)).failures == 0


@pytest.mark.filterwarnings("ignore:Make sure you are using https over https")
@pytest.mark.parametrize("scheme", ["http", "https", "socks5", "socks5h"])
async def test_a_port_nobody_listens_on_is_a_dead_proxy(
    scene: Scene, scheme: str, unused_tcp_port: int
) -> None:
    dead = Proxy.of(f"{scheme}://{USER}:{PASSWORD}@127.0.0.1:{unused_tcp_port}")

    async with aclosing(scene.fetcher(listed=[dead])) as fetcher:
        with pytest.raises(ProxyError, match="proxy: "):
            await fetcher.get(page())

    assert scene.healths()[dead.id, "redfin"].failures == 1
    assert scene.state().failures == 0


async def test_a_silent_proxy_is_told_from_a_silent_source(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proxied, "_PROBE_S", 0.5)
    home = scene.home
    home.fault = "silent"

    async with aclosing(scene.fetcher()) as fetcher:
        with pytest.raises(ProxyError, match="no complete answer within"):
            await fetcher.get(page(timeout_s=0.5))
    home.only = REDFIN
    CatalogProxies(scene.engine).reset(home.proxy.id)
    async with aclosing(scene.fetcher()) as fetcher:
        with pytest.raises(DeadlineError):
            await fetcher.get(page(timeout_s=0.5))

    assert scene.healths() == {}
    assert scene.state().failures == 1


@pytest.mark.parametrize("by_gate", [False, True])
@pytest.mark.parametrize("fault", ["502", "reset", "drop", "garbage"])
async def test_a_dead_source_behind_a_good_proxy_counts_against_the_source(
    scene: Scene, fault: str, *, by_gate: bool
) -> None:
    for way in scene.ways:
        way.fault, way.only = fault, REDFIN

    async with aclosing(scene.fetcher(by_gate=by_gate)) as fetcher:
        with pytest.raises(TransientError) as caught:
            await fetcher.get(page())

    assert not isinstance(caught.value, ProxyError)
    assert scene.healths() == {}
    assert scene.state(circuit_of(by_gate=by_gate)).failures == 1
    assert ZILLOW in scene.home.connects
    assert scene.loopback.asked == []  # the probe asked for nothing


async def test_one_probe_serves_all_that_failed_together(scene: Scene) -> None:
    home = scene.home
    home.fault, home.only = "reset", REDFIN

    async with aclosing(scene.fetcher()) as fetcher:
        ends = await asyncio.gather(
            *(fetcher.get(page(f"/{n}")) for n in range(3)), return_exceptions=True
        )

    assert {type(end) for end in ends} == {TransientError}
    assert home.connects.count(ZILLOW) == 1


@pytest.mark.parametrize(
    ("probe_url", "kind"),
    [
        (f"https://{PROBE}/", TransientError),
        (f"https://{PROBE}/403", TransientError),  # an answer all the same
        ("https://nobody.example/", ProxyError),
    ],
)
async def test_a_neutral_address_is_asked_where_one_is_set(
    scene: Scene, probe_url: str, kind: type[FetchError]
) -> None:
    home = scene.home
    home.fault, home.only = "reset", REDFIN

    async with aclosing(scene.fetcher(probe_url=probe_url)) as fetcher:
        with pytest.raises(TransientError) as caught:
            await fetcher.get(page())

    assert type(caught.value) is kind
    assert {asked.host for asked in scene.loopback.asked} <= {PROBE}
    assert home.connects == [REDFIN, urlsplit(probe_url).hostname]
    assert ZILLOW not in home.connects


async def test_an_answer_after_a_fault_makes_a_proxy_as_good_as_new(
    scene: Scene,
) -> None:
    home = scene.home
    suspect = ProxyHealth(proxy_id=home.proxy.id, source=Source.REDFIN, failures=4)
    CatalogProxies(scene.engine).change(suspect, lambda row, _now_s: row)

    async with aclosing(scene.fetcher()) as fetcher:
        with pytest.raises(GoneError):
            await fetcher.get(page("/404"))

    assert scene.healths()[home.proxy.id, "redfin"].failures == 0


# --- refusals, and nowhere left to go


async def test_a_refusal_lets_the_proxy_rest_for_that_source_for_hours(
    scene: Scene,
) -> None:
    home = scene.home

    async with aclosing(scene.fetcher(attempts=3)) as fetcher:
        with pytest.raises(BlockedError):
            await fetcher.get(page("/403"))
        await fetcher.get(page(host=ZILLOW))

    assert set(scene.healths()) == {(home.proxy.id, "redfin")}
    assert waiting_s(scene, home) > 5 * 3600
    assert [asked.target for asked in scene.loopback.asked] == ["/403", "/"]
    assert scene.state().open_until is not None  # and the source is left alone


async def test_a_challenge_over_a_full_answer_is_a_refusal_too(scene: Scene) -> None:
    async with aclosing(scene.fetcher()) as fetcher:
        answer = await fetcher.get(page("/covered"))

    assert answer.body == COVERED
    assert answer.challenge == "a challenge over the page"
    assert waiting_s(scene, scene.home) > 5 * 3600


async def test_when_all_proxies_rest_nothing_is_sent_and_it_is_told_until_when(
    scene: Scene,
) -> None:
    for way in scene.ways:
        way.fault = "407"

    async with aclosing(scene.fetcher()) as fetcher:
        for _ in scene.ways:
            with pytest.raises(ProxyError, match="407"):
                await fetcher.get(page())
        connects = [len(way.connects) for way in scene.ways]
        with pytest.raises(ProxyError, match="all 3 rest for redfin until") as caught:
            await fetcher.get(page())

    assert connects == [len(way.connects) for way in scene.ways] == [1, 1, 1]
    assert caught.value.retry_after_s is not None
    assert 50 < caught.value.retry_after_s <= 60
    assert (scene.loopback.asked, scene.state().failures) == ([], 0)


async def test_the_settings_lead_to_the_proxies_of_a_file(
    scene: Scene, tmp_path: Path, unused_tcp_port: int
) -> None:
    dead = Proxy.of(f"http://{USER}:{PASSWORD}@127.0.0.1:{unused_tcp_port}")
    living = scene.ways[0]
    file = tmp_path / "proxies.txt"
    file.write_text(f"# two\n{dead.url}\n{living.proxy.url}\n")
    settings = load_settings(
        {
            "PHX_PROXIES_FILE": str(file),
            "PHX_CA_FILE": str(scene.loopback.ca_file),
            "PHX_PACE_PERCENT": "0",
        }
    )
    open_fetcher = build_fetcher_factory(
        settings,
        policies=CatalogPolicies(scene.engine),
        proxies=CatalogProxies(scene.engine),
    )

    for number in range(8):
        async with aclosing(open_fetcher(f"house-{number}")) as fetcher:
            await fetcher.get(page())

    assert living.connects == [REDFIN] * 8
    assert {row.place for row in scene.healths().values()} == {dead.place}


# --- secrets


def texts_of(error: BaseException | None) -> str:
    if error is None:
        return ""
    parts = [repr(error), str(error), *getattr(error, "__notes__", [])]
    return " ".join([*parts, texts_of(error.__cause__), texts_of(error.__context__)])


@pytest.mark.parametrize("fault", ["", "407", "502", "close", "reset", "garbage"])
async def test_no_message_record_or_row_tells_the_credentials(
    scene: Scene, caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    for way in scene.ways:
        way.fault = fault
    told: list[str] = []

    with caplog.at_level(logging.DEBUG):
        async with aclosing(scene.fetcher(attempts=2)) as fetcher:
            for path in ("/", "/403"):
                try:
                    told.append(repr(await fetcher.get(page(path))))
                except FetchError as error:
                    told.append(texts_of(error))
    records = [
        f"{r.getMessage()} {texts_of((r.exc_info or [None] * 2)[1])}"
        for r in caplog.records
    ]
    rows = repr([*scene.healths().values(), scene.state()])

    everything = " ".join([*told, *records, rows])
    assert f"Basic {BASIC}" in scene.home.heads[-1] or fault == ""  # it was sent
    for secret in (PASSWORD, BASIC, f"{USER}:"):
        assert secret not in everything


# --- what libcurl says of SOCKS


@pytest.mark.parametrize(
    ("first", "then", "certain"),
    [
        (b"\x05\x00", b"\x05\x05\x00\x01" + bytes(6), False),  # refused beyond it
        (b"\x05\x00", b"\x05\x04\x00\x01" + bytes(6), False),  # unreachable beyond it
        (b"\x05\x00", b"\x05\x01\x00\x01" + bytes(6), False),  # microsocks: unknown
        (b"\x05\x00", b"\x05\x02\x00\x01" + bytes(6), True),  # against its rules
        (b"\x05\xff", b"", True),  # it wants something else
        (b"", b"", True),
    ],
)
async def test_what_a_socks_proxy_answers_tells_whose_fault_it_is(
    first: bytes, then: bytes, *, certain: bool
) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        await say(writer, first)
        if then:
            await reader.read(300)
            await say(writer, then)
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    client = CurlClient(proxy=f"socks5h://{USER}:{PASSWORD}@127.0.0.1:{port}")
    async with server, aclosing(client):
        with pytest.raises(ProxyError) as caught:
            await client.get(page())
        await asyncio.sleep(0)

    assert caught.value.certain is certain
    assert PASSWORD not in texts_of(caught.value)
