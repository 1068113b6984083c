"""Which client answers: decided by source and kind, below one chain of policies."""

from contextlib import aclosing
from dataclasses import replace

import pytest

from phx_pipeline.fetch.base import ClientName, Fetched, Request, RequestKind
from phx_pipeline.fetch.chain import build_fetcher
from phx_pipeline.fetch.route import Clients, Route, Routing
from phx_pipeline.model.source import Source

PAGE = Request(
    url="https://www.zillow.com/homedetails/1_zpid/",
    source=Source.ZILLOW,
    kind=RequestKind.PAGE,
)
TO_BROWSER = Route(own={(Source.ZILLOW, RequestKind.PAGE): ClientName.BROWSER})


class Answering:
    """A client that says its name, and notes what it was asked for."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.asked: list[Request] = []
        self.closed = False

    async def get(self, request: Request) -> Fetched:
        self.asked.append(request)
        body = f"<html><body>{self.name}</body></html>".encode()
        return Fetched(url=request.url, status=200, headers={"a": "b"}, body=body)

    async def aclose(self) -> None:
        self.closed = True


@pytest.mark.parametrize("source", Source)
@pytest.mark.parametrize("kind", RequestKind)
def test_curl_answers_whatever_is_asked_for_by_default(
    source: Source, kind: RequestKind
) -> None:
    request = replace(PAGE, source=source, kind=kind)

    assert Route().client_of(request) is ClientName.CURL


def test_one_source_may_have_a_client_of_its_own_for_one_kind() -> None:
    chosen = {
        (source, kind): TO_BROWSER.client_of(replace(PAGE, source=source, kind=kind))
        for source in Source
        for kind in RequestKind
    }

    assert chosen.pop((Source.ZILLOW, RequestKind.PAGE)) is ClientName.BROWSER
    assert set(chosen.values()) == {ClientName.CURL}


async def test_a_request_goes_to_the_client_its_route_leads_to() -> None:
    curl, browser = Answering("curl"), Answering("browser")
    clients = {ClientName.CURL: curl, ClientName.BROWSER: browser}
    fetcher = Routing(Clients(clients, route=TO_BROWSER), route=TO_BROWSER)

    async with aclosing(fetcher):
        page = await fetcher.get(PAGE)
        photo = await fetcher.get(replace(PAGE, kind=RequestKind.PHOTO))

    assert (b"browser" in page.body, b"curl" in photo.body) == (True, True)
    assert [request.client for request in browser.asked] == [ClientName.BROWSER]
    assert (curl.closed, browser.closed) == (True, True)


async def test_another_client_answers_below_the_same_policies() -> None:
    browser = Answering("browser")
    fetcher = build_fetcher(
        allowed={Source.ZILLOW: ("zillow.com",)},
        route=TO_BROWSER,
        further={ClientName.BROWSER: browser},
    )

    async with aclosing(fetcher):
        answer = await fetcher.get(PAGE)

    assert b"browser" in answer.body


def test_a_route_to_a_client_that_is_not_there_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="no client browser"):
        build_fetcher(allowed={}, route=TO_BROWSER)
