from pathlib import Path

import pytest

from phx_pipeline.errors import BlockedError, RateLimitedError
from phx_pipeline.fetch.base import Fetched
from phx_pipeline.sources.redfin.answers import refuse_challenge

PAGES = Path(__file__).parents[3] / "pages" / "redfin"
URL = "https://www.redfin.com/AZ/Phoenix/1418-E-Quail-Whistle-Ln-85042/home/90100418"


def answer(body: bytes, *, url: str = URL, status: int = 200) -> Fetched:
    return Fetched(url=url, status=status, headers={}, body=body)


@pytest.mark.parametrize("path", sorted(PAGES.iterdir()), ids=lambda path: path.name)
def test_only_challenges_are_refused(path: Path) -> None:
    fetched = answer(path.read_bytes())
    is_challenge = path.name in {"challenge.html", "robot.html", "search_refused.txt"}

    if is_challenge:
        with pytest.raises(BlockedError):
            refuse_challenge(fetched)
    else:
        assert refuse_challenge(fetched) is None  # type: ignore[func-returns-value]  # not raising is the behaviour


def test_a_captcha_page_is_refused() -> None:
    body = b"<html><title>Human Verification</title><body></body></html>"

    with pytest.raises(BlockedError, match="Human Verification"):
        refuse_challenge(answer(body, status=202))


def test_the_rate_limit_host_is_told_from_a_block() -> None:
    body = (PAGES / "robot.html").read_bytes()

    with pytest.raises(RateLimitedError):
        refuse_challenge(answer(body, url="https://ratelimited.redfin.com/"))


@pytest.mark.parametrize(
    "name",
    [
        "detail_2026-02_dahlonega_home137774138_undercontract.html",
        "search_2020-07_irvine.html",
    ],
)
def test_a_real_good_page_is_no_challenge_though_it_loads_the_sdk(
    shared_dir: Path, name: str
) -> None:
    body = (shared_dir / "samples/redfin" / name).read_bytes()

    refuse_challenge(answer(body))

    assert b"InitialContext" in body


def test_a_real_block_page_is_refused(shared_dir: Path) -> None:
    name = "samples/redfin/block_excerpt_2026_ratelimited.txt"
    body = (shared_dir / name).read_bytes()

    with pytest.raises(BlockedError, match="Are You a Robot"):
        refuse_challenge(answer(body))
