"""The sites of the fortnight: what they answer on the day that it is.

Pages are the captured ones, altered; photos are real ones. Both lie outside the
repository; callers get the folder from the fixture `shared_dir`.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from phx_pipeline.demo.loopback import Answer, Asked, Handler
from phx_pipeline.demo.redfin_site import suggest
from phx_pipeline.model.source import Source
from phx_pipeline.sources.redfin.standin import PAGE_HOST as REDFIN_PAGES
from phx_pipeline.sources.redfin.standin_photos import PHOTO_HOST as REDFIN_PHOTOS
from phx_pipeline.sources.redfin.standin_search import AUTOCOMPLETE_PATH, Place
from phx_pipeline.sources.zillow.standin import PAGE_HOST as ZILLOW_PAGES
from phx_pipeline.sources.zillow.standin_photos import PHOTO_HOST as ZILLOW_PHOTOS
from phx_pipeline_tests.captured import distinct_photos
from phx_pipeline_tests.fortnight import redfin_pages, search_pages, zillow_pages
from phx_pipeline_tests.fortnight.table import OFF, SOLD, Home, Shown, Story

PAGES_OF = {REDFIN_PAGES: Source.REDFIN, ZILLOW_PAGES: Source.ZILLOW}
_HOSTS = {
    **PAGES_OF,
    REDFIN_PHOTOS: Source.REDFIN,
    ZILLOW_PHOTOS: Source.ZILLOW,
}
_HTML = {"content-type": "text/html; charset=utf-8"}
_BLOCKS = {
    Source.REDFIN: "redfin/block_excerpt_2026_ratelimited.txt",
    Source.ZILLOW: "zillow/block_px_2025-04.html",
}
_PLACE_AT_REDFIN = re.compile(r"/zipcode/(?P<zip_code>\d{5})(?:/|$)", re.ASCII)
_PLACE_AT_ZILLOW = re.compile(r"/homes/(?P<zip_code>\d{5})_rb/", re.ASCII)
_MISSING = Answer(status=HTTPStatus.NOT_FOUND)
_PER_HOUSE = 30  # real photos of one house: its names, in two versions, and a swap


@dataclass(kw_only=True)
class Town:
    """The houses of a story as two sites show them; `day` is today.

    `asked` counts the pages asked for, by day, source and path; photos are not in it.
    """

    story: Story
    shared: Path
    day: int = 0
    asked: Counter[tuple[int, Source, str]] = field(default_factory=Counter)
    on_request: Callable[[], None] = lambda: None

    def sites(self) -> dict[str, Handler]:
        """The handlers by host."""
        answers = {
            REDFIN_PAGES: self._redfin_page,
            REDFIN_PHOTOS: self._redfin_photo,
            ZILLOW_PAGES: self._zillow_page,
            ZILLOW_PHOTOS: self._zillow_photo,
        }
        return {host: self._unless_silent(it) for host, it in answers.items()}

    def pages_asked(self, source: Source, *, day: int) -> int:
        """How many pages of *source* were asked for on *day*."""
        return sum(
            n for (on, of, _), n in self.asked.items() if (on, of) == (day, source)
        )

    def _unless_silent(self, answer: Handler) -> Handler:
        def guarded(asked: Asked) -> Answer:
            source = _HOSTS[asked.host]
            if asked.host in PAGES_OF:
                self.asked[self.day, source, urlsplit(asked.target).path] += 1
            self.on_request()
            if self.story.is_down(source, day=self.day):
                return Answer(status=HTTPStatus.BAD_GATEWAY)
            if self.story.blocks(source, day=self.day):
                return self._refusal(source)
            return answer(asked)

        return guarded

    def _refusal(self, source: Source) -> Answer:
        body = (self.shared / "samples" / _BLOCKS[source]).read_bytes()
        status = HTTPStatus.FORBIDDEN
        return Answer(status=status, body=body, headers=_HTML)

    def _listed(self, source: Source) -> Iterator[tuple[Home, Shown]]:
        for home in self.story.homes:
            if shown := self.story.shown(home, source, day=self.day):
                yield home, shown

    def _offered(self, source: Source, zip_code: str) -> list[tuple[Home, Shown]]:
        """What a search for a ZIP finds: sold houses and withdrawn ones are not."""
        return [
            (home, shown)
            for home, shown in self._listed(source)
            if home.zip_code == zip_code and shown.status not in {OFF, SOLD}
        ]

    def _redfin_page(self, asked: Asked) -> Answer:
        parts = urlsplit(asked.target)
        if parts.path == AUTOCOMPLETE_PATH:
            places = [_place(home) for home, _ in self._listed(Source.REDFIN)]
            wanted = parse_qs(parts.query).get("location", [""])
            return suggest(wanted[0], places=places)
        if found := _PLACE_AT_REDFIN.match(parts.path):
            offered = self._offered(Source.REDFIN, found["zip_code"])
            body = search_pages.redfin_page(self.shared, offered)
            return Answer(body=body, headers=_HTML)
        for home, shown in self._listed(Source.REDFIN):
            if parts.path == redfin_pages.path_of(home):
                body = redfin_pages.listing_page(self.shared, home, shown)
                return Answer(body=body, headers=_HTML)
        return _MISSING

    def _zillow_page(self, asked: Asked) -> Answer:
        path = unquote(urlsplit(asked.target).path)
        if found := _PLACE_AT_ZILLOW.fullmatch(path):
            offered = self._offered(Source.ZILLOW, found["zip_code"])
            body = search_pages.zillow_page(self.shared, offered)
            return Answer(body=body, headers=_HTML)
        for home, shown in self._listed(Source.ZILLOW):
            words = home.line.replace(" ", "-")
            if words in path or f"/{zillow_pages.zpid_of(home)}_zpid/" in path:
                body = zillow_pages.listing_page(self.shared, home, shown)
                return Answer(body=body, headers=_HTML)
        return _MISSING

    def _redfin_photo(self, asked: Asked) -> Answer:
        url = f"https://{asked.host}{asked.target}"
        for home, shown in self._listed(Source.REDFIN):
            for name in shown.photos:
                if url in redfin_pages.photo_urls(shown, name).values():
                    return self._picture(home, name, swapped=name in shown.swapped)
        return _MISSING

    def _zillow_photo(self, asked: Asked) -> Answer:
        for home, shown in self._listed(Source.ZILLOW):
            for name in shown.photos:
                key = zillow_pages.key_of(home, shown, name)
                if asked.target.startswith(f"/fp/{key}-"):
                    return self._picture(home, name)
        return _MISSING

    def _picture(self, home: Home, name: str, *, swapped: bool = False) -> Answer:
        """Both sites have the same picture under the same name."""
        version = 2 if swapped else int(name.endswith("b"))
        at = self.story.homes.index(home) * _PER_HOUSE + 3 * int(name.rstrip("b"))
        body = distinct_photos(self.shared)[at + version].read_bytes()
        return Answer(body=body, headers={"content-type": "image/jpeg"})


def _place(home: Home) -> Place:
    return Place(
        line=home.line,
        city=home.city,
        state="AZ",
        zip_code=home.zip_code,
        home_id=home.site_id,
        path=redfin_pages.path_of(home),
    )
