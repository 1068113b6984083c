"""What a request meets on the wire is told to who asks for it, by either client."""

from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme

from phx_pipeline.demo.loopback import Answer, Loopback
from phx_pipeline.errors import TransientError
from phx_pipeline.fetch.base import Fetcher, Request, RequestKind
from phx_pipeline.fetch.chain import build_fetcher
from phx_pipeline.fetch.hosts import Endpoint
from phx_pipeline.fetch.trace import WireEvent, WireStep
from phx_pipeline.model.source import Source

SITE, API = "www.redfin.com", "api.example.com"
END = datetime(3000, 1, 1, tzinfo=UTC)  # of the stand-ins' certificates
ASKING = {
    "curl": Request(
        url=f"https://{SITE}/", source=Source.REDFIN, kind=RequestKind.PAGE
    ),
    "httpx": Request(url=f"https://{API}/", kind=RequestKind.API, group="feed"),
}


@pytest.fixture(scope="module")
def loopback(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loopback]:
    answers = dict.fromkeys((SITE, API), lambda _asked: Answer(body=b"<p>here"))
    with Loopback(answers, folder=tmp_path_factory.mktemp("sites")) as running:
        yield running


def through(loopback: Loopback, *, ca_file: Path | None = None) -> Fetcher:
    return build_fetcher(
        allowed={Source.REDFIN: (SITE,)},
        endpoints={"feed": [Endpoint.of(f"https://{API}/", setting="PHX_FEED")]},
        proxy=loopback.proxy_url,
        ca_file=ca_file or loopback.ca_file,
        attempts=1,
    )


async def met(fetcher: Fetcher, asking: Request) -> list[WireEvent]:
    """All that two requests for the same met."""
    events: list[WireEvent] = []
    async with aclosing(fetcher):
        for _ in range(2):
            await fetcher.get(replace(asking, trace=events.append))
    return events


@pytest.mark.parametrize("client", ASKING)
async def test_name_tls_and_answer_are_told(loopback: Loopback, client: str) -> None:
    events = await met(through(loopback), ASKING[client])

    named, secured, answered = events[:3]
    assert (named.step, named.is_proxied, named.addresses) == (WireStep.NAME, True, 0)
    assert secured.certificate is not None
    assert secured.certificate.until == END
    assert secured.host in secured.certificate.names
    assert (answered.client, answered.status, answered.size_bytes) == (client, 200, 7)


async def test_a_connection_that_is_used_again_shows_no_certificate(
    loopback: Loopback,
) -> None:
    events = await met(through(loopback), ASKING["curl"])

    assert [event.step for event in events[3:]] == [WireStep.NAME, WireStep.ANSWER]


@pytest.mark.parametrize("client", ASKING)
async def test_tls_that_cannot_be_verified_is_told(
    loopback: Loopback, tmp_path: Path, client: str
) -> None:
    trustme.CA().cert_pem.write_to_path(str(other := tmp_path / "other.pem"))
    events: list[WireEvent] = []
    fetcher = through(loopback, ca_file=other)

    async with aclosing(fetcher):
        with pytest.raises(TransientError):
            await fetcher.get(replace(ASKING[client], trace=events.append))

    assert [event.step for event in events] == [WireStep.NAME, WireStep.TLS]
    assert events[-1].fault
