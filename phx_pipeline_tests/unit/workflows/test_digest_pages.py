"""Digests as pages: what a site says is text in each of them, and links are known."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from phx_pipeline.fetch.hosts import AllowList
from phx_pipeline.model.event import Event, EventKind
from phx_pipeline.model.source import Source
from phx_pipeline.reads.digest import Digest, FailedRun, ToldHouse, fold
from phx_pipeline.workflows.digest_pages import html_page, markdown_page, text_page
from phx_pipeline.workflows.digest_parts import sections, subject

DAY = date(2026, 11, 28)
SLUG = "4732-w-davis-rd-glendale-az-85306"
KNOWN = AllowList({Source.REDFIN: ("www.redfin.com",)})
URL = "https://www.redfin.com/AZ/home/1"
HOSTILE = (
    "<script>alert(1)</script>[x](javascript:1)\r\n# \"'\x1b[31m`|https://evil.example"
)


def digest(*, after: str = "Pending", url: str = URL, error: str = "") -> Digest:
    at = datetime(2026, 11, 28, 14, tzinfo=UTC)
    event = Event(
        key="status",
        slug=SLUG,
        source=Source.REDFIN,
        kind=EventKind.STATUS,
        on=DAY,
        at=at,
        before="Active",
        after=after,
    )
    house = ToldHouse(
        slug=SLUG,
        address="4732 W Davis Rd",
        price=None,
        urls={Source.REDFIN: url},
        picture=None,
    )
    return Digest(
        since=DAY,
        day=DAY,
        told=tuple(fold([event])),
        houses={SLUG: house},
        failures=(FailedRun(slug=SLUG, at=at, error=error),) if error else (),
    )


def test_no_format_cuts_a_line_that_another_shows_whole() -> None:
    parts = sections(replace(digest(), open=("open: " + "x" * 390,)), known=KNOWN)

    for page in (text_page, markdown_page):
        assert f"- open: {'x' * 390}\n" in page("day", parts)


def test_a_plain_digest_reads_alike_in_all_formats() -> None:
    parts = sections(digest(), known=KNOWN)
    line = "status: Pending, before Active (redfin)"

    assert text_page("day", parts) == (
        f"day\n\nStatus and price\n- 4732 W Davis Rd: {line}\n  {URL}\n"
    )
    assert markdown_page("day", parts) == (
        f"# day\n\n## Status and price\n\n- [4732 W Davis Rd](<{URL}>): {line}\n"
    )
    page = html_page("day", parts, pictures={SLUG: "cid:one"})
    assert f'<a href="{URL}" rel="noreferrer">4732 W Davis Rd</a>: {line}' in page
    assert page.count('<img alt="" src="cid:one">') == 1
    assert subject(digest()) == "phx 2026-11-28: 1 change"


def test_what_a_site_says_stays_text() -> None:
    hostile = digest(after=HOSTILE, error=HOSTILE)
    parts = sections(hostile, known=KNOWN)

    page = html_page(HOSTILE, parts, pictures={})
    assert "<script" not in page
    assert set(re.findall(r'href="([^"]*)"', page)) == {URL}
    plain = text_page(HOSTILE, parts)
    for text in (page, plain, markdown_page("day", parts)):
        assert "\x1b" not in text
        assert "\r" not in text
    for text in (page, plain):
        assert set(re.findall(r"\w+://[\w.]*", text)) == {"https://www.redfin.com"}
    marked = markdown_page(HOSTILE, parts)
    assert re.findall(r"^#.*$", marked, re.MULTILINE)[1:] == [
        "## Status and price",
        "## Runs that failed",
    ]
    outside_code = re.sub(r"`[^`\n]*`", "", marked)
    assert "](javascript" not in outside_code
    assert "<script" not in outside_code


@pytest.mark.parametrize(
    "url",
    [
        "http://www.redfin.com/AZ/home/1",
        "https://www.redfin.com.evil.example/",
        "https://evil.example/www.redfin.com",
        "https://www.redfin.com@evil.example/",
        "https://www.redfin.com/\r\nBcc: all",
        "javascript:alert(1)",
        "https://127.0.0.1/",
    ],
)
def test_only_https_links_to_hosts_of_the_source_are_made(url: str) -> None:
    parts = sections(digest(url=url), known=KNOWN)

    assert [line.url for part in parts for line in part.lines] == [None]


def test_a_long_section_is_cut_and_says_so() -> None:
    many = replace(digest(), told=digest().told * 70)
    (part,) = sections(many, known=KNOWN)

    assert (len(part.lines), part.left_out) == (60, 10)
    assert text_page("day", [part]).endswith("- and 10 more\n")
    assert text_page("day", []).endswith(
        "Nothing changed, nothing is open, and nothing failed.\n"
    )
