"""A stand-in for Zillow: search and detail pages, and the photo CDN."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import unquote, urlsplit

from phx_pipeline.demo.houses import HOUSES, NEWCOMERS, House
from phx_pipeline.demo.loopback import Answer, Asked, Handler
from phx_pipeline.demo.zillow_photos import photo_cdn
from phx_pipeline.sources.zillow.standin import (
    APP_ID,
    PAGE_HOST,
    address_line,
    detail_page,
    home_page,
    search_page,
    zpid,
)
from phx_pipeline.sources.zillow.standin_listings import place_page
from phx_pipeline.sources.zillow.standin_photos import PHOTO_HOST

_PER_PAGE = 41  # rows of a search page, as of the captured ones
_HTML = {"content-type": "text/html; charset=utf-8"}
_BLOCK_PAGE = (
    '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
    '<meta name="description" content="px-captcha">'
    f"<title>Access to this page has been denied</title>{APP_ID}</head><body>"
    '<div id="px-captcha-wrapper"><div id="px-captcha"></div></div></body></html>'
).encode()
_BLOCKED = {**_HTML, "x-px-blocked": "1"}

_HOMES_PATH = re.compile(r"/homes/(?P<asked_for>[^/]+)_rb/?")
_DETAIL_PATH = re.compile(r"/homedetails/(?:[^/]+/)?(?P<zpid>\d+)_zpid/?", re.ASCII)
_UNIT_WORDS = frozenset({"unit", "apt"})


def zillow_sites(
    houses: Sequence[House] = HOUSES,
    *,
    newcomers: Sequence[House] = NEWCOMERS,
    blocked: frozenset[str] = frozenset(),
    details_refused: bool = False,
    challenged: bool = False,
    counted: bool = False,
    photo_delay_s: float = 0.0,
) -> dict[str, Handler]:
    """Return the handlers of the page host and of the photo CDN.

    Every other house is answered with its detail page at once, the rest with a search
    page that links it.

    Args:
        houses: what is on the market; each page shows photos of all the others.
        newcomers: on the market too, but shown by searches by place and their own
            pages alone.
        blocked: hosts that answer every request with a block page (403).
        details_refused: whether detail pages are blocked while searches are not.
        challenged: whether detail pages come under a challenge.
        counted: whether search rows state how many photos a home has; captured ones
            with a gallery do not.
        photo_delay_s: pause before each photo, to kill a run half-way.
    """
    pages = _Pages(
        houses=tuple(houses),
        newcomers=tuple(newcomers),
        details_refused=details_refused,
        challenged=challenged,
        counted=counted,
    )
    sites: dict[str, Handler] = {
        PAGE_HOST: pages.answer,
        PHOTO_HOST: photo_cdn([*houses, *newcomers], delay_s=photo_delay_s),
    }
    return {
        host: _refuse if host in blocked else handler for host, handler in sites.items()
    }


def _refuse(_asked: Asked) -> Answer:
    return Answer(status=HTTPStatus.FORBIDDEN, body=_BLOCK_PAGE, headers=_BLOCKED)


def _missing() -> Answer:
    return Answer(status=HTTPStatus.NOT_FOUND, body=b"Not Found", headers=_HTML)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pages:
    """The page host."""

    houses: tuple[House, ...]
    newcomers: tuple[House, ...]
    details_refused: bool
    challenged: bool
    counted: bool

    def answer(self, asked: Asked) -> Answer:
        path = urlsplit(asked.target).path
        listed = place_page(asked.target, houses=self._all, per_page=_PER_PAGE)
        if listed is not None:
            return Answer(body=listed, headers=_HTML)
        if found := _HOMES_PATH.fullmatch(path):
            return self._search(unquote(found["asked_for"]))
        if found := _DETAIL_PATH.fullmatch(path):
            known = (house for house in self._all if str(zpid(house)) == found["zpid"])
            house = next(known, None)
            return self._detail(house) if house else _missing()
        return Answer(body=home_page(), headers=_HTML) if path == "/" else _missing()

    @property
    def _all(self) -> tuple[House, ...]:
        return (*self.houses, *self.newcomers)

    def _search(self, asked_for: str) -> Answer:
        words = _words(asked_for)
        for number, house in enumerate(self._all):
            if _words(address_line(house)) == words:
                return self._results([house]) if number % 2 else self._detail(house)
        close = [house for house in self.houses if _is_close(house, words=words)]
        return self._results(close)

    def _results(self, listed: Sequence[House]) -> Answer:
        relaxed = tuple(house for house in self.houses if house not in listed)
        body = search_page(tuple(listed), relaxed=relaxed, counted=self.counted)
        return Answer(body=body, headers=_HTML)

    def _detail(self, house: House) -> Answer:
        if self.details_refused:
            return Answer(
                status=HTTPStatus.FORBIDDEN, body=_BLOCK_PAGE, headers=_BLOCKED
            )
        others = tuple(other for other in self.houses if other is not house)
        body = detail_page(house, others=others, challenged=self.challenged)
        return Answer(body=body, headers=_HTML)


def _words(text: str) -> tuple[str, ...]:
    found = re.findall(r"[a-z0-9]+", text.lower())
    return tuple(word for word in found if word not in _UNIT_WORDS)


def _is_close(house: House, *, words: Sequence[str]) -> bool:
    """Whether a house has the street and the ZIP somebody asked for."""
    street = {word for word in _words(house.street_line) if word.isalpha()}
    return street | {house.zip_code} <= set(words)
