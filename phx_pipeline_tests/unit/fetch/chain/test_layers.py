"""In which order the layers of a fetcher run."""

from dataclasses import replace

import pytest

from phx_pipeline.errors import (
    HostRefusedError,
)
from phx_pipeline.fetch.base import Fetched, Fetcher, Request
from phx_pipeline.fetch.chain import (
    Layer,
    Redirects,
    Statuses,
    build_fetcher,
)
from phx_pipeline.model.source import Source
from phx_pipeline_tests.unit.fetch.chain.conftest import (
    ALLOW_LIST,
    Site,
    answer,
    request,
)


async def test_closing_reaches_the_innermost_layer() -> None:
    site = Site({})

    await Statuses(Redirects(site, allow_list=ALLOW_LIST)).aclose()

    assert site.closed


class Stamp:
    """A layer that notes its name, and answers in place of the rest when last."""

    def __init__(self, inner: Fetcher, *, name: str, notes: list[str]) -> None:
        self.inner = inner
        self.name = name
        self.notes = notes

    async def get(self, request: Request) -> Fetched:
        self.notes.append(self.name)
        return answer(200) if self.name == "last" else await self.inner.get(request)

    async def aclose(self) -> None:
        self.notes.append(f"close {self.name}")
        await self.inner.aclose()


def stamp(name: str, notes: list[str]) -> Layer:
    return lambda inner: Stamp(inner, name=name, notes=notes)


async def test_layers_between_run_in_order_after_the_host_check() -> None:
    notes: list[str] = []
    fetcher = build_fetcher(
        allowed={Source.ZILLOW: ("zillow.com",)},
        between=[stamp("first", notes), stamp("last", notes)],
    )

    with pytest.raises(HostRefusedError):
        await fetcher.get(replace(request(), url="https://example.com/"))
    refused = list(notes)
    await fetcher.get(request())
    await fetcher.aclose()

    assert refused == []
    assert notes == ["first", "last", "close first", "close last"]
