import shutil
import subprocess
from pathlib import Path

import pytest

from phx_pipeline.demo.loopback import Answer, Asked, Loopback

CHROMIUM = shutil.which("chromium")


def gallery(asked: Asked) -> Answer:
    if asked.target != "/":
        return Answer(status=404)
    photos = "".join(
        f'<img src="https://photos.zillowstatic.com/{n}.svg">' for n in range(20)
    )
    return Answer(body=photos.encode(), headers={"Content-Type": "text/html"})


def drawing(asked: Asked) -> Answer:
    svg = f'<svg xmlns="http://www.w3.org/2000/svg"><text>{asked.target}</text></svg>'
    return Answer(body=svg.encode(), headers={"Content-Type": "image/svg+xml"})


@pytest.mark.soak  # browsers of other tests load their pages through it
@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_chromium_loads_a_page_and_its_twenty_pictures(tmp_path: Path) -> None:
    sites = {"www.zillow.com": gallery, "photos.zillowstatic.com": drawing}

    with Loopback(sites, folder=tmp_path) as loopback:
        done = subprocess.run(  # noqa: S603  # every argument is ours
            [
                str(CHROMIUM),
                "--headless=new",
                "--no-sandbox",
                f"--user-data-dir={tmp_path / 'profile'}",
                f"--proxy-server={loopback.proxy_url}",
                f"--ignore-certificate-errors-spki-list={loopback.spki_sha256}",
                "--dump-dom",
                "https://www.zillow.com/",
            ],
            capture_output=True,
            timeout=60,
            check=True,
        )

    pictures = {a.target for a in loopback.asked if a.host == "photos.zillowstatic.com"}
    assert b"photos.zillowstatic.com/19.svg" in done.stdout
    assert pictures == {f"/{n}.svg" for n in range(20)}
