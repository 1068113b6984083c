"""Reading proxies, what an end means to their health, and which one is taken."""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phx_pipeline.errors import BlockedError, InputError, ProxyError
from phx_pipeline.fetch.base import Request, RequestKind
from phx_pipeline.fetch.proxies import (
    CoolRules,
    Proxy,
    ProxyPool,
    failed,
    nearest,
    read_proxies,
    refused,
    resting_until,
    worked,
)
from phx_pipeline.model.proxy_health import ProxyHealth
from phx_pipeline.model.source import Source

NOW_S = 1_796_000_000.0
RULES = CoolRules()
FRESH = ProxyHealth(proxy_id="x", source=Source.REDFIN)
HOUSES = [f"house-{n}" for n in range(300)]


def request(source: Source = Source.REDFIN) -> Request:
    return Request(url="https://site.example/", source=source, kind=RequestKind.PAGE)


def proxies(count: int) -> list[Proxy]:
    return [Proxy.of(f"http://anna:hush@10.0.0.{n}:80") for n in range(count)]


class Shelf:
    """A store in memory with a clock to be moved."""

    def __init__(self) -> None:
        self.now_s = NOW_S
        self.rows: dict[tuple[str, Source], ProxyHealth] = {}
        self.changes = 0

    def change(
        self,
        fresh: ProxyHealth,
        decide: Callable[[ProxyHealth, float], ProxyHealth],
    ) -> ProxyHealth:
        key = (fresh.proxy_id, fresh.source)
        self.changes += 1
        self.rows[key] = decide(self.rows.get(key, fresh), self.now_s)
        return self.rows[key]

    def healths(self, source: Source) -> tuple[float, list[ProxyHealth]]:
        return self.now_s, [r for r in self.rows.values() if r.source is source]


# --- reading


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("http://10.0.0.1:8080", "10.0.0.1:8080"),
        ("https://anna:hush@proxy.example:443", "proxy.example:443"),
        ("socks5h://anna:hu%40sh@[::1]:1080/", "[::1]:1080"),
        ("socks5://anna:hu@sh@proxy.example:1080", "proxy.example:1080"),
    ],
)
def test_a_proxy_is_shown_by_its_place_and_an_id(url: str, place: str) -> None:
    proxy = Proxy.of(url)

    assert proxy.place == place.removesuffix("/")
    assert len(proxy.id) == 12
    assert "hu" not in repr(proxy)


def test_the_id_depends_on_all_but_the_password() -> None:
    first = Proxy.of("http://anna:hush@10.0.0.1:80")
    others = [
        "https://anna:hush@10.0.0.1:80",
        "http://olga:hush@10.0.0.1:80",
        "http://10.0.0.1:80",
        "http://anna:hush@10.0.0.2:80",
        "http://anna:hush@10.0.0.1:81",
    ]

    assert first.id == Proxy.of("http://anna:other@10.0.0.1:80").id
    assert len({first.id, *(Proxy.of(url).id for url in others)}) == 6


def test_names_are_never_resolved_on_this_side_of_a_socks_proxy() -> None:
    assert Proxy.of("socks5://10.0.0.1:80").url == "socks5h://10.0.0.1:80"
    assert Proxy.of("socks5h://10.0.0.1:80").url == "socks5h://10.0.0.1:80"


def test_a_file_names_one_proxy_per_line(tmp_path: Path) -> None:
    file = tmp_path / "proxies.txt"
    file.write_text(
        "# mine\n\n  http://anna:hush@10.0.0.1:80  \n"
        "socks5h://10.0.0.2:1080\nhttp://anna:again@10.0.0.1:80\n"
    )

    found = read_proxies(file)

    assert [proxy.place for proxy in found] == ["10.0.0.1:80", "10.0.0.2:1080"]


@pytest.mark.parametrize(
    ("line", "url"),
    [
        ("10.0.0.1:80", "http://10.0.0.1:80"),
        ("10.0.0.1:80:anna:hush", "http://anna:hush@10.0.0.1:80"),
        ("10.0.0.1:80:anna:h@u:s/h%", "http://anna:h%40u%3As%2Fh%25@10.0.0.1:80"),
        ("10.0.0.1:80:anna:8080", "http://anna:8080@10.0.0.1:80"),
        ("proxy.example:80:anna-us-1:hush", "http://anna-us-1:hush@proxy.example:80"),
        ("anna:hush:10.0.0.1:80", "http://anna:hush@10.0.0.1:80"),
        ("[::1]:80:anna:hush", "http://anna:hush@[::1]:80"),
        ("anna:hush@10.0.0.1:80", "http://anna:hush@10.0.0.1:80"),
        ("anna:80/h#ush@10.0.0.1:80", "http://anna:80%2Fh%23ush@10.0.0.1:80"),
        ("anna:h%40sh@10.0.0.1:80", "http://anna:h%40sh@10.0.0.1:80"),
        ("SOCKS5://10.0.0.1:80", "socks5h://10.0.0.1:80"),
        ("socks5://anna:hush@10.0.0.1:80", "socks5h://anna:hush@10.0.0.1:80"),
        ("socks5://10.0.0.1:80:anna:hush", "socks5h://anna:hush@10.0.0.1:80"),
        ("https://anna:hush@10.0.0.1:80  # fast", "https://anna:hush@10.0.0.1:80"),
    ],
)
def test_a_line_may_have_the_form_a_seller_gives(
    tmp_path: Path, line: str, url: str
) -> None:
    file = tmp_path / "proxies.txt"
    file.write_text(f"{line}\n")

    (proxy,) = read_proxies(file)

    assert proxy.url == url
    assert proxy.place == url.rpartition("@")[2].rpartition("/")[2]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_file_may_come_from_any_editor(
    tmp_path: Path, encoding: str, end: str
) -> None:
    file = tmp_path / "proxies.txt"
    lines = [
        "10.0.0.1:80:anna:h\u00fcsh",
        "",
        "# caf\u00e9",
        " \thttp://10.0.0.2:80 ",
        "",
    ]
    file.write_bytes(end.join(lines).encode(encoding))

    first, second = read_proxies(file)

    assert first.url == "http://anna:h%C3%BCsh@10.0.0.1:80"
    assert second.place == "10.0.0.2:80"


@pytest.mark.parametrize(
    "line",
    [
        "ftp://anna:hush@10.0.0.1:80",
        "http://anna:hush@10.0.0.1",
        "http://anna:hush@10.0.0.1:port",
        "http://anna:80/hush@10.0.0.1:80",
        "http://anna:hush@[::1:80",
        "http://anna:hush@10.0.0.1:99999",
        "10.0.0.1:99999:anna:hush",
        "10.0.0.1:port:anna:hush",
        "anna:hush@10.0.0.1",
        "anna hush 10.0.0.1 80",
        "hush",
    ],
)
def test_a_bad_line_is_told_by_its_number_and_never_repeated(
    tmp_path: Path, line: str
) -> None:
    file = tmp_path / "proxies.txt"
    file.write_text(f"# mine\nhttp://10.0.0.9:80\n{line}\n")

    with pytest.raises(InputError, match="line 3: the proxy must be SCHEME") as caught:
        read_proxies(file)

    assert "hush" not in texts_of(caught.value)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "names no proxy"),
        (b"# none\n", "names no proxy"),
        (b"\x89PNG\r\n\x1a\n\0\0hush", "cannot be read"),
    ],
)
def test_a_file_without_use_is_refused(
    tmp_path: Path, content: bytes, told: str
) -> None:
    file = tmp_path / "proxies.txt"
    file.write_bytes(content)

    with pytest.raises(InputError, match=told) as caught:
        read_proxies(file)

    assert "hush" not in texts_of(caught.value)


def texts_of(error: BaseException | None) -> str:
    return (
        f"{error!r} {texts_of(error.__cause__ or error.__context__)}" if error else ""
    )


# --- health


def test_a_fresh_proxy_does_not_rest() -> None:
    assert resting_until(FRESH, now_s=NOW_S, rules=RULES) is None


def test_the_rest_doubles_with_each_fault_up_to_an_hour() -> None:
    health, now_s, rests = FRESH, NOW_S, []

    for _ in range(9):
        health = failed(health, now_s=now_s, how="dead", rules=RULES)
        rests.append(health.cool_until - now_s)
        now_s = health.cool_until

    assert rests == [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]
    assert (health.failures, health.fault) == (9, "dead")


def test_faults_of_requests_that_left_together_are_one() -> None:
    once = failed(FRESH, now_s=NOW_S, how="dead", rules=RULES)

    assert failed(once, now_s=NOW_S + 59, how="again", rules=RULES) == once


def test_an_answer_forgets_faults_but_ends_no_rest() -> None:
    resting = failed(FRESH, now_s=NOW_S, how="dead", rules=RULES)

    assert worked(resting, now_s=NOW_S + 1, rules=RULES) == resting
    assert worked(resting, now_s=NOW_S + 60, rules=RULES) == replace(
        resting, failures=0, cool_until=0.0
    )


def test_a_refusal_by_the_source_is_a_rest_of_hours_even_after_a_fault() -> None:
    resting = failed(FRESH, now_s=NOW_S, how="dead", rules=RULES)

    blocked = refused(resting, now_s=NOW_S + 1, how="403", rules=RULES)

    assert blocked.cool_until == NOW_S + 1 + 6 * 3600
    assert (blocked.failures, blocked.fault) == (1, "403")


@given(st.floats(-1e12, 1e12), st.integers(0, 10_000))
def test_no_clock_and_no_count_lets_a_proxy_rest_too_long(
    cool_until: float, failures: int
) -> None:
    health = replace(FRESH, cool_until=cool_until, failures=failures)

    until_s = resting_until(health, now_s=NOW_S, rules=RULES)
    after = failed(health, now_s=NOW_S, how="", rules=RULES)

    assert until_s is None or NOW_S < until_s <= NOW_S + 6 * 3600
    assert after.cool_until <= NOW_S + 6 * 3600


# --- choosing


def test_houses_spread_over_the_proxies_and_keep_theirs() -> None:
    known = proxies(5)
    pool = ProxyPool(lambda: known, store=Shelf())

    first = {house: pool.choose(request(), key=house).id for house in HOUSES}
    known.reverse()
    again = {house: pool.choose(request(), key=house).id for house in HOUSES}

    counts = [list(first.values()).count(proxy.id) for proxy in known]
    assert again == first
    assert min(counts) > len(HOUSES) / 10


def test_only_the_houses_of_a_proxy_that_goes_are_moved() -> None:
    known = proxies(5)
    gone = known[2]
    left = [proxy for proxy in known if proxy is not gone]

    before = {house: nearest(known, key=house)[0] for house in HOUSES}
    after = {house: nearest(left, key=house)[0] for house in HOUSES}

    moved = {house for house in HOUSES if before[house] != after[house]}
    assert moved == {house for house in HOUSES if before[house] is gone}


def test_a_fault_moves_a_house_for_that_source_until_the_rest_is_over() -> None:
    known, shelf = proxies(3), Shelf()
    pool = ProxyPool(lambda: known, store=shelf)
    home = pool.choose(request(), key="house")
    elsewhere = pool.choose(request(Source.ZILLOW), key="house")
    pool.note_failed(home, request(), error=ProxyError("proxy: dead", url=""))

    during = pool.choose(request(), key="house")
    other_source = pool.choose(request(Source.ZILLOW), key="house")
    shelf.now_s += 60
    afterwards = pool.choose(request(), key="house")

    assert during.id != home.id
    assert other_source.id == elsewhere.id
    assert afterwards.id == home.id


def test_when_all_rest_it_is_told_until_when_the_first_does() -> None:
    known, shelf = proxies(2), Shelf()
    pool = ProxyPool(lambda: known, store=shelf)
    block = BlockedError("site.example answered 403", url="", status=403)
    pool.note_refused(known[0], request(), error=block)
    shelf.now_s += 10
    pool.note_failed(known[1], request(), error=ProxyError("proxy: dead", url=""))
    shelf.now_s += 20

    with pytest.raises(
        ProxyError, match=r"all 2 rest for redfin until 2026-.* MST"
    ) as c:
        pool.choose(request(), key="house")

    assert c.value.retry_after_s == 40
    assert pool.choose(request(Source.ZILLOW), key="house") in known


def test_without_any_proxy_nothing_is_chosen() -> None:
    pool = ProxyPool(list, store=Shelf())

    with pytest.raises(ProxyError, match="none to use"):
        pool.choose(request(), key="house")


def test_an_answer_is_written_down_only_after_a_fault() -> None:
    known, shelf = proxies(1), Shelf()
    pool = ProxyPool(lambda: known, store=shelf)
    pool.note_worked(pool.choose(request(), key=""), request())
    assert shelf.changes == 0
    pool.note_failed(known[0], request(), error=ProxyError("proxy: dead", url=""))
    shelf.now_s += 60

    for _ in range(3):
        pool.note_worked(pool.choose(request(), key=""), request())

    assert shelf.changes == 2
    assert [row.failures for row in shelf.rows.values()] == [0]


def test_a_rest_is_logged_without_the_credentials(
    caplog: pytest.LogCaptureFixture,
) -> None:
    (known,), shelf = proxies(1), Shelf()
    pool = ProxyPool(lambda: [known], store=shelf)

    with caplog.at_level(logging.DEBUG):
        pool.note_failed(known, request(), error=ProxyError("proxy: dead", url=""))

    assert f"proxy {known.id} (10.0.0.0:80): rests for redfin until" in caplog.text
    assert "hush" not in caplog.text
    assert "anna" not in caplog.text + repr(shelf.rows)
