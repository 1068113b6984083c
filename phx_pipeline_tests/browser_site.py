"""Stand-ins for the listing sites that tell a browser from plain HTTP, as guards do.

A page is refused until its script has run: it works out a number, asks the guard for
leave and comes again with a cookie. What pages do once they are in a browser is chosen
by `Act`. The pages themselves are the demo's.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from http import HTTPStatus
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from phx_pipeline.demo.houses import House
from phx_pipeline.demo.loopback import Answer, Asked, Handler
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.demo.zillow_site import zillow_sites
from phx_pipeline.model.source import Source
from phx_pipeline.sources.redfin import standin as redfin
from phx_pipeline.sources.zillow import standin as zillow

XHR = "/HYx10rg3/xhr"
TOLD = "/HYx10rg3/told"
CAPTCHA = "/HYx10rg3/captcha/captcha.js"
ABOVE = "/stingray/api/home/details/aboveTheFold"
GRAPHQL = "/graphql/"

FOREIGN = (
    "tracker.example",
    "www.google-analytics.com",
    "evil.redfin.com.example",
    "www.zillow.com:8443",
    "http://www.zillow.com",
    "http://tracker.example",
    "127.0.0.1",
    "[::1]",
    "169.254.169.254",
)
"""What a page asks that a source's browser must not be let through to."""

_SCRIPT = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
_NAMES = f"const XHR = '{XHR}', TOLD = '{TOLD}';"
_PAGE_HOSTS = {
    Source.REDFIN: redfin.PAGE_HOST,
    Source.ZILLOW: zillow.PAGE_HOST,
}
_SITES = {Source.REDFIN: redfin_sites, Source.ZILLOW: zillow_sites}
_HTML = {"content-type": "text/html; charset=utf-8"}
_JSON = {"content-type": "application/json;charset=utf-8"}
_COOKIE = re.compile(r"(?:^|;\s*)_px3=(?P<leave>[^;]*)")
_NEXT_DATA = re.compile(r"(?<=id=\"__NEXT_DATA__\" type=\"application/json\">)[^<]*")
_CONTEXT = re.compile(r"(?<=InitialContext = )\{.*\}(?=;\n)")
_PHOTO_LISTS = (
    "originalPhotos",
    "responsivePhotosOriginalRatio",
    "photos",
    "responsivePhotos",
)


class Act(StrEnum):
    """What a page does in a browser, by the name of the script's function."""

    OVERLAY = "overlay"
    LAZY = "lazy"
    FOREIGN = "foreign"
    ENDLESS = "endless"
    DIALOGS = "dialogs"
    DOWNLOAD = "download"
    POPUP = "popup"


_TITLED = {
    Source.ZILLOW: (
        "Access to this page has been denied",
        '<meta name="description" content="px-captcha">',
        '<div id="px-captcha-wrapper"><div id="px-captcha"></div></div>',
    ),
    Source.REDFIN: ("Human Verification", "", '<div id="captcha-container"></div>'),
}
REFUSALS: Mapping[Source, Answer] = MappingProxyType(
    {
        Source.ZILLOW: Answer(
            status=HTTPStatus.FORBIDDEN, headers={**_HTML, "x-px-blocked": "1"}
        ),
        Source.REDFIN: Answer(
            status=HTTPStatus.ACCEPTED,
            headers={**_HTML, "x-amzn-waf-action": "challenge"},
        ),
    }
)
"""How plain HTTP is refused; the body is made for each request."""


@dataclass(slots=True, kw_only=True)
class BrowserSite:
    """The hosts of one source, with a guard before its pages.

    Attributes:
        guarded: whether plain HTTP is refused; else everybody gets the pages, which
            act in a browser all the same.
        refusal: status and headers of a refusal; those of the source if not given.
        works_s: how long the guard's script works, silently, before it asks for leave.
        block: answers every page instead, in a browser too.
        acts: what the listing pages do.
        shown: photos a listing page holds by itself if it is lazy.
        visits: what browsers that passed the guard said of themselves.
        told: what scripts of pages told, in order.
        pages: answers to requests for pages, by how each was answered and to whom,
            such as `refused plain` or `served browser`.
    """

    source: Source
    houses: Sequence[House]
    guarded: bool = True
    refusal: Answer | None = None
    works_s: float = 0.0
    block: Answer | None = None
    acts: tuple[Act, ...] = ()
    shown: int = 2
    visits: list[dict[str, str]] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    pages: Counter[str] = field(default_factory=Counter)
    _rest: dict[str, Answer] = field(default_factory=dict)
    _site: Handler | None = None

    @property
    def host(self) -> str:
        """Where its pages are."""
        return _PAGE_HOSTS[self.source]

    def handlers(self) -> dict[str, Handler]:
        """What answers for each host: for a `Loopback` or a `Deployment`."""
        sites = _SITES[self.source](self.houses)
        self._site = sites[self.host]
        return {**sites, self.host: self.answer}

    def answer(self, asked: Asked) -> Answer:
        """Answer for the page host."""
        parts = urlsplit(asked.target)
        query = dict(parse_qsl(parts.query))
        if parts.path == XHR:
            return self._leave(asked, query)
        if parts.path == TOLD:
            self.told.append(query["what"])
            return Answer(status=HTTPStatus.NO_CONTENT)
        if parts.path == "/favicon.ico":
            return Answer(status=HTTPStatus.NOT_FOUND)
        if parts.path in {CAPTCHA, "/popup"}:
            self.pages[parts.path] += 1
            return Answer(status=HTTPStatus.NOT_FOUND)
        return self._page(asked)

    def _page(self, asked: Asked) -> Answer:
        who = _who(asked)
        if self.block:
            self.pages[f"blocked {who}"] += 1
            return self.block
        if self.guarded and not self._has_leave(asked):
            self.pages[f"refused {who}"] += 1
            return self._refused()
        self.pages[f"served {who}"] += 1
        if rest := self._rest.get(asked.target):
            return rest
        assert self._site is not None
        answer = self._site(asked)
        is_listing = b"InitialContext" in answer.body or b"gdpCl" in answer.body
        return self._acting(answer) if is_listing else answer

    # --- the guard

    def _refused(self) -> Answer:
        seed = f"seed {self.pages.total()}"
        title, head, box = _TITLED[self.source]
        passing = f"passGuard({json.dumps(seed)}, {self.works_s * 1000:.0f})"
        body = (
            f'<!DOCTYPE html><html><head><meta charset="utf-8">{head}'
            f"<title>{title}</title></head><body>{box}"
            f"{_script(passing)}</body></html>"
        )
        refusal = self.refusal or REFUSALS[self.source]
        return replace(refusal, body=body.encode())

    def _leave(self, asked: Asked, query: dict[str, str]) -> Answer:
        """Give leave to a browser: one that can count, and that no robot drives."""
        if (
            query.get("proof") != str(_worked(query.get("seed", "")))
            or query.get("webdriver") != "false"
            or query.get("agent") != asked.headers.get("user-agent")
        ):
            self.pages["no leave"] += 1
            return Answer(status=HTTPStatus.FORBIDDEN)
        self.visits.append(query)
        return Answer(body=f"leave{len(self.visits)}".encode())

    def _has_leave(self, asked: Asked) -> bool:
        found = _COOKIE.search(asked.headers.get("cookie", ""))
        leaves = (f"leave{number + 1}" for number in range(len(self.visits)))
        return found is not None and found["leave"] in leaves

    # --- what pages do

    def _acting(self, answer: Answer) -> Answer:
        page = answer.body.decode()
        calls = [f"{act}()" for act in self.acts if act is not Act.LAZY]
        if Act.FOREIGN in self.acts:
            calls.remove("foreign()")
            calls.append(f"foreign({json.dumps(FOREIGN)})")
        if Act.LAZY in self.acts:
            page, url = self._cut(page)
            calls.insert(0, f"lazy({json.dumps(url)})")
        script = _script("; ".join(calls)) if calls else ""
        body = page.replace("</body>", f"{script}</body>")
        return replace(answer, body=body.encode())

    def _cut(self, page: str) -> tuple[str, str]:
        """Take photos out of a page; return it and where the full answer then is."""
        cut = _cut_redfin if self.source is Source.REDFIN else _cut_zillow
        page, url, rest = cut(page, self.shown)
        self._rest[url] = Answer(body=rest.encode(), headers=_JSON)
        return page, url


def _who(asked: Asked) -> str:
    """Tell clients apart as no site can that speaks HTTP/2, where this header is not.

    curl sends none in HTTP/1.1, which is all that the stand-ins speak.
    """
    return "browser" if "connection" in asked.headers else "plain"


def _script(call: str) -> str:
    return f"<script>{_NAMES}\n{_SCRIPT}\n{call}</script>"


def _worked(seed: str) -> int:
    """What the script works out of a seed."""
    total = 7
    for letter in seed:
        total = (total * 31 + ord(letter)) % 1_000_003
    return total


def _cut_redfin(page: str, shown: int) -> tuple[str, str, str]:
    found = _CONTEXT.search(page)
    assert found is not None
    context = json.loads(found[0])
    cache = context["ReactServerAgent.cache"]["dataCache"]
    response = cache[ABOVE]["res"]
    rest = response["text"]
    above = json.loads(rest.removeprefix("{}&&"))
    photos = above["payload"]["mediaBrowserInfo"]["photos"]
    above["payload"]["mediaBrowserInfo"]["photos"] = photos[:shown]
    response["text"] = "{}&&" + json.dumps(above)
    asked = cache[ABOVE]["requestData"]["queryParams"][0]
    query = "&".join(f"{name}={value}" for name, value in asked.items())
    return _with(page, found, context), f"{ABOVE}?{query}", rest


def _cut_zillow(page: str, shown: int) -> tuple[str, str, str]:
    found = _NEXT_DATA.search(page)
    assert found is not None
    data = json.loads(found[0])
    component = data["props"]["pageProps"]["componentProps"]
    answers = json.loads(component["gdpClientCache"])
    (home,) = (
        answer["property"]
        for query, answer in answers.items()
        if query.startswith("ForSale")
    )
    rest = json.dumps({"data": {"property": home}})
    home |= {name: home[name][:shown] for name in _PHOTO_LISTS if name in home}
    component["gdpClientCache"] = json.dumps(answers)
    query = f"zpid={home['zpid']}&operationName=ForSaleDoubleScrollFullRenderQuery"
    return _with(page, found, data), f"{GRAPHQL}?{query}", rest


def _with(page: str, found: re.Match[str], value: Any) -> str:
    text = json.dumps(value).replace("<", "\\u003c").replace("/", "\\u002F")
    return page[: found.start()] + text + page[found.end() :]


def blocking(page: bytes) -> Answer:
    """A hard block of Zillow's guard with this page."""
    return replace(REFUSALS[Source.ZILLOW], body=page)


def several(*sites: BrowserSite) -> dict[str, Handler]:
    """The handlers of several sources, for one proxy."""
    handlers: dict[str, Handler] = {}
    for site in sites:
        handlers |= site.handlers()
    return handlers
