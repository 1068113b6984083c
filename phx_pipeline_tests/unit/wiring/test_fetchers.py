"""What the settings of requests come to where fetchers are made."""

from contextlib import aclosing
from typing import cast

import pytest

from phx_pipeline.errors import FetchError
from phx_pipeline.fetch.base import ProxyStore
from phx_pipeline.fetch.policies import USUAL_PACE_S
from phx_pipeline.settings import load_settings
from phx_pipeline.wiring.fetchers import build_fetcher_factory
from phx_pipeline_tests.unit.fetch.policies.conftest import API, NOW_S, Memory

NOBODY = {"PHX_PROXY": "http://127.0.0.1:9", "PHX_ATTEMPTS": "1"}
NO_LIST = cast("ProxyStore", None)  # one proxy alone has no health


@pytest.mark.parametrize("percent", [100, 250])
async def test_a_pace_in_percent_is_that_of_what_is_usual(percent: int) -> None:
    memory = Memory()
    settings = load_settings(NOBODY | {"PHX_PACE_PERCENT": str(percent)})
    open_fetcher = build_fetcher_factory(settings, policies=memory, proxies=NO_LIST)

    async with aclosing(open_fetcher("a-house")) as fetcher:
        with pytest.raises(FetchError):
            await fetcher.get(API)

    assert memory.state().next_slot == NOW_S + USUAL_PACE_S * percent / 100
