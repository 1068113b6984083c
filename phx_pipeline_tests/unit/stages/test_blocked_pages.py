"""Refusals are kept for diagnosis: few, small, and without anything personal."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from phx_pipeline.errors import BlockedError, GoneError
from phx_pipeline.fetch.base import Fetched, Request, RequestKind
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.source import Source
from phx_pipeline.sources.redfin import Redfin
from phx_pipeline.stages.blocked_pages import (
    KEPT_PAGES,
    MAX_BYTES,
    LastAnswer,
    SeenPage,
    keep_page,
)
from phx_pipeline.stages.scrubbing import scrubbed
from phx_pipeline.storage.layout import Layout

AT = datetime(2026, 3, 9, 12, tzinfo=UTC)
SLUG = "4732-w-davis-rd-glendale-az-85306"
URL = "https://www.redfin.com/AZ/Glendale/4732-W-Davis-Rd-85306/home/7"
REQUEST = Request(url=URL, source=Source.REDFIN, kind=RequestKind.PAGE)


def ended(outcome: ListingOutcome, source: Source = Source.REDFIN) -> Listing:
    return Listing(source=source, outcome=outcome, detail="why it ended so")


def page(body: bytes, *, status: int | None = 403) -> SeenPage:
    return SeenPage(url=URL, status=status, body=body)


def keep(
    root: Path,
    body: bytes,
    *,
    outcome: ListingOutcome = ListingOutcome.BLOCKED,
    after_s: int = 0,
) -> Path | None:
    at = AT + timedelta(seconds=after_s)
    scrub = Redfin().scrubbed
    return keep_page(Layout(root), SLUG, ended(outcome), page(body), scrub=scrub, at=at)


def test_a_refusal_is_kept_with_how_it_came_about(tmp_path: Path) -> None:
    path = keep(tmp_path, b"<h1>No</h1>")

    assert path is not None
    assert path.parent == tmp_path / "quarantine/pages/redfin"
    text = path.read_text()
    for told in (SLUG, "blocked", "why it ended so", URL, "403", "<h1>No</h1>"):
        assert told in text
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("outcome", list(ListingOutcome))
def test_only_refusals_and_changed_pages_are_kept(
    tmp_path: Path, outcome: ListingOutcome
) -> None:
    kept = keep(tmp_path, b"x", outcome=outcome)

    assert (kept is not None) == (
        outcome
        in {
            ListingOutcome.BLOCKED,
            ListingOutcome.RATE_LIMITED,
            ListingOutcome.PAGE_CHANGED,
        }
    )


def test_without_a_body_nothing_is_kept(tmp_path: Path) -> None:
    blocked = ended(ListingOutcome.BLOCKED)

    for seen in (None, page(b"")):
        kept = keep_page(Layout(tmp_path), SLUG, blocked, seen, scrub=str, at=AT)
        assert kept is None


def test_the_newest_are_kept_and_the_oldest_go(tmp_path: Path) -> None:
    made = [
        keep(tmp_path, f"page {number}".encode(), after_s=number)
        for number in range(KEPT_PAGES + 5)
    ]

    left = sorted((tmp_path / "quarantine/pages/redfin").iterdir())

    assert left == made[5:]


def test_a_page_kept_before_does_not_push_others_out(tmp_path: Path) -> None:
    first = keep(tmp_path, b"the same")

    again = keep(tmp_path, b"the same", after_s=9)

    assert again is None
    assert first is not None
    assert first.exists()


def test_a_large_page_is_cut(tmp_path: Path) -> None:
    path = keep(tmp_path, b"plain words only. " * 100_000)

    assert path is not None
    assert path.stat().st_size <= MAX_BYTES


@pytest.mark.parametrize("left", [6, 9, 15])
def test_what_a_cut_leaves_of_a_token_is_not_kept(tmp_path: Path, left: int) -> None:
    token = b"aB3dE6gH9jK2mN5pQ8sT1vW4yZ7"
    words = b" plain words only." * 100 + b" "
    filler = b"x1" * MAX_BYTES  # all of it is taken out, so that the words are the end
    body = filler[len(words) + left :] + words + token * 20

    path = keep(tmp_path, body)

    assert path is not None
    assert b"plain words" in path.read_bytes()
    assert token[:left] not in path.read_bytes()


@pytest.mark.parametrize(("more", "is_kept"), [(0, True), (1, False)])
def test_only_of_a_page_that_was_cut_the_end_is_left_out(
    tmp_path: Path, *, more: int, is_kept: bool
) -> None:
    words = b" these plain words are the end of the page"
    filler = b"x1" * MAX_BYTES  # all of it is taken out

    path = keep(tmp_path, b"." * more + filler[len(words) :] + words)

    assert path is not None
    assert path.read_bytes().endswith(words) == is_kept


@pytest.mark.parametrize("odd", ["\x1b[31m", "\x07", "\x9b2J", "\u202e", "\0"])
def test_nothing_in_a_kept_page_obeys_a_terminal(tmp_path: Path, odd: str) -> None:
    path = keep(tmp_path, f"<h1>{odd}No</h1>\n<p>{odd}</p>".encode())

    assert path is not None
    text = path.read_text()
    assert odd[0] not in text
    assert "No</h1>\n<p>" in text


@pytest.mark.parametrize(
    "private",
    [
        "203.0.113.77",
        "2001:db8::1f",
        "2001:0db8:85a3:0000:0000:8a2e:0370:7334",
        "jane.doe+homes@mail.example.org",
        "jane%40example.org",
        "(602) 555-0143",
        "602-555-0143",
        "+1 602.555.0143",
        "+16025550143",
        "tel:6025550143",
        "84d6a5d8-10fc-11f0-98d6-9c8f9c8a7573",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9",
        "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7=",
    ],
)
def test_what_is_personal_is_taken_out(private: str) -> None:
    for around in ("<p>{}</p>", '"x":"{}"', "({})", "a {} b", '\\"x\\":\\"{}\\"'):
        assert private not in scrubbed(around.format(private))


@pytest.mark.parametrize(
    "text",
    [
        '"csrfToken":"hunter"',
        "csrf_token=hunter",
        '\\"sessionId\\": \\"hunter\\"',
        "document.cookie = 'hunter=1; path=/'",
        "x-api-key: hunter",
        "&amp;vid=1&amp;uuid=hunter&amp;m=0",
        '"phoneNumber":{"areacode":"hunter"}',
        "authToken='hunter'",
    ],
)
def test_what_is_named_as_a_secret_is_taken_out(text: str) -> None:
    assert "hunter" not in scrubbed(text)


@pytest.mark.parametrize(
    "text",
    [
        "<title>Access to this page has been denied</title>",
        "https://www.redfin.com/AZ/Phoenix/15238-N-Quail-Lantern-Dr-85032/home/190481102",
        "4732-w-davis-rd-glendale-az-85306",
        '{"resultCode":7,"errorMessage":"not allowed"}',
        "root.__reactServerState.InitialContext = {}",
        '<div id="px-captcha-wrapper" class="px-captcha-message">',
        "at 12:30:45 on 2026-03-09, $489,000, 2,146 sqft, MLS# 6981407",
        "p::before { margin: 10.5px }",
        "photo 82-7652074_5_I",
    ],
)
def test_what_tells_something_stays(text: str) -> None:
    assert scrubbed(text) == text


@pytest.mark.parametrize("unit", ["a", "1", "a1", "1.", ":", "a@", "token", "-", "1-"])
def test_no_text_takes_long(unit: str) -> None:
    text = unit * (100_000 // len(unit))

    assert len(scrubbed(text)) <= 2 * len(text)


class Wire:
    """A fetcher that gives one answer after the other."""

    def __init__(self, *answers: Fetched | Exception) -> None:
        self.answers = list(answers)

    async def get(self, request: Request) -> Fetched:
        del request
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def aclose(self) -> None:
        self.answers.clear()


def fetched(body: bytes) -> Fetched:
    return Fetched(url=URL, status=200, headers={}, body=body)


async def test_the_last_answer_is_remembered() -> None:
    watched = LastAnswer(Wire(fetched(b"first"), fetched(b"second")))

    for _ in range(2):
        await watched.get(REQUEST)

    assert watched.page == SeenPage(url=URL, status=200, body=b"second")


async def test_no_answer_to_a_question_with_a_secret_is_remembered() -> None:
    refusal = BlockedError("no", url=URL, status=403)
    refusal.body = b"your key hush is not known"
    watched = LastAnswer(Wire(fetched(b"hush"), refusal))
    secret = replace(REQUEST, secret_headers={"X-Api-Key": "hush"})

    await watched.get(secret)
    answered = watched.page
    with pytest.raises(BlockedError):
        await watched.get(secret)

    assert (answered, watched.page) == (None, None)


async def test_a_refusal_with_a_body_is_remembered_and_one_without_forgets() -> None:
    refusal = BlockedError("no", url=URL, status=403)
    refusal.body = b"denied"
    watched = LastAnswer(Wire(fetched(b"a"), refusal, GoneError("gone", url=URL)))
    await watched.get(REQUEST)

    with pytest.raises(BlockedError):
        await watched.get(REQUEST)
    denied = watched.page
    with pytest.raises(GoneError):
        await watched.get(REQUEST)

    assert denied == SeenPage(url=URL, status=403, body=b"denied")
    assert watched.page is None
