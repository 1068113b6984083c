"""curl and the browser beside it are one browser to a site, but for what is listed."""

import sys
import time
import urllib.request
from collections.abc import Mapping
from contextlib import aclosing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from phx_pipeline.demo.loopback import Answer, Asked, Loopback
from phx_pipeline.fetch.base import Request, RequestKind
from phx_pipeline.fetch.clients.browser.executable import find_chromium
from phx_pipeline.fetch.clients.browser.isolation import screen
from phx_pipeline.fetch.clients.browser.launch import Launch, launch
from phx_pipeline.fetch.clients.browser.version import version_line
from phx_pipeline.fetch.clients.curl import CurlClient
from phx_pipeline.fetch.identity import Installed, brands, installed_of, profile_of
from phx_pipeline.fetch.profile import PROFILES, ClientProfile
from phx_pipeline.model.isolation import IsolationMode
from phx_pipeline.model.source import Source

HOST = "www.zillow.com"
URL = f"https://{HOST}/homes/"
CHROMIUM = find_chromium(None)
PATIENCE_S = 30.0

# What the impersonation sets itself: newer versions accept more kinds of pictures, and
# HTTP/1.1, which only stand-ins speak, has a header for the connection.
STILL_DIFFERS = {"accept", "connection"}


def site(_asked: Asked) -> Answer:
    page = b"<html><body>fine</body></html>"
    return Answer(body=page, headers={"Content-Type": "text/html"})


def sent_by_chromium(loopback: Loopback, executable: Path) -> Mapping[str, str]:
    port = urlsplit(loopback.proxy_url).port or 0
    with screen(IsolationMode.VIRTUAL) as display:
        plan = Launch(
            executable=executable,
            profiles=loopback.ca_file.parent / "profiles",
            screen=display,
            proxy_port=port,
            spki=loopback.spki_sha256,
        )
        browser = launch(plan)
        try:
            opened = f"http://127.0.0.1:{browser.port}/json/new?{URL}"
            asking = urllib.request.Request(opened, method="PUT")  # our own
            urllib.request.urlopen(asking, timeout=PATIENCE_S).close()  # noqa: S310
            return first_page(loopback)
        finally:
            browser.stop()


def first_page(loopback: Loopback) -> Mapping[str, str]:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        for asked in list(loopback.asked):
            if asked.host == HOST and asked.target == "/homes/":
                return asked.headers
        time.sleep(0.05)
    raise AssertionError("the browser asked for nothing")


async def sent_by_curl(loopback: Loopback, profile: ClientProfile) -> Mapping[str, str]:
    client = CurlClient(
        proxy=loopback.proxy_url, ca_file=loopback.ca_file, profile=profile
    )
    request = Request(url=URL, source=Source.ZILLOW, kind=RequestKind.PAGE)
    async with aclosing(client):
        await client.get(request)
    return loopback.asked[-1].headers


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
async def test_curl_differs_from_the_browser_in_nothing_but_what_is_listed(
    tmp_path: Path,
) -> None:
    assert CHROMIUM
    installed = installed_of(version_line(CHROMIUM))
    assert installed
    with Loopback({HOST: site}, folder=tmp_path) as loopback:
        browser = sent_by_chromium(loopback, CHROMIUM)
        curl = await sent_by_curl(
            loopback, profile_of(installed, platform=sys.platform)
        )

    names = browser.keys() | curl.keys()
    differing = {name for name in names if browser.get(name) != curl.get(name)}
    assert differing == STILL_DIFFERS
    assert [name for name in browser if name in curl] == list(curl)


@pytest.mark.parametrize(
    "profile",
    [profile for profile in PROFILES if profile.impersonate.startswith("chrome")],
    ids=lambda profile: profile.impersonate,
)
async def test_the_brands_are_computed_as_recorded_from_real_browsers(
    tmp_path: Path, profile: ClientProfile
) -> None:
    major = int(profile.impersonate.removeprefix("chrome"))
    with Loopback({HOST: site}, folder=tmp_path) as loopback:
        sent = await sent_by_curl(loopback, profile)

    chrome = Installed(brand="Google Chrome", major=major)
    assert sent["sec-ch-ua"] == brands(chrome)


def test_what_is_no_program_has_no_version(tmp_path: Path) -> None:
    assert version_line(tmp_path / "chromium") == ""
