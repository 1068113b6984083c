"""A saved page: whose it is, what it is, and what makes it useless."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from phx_pipeline.errors import InputError
from phx_pipeline.fetch.base import Fetched
from phx_pipeline.model.address import Address
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.property import Property
from phx_pipeline.model.source import Source
from phx_pipeline.sources.registry import available_sources
from phx_pipeline.stages.context import StageContext
from phx_pipeline.workflows.ingest import MAX_BYTES, ingest, is_taken, read_saved
from phx_pipeline.workflows.verify import content_digest
from phx_pipeline_tests.captured import CAPTURED_ADDRESS
from phx_pipeline_tests.deployment import Deployment

PAGES = Path(__file__).parents[2] / "pages"
HOUSE = "1418 E Quail Whistle Ln, Phoenix, AZ 85042"
REDFIN = (
    '<link rel="canonical" href="https://www.redfin.com/AZ/Phoenix/'
    '1418-E-Quail-Whistle-Ln-85042/home/90100418"/>'
)
SAVED_FROM = "<!-- saved from url=(0042)https://www.zillow.com/homedetails/1_zpid/ -->"


@pytest.fixture
def context(tmp_path: Path) -> Iterator[StageContext]:
    with Deployment(tmp_path / "store", {}) as made:
        made.add([HOUSE])
        with made.context() as opened:
            yield opened


def slug() -> str:
    return Address.parse(HOUSE).slug


def saved(folder: Path, body: bytes | str) -> Path:
    path = folder / "saved.html"
    path.write_bytes(body.encode() if isinstance(body, str) else body)
    return path


def read_page(
    page: Fetched, *, house: str = HOUSE, source: Source = Source.REDFIN
) -> Listing:
    at = Property.at(Address.parse(house))
    return read_saved(page, house=at, source=available_sources()[source])


def read(name: str, *, source: Source = Source.REDFIN, house: str = HOUSE) -> str:
    page = Fetched(url="", status=200, headers={}, body=(PAGES / name).read_bytes())
    return read_page(page, house=house, source=source).outcome.value


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("redfin/listed.html", "listed"),
        ("redfin/listed_empty.html", "listed_empty"),
        ("redfin/off_market.html", "off_market"),
        ("redfin/wrong_house.html", "wrong_property"),
        ("redfin/robot.html", "blocked"),
        ("redfin/challenge.html", "blocked"),
        ("redfin/search_results.html", "page_changed"),
        ("redfin/changed_no_above.html", "page_changed"),
        ("redfin/search_exact.txt", "page_changed"),
        ("zillow/listed_2026.html", "page_changed"),
    ],
)
def test_a_page_ends_as_it_would_have_ended_on_the_wire(
    name: str, outcome: str
) -> None:
    assert read(name) == outcome


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("zillow/listed_2026.html", "listed"),
        ("zillow/overlay.html", "listed"),
        ("zillow/block.html", "blocked"),
        ("zillow/search_2026.html", "page_changed"),
        ("zillow/home.html", "page_changed"),
    ],
)
def test_a_saved_zillow_page_is_read_too(name: str, outcome: str) -> None:
    assert read(name, source=Source.ZILLOW) == outcome


def test_a_challenge_in_the_users_own_browser_is_not_ours(
    context: StageContext, tmp_path: Path
) -> None:
    page = saved(tmp_path, (PAGES / "zillow/overlay.html").read_bytes())

    listing = ingest(context, slug(), page, source=Source.ZILLOW)

    assert is_taken(listing)
    assert not listing.challenged


def test_the_page_says_whose_it_is(context: StageContext, tmp_path: Path) -> None:
    page = saved(tmp_path, REDFIN + (PAGES / "redfin/listed.html").read_text())

    listing = ingest(context, slug(), page)

    assert (listing.source, listing.outcome) == (Source.REDFIN, ListingOutcome.LISTED)
    assert len(context.catalog.photos(slug())) == len(listing.photos) == 5


STYLES = "<style>.a{content:'<body>'}</style>" + f"<style>{'b' * 25_000}</style>"
NEIGHBOUR = REDFIN.replace("1418-E", "1422-E")


@pytest.mark.parametrize(
    "head",
    [
        f"<!-- a <body> --><script>'</head>'</script>{STYLES}{REDFIN}",
        f"<title>\u0130<body></TITLE><svg><title></head></svg>{STYLES * 9}{REDFIN}",
        REDFIN.replace('"canonical"', "canonical").replace('rel="', "rel="),
        f"<script>'{NEIGHBOUR}'</script><!-- {NEIGHBOUR} -->{REDFIN}</head>{NEIGHBOUR}",
        REDFIN.replace("link rel", "meta property")
        .replace("canonical", "og:url")
        .replace("href", "content"),
    ],
    ids=["scripts", "titles", "unquoted", "elsewhere", "open graph"],
)
def test_the_whole_head_is_looked_at_for_whose_page_it_is(
    context: StageContext, tmp_path: Path, head: str
) -> None:
    body = (PAGES / "redfin/listed.html").read_text().partition("</head>")[2]
    page = saved(tmp_path, f"<!DOCTYPE html><html><head>{head}</head>{body}")

    listing = ingest(context, slug(), page)

    assert (listing.source, listing.outcome) == (Source.REDFIN, ListingOutcome.LISTED)


@pytest.mark.parametrize(
    "said",
    [
        NEIGHBOUR,
        REDFIN.replace("85042", "85041"),
        REDFIN.replace("-85042/", "-85042/unit-2/"),
        f"<!-- saved from url=(0070){REDFIN.split(chr(34))[3]} -->{NEIGHBOUR}",
    ],
    ids=["number", "zip", "unit", "second"],
)
def test_a_page_that_names_a_neighbour_as_itself_is_not_taken(
    context: StageContext, tmp_path: Path, said: str
) -> None:
    page = saved(tmp_path, said + (PAGES / "redfin/listed.html").read_text())

    listing = ingest(context, slug(), page)

    assert listing.outcome is ListingOutcome.WRONG_PROPERTY
    assert "redfin.com/AZ/Phoenix/14" in listing.detail
    assert context.catalog.photos(slug()) == []


def test_a_saved_zillow_page_that_names_a_neighbour_is_not_taken() -> None:
    link = "https://www.zillow.com/homedetails/1422-E-Quail-Whistle-Ln-Phoenix-AZ-85042"
    head = f'<link rel="canonical" href="{link}/90100418_zpid/">'.encode()
    body = head + (PAGES / "zillow/listed_2026.html").read_bytes()
    page = Fetched(url="", status=200, headers={}, body=body)

    listing = read_page(page, source=Source.ZILLOW)

    assert listing.outcome is ListingOutcome.WRONG_PROPERTY


def test_a_head_that_never_ends_is_read_in_one_pass(
    context: StageContext, tmp_path: Path
) -> None:
    page = saved(tmp_path, "<html><head>" + "<style>" * 300_000 + REDFIN)

    with pytest.raises(InputError, match="give --source"):
        ingest(context, slug(), page)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_a_page_saved_in_another_encoding_is_read(
    context: StageContext, tmp_path: Path, encoding: str
) -> None:
    text = REDFIN + (PAGES / "redfin/listed.html").read_text()

    listing = ingest(context, slug(), saved(tmp_path, text.encode(encoding, "replace")))

    assert len(listing.photos) == 5


def test_a_page_read_twice_is_read_once(context: StageContext, tmp_path: Path) -> None:
    page = saved(tmp_path, REDFIN + (PAGES / "redfin/listed.html").read_text())
    ingest(context, slug(), page)
    digest = content_digest(context)

    ingest(context, slug(), page, source=Source.REDFIN)

    assert content_digest(context) == digest


def test_of_two_saved_pages_the_newer_one_counts_whichever_comes_first(
    context: StageContext, tmp_path: Path
) -> None:
    text = REDFIN + (PAGES / "redfin/listed.html").read_text()
    page, now_s = saved(tmp_path, text), context.clock().timestamp()
    os.utime(page, (now_s, now_s - 600))
    ingest(context, slug(), page)
    digest = content_digest(context)

    os.utime(page, (now_s, now_s - 3600))
    with pytest.raises(InputError, match=r"was saved .* MST, before redfin .*`touch`"):
        ingest(context, slug(), page)

    assert content_digest(context) == digest
    os.utime(page, (now_s, now_s - 60))  # saved before the other was read
    assert is_taken(ingest(context, slug(), page))
    os.utime(page, (now_s, now_s + 3600))  # by a clock that is fast
    assert is_taken(ingest(context, slug(), page))
    assert is_taken(ingest(context, slug(), page))


@pytest.mark.parametrize(
    "name",
    [
        "redfin/wrong_house.html",
        "redfin/robot.html",
        "redfin/search_results.html",
    ],
)
def test_what_cannot_be_used_changes_nothing_known_before(
    context: StageContext, tmp_path: Path, name: str
) -> None:
    good = saved(tmp_path, REDFIN + (PAGES / "redfin/listed.html").read_text())
    ingest(context, slug(), good)
    digest = content_digest(context)

    bad = saved(tmp_path, (PAGES / name).read_bytes())
    listing = ingest(context, slug(), bad, source=Source.REDFIN)

    assert not is_taken(listing)
    assert "\n" not in listing.detail
    assert content_digest(context) == digest


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "holds no text"),
        (b" \n ", "holds no text"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "holds no text"),
        ("<p>x</p>".encode("utf-16"), "give --source"),
        ("<p>x</p>".encode("utf-16-le"), "holds no text"),
        (b"From: <Saved>\r\nContent-Type: multipart/related;\r\n", "web archive"),
        (b"content-type: multipart/related\r\n\r\n<p>", "web archive: save"),
        (b"%PDF-1.7\n1 0 obj", "a PDF: save the page again"),
        (b"bplist00\xd1\x01\0", "Safari web archive: save"),
        (b"\x1f\x8b\x08\0", "packed file: save"),
        (b"PK\x03\x04" + b"x" * 99, "packed file: save"),
        (b'<html><body id="viewsource"><pre>', "`view-source` shows: save"),
        (b"<!-- saved from url=(9)view-source:https://www.redfin.com/ -->", "view-s"),
        (b"<html><p>A page of nobody</p></html>", "give --source"),
        (b'<link rel="canonical" href="https://[::1/">', "give --source"),
        (b'<link rel="canonical" href="https://www.example.com/x">', "--source"),
    ],
)
def test_a_file_that_is_no_saved_page_is_refused_with_a_word(
    context: StageContext, tmp_path: Path, body: bytes, told: str
) -> None:
    with pytest.raises(InputError, match=told):
        ingest(context, slug(), saved(tmp_path, body))


def test_a_missing_file_a_folder_and_a_huge_file_are_refused(
    context: StageContext, tmp_path: Path
) -> None:
    huge = tmp_path / "huge.html"
    with huge.open("wb") as file:
        file.truncate(MAX_BYTES + 1)

    for path, told in (
        (tmp_path / "none.html", "no file"),
        (tmp_path, "cannot be read"),
        (huge, "larger than"),
    ):
        with pytest.raises(InputError, match=told):
            ingest(context, slug(), path)


def test_a_page_of_another_source_than_named_is_refused(
    context: StageContext, tmp_path: Path
) -> None:
    page = saved(tmp_path, SAVED_FROM + "<p>x</p>")

    with pytest.raises(InputError, match="a page of zillow"):
        ingest(context, slug(), page, source=Source.REDFIN)
    with pytest.raises(InputError, match="choose from redfin, zillow, maricopa"):
        ingest(context, slug(), page, source=Source.UNKNOWN)


def test_a_real_saved_page_is_read_and_belongs_to_one_house(shared_dir: Path) -> None:
    name = "redfin/detail_2026-02_dahlonega_home137774138_undercontract.html"
    body = (shared_dir / "samples" / name).read_bytes()
    page = Fetched(url="", status=200, headers={}, body=body)

    own = read_page(page, house=CAPTURED_ADDRESS)
    other = read_page(page)

    assert (own.outcome, len(own.photos)) == (ListingOutcome.LISTED, 52)
    assert (other.outcome, other.photos) == (ListingOutcome.WRONG_PROPERTY, ())
