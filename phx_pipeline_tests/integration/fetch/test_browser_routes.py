"""From plain HTTP to the browser and no further: the real chain, stores and curl.

What Chromium would answer is given; it is a client like any other to all policies.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from phx_pipeline.catalog.policies import CatalogPolicies
from phx_pipeline.catalog.proxies import CatalogProxies
from phx_pipeline.demo.loopback import Answer, Asked, Loopback
from phx_pipeline.errors import (
    BlockedError,
    BrowserError,
    CircuitOpenError,
    DeadlineError,
    FetchError,
    TransientError,
)
from phx_pipeline.fetch.base import Captured, ClientName, Fetched, Request, RequestKind
from phx_pipeline.fetch.chain import build_fetcher
from phx_pipeline.fetch.circuits import source_try_s
from phx_pipeline.fetch.policies import rules_for
from phx_pipeline.fetch.proxies import Proxy, ProxyPool
from phx_pipeline.fetch.retries import Backoff
from phx_pipeline.fetch.route import BROWSER_TIMEOUT_S, Route, browsed
from phx_pipeline.model.source import Source
from phx_pipeline_tests.canned import DATA
from phx_pipeline_tests.integration.conftest import Databases

PAGES, PHOTOS = "www.zillow.com", "photos.zillowstatic.com"
ALLOWED = {Source.ZILLOW: (PAGES, PHOTOS)}
HOURS_S = 3.9 * 3600
REFUSED = Answer(status=403, body=b"<html><title>Forbidden</title>no</html>")
DENIED = b"<title>Access to this page has been denied</title><div id='px-captcha'>"
OVERLAY = b'<iframe id="px-captcha-modal" style="display: block"></iframe>'
LISTING = (Path(__file__).parents[2] / "pages/zillow/listed_2026.html").read_bytes()
PICTURE = b"\xff\xd8\xff\xe0" + bytes(2000)
PX_JSON = b'{"appId":"PXHYx10rg3","blockScript":"/c.js","vid":""}'

PAGE = Request(
    url=f"https://{PAGES}/homedetails/1_zpid/",
    source=Source.ZILLOW,
    kind=RequestKind.PAGE,
    captures=("/graphql",),
)
PHOTO = replace(PAGE, url=f"https://{PHOTOS}/fp/a-d_d.jpg", kind=RequestKind.PHOTO)


@dataclass
class Browser:
    """What Chromium answers, in turn; the last for ever."""

    answers: list[Fetched | FetchError] = field(default_factory=list)
    asked: list[Request] = field(default_factory=list)

    async def get(self, request: Request) -> Fetched:
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, FetchError):
            raise answer
        return replace(answer, url=request.url)

    async def aclose(self) -> None:
        """Nothing is held."""


def shown(body: bytes, *, status: int = 200, rendered: bytes = b"") -> Fetched:
    return Fetched(
        url=PAGE.url, status=status, headers={}, body=body, rendered=rendered or body
    )


@dataclass
class Scene:
    """One source whose pages and photos answer plain HTTP as told."""

    site: Loopback
    policies: CatalogPolicies
    proxies: CatalogProxies
    browser: Browser = field(default_factory=Browser)
    plain: Answer = REFUSED
    pool: ProxyPool | None = None

    def ask(
        self, request: Request = PAGE, *, lacking: str = ""
    ) -> Fetched | FetchError:
        """Ask as a new process would; return how it ended."""
        return asyncio.run(self._ask(request, lacking=lacking))

    async def _ask(self, request: Request, *, lacking: str) -> Fetched | FetchError:
        fetcher = build_fetcher(
            allowed=ALLOWED,
            proxy=None if self.pool else self.site.proxy_url,
            ca_file=self.site.ca_file,
            backoff=Backoff(initial_s=0.001, ceiling_s=0.01, jitter_s=0),
            policies=self.policies,
            rules=partial(rules_for, pace=0),
            holds_data=DATA,
            route=Route(own=browsed([Source.ZILLOW, Source.REDFIN]), lacking=lacking),
            further={} if lacking else {ClientName.BROWSER: self.browser},
            pool=self.pool,
        )
        async with aclosing(fetcher):
            try:
                return await fetcher.get(request)
            except FetchError as error:
                return error

    @property
    def plain_asked(self) -> int:
        return sum(asked.host == PAGES for asked in self.site.asked)

    def resting(self) -> set[str]:
        """The circuits that rest for hours."""
        _, states = self.policies.source_states()
        until = time.time() + HOURS_S
        return {it.name for it in states if (it.open_until or 0.0) > until}

    def waits(self) -> bool:
        """Whether the source is not to be asked before some hours are over."""
        now_s, states = self.policies.source_states()
        known = {state.name: state for state in states}
        at_s = source_try_s(Source.ZILLOW, known, now_s=now_s, browsed=["zillow"])
        return at_s is not None and at_s > now_s + HOURS_S


@pytest.fixture
def scene(databases: Databases, tmp_path: Path) -> Iterator[Scene]:
    engine = databases.opened("sqlite")

    def answer(asked: Asked) -> Answer:
        photo = Answer(body=PICTURE, headers={"Content-Type": "image/jpeg"})
        return photo if asked.host == PHOTOS else made.plain

    with Loopback(dict.fromkeys((PAGES, PHOTOS), answer), folder=tmp_path) as site:
        made = Scene(
            site=site,
            policies=CatalogPolicies(engine),
            proxies=CatalogProxies(engine),
        )
        yield made


@pytest.mark.parametrize("body", [b"<html><body>no</body></html>", DENIED])
def test_after_a_refusal_of_plain_http_the_next_house_starts_in_the_browser(
    scene: Scene, body: bytes
) -> None:
    scene.plain = Answer(status=403, body=body)
    scene.browser.answers = [shown(LISTING)]

    first, second = scene.ask(), scene.ask()
    photo = scene.ask(PHOTO)

    assert isinstance(first, Fetched)
    assert isinstance(second, Fetched)
    assert isinstance(photo, Fetched)
    assert first.body == LISTING
    assert (scene.plain_asked, len(scene.browser.asked)) == (1, 2)
    assert {asked.timeout_s for asked in scene.browser.asked} == {BROWSER_TIMEOUT_S}
    assert scene.resting() == {"zillow"}
    assert not scene.waits()


def test_what_starts_in_the_browser_is_never_asked_by_plain_http(scene: Scene) -> None:
    scene.browser.answers = [shown(LISTING)]

    answer = scene.ask(replace(PAGE, browser_first=True))

    assert isinstance(answer, Fetched)
    assert scene.plain_asked == 0


def test_a_challenge_inside_the_browser_stops_the_source_for_every_client(
    scene: Scene,
) -> None:
    scene.browser.answers = [shown(DENIED, status=403)]

    ends = [scene.ask(), scene.ask(), scene.ask(PHOTO)]

    assert [type(end) for end in ends] == [
        BlockedError,
        CircuitOpenError,
        CircuitOpenError,
    ]
    assert (scene.plain_asked, len(scene.browser.asked)) == (1, 1)
    assert scene.resting() == {"zillow", "zillow/browser", "zillow/photos"}
    assert scene.waits()


def test_a_bare_refusal_of_the_browser_rests_pages_and_leaves_the_photos(
    scene: Scene,
) -> None:
    scene.browser.answers = [shown(b"<html><body>no</body></html>", status=403)]

    ends = [scene.ask(), scene.ask()]

    assert [type(end) for end in ends] == [BlockedError, CircuitOpenError]
    assert scene.resting() == {"zillow", "zillow/browser"}
    assert scene.waits()
    assert isinstance(scene.ask(PHOTO), Fetched)


@pytest.mark.parametrize(
    "answer",
    [
        shown(LISTING, rendered=LISTING.replace(b"</body>", OVERLAY + b"</body>")),
        shown(LISTING, rendered=DENIED),
        replace(
            shown(LISTING),
            captured=(
                Captured(
                    url=f"https://{PAGES}/graphql/",
                    status=403,
                    headers={},
                    body=PX_JSON,
                ),
            ),
        ),
    ],
    ids=["laid over", "in its place", "in a part"],
)
def test_a_challenge_that_a_script_shows_over_a_full_page_stops_its_pages(
    scene: Scene, answer: Fetched
) -> None:
    scene.browser.answers = [answer]

    got = scene.ask(replace(PAGE, browser_first=True))

    assert isinstance(got, Fetched)
    assert (got.body, bool(got.challenge)) == (LISTING, True)
    assert isinstance(scene.ask(), CircuitOpenError)
    assert isinstance(scene.ask(PHOTO), Fetched)
    assert scene.resting() == {"zillow", "zillow/browser"}


@pytest.mark.parametrize("body", [b"<html><body><div id=app></div></body></html>"])
def test_a_challenge_that_only_scripts_show_is_one(scene: Scene, body: bytes) -> None:
    scene.browser.answers = [shown(body, rendered=DENIED)]

    end = scene.ask(replace(PAGE, browser_first=True))

    assert isinstance(end, BlockedError)
    assert end.challenge
    assert scene.resting() == {"zillow", "zillow/browser", "zillow/photos"}


def test_a_browser_that_does_not_work_leaves_the_source_as_it_is(scene: Scene) -> None:
    scene.browser.answers = [BrowserError("no display")]

    ends = [scene.ask() for _ in range(3)]

    assert {type(end) for end in ends} == {BrowserError}
    assert scene.resting() == {"zillow"}  # of the refusal of plain HTTP
    _, states = scene.policies.source_states()
    assert {it.name: it.failures for it in states}["zillow/browser"] == 0


def test_a_page_that_hangs_in_the_browser_is_waited_for_once(scene: Scene) -> None:
    scene.browser.answers = [DeadlineError("late", url=PAGE.url)]

    end = scene.ask(replace(PAGE, browser_first=True))

    assert isinstance(end, DeadlineError)
    assert len(scene.browser.asked) == 1


def test_what_passes_in_the_browser_is_asked_for_again(scene: Scene) -> None:
    scene.browser.answers = [TransientError("crashed", url=PAGE.url), shown(LISTING)]

    assert isinstance(scene.ask(replace(PAGE, browser_first=True)), Fetched)
    assert len(scene.browser.asked) == 2


def test_an_outage_is_not_escalated(scene: Scene) -> None:
    scene.plain = Answer(status=500, body=b"<html><body>oops</body></html>")

    scene.ask()

    assert scene.browser.asked == []


def test_without_a_browser_the_refusal_tells_what_is_missing(scene: Scene) -> None:
    ends = [
        scene.ask(replace(PAGE, browser_first=first), lacking="install Chromium")
        for first in (True, False)
    ]

    assert [type(end) for end in ends] == [BlockedError, CircuitOpenError]
    assert all("install Chromium" in str(end) for end in ends)
    assert "install" not in str(scene.ask(PHOTO, lacking="install Chromium"))


@pytest.mark.parametrize(
    ("answer", "rests"),
    [(shown(LISTING), False), (shown(DENIED, status=403), True)],
    ids=["overcome", "refused too"],
)
def test_a_proxy_rests_only_when_the_browser_is_refused_through_it(
    scene: Scene, answer: Fetched, *, rests: bool
) -> None:
    proxy = Proxy.of(scene.site.proxy_url)
    scene.pool = ProxyPool(lambda: [proxy], store=scene.proxies)
    scene.browser.answers = [answer]

    scene.ask()

    now_s, healths = scene.proxies.healths(Source.ZILLOW)
    assert any(health.cool_until > now_s for health in healths) is rests
    assert {asked.proxy for asked in scene.browser.asked} == {proxy.id}
    assert urlsplit(scene.browser.asked[0].url).hostname == PAGES
