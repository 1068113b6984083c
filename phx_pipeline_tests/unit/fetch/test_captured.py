"""What a page asked for by itself is handed on within lists and limits."""

from contextlib import aclosing
from dataclasses import replace

from phx_pipeline.fetch.base import (
    Captured,
    ClientName,
    Fetched,
    Request,
    RequestKind,
)
from phx_pipeline.fetch.captured import MOST_CAPTURED, CaptureLimits
from phx_pipeline.fetch.chain import build_fetcher
from phx_pipeline.fetch.hosts import AllowList
from phx_pipeline.fetch.route import Route
from phx_pipeline.model.source import Source

SITE = "https://www.zillow.com"
PAGE = Request(
    url=f"{SITE}/homedetails/1_zpid/",
    source=Source.ZILLOW,
    kind=RequestKind.PAGE,
    captures=("/graphql/", "/api/"),
)


def seen(url: str, body: bytes = b"{}") -> Captured:
    return Captured(url=url, status=200, headers={}, body=body)


class Browser:
    """Answers each page with what it captured beside it."""

    def __init__(self, *captured: Captured) -> None:
        self.captured = captured

    async def get(self, request: Request) -> Fetched:
        page = b"<html><body>a house</body></html>"
        return Fetched(
            url=request.url, status=200, headers={}, body=page, captured=self.captured
        )

    async def aclose(self) -> None:
        pass


async def handed_on(*captured: Captured, request: Request = PAGE) -> list[Captured]:
    fetcher = build_fetcher(
        allowed={Source.ZILLOW: ("zillow.com",)},
        route=Route(own={(Source.ZILLOW, RequestKind.PAGE): (ClientName.BROWSER,)}),
        further={ClientName.BROWSER: Browser(*captured)},
    )
    async with aclosing(fetcher):
        return list((await fetcher.get(request)).captured)


async def test_only_wanted_answers_of_listed_hosts_are_handed_on_in_order() -> None:
    one, two = seen(f"{SITE}/graphql/?q=1"), seen(f"{SITE}/api/x")
    others = [
        seen(f"{SITE}/collector/graphql/"),
        seen("https://evil.example/graphql/"),
        seen("http://www.zillow.com/graphql/"),
    ]

    assert await handed_on(one, *others, two) == [one, two]


async def test_nothing_is_handed_on_to_a_request_that_wants_nothing() -> None:
    bare = replace(PAGE, captures=())

    assert await handed_on(seen(f"{SITE}/graphql/"), request=bare) == []


async def test_captured_answers_are_no_more_and_no_longer_than_allowed() -> None:
    small = [seen(f"{SITE}/api/{n}") for n in range(MOST_CAPTURED + 9)]
    large = seen(f"{SITE}/api/large", bytes(8))

    assert await handed_on(*small) == small[:MOST_CAPTURED]
    short = replace(PAGE, max_bytes=11)
    assert await handed_on(large, large, small[0], request=short) == [large, small[0]]


def test_the_body_of_what_was_captured_is_not_shown() -> None:
    assert "hush" not in repr(seen(SITE, b"hush"))


async def test_what_scripts_made_of_a_page_is_as_long_as_a_page_may_be() -> None:
    class Writing(Browser):
        async def get(self, request: Request) -> Fetched:
            return replace(await super().get(request), rendered=b"<html>" * 1000)

    allow_list = AllowList({Source.ZILLOW: ("zillow.com",)})
    limits = CaptureLimits(Writing(), allow_list=allow_list)

    answer = await limits.get(replace(PAGE, max_bytes=60))

    assert answer.rendered == b"<html>" * 10
