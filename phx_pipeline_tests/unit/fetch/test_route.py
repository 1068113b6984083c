"""Which client answers: decided by source and kind, below one chain of policies."""

from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from phx_pipeline.errors import (
    BlockedError,
    CircuitOpenError,
    FetchError,
    GoneError,
    SourceDisabledError,
    TransientError,
)
from phx_pipeline.fetch.base import ClientName, Fetched, Request, RequestKind
from phx_pipeline.fetch.chain import build_fetcher
from phx_pipeline.fetch.route import Clients, Route, Routing
from phx_pipeline.model.source import LETTERED, Source

PAGE = Request(
    url="https://www.zillow.com/homedetails/1_zpid/",
    source=Source.ZILLOW,
    kind=RequestKind.PAGE,
)
TO_BROWSER = Route(own={(Source.ZILLOW, RequestKind.PAGE): (ClientName.BROWSER,)})


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


@pytest.mark.parametrize("source", LETTERED)
@pytest.mark.parametrize("kind", RequestKind)
def test_curl_answers_whatever_is_asked_for_by_default(
    source: Source, kind: RequestKind
) -> None:
    request = replace(PAGE, source=source, kind=kind)

    assert Route().clients_of(request) == (ClientName.CURL,)


def test_one_source_may_have_a_client_of_its_own_for_one_kind() -> None:
    chosen = {
        (source, kind): TO_BROWSER.clients_of(replace(PAGE, source=source, kind=kind))
        for source in LETTERED
        for kind in RequestKind
    }

    assert chosen.pop((Source.ZILLOW, RequestKind.PAGE)) == (ClientName.BROWSER,)
    assert set(chosen.values()) == {(ClientName.CURL,)}


def test_a_secret_is_told_to_no_browser() -> None:
    order = (ClientName.CURL, ClientName.BROWSER)
    lacking = "there is no browser"
    for route in (
        TO_BROWSER,
        Route(own={(Source.ZILLOW, RequestKind.PAGE): order}),
        Route(own={(Source.ZILLOW, RequestKind.PAGE): order}, lacking=lacking),
    ):
        asked = replace(PAGE, secret_headers={"authorization": "secret"})

        assert route.clients_of(asked) == (ClientName.CURL,)
        assert route.lacking_for(asked) == ""


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


class Failing(Answering):
    """A client that raises one error, always."""

    def __init__(self, error: FetchError) -> None:
        super().__init__("failing")
        self.error = error

    async def get(self, request: Request) -> Fetched:
        self.asked.append(request)
        raise self.error


def resting(*, refused: bool) -> CircuitOpenError:
    at = datetime(2026, 3, 9, tzinfo=UTC)
    return CircuitOpenError("it rests", url=PAGE.url, retry_at=at, refused=refused)


def escalating(curl: Answering, browser: Answering) -> Routing:
    order = (ClientName.CURL, ClientName.BROWSER)
    route = Route(own={(Source.ZILLOW, RequestKind.PAGE): order})
    return Routing(
        Clients(dict(zip(order, (curl, browser), strict=True)), route=route),
        route=route,
    )


@pytest.mark.parametrize(
    "error",
    [
        BlockedError("403", url=PAGE.url, status=403),
        BlockedError("robot?", url=PAGE.url, status=200, challenge=True),
        resting(refused=True),
    ],
)
async def test_a_refusal_escalates_once_to_the_next_client(error: FetchError) -> None:
    curl, browser = Failing(error), Answering("browser")

    answer = await escalating(curl, browser).get(PAGE)

    assert b"browser" in answer.body
    assert [request.escalates for request in (*curl.asked, *browser.asked)] == [
        True,
        False,
    ]


@pytest.mark.parametrize(
    "error",
    [
        TransientError("503", url=PAGE.url, status=503),
        GoneError("404", url=PAGE.url, status=404),
        SourceDisabledError("switched off", url=PAGE.url),
        resting(refused=False),
    ],
)
async def test_what_is_no_refusal_is_not_escalated(error: FetchError) -> None:
    browser = Answering("browser")

    with pytest.raises(type(error)):
        await escalating(Failing(error), browser).get(PAGE)

    assert browser.asked == []


async def test_the_refusal_of_the_last_client_comes_out() -> None:
    refused = BlockedError("no", url=PAGE.url, status=403)
    curl, browser = Failing(refused), Failing(refused)

    with pytest.raises(BlockedError):
        await escalating(curl, browser).get(PAGE)

    assert (len(curl.asked), len(browser.asked)) == (1, 1)


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
