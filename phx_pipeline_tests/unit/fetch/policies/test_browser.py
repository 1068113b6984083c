"""What the browser may still ask when plain HTTP is refused, and what stops it too."""

from dataclasses import replace

import pytest

from phx_pipeline.errors import (
    BlockedError,
    BrowserError,
    CircuitOpenError,
    RateLimitedError,
    SourceDisabledError,
    TransientError,
)
from phx_pipeline.fetch.base import (
    ClientName,
    Fetched,
    Fetcher,
    Request,
    RequestKind,
)
from phx_pipeline.fetch.route import Clients, Route, Routing
from phx_pipeline.model.source import Source
from phx_pipeline_tests.unit.fetch.policies.conftest import (
    API,
    CHALLENGE,
    PAGE,
    PHOTO,
    URL,
    Memory,
    Site,
    limited,
    opened,
    stack,
)


def routed(memory: Memory, curl: Fetcher, browser: Fetcher) -> Routing:
    order = (ClientName.CURL, ClientName.BROWSER)
    route = Route(own={(Source.REDFIN, RequestKind.PAGE): order})
    clients = Clients({order[0]: curl, order[1]: browser}, route=route)
    return Routing(stack(memory, clients), route=route)


@pytest.mark.parametrize("challenge", [False, True])
async def test_a_refusal_that_the_browser_overcomes_rests_plain_http_alone(
    memory: Memory, *, challenge: bool
) -> None:
    refused = BlockedError("no", url=URL, status=403, challenge=challenge)
    curl, browser = Site(memory, refused), Site(memory)
    fetcher = routed(memory, curl, browser)

    answers = [await fetcher.get(PAGE) for _ in range(3)]
    photo = await fetcher.get(PHOTO)

    assert [answer.status for answer in (*answers, photo)] == [200] * 4
    assert opened(memory) == {"redfin"}
    assert (len(curl.asked_at), len(browser.asked_at)) == (2, 3)


async def test_a_challenge_inside_the_browser_stops_the_source(memory: Memory) -> None:
    curl, browser = Site(memory, CHALLENGE), Site(memory, CHALLENGE)
    fetcher = routed(memory, curl, browser)

    for request in (PAGE, PAGE, PHOTO):
        with pytest.raises((BlockedError, CircuitOpenError)):
            await fetcher.get(request)

    assert opened(memory) == {"redfin", "redfin/browser", "redfin/photos"}
    assert (len(curl.asked_at), len(browser.asked_at)) == (1, 1)


async def test_a_browser_keeps_the_pace_and_the_retry_after_of_its_group(
    memory: Memory,
) -> None:
    refused = BlockedError("no", url=URL, status=403)
    curl, browser = Site(memory, refused), Site(memory, limited(30.0))
    fetcher = routed(memory, curl, browser)
    with pytest.raises(RateLimitedError):
        await fetcher.get(PAGE)
    slower_s = memory.state().period_s

    await fetcher.get(PAGE)

    assert slower_s == 1.0
    assert browser.asked_at[1] - browser.asked_at[0] >= 30


async def test_a_source_that_is_switched_off_is_not_asked_by_a_browser_either(
    memory: Memory,
) -> None:
    memory.put(disabled=True)
    browser = Site(memory)

    with pytest.raises(SourceDisabledError):
        await stack(memory, browser).get(replace(PAGE, client=ClientName.BROWSER))

    assert browser.asked_at == []


async def test_what_fails_in_the_browser_opens_its_own_circuit_and_a_probe_closes_it(
    memory: Memory,
) -> None:
    request = replace(PAGE, client=ClientName.BROWSER)
    broken = TransientError("reset", url=URL)
    fetcher = stack(memory, Site(memory, *[broken] * 3))
    for _ in range(3):
        with pytest.raises(TransientError):
            await fetcher.get(request)
    after_failures = opened(memory)

    memory.now_s += 301
    for _ in range(2):
        await fetcher.get(request)

    assert after_failures == {"redfin/browser"}
    assert opened(memory) == set()


class Covered(Site):
    async def get(self, request: Request) -> Fetched:
        covered = request.kind is not RequestKind.PHOTO
        told = "a box over it" if covered else ""
        return replace(await super().get(request), challenge=told)


async def test_a_payload_under_a_challenge_is_taken_with_its_photos_and_stops_the_pages(
    memory: Memory,
) -> None:
    fetcher = stack(memory, Covered(memory))

    answer = await fetcher.get(API)
    photo = await fetcher.get(PHOTO)

    assert (answer.body, photo.status) == (b"<html>", 200)
    with pytest.raises(CircuitOpenError):
        await fetcher.get(PAGE)
    assert opened(memory) == {"redfin"}


async def test_a_payload_under_a_challenge_in_the_browser_stops_every_client(
    memory: Memory,
) -> None:
    curl, browser = Site(memory), Covered(memory)
    fetcher = routed(memory, curl, browser)

    answer = await fetcher.get(replace(PAGE, browser_first=True))

    assert answer.challenge
    assert opened(memory) == {"redfin", "redfin/browser"}
    with pytest.raises(CircuitOpenError):
        await fetcher.get(PAGE)
    assert (await fetcher.get(PHOTO)).status == 200
    assert len(browser.asked_at) == 1


async def test_a_browser_that_will_not_start_is_no_fault_of_the_source(
    memory: Memory,
) -> None:
    request = replace(PAGE, client=ClientName.BROWSER)
    fetcher = stack(memory, Site(memory, *[BrowserError("no display")] * 5))

    for _ in range(5):
        with pytest.raises(BrowserError):
            await fetcher.get(request)

    assert opened(memory) == set()
    assert memory.state("redfin/browser").failures == 0
    assert memory.state("redfin").failures == 0
