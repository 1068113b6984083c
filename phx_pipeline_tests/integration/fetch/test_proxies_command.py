"""`phx proxies`, as a user runs it."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from phx_pipeline.catalog.engine import open_engine
from phx_pipeline.catalog.migrate import upgrade
from phx_pipeline.catalog.proxies import CatalogProxies
from phx_pipeline.cli.proxies import proxies
from phx_pipeline.errors import InputError, ProxyError, RevisionError
from phx_pipeline.fetch.base import Request, RequestKind
from phx_pipeline.fetch.proxies import Proxy, ProxyPool
from phx_pipeline.fetch.webshare import WebshareList
from phx_pipeline.model.proxy_health import ProxyHealth
from phx_pipeline.model.source import Source

Phx = Callable[..., str]
FIRST = "http://anna:hush@10.0.0.1:80"
SECOND = "socks5h://anna:hush@10.0.0.2:1080"
PAGE = Request(
    url="https://www.redfin.com/", source=Source.REDFIN, kind=RequestKind.PAGE
)


@pytest.fixture
def phx(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Phx:
    """Run `phx proxies` on stores of its own; errors come out as they are."""
    file = tmp_path / "proxies.txt"
    file.write_text(f"{FIRST}\n{SECOND}\n")
    monkeypatch.setenv("PHX_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("PHX_PROXIES_FILE", str(file))
    for name in ("PHX_CATALOG_URL", "PHX_PROXY", "PHX_WEBSHARE_TOKEN"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: str) -> str:
        done = CliRunner().invoke(
            proxies, arguments, catch_exceptions=False, standalone_mode=False
        )
        return done.stdout

    return run


@pytest.fixture
def engine(tmp_path: Path) -> sa.Engine:
    engine = open_engine(f"sqlite:///{tmp_path / 'phx.db'}")
    upgrade(engine)
    engine.dispose()
    return engine


def fail(engine: sa.Engine, url: str) -> None:
    pool = ProxyPool(list, store=CatalogProxies(engine))
    fault = ProxyError("proxy: cannot be reached", url=PAGE.url)
    pool.note_failed(Proxy.of(url), PAGE, error=fault)
    engine.dispose()


def told(phx: Phx) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(phx("--json"))
    return rows


def test_proxies_are_shown_in_the_order_of_the_settings(
    phx: Phx, engine: sa.Engine
) -> None:
    del engine

    assert told(phx) == [
        {
            "id": Proxy.of(url).id,
            "place": Proxy.of(url).place,
            "used": True,
            "sources": [],
        }
        for url in (FIRST, SECOND)
    ]


def test_a_proxy_that_rests_is_shown_with_source_and_reason(
    phx: Phx, engine: sa.Engine
) -> None:
    fail(engine, SECOND)

    _, second = told(phx)

    (state,) = second["sources"]
    assert (state["source"], state["state"]) == ("redfin", "resting")
    assert (state["failures"], state["last_failure"]) == (1, "proxy: cannot be reached")
    assert state["rests_until"] > state["last_failure_at"]
    assert "resting until" in phx()


def test_one_that_has_rested_is_healthy_and_keeps_its_last_failure(
    phx: Phx, engine: sa.Engine
) -> None:
    fail(engine, FIRST)
    row = ProxyHealth(proxy_id=Proxy.of(FIRST).id, source=Source.REDFIN)
    CatalogProxies(engine).change(row, lambda old, _now_s: replace(old, cool_until=0))
    engine.dispose()

    (state,) = told(phx)[0]["sources"]

    assert (state["state"], state["rests_until"]) == ("healthy", None)
    assert state["last_failure"] == "proxy: cannot be reached"


def test_one_no_longer_listed_is_still_told(phx: Phx, engine: sa.Engine) -> None:
    fail(engine, "http://10.0.0.9:80")

    *_, last = told(phx)

    assert (last["place"], last["used"]) == ("10.0.0.9:80", False)


def test_neither_user_nor_password_is_shown(phx: Phx, engine: sa.Engine) -> None:
    fail(engine, FIRST)

    shown = phx() + phx("--json")

    assert "10.0.0.1:80" in shown
    assert "hush" not in shown
    assert "anna" not in shown


def test_a_reset_lets_a_proxy_be_used_again(phx: Phx, engine: sa.Engine) -> None:
    fail(engine, FIRST)
    fail(engine, SECOND)

    phx("reset", Proxy.of(FIRST).id)

    first, second = told(phx)
    assert first["sources"] == []
    assert second["sources"] != []


def test_a_reset_of_an_unknown_proxy_is_refused(phx: Phx, engine: sa.Engine) -> None:
    del engine

    with pytest.raises(InputError, match="unknown proxy 'nobody': see `phx proxies`"):
        phx("reset", "nobody")


def test_the_one_proxy_of_the_settings_is_shown_too(
    phx: Phx, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    del engine
    monkeypatch.delenv("PHX_PROXIES_FILE")
    monkeypatch.setenv("PHX_PROXY", FIRST)

    assert [row["place"] for row in told(phx)] == ["10.0.0.1:80"]


def test_without_any_proxy_nothing_is_shown(
    phx: Phx, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    del engine
    monkeypatch.delenv("PHX_PROXIES_FILE")

    assert told(phx) == []


def test_what_is_remembered_is_shown_while_webshare_does_not_answer(
    phx: Phx,
    engine: sa.Engine,
    monkeypatch: pytest.MonkeyPatch,
    unused_tcp_port: int,
) -> None:
    fail(engine, FIRST)
    monkeypatch.delenv("PHX_PROXIES_FILE")
    monkeypatch.setenv("PHX_WEBSHARE_TOKEN", "t0ken")
    dead = f"http://127.0.0.1:{unused_tcp_port}"
    monkeypatch.setattr(WebshareList.__init__, "__kwdefaults__", _with_base(dead))

    (row,) = told(phx)

    assert (row["place"], row["used"]) == ("10.0.0.1:80", False)


def _with_base(url: str) -> dict[str, Any]:
    return (WebshareList.__init__.__kwdefaults__ or {}) | {"base_url": url}


def test_without_a_catalogue_the_remedy_is_told(phx: Phx) -> None:
    with pytest.raises(RevisionError, match="phx init"):
        phx()
