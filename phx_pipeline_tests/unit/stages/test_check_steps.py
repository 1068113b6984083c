"""Each step of a check tells what was seen, and what to do where something is wrong."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from phx_pipeline.errors import (
    BlockedError,
    BrowserError,
    CircuitOpenError,
    FetchError,
    HostRefusedError,
    NoWayError,
    ProxyError,
    RateLimitedError,
    SourceDisabledError,
    TransientError,
)
from phx_pipeline.fetch.base import Fetched, RequestKind
from phx_pipeline.fetch.challenge import no_data
from phx_pipeline.fetch.recording import Exchange
from phx_pipeline.fetch.trace import Certificate, WireEvent, WireStep
from phx_pipeline.model.facts import ListingFacts
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.photo import PhotoRef
from phx_pipeline.model.source import Source
from phx_pipeline.stages.check_steps import Seen, State, Step, steps_of
from phx_pipeline.stages.reading import PhotoSeen

AT = datetime(2026, 3, 9, 12, tzinfo=UTC)
HOST = "www.redfin.com"
URL = f"https://{HOST}/AZ/x"
PAGE = b"<p>a page</p>"
PHOTO = PhotoRef(source=Source.REDFIN, photo_key="1", url="https://a/1", position=0)


def listing(outcome: ListingOutcome = ListingOutcome.LISTED, **told: Any) -> Listing:
    return Listing(source=Source.REDFIN, outcome=outcome, **told)


def exchange(
    *events: WireEvent, error: FetchError | None = None, **told: Any
) -> Exchange:
    answer = None if error else Fetched(url=URL, status=200, headers={}, **told)
    return Exchange(
        url=URL, kind=RequestKind.PAGE, answer=answer, error=error, events=events
    )


def event(step: WireStep, **told: Any) -> WireEvent:
    return WireEvent(step=step, host=HOST, **told)


def told(
    *exchanges: Exchange,
    listing: Listing | None = None,
    photo: PhotoSeen | None = None,
) -> dict[str, Step]:
    """The steps by name, the last of each."""
    seen = Seen(
        exchanges=exchanges,
        listing=listing or Listing(source=Source.REDFIN, outcome=ListingOutcome.FAILED),
        at=AT,
        photo=photo,
        holds_data=no_data,
    )
    return {step.name: step for step in steps_of(seen)}


@pytest.mark.parametrize(
    ("days", "state"), [(400, State.OK), (13, State.WARN), (-1, State.WARN)]
)
def test_a_certificate_that_ends_soon_is_a_warning(days: int, state: State) -> None:
    until = AT + timedelta(days=days)
    shown = Certificate(names=(HOST, "redfin.com"), until=until)

    step = told(exchange(event(WireStep.TLS, certificate=shown), body=PAGE))["tls"]

    assert step.state is state
    assert step.told == (
        f"{HOST}: certificate of {HOST} and 1 more, until {until:%Y-%m-%d}"
    )
    assert bool(step.remedy) is (state is State.WARN)


def test_of_a_certificate_the_name_of_the_host_is_told_first() -> None:
    shown = Certificate(
        names=("www.zillow.com", "*.redfin.com"), until=AT + timedelta(days=99)
    )

    step = told(exchange(event(WireStep.TLS, certificate=shown), body=PAGE))["tls"]

    assert step.told.startswith(f"{HOST}: certificate of *.redfin.com and 1 more")


def test_where_nothing_came_the_cause_is_told_once_and_whole() -> None:
    cause = "no way there: cannot resolve www.redfin.com: no name server answers"
    lost = exchange(error=NoWayError(cause, url=URL))
    ended = listing(ListingOutcome.FAILED, detail=f"the map: {cause}; {'x' * 200} end")
    seen = Seen(
        exchanges=(lost, lost), listing=ended, at=AT, photo=None, holds_data=no_data
    )

    steps = list(steps_of(seen))

    assert [step.name for step in steps] == ["name", "outcome"]
    assert steps[0].told == f"{HOST}/AZ/x: {cause}"
    assert steps[1].told.startswith("failed, the map: as told above; xxx")
    assert steps[1].told.endswith(" end")


def test_a_host_is_told_once_and_each_answer() -> None:
    events = (
        event(WireStep.NAME, addresses=2),
        event(WireStep.ANSWER, client="curl", status=403, size_bytes=9),
        event(WireStep.ANSWER, client="browser", status=200, size_bytes=1234),
    )
    seen = Seen(
        exchanges=(exchange(*events, body=PAGE), exchange(*events, body=PAGE)),
        listing=listing(),
        at=AT,
        photo=None,
        holds_data=no_data,
    )

    lines = [(step.name, step.told) for step in steps_of(seen)][:6]

    assert lines == [
        ("name", f"{HOST}: 2 addresses"),
        ("answer", f"{HOST}/AZ/x: 403, 9 bytes, by curl"),
        ("tls", f"{HOST}: the browser did it, and tells nothing of the certificate"),
        ("answer", f"{HOST}/AZ/x: 200, 1,234 bytes, by browser"),
        ("answer", f"{HOST}/AZ/x: 403, 9 bytes, by curl"),
        ("answer", f"{HOST}/AZ/x: 200, 1,234 bytes, by browser"),
    ]


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (NoWayError("no such name", url=URL), "name"),
        (HostRefusedError("its address is not public", url=URL), "name"),
        (ProxyError("proxy: down", url=URL), "proxy"),
        (BrowserError("no display", url=URL), "browser"),
        (TransientError("reset", url=URL), "answer"),
        (RateLimitedError("slow", url=URL, status=429), "answer"),
        (RateLimitedError("slow", url=URL), "asked"),
        (CircuitOpenError("rests", url=URL, retry_at=AT), "asked"),
        (SourceDisabledError("off", url=URL), "asked"),
    ],
    ids=lambda it: type(it).__name__ if isinstance(it, FetchError) else it,
)
def test_a_failure_is_told_at_the_step_that_failed(
    error: FetchError, name: str
) -> None:
    step = told(exchange(error=error))[name]

    assert step.state is State.FAILED
    assert str(error) in step.told
    assert step.remedy


def test_what_a_failed_handshake_ends_in_is_not_told_again() -> None:
    failed = event(WireStep.TLS, fault="the TLS handshake failed", is_proxied=True)

    steps = told(exchange(failed, error=TransientError("handshake", url=URL)))

    assert steps["tls"].told.endswith("handshake failed, through the proxy")
    assert "answer" not in steps


@pytest.mark.parametrize(
    ("last", "outcome", "kind", "state"),
    [
        (exchange(body=PAGE), "listed", "detail (page)", State.OK),
        (exchange(body=b"{}"), "listed", "detail (JSON)", State.OK),
        (exchange(body=PAGE), "not_found", "search (page)", State.OK),
        (exchange(body=PAGE), "page_changed", "changed (page)", State.OK),
        (exchange(body=PAGE, challenge="px"), "listed", "challenge (px)", State.WARN),
        (
            exchange(error=BlockedError("robot", url=URL, challenge=True)),
            "blocked",
            "challenge (robot)",
            State.FAILED,
        ),
        (
            exchange(error=BlockedError("no", url=URL, status=401)),
            "blocked",
            "refusal (401)",
            State.FAILED,
        ),
    ],
)
def test_the_kind_of_each_page_is_told(
    last: Exchange, outcome: str, kind: str, state: State
) -> None:
    ended = listing(ListingOutcome(outcome), page_kind="detail")

    step = told(exchange(body=b"[]"), last, listing=ended)["page"]

    assert step.told.startswith("search (JSON), then ")
    assert kind in step.told
    assert step.state is state


@pytest.mark.parametrize("outcome", list(ListingOutcome))
def test_every_outcome_has_a_state_and_what_fails_a_remedy(
    outcome: ListingOutcome,
) -> None:
    steps = told(exchange(body=PAGE), listing=listing(outcome, detail="why"))

    assert steps["outcome"].told == f"{outcome.value}, why"
    for step in steps.values():
        assert step.remedy or step.state is not State.FAILED


@pytest.mark.parametrize(
    ("stated", "complete", "line", "state"),
    [
        (1, True, "1 of 1 stated, the whole gallery", State.OK),
        (9, False, "1 of 9 stated, not the whole gallery", State.WARN),
        (None, True, "1 of an unstated number, the whole gallery", State.OK),
    ],
)
def test_photos_are_told_of_those_stated(
    stated: int | None, line: str, state: State, *, complete: bool
) -> None:
    read = listing(photos=(PHOTO,), stated_photos=stated, complete=complete)

    step = told(exchange(body=PAGE), listing=read)["photos"]

    assert (step.told, step.state) == (line, state)


def test_facts_are_told_by_their_labels_read_and_missing() -> None:
    read = listing(facts=ListingFacts(living_area=1791, year_built=1999))

    step = told(exchange(body=PAGE), listing=read)["facts"]

    assert ": living area (sqft), year built; missing: price, " in step.told


def test_facts_without_a_listing_are_told_and_no_photos() -> None:
    parcel = ListingFacts(year_built=1999)
    lacking = listing(ListingOutcome.DISABLED, facts=parcel, detail="no token")

    steps = told(exchange(body=b"{}"), listing=lacking)

    assert "year built" in steps["facts"].told
    assert "photos" not in steps
    assert steps["outcome"].state is State.WARN


def test_a_photo_that_came_inside_the_answer_is_told_so() -> None:
    seen = PhotoSeen(width=30, height=20, size_bytes=1234, is_inline=True)

    step = told(exchange(body=PAGE), listing=listing(photos=(PHOTO,)), photo=seen)

    assert step["photo"].told == "30 x 20, 1,234 bytes, inside the answer"


def test_a_url_that_is_none_is_told_as_it_is() -> None:
    answered = event(WireStep.ANSWER, client="curl", status=200, size_bytes=1)
    odd = replace(exchange(answered, body=PAGE), url="https://[removed]/x")

    assert told(odd)["answer"].told.startswith("https://[removed]/x: 200")
