"""A challenge is asked for once, through the real chain, whatever it is dressed in.

What counts is what the stand-in was asked, and what the catalogue keeps for the next
process.
"""

import asyncio
import gzip
import time
from collections.abc import Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa

from phx_pipeline.catalog.policies import CatalogPolicies
from phx_pipeline.demo.loopback import Answer, Asked, Loopback
from phx_pipeline.errors import (
    BlockedError,
    CircuitOpenError,
    FetchError,
    GoneError,
    RateLimitedError,
    TransientError,
)
from phx_pipeline.fetch.base import Fetched, Request, RequestKind
from phx_pipeline.fetch.chain import LONGEST_WISH_S, build_fetcher
from phx_pipeline.fetch.policies import rules_for
from phx_pipeline.fetch.retries import Backoff
from phx_pipeline.model.source import Source
from phx_pipeline.model.source_state import SourceState
from phx_pipeline_tests.canned import DATA
from phx_pipeline_tests.integration.conftest import Databases

HOSTS = {
    RequestKind.PAGE: "www.redfin.com",
    RequestKind.API: "www.redfin.com",
    RequestKind.PHOTO: "ssl.cdn-redfin.com",
}
LIMITED_HOST = "ratelimited.redfin.com"
ALLOWED = {Source.REDFIN: (*HOSTS.values(), LIMITED_HOST)}
GROUPS = ("redfin", "redfin/photos")
HOURS_S = 3.9 * 3600
ROBOT = b"<html><head><title>Are You a Robot?</title></head><body>x</body></html>"
DENIED = b"<title>Access to this page has been denied</title><div id='px-captcha'>"
PX_JSON = b'{"appId":"PXHYx10rg3","blockScript":"/c.js","vid":""}'
LOGIN = b"<title>Sign in</title><form><input type='password' name='p'></form>"
WAF = {"x-amzn-waf-action": "challenge"}
LATER = {"Retry-After": "3600"}


@dataclass
class Scene:
    """One source behind the chain; its site answers everything with `now`."""

    site: Loopback
    policies: CatalogPolicies
    now: Answer

    def ask(
        self, kind: RequestKind = RequestKind.PAGE, path: str = "/it"
    ) -> Fetched | FetchError:
        """Ask as a new process would; return how it ended."""
        return asyncio.run(self._ask(kind, path))

    async def _ask(self, kind: RequestKind, path: str) -> Fetched | FetchError:
        fetcher = build_fetcher(
            allowed=ALLOWED,
            proxy=self.site.proxy_url,
            ca_file=self.site.ca_file,
            backoff=Backoff(initial_s=0.001, ceiling_s=0.01, jitter_s=0),
            policies=self.policies,
            rules=partial(rules_for, pace=0),
            holds_data=DATA,
        )
        url = f"https://{HOSTS[kind]}{path}"
        async with aclosing(fetcher):
            try:
                request = Request(url=url, source=Source.REDFIN, kind=kind)
                return await fetcher.get(request)
            except FetchError as error:
                return error

    @property
    def asked(self) -> list[str]:
        return [f"{asked.host}{asked.target}" for asked in self.site.asked]

    def state(self, name: str) -> SourceState:
        _, states = self.policies.source_states()
        found = [state for state in states if state.name == name]
        return found[0] if found else SourceState(name=name)

    def rests_s(self, name: str) -> float:
        """For how many seconds more the hosts of this group are left alone."""
        return (self.state(name).open_until or 0.0) - time.time()

    def assert_blocked(self, end: Fetched | FetchError) -> None:
        """A challenge: asked for once, and the whole source rests for hours."""
        asked = len(self.asked)
        assert isinstance(end, BlockedError)
        assert end.challenge
        assert self.asked.count(self.asked[-1]) == 1
        for name in GROUPS:
            assert self.rests_s(name) > HOURS_S
        for kind in RequestKind:
            assert isinstance(self.ask(kind, "/another-house"), CircuitOpenError)
        assert len(self.asked) == asked


@pytest.fixture
def scene(databases: Databases, tmp_path: Path) -> Iterator[Scene]:
    engine: sa.Engine = databases.opened("sqlite")

    def answer(asked: Asked) -> Answer:
        path = asked.target.partition("?")[0]
        if path.startswith("/to"):
            target = asked.target.partition("?")[2] or "/it"
            return Answer(status=302, headers={"Location": target})
        return made.now

    sites = dict.fromkeys((*HOSTS.values(), LIMITED_HOST), answer)
    with Loopback(sites, folder=tmp_path) as site:
        made = Scene(site=site, policies=CatalogPolicies(engine), now=Answer())
        yield made


@pytest.mark.parametrize("status", [200, 202, 403, 405, 429, 503])
@pytest.mark.parametrize("kind", [RequestKind.PAGE, RequestKind.PHOTO])
@pytest.mark.parametrize("path", ["/it", "/to"], ids=["at once", "behind a redirect"])
def test_a_challenge_is_asked_for_once_whatever_its_status(
    scene: Scene, status: int, kind: RequestKind, path: str
) -> None:
    scene.now = Answer(status=status, body=ROBOT, headers={"Retry-After": "1"})

    end = scene.ask(kind, path)

    scene.assert_blocked(end)
    assert isinstance(end, BlockedError)
    assert (end.status, end.body) == (status, ROBOT)


@pytest.mark.parametrize(
    "dressed",
    [
        Answer(status=429, body=DENIED),
        Answer(status=429, body=PX_JSON, headers={"Content-Type": "application/json"}),
        Answer(status=429, body=b"\xef\xbb\xbf" + PX_JSON),
        Answer(status=403, body=ROBOT.decode().encode("utf-16")),
        Answer(
            body=gzip.compress(ROBOT, mtime=0), headers={"Content-Encoding": "gzip"}
        ),
        Answer(body=gzip.compress(ROBOT, mtime=0)),
        Answer(status=503, body=b"<p>x</p>", headers={"cf-mitigated": "challenge"}),
        Answer(status=202, headers=WAF),
        Answer(status=405, body=b"<p>x</p>", headers={"x-amzn-waf-action": "captcha"}),
        Answer(status=404, body=ROBOT),
        Answer(status=206, body=ROBOT, headers={"Content-Range": "bytes 0-70/71"}),
    ],
    ids=[
        "429 titled",
        "429 in JSON",
        "429 after a BOM",
        "403 in UTF-16",
        "200 compressed",
        "200 compressed in secret",
        "503 marked",
        "202 marked",
        "405 marked",
        "404 titled",
        "206 titled",
    ],
)
@pytest.mark.parametrize("kind", [RequestKind.API, RequestKind.PHOTO])
def test_a_challenge_is_known_in_any_dress(
    scene: Scene, dressed: Answer, kind: RequestKind
) -> None:
    scene.now = dressed

    scene.assert_blocked(scene.ask(kind))


@pytest.mark.parametrize(
    ("target", "answer"),
    [
        ("/login?next=%2Fit", Answer(body=LOGIN)),
        (f"https://{LIMITED_HOST}/", Answer(status=429, body=ROBOT, headers=LATER)),
        ("/captcha", Answer(body=b"<p>Who are you?</p>")),
        ("https://geo.captcha-delivery.com/captcha/", Answer()),
    ],
)
@pytest.mark.parametrize("kind", [RequestKind.PAGE, RequestKind.PHOTO])
def test_a_challenge_is_known_wherever_a_redirect_ends(
    scene: Scene, target: str, answer: Answer, kind: RequestKind
) -> None:
    scene.now = answer

    scene.assert_blocked(scene.ask(kind, f"/to?{target}"))
    assert scene.site.refused == []


@pytest.mark.parametrize("kind", [RequestKind.PAGE, RequestKind.API])
@pytest.mark.parametrize("body", [b"", b" ", b"<html><body></body></html>"])
def test_an_empty_page_is_a_challenge(
    scene: Scene, kind: RequestKind, body: bytes
) -> None:
    scene.now = Answer(body=body)

    scene.assert_blocked(scene.ask(kind))


@pytest.mark.parametrize(
    ("status", "error"), [(429, RateLimitedError), (503, TransientError)]
)
@pytest.mark.parametrize("kind", list(RequestKind))
def test_a_bare_wish_for_patience_is_heeded_and_no_block(
    scene: Scene, status: int, error: type[FetchError], kind: RequestKind
) -> None:
    scene.now = Answer(status=status, body=b"<h1>Busy</h1>", headers=LATER)

    end = scene.ask(kind)

    assert type(end) is error
    assert len(scene.asked) == 1
    own = GROUPS[kind is RequestKind.PHOTO]
    assert scene.state(own).not_before > time.time() + 3500
    assert [scene.state(name).block for name in GROUPS] == ["", ""]
    assert scene.state(own).open_until is None


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize(
    ("kind", "rests"),
    [(RequestKind.PAGE, "redfin"), (RequestKind.PHOTO, "redfin/photos")],
)
def test_a_bare_refusal_lets_the_hosts_rest_that_gave_it(
    scene: Scene, status: int, kind: RequestKind, rests: str
) -> None:
    scene.now = Answer(status=status, body=b"<h1>Forbidden</h1>")

    end = scene.ask(kind)

    assert isinstance(end, BlockedError)
    assert not end.challenge
    assert [name for name in GROUPS if scene.rests_s(name) > HOURS_S] == [rests]


def test_a_missing_page_is_missing(scene: Scene) -> None:
    scene.now = Answer(status=404, body=b"<title>Not found</title>")

    assert isinstance(scene.ask(), GoneError)


def test_a_part_of_an_answer_is_asked_for_again_and_stops_the_hosts_in_the_end(
    scene: Scene,
) -> None:
    scene.now = Answer(
        status=206, body=b"\xff\xd8\xff half", headers={"Content-Range": "bytes 0-7/99"}
    )

    end = scene.ask(RequestKind.PHOTO)

    assert type(end) is TransientError
    assert len(scene.asked) == 3
    assert 200 < scene.rests_s("redfin/photos") <= 300
    assert isinstance(scene.ask(RequestKind.PHOTO), CircuitOpenError)


LOUD = "challenge " + "x" * 3000 + "\x1b[31m\x07\x9b2J"


@pytest.mark.parametrize(
    "headers", [{"x-amzn-waf-action": LOUD}, {"cf-mitigated": "\x1b]0;" + LOUD}]
)
def test_what_a_site_says_of_its_refusal_is_kept_short_and_printable(
    scene: Scene, headers: Mapping[str, str]
) -> None:
    scene.now = Answer(status=202, headers=headers)

    end = scene.ask()

    assert isinstance(end, BlockedError)
    for told in (str(end), scene.state("redfin").block):
        assert told
        assert told.isprintable()
        assert len(told) <= 200


@pytest.mark.parametrize(
    "headers",
    [
        {f"X-{number}": "y" * 200 for number in range(1000)},
        {"X-Loud": "\x1b[2J" * 1000, "\x1b[2J": "x"},
        {"X-Long": "z" * 90_000},
        {"Retry-After": "9" * 5000},
    ],
    ids=["many", "loud", "long", "patient"],
)
def test_the_headers_of_an_answer_are_bounded(
    scene: Scene, headers: Mapping[str, str]
) -> None:
    scene.now = Answer(body=b"<p>fine</p>", headers=headers)

    end = scene.ask()

    assert isinstance(end, Fetched)
    assert len(end.headers) <= 200
    for line in (*end.headers, *end.headers.values()):
        assert line.isprintable()
        assert len(line) <= 8192


@pytest.mark.parametrize("length", [20_000, 90_000, 1_000_000])
def test_a_redirect_to_an_endless_address_ends_there(scene: Scene, length: int) -> None:
    scene.now = Answer(status=302, headers={"Location": "/" + "x" * length})

    end = scene.ask()

    assert isinstance(end, FetchError)
    assert len(str(end)) < 200
    assert len(scene.asked) <= 3


def test_an_endless_wish_for_patience_is_cut(scene: Scene) -> None:
    scene.now = Answer(status=429, body=b"x", headers={"Retry-After": "9" * 5000})

    end = scene.ask()

    assert isinstance(end, RateLimitedError)
    assert end.retry_after_s == LONGEST_WISH_S
