"""A stand-in for the public site of the Phoenix MLS: its pages, and the photo CDN."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

from phx_pipeline.demo.houses import HOUSES, House
from phx_pipeline.demo.loopback import Answer, Asked, Handler
from phx_pipeline.demo.phoenix_mls_photos import photo_cdn
from phx_pipeline.sources.phoenix_mls.standin import (
    PAGE_HOST,
    SEARCH_PATH,
    listing_page,
    listing_path,
    results_page,
)
from phx_pipeline.sources.phoenix_mls.standin_photos import PHOTO_HOST, RESIZE_HOST

_HTML = {"content-type": "text/html; charset=UTF-8"}
_REFUSAL = (
    b"<!DOCTYPE html><html><head><title>403 Forbidden</title></head>"
    b"<body><h1>403 Forbidden</h1></body></html>"
)


def phoenix_mls_sites(
    houses: Sequence[House] = HOUSES,
    *,
    blocked: frozenset[str] = frozenset(),
    photo_delay_s: float = 0.0,
) -> dict[str, Handler]:
    """Return the handlers of the page host and of both photo hosts.

    Args:
        houses: what is on the market; each page shows photos of all the others.
        blocked: hosts that answer every request with 403.
        photo_delay_s: pause before each photo, to kill a run half-way.
    """
    photos = photo_cdn(houses, delay_s=photo_delay_s)
    pages = _Pages(houses=tuple(houses))
    sites: dict[str, Handler] = {
        PAGE_HOST: pages.answer,
        PHOTO_HOST: photos,
        RESIZE_HOST: photos,
    }
    return {
        host: _refuse if host in blocked else handler for host, handler in sites.items()
    }


def _refuse(_asked: Asked) -> Answer:
    return Answer(status=HTTPStatus.FORBIDDEN, body=_REFUSAL, headers=_HTML)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pages:
    """The page host."""

    houses: tuple[House, ...]

    def answer(self, asked: Asked) -> Answer:
        parts = urlsplit(asked.target)
        if parts.path == SEARCH_PATH:
            asked_for = parse_qs(parts.query).get("StreetAddress", [""])
            return self._results(asked_for[0])
        for house in self.houses:
            for earlier in (False, True):
                record = house.earlier if earlier else house.record
                if parts.path == listing_path(house, record):
                    return self._listing(house, earlier=earlier)
        return Answer(status=HTTPStatus.NOT_FOUND, body=b"Not Found", headers=_HTML)

    def _results(self, asked_for: str) -> Answer:
        """Answer with all listings of the street, whatever their number is."""
        words = set(_words(asked_for))
        found = (it for it in self.houses if set(_words(it.street)) <= words)
        return Answer(body=results_page(tuple(found)), headers=_HTML)

    def _listing(self, house: House, *, earlier: bool) -> Answer:
        others = tuple(other for other in self.houses if other is not house)
        body = listing_page(house, others=others, earlier=earlier)
        return Answer(body=body, headers=_HTML)


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower())
