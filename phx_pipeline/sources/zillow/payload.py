"""What a Zillow page carries as JSON, and whether it is a page at all.

What the JSON means is read in `search`, `gallery` and `detail`.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from phx_pipeline.errors import SourceChangedError
from phx_pipeline.fetch.base import Captured, Fetched
from phx_pipeline.model import json_parts
from phx_pipeline.sources import next_data
from phx_pipeline.sources.head import Described, described, own_urls, titled
from phx_pipeline.sources.json_values import JsonObject, decoded, mapping

_Payload = tuple[JsonObject | None, JsonObject | None]  # of a detail, a search page

LAZY: Final = "captured "
"""How the names of queries begin whose answers the page asked for when it was run."""

_SCRIPT = re.compile(r"<script\b(?P<attributes>[^>]*)>", re.IGNORECASE)
_SCRIPT_END = re.compile(r"</script\s*>", re.IGNORECASE)
_OLDER = re.compile(
    r"<script\b[^<>]*(?:hdpApolloPreloadedData|mobileSearchPageStore)[^<>]*>"
    r"\s*(?:<!--)?(?P<store>.*?)(?:-->)?\s*</script",
    re.DOTALL | re.IGNORECASE,
)
_CARRIED = ("gdpClientCache", "searchPageState", "initialReduxState")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page that was delivered, with the JSON it carries.

    `cache` holds the answers of a detail page by query, `search` the state of a search
    page; a page that is neither (the home page) has none. `challenged`: a challenge
    lies over a page that was delivered in full. `links` are its own addresses, as its
    head tells them, `titles` the addresses in its titles, `houses` those its structured
    data is of.
    """

    url: str
    cache: JsonObject | None
    search: JsonObject | None
    challenged: bool
    links: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    houses: tuple[Described, ...] = ()


def read_page(fetched: Fetched) -> Page:
    """Return what an answer carries, and what its page asked for by itself.

    Raises:
        SourceChangedError: a payload is there but has another shape.
    """
    cache, search = _payload(fetched.body.decode("utf-8", errors="replace"))
    if search is None and (lazy := dict(_lazy(fetched.captured))):
        cache = {**(cache or {}), **lazy}
    return Page(
        url=fetched.url,
        cache=cache,
        search=search,
        challenged=bool(fetched.challenge),
        links=tuple(own_urls(fetched.body)) if cache is not None else (),
        titles=tuple(titled(fetched.body)) if cache is not None else (),
        houses=tuple(described(fetched.body)) if cache is not None else (),
    )


def carries_answers(script: str) -> bool:
    """Whether *script*, given with its tags, carries the data of a page, read or not.

    This tells a page from a challenge; what is in it may have changed all the same.
    """
    if next_data.carries(script, _CARRIED):
        return True
    older = _OLDER.match(script)
    return older is not None and bool(json_parts.decoded(older["store"]))


def _lazy(captured: Iterable[Captured]) -> Iterator[tuple[str, JsonObject]]:
    """Yield the answers about a home, as a page would carry them."""
    for number, answer in enumerate(captured):
        if answer.status != HTTPStatus.OK:
            continue
        with suppress(SourceChangedError):
            text = answer.body.decode("utf-8", errors="replace")
            told = mapping(decoded(text, what=answer.url), what=answer.url)
            data = mapping(told.get("data"), what="data")
            mapping(data.get("property"), what="property")
            yield f"{LAZY}{number}", data


def _payload(text: str) -> _Payload:
    """Return the answers of a detail page and the state of a search page."""
    if text.lstrip().startswith("{"):  # the search API of 2018
        return None, mapping(decoded(text, what="the answer"), what="the answer")
    for attributes, script in _scripts(text):
        for name, read in _READERS.items():
            if name in attributes:
                # In some generations the JSON is pretty-printed, in some a comment.
                bare = script.strip().removeprefix("<!--").removesuffix("-->")
                return read(mapping(decoded(bare, what=name), what=name))
    return None, None


def _scripts(text: str) -> Iterator[tuple[str, str]]:
    """Yield attributes and content of each script that is closed, in one pass."""
    at = 0
    while start := _SCRIPT.search(text, at):
        end = _SCRIPT_END.search(text, start.end())
        if end is None:
            return
        yield start["attributes"], text[start.end() : end.start()]
        at = end.end()


def _next_data(carried: JsonObject) -> _Payload:
    props = mapping(carried.get("props"), what="props")
    page = mapping(props.get("pageProps"), what="pageProps")
    inner = page.get("componentProps")
    for holder in (inner, page):
        if isinstance(holder, dict) and holder.get("gdpClientCache") is not None:
            what = "gdpClientCache"
            return _twice_decoded(holder[what], what=what), None
    state = page.get("searchPageState")
    if state is None:
        return None, None
    return None, mapping(state, what="searchPageState")


def _apollo(carried: JsonObject) -> _Payload:
    return _twice_decoded(carried.get("apiCache"), what="apiCache"), None


def _search_store(carried: JsonObject) -> _Payload:
    return None, carried


# By the name the script of a generation has.
_READERS: Mapping[str, Callable[[JsonObject], _Payload]] = {
    "__NEXT_DATA__": _next_data,  # all pages since about 2022
    "hdpApolloPreloadedData": _apollo,  # detail pages before
    "mobileSearchPageStore": _search_store,  # search pages of 2021-22
}


def _twice_decoded(value: object, *, what: str) -> JsonObject:
    """Return an object that lies in the JSON as a string of JSON."""
    inner = decoded(value, what=what) if isinstance(value, str) else value
    return mapping(inner, what=what)
