"""The bundle of a check reads as the answers did, names nobody, and trusts nobody."""

import asyncio
import io
import json
import re
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from string import ascii_letters, ascii_lowercase, digits
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phx_pipeline.errors import (
    BlockedError,
    BrowserError,
    CircuitOpenError,
    FetchError,
    HostRefusedError,
    InputError,
    ProxyError,
    RateLimitedError,
)
from phx_pipeline.fetch.base import Fetched, Fetcher, Request, RequestKind
from phx_pipeline.fetch.recording import Exchange, Recorder, Replayed
from phx_pipeline.model.address import Address
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.property import Property
from phx_pipeline.model.source import Source
from phx_pipeline.sources.persons import USUAL_MEMBERS
from phx_pipeline.sources.phoenix_mls.licensed_reso import search_url as reso_search
from phx_pipeline.sources.redfin.find import search_url as redfin_search
from phx_pipeline.sources.registry import available_sources
from phx_pipeline.sources.zillow.search import search_url as zillow_search
from phx_pipeline.stages import check_bundle
from phx_pipeline.stages.check_bundle import Bundle, packed, unpacked
from phx_pipeline.stages.reading import PhotoSeen, Reading
from phx_pipeline.stages.source_check import cleaner, read_bundle, replay
from phx_pipeline_tests.canned import CannedFetcher

PAGES = Path(__file__).parents[2] / "pages"
AT = datetime(2026, 3, 9, 12, tzinfo=UTC)
ADDRESS = Address.parse("1418 E Quail Whistle Ln, Phoenix, AZ 85042")
HOUSE = Property.at(ADDRESS)
SECRET = "hush-hush-hush"  # noqa: S105 - of nothing
SOURCES = available_sources()
_REDFIN_PAGE = (
    "https://www.redfin.com/AZ/Phoenix/1418-E-Quail-Whistle-Ln-85042/home/90100418"
)
_ZILLOW_PAGE = (
    "https://www.zillow.com/homedetails"
    "/1418-E-Quail-Whistle-Ln-Phoenix-AZ-85042/90100418_zpid/"
)
_OF_REDFIN = sorted(it.name for it in (PAGES / "redfin").glob("*.html"))
_OF_ZILLOW = sorted(it.name for it in (PAGES / "zillow").glob("*.html"))


def _file(name: str, *, url: str) -> Fetched:
    return Fetched(url=url, status=200, headers={}, body=(PAGES / name).read_bytes())


def site(source: Source, name: str) -> CannedFetcher:
    """A site whose search leads to a page of the tests."""
    if source is Source.REDFIN:
        search = redfin_search(ADDRESS)
        found = _file("redfin/search_exact.txt", url=search)
        page = _file(f"redfin/{name}", url=_REDFIN_PAGE)
        return CannedFetcher({search: found, _REDFIN_PAGE: page})
    search = zillow_search(ADDRESS)
    if name.startswith("search"):
        detail = _file("zillow/listed_2026.html", url=_ZILLOW_PAGE)
        found = _file(f"zillow/{name}", url=search)
        return CannedFetcher({search: found, _ZILLOW_PAGE: detail})
    return CannedFetcher({search: _file(f"zillow/{name}", url=search)})


async def asked(source: Source, fetcher: Fetcher) -> tuple[Listing, Bundle]:
    recorder = Recorder(fetcher)
    listing = await SOURCES[source].discover(HOUSE, fetcher=recorder)
    bundle = Bundle(
        source=source,
        house=HOUSE,
        made_at=AT,
        exchanges=tuple(recorder.exchanges),
        reading=Reading.of(listing),
    )
    return listing, bundle


def kept(bundle: Bundle, listing: Listing) -> bytes:
    source = SOURCES[bundle.source]
    return packed(bundle, clean=cleaner(source, listing, bundle.exchanges))


@pytest.mark.parametrize(
    ("source", "name"),
    [(Source.REDFIN, name) for name in _OF_REDFIN]
    + [(Source.ZILLOW, name) for name in _OF_ZILLOW],
)
async def test_a_bundle_reads_as_the_answers_did(source: Source, name: str) -> None:
    listing, bundle = await asked(source, site(source, name))

    again = await replay(unpacked(kept(bundle, listing), name="it"))

    assert again.listing == listing
    assert again.steps[-1].told == "reads all that was read then"


async def test_a_feed_that_is_asked_with_a_token_is_read_again_page_by_page() -> None:
    feed = available_sources({"PHX_RESO_TOKEN": SECRET})[Source.PHOENIX_MLS]
    search = reso_search(HOUSE)
    path, _, _ = search.partition("?")
    following = f"{path}?$skiptoken=k2X8aB3dE6gH9jK2mN5pQ8sT1v"
    pages = {
        search: {"value": [_record("1", "Closed")], "@odata.nextLink": following},
        following: {"value": [_record("2", "Active")]},
    }
    fetcher = CannedFetcher(
        {
            url: Fetched(url=url, status=200, headers={}, body=json.dumps(it).encode())
            for url, it in pages.items()
        }
    )
    recorder = Recorder(fetcher)
    listing = await feed.discover(HOUSE, fetcher=recorder)
    bundle = made(
        source=feed.source,
        exchanges=tuple(recorder.exchanges),
        reading=Reading.of(listing),
        credentials=("PHX_RESO_TOKEN",),
    )

    file = packed(bundle, clean=cleaner(feed, listing, bundle.exchanges))
    again = await replay(unpacked(file, name="it"))

    assert (listing.outcome, len(listing.photos)) == (ListingOutcome.LISTED, 1)
    assert len(bundle.exchanges) == 2
    assert again.listing == listing


def _record(number: str, status: str) -> dict[str, object]:
    key = f"2025030107000{number}000000000000"
    url = f"https://cdn.photos.sparkplatform.com/az/{key}.jpg"
    return {
        "ListingKey": key,
        "ListingId": f"693791{number}",
        "StandardStatus": status,
        "ListingContractDate": "2026-03-01" if status == "Active" else "2019-03-01",
        "StreetNumber": "1418",
        "StreetDirPrefix": "E",
        "StreetName": "QUAIL WHISTLE",
        "StreetSuffix": "Lane",
        "City": "Phoenix",
        "StateOrProvince": "AZ",
        "PostalCode": "85042",
        "UnparsedAddress": "1418 E QUAIL WHISTLE Lane, Phoenix, AZ 85042",
        "ListAgentFullName": "Jane Q. Roe",
        "PhotosCount": 1,
        "Media": [{"MediaURL": url, "MediaCategory": "Photo", "Permission": ["IDX"]}],
    }


def test_a_captured_page_is_read_the_same_once_it_is_scrubbed(
    shared_dir: Path,
) -> None:
    (path,) = (shared_dir / "samples/redfin").glob("detail_*.html")
    redfin = SOURCES[Source.REDFIN]
    page = Fetched(url=_REDFIN_PAGE, status=200, headers={}, body=path.read_bytes())
    house = Property.at(redfin.address_of(page))
    listing = redfin.read_saved(page, house=house)
    asked_for = Exchange(url=page.url, kind=RequestKind.PAGE, answer=page)

    file = kept(made(house=house, exchanges=(asked_for,)), listing)

    (again,) = unpacked(file, name="it").exchanges
    assert again.answer is not None
    assert len(listing.photos) > 20
    assert redfin.read_saved(again.answer, house=house) == listing
    assert len(file) < len(page.body) / 4


@pytest.mark.parametrize(
    "error",
    [
        BlockedError("no", url=_REDFIN_PAGE, status=403, challenge=True),
        RateLimitedError("slow", url=_REDFIN_PAGE, status=429, retry_after_s=7.0),
        CircuitOpenError("rests", url=_REDFIN_PAGE, retry_at=AT, refused=True),
        HostRefusedError("elsewhere", url=_REDFIN_PAGE, redirected=True),
        ProxyError("proxy: down", url=_REDFIN_PAGE, certain=False),
        BrowserError("no browser", url=_REDFIN_PAGE),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_an_error_comes_again_as_what_it_was(error: FetchError) -> None:
    error.body = b"<p>why</p>"
    listing, bundle = await asked(
        Source.REDFIN, CannedFetcher({redfin_search(ADDRESS): error})
    )

    (exchange,) = unpacked(kept(bundle, listing), name="it").exchanges

    assert type(exchange.error) is type(error)
    assert vars(exchange.error) == vars(error)
    again = await replay(unpacked(kept(bundle, listing), name="it"))
    assert again.listing == listing


async def test_what_was_sent_in_secret_is_nowhere_in_it() -> None:
    request = Request(
        url="https://www.redfin.com/",
        kind=RequestKind.API,
        secret_headers={"Authorization": f"Bearer {SECRET}"},
    )
    body = f"<p>you sent {SECRET} as Bearer {SECRET}</p>".encode()
    answer = Fetched(
        url="https://www.redfin.com/",
        status=200,
        headers={"set-cookie": f"a={SECRET}", "content-type": f"x; q={SECRET}"},
        body=body,
    )
    recorder = Recorder(CannedFetcher({request.url: answer}))
    await recorder.get(request)
    bundle = made(exchanges=tuple(recorder.exchanges))

    file = kept(bundle, Listing(source=Source.REDFIN, outcome=ListingOutcome.FAILED))

    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        texts = [archive.read(name) for name in archive.namelist()]
    assert len(texts) == 2
    assert SECRET.encode() not in b"".join(texts)


async def test_of_photos_and_pictures_no_bytes_are_kept() -> None:
    photo = Fetched(url="https://a.example/1.jpg", status=200, headers={}, body=b"\xff")
    drawn = Fetched(
        url="https://a.example/2", status=200, headers={}, body=b"\x89PNG\r\n\x1a\n\0"
    )
    recorder = Recorder(CannedFetcher({photo.url: photo, drawn.url: drawn}))
    for answer, kind in ((photo, RequestKind.PHOTO), (drawn, RequestKind.PAGE)):
        await recorder.get(Request(url=answer.url, kind=kind))

    file = packed(made(exchanges=tuple(recorder.exchanges)), clean=str)

    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        assert archive.namelist() == ["manifest.json"]


def made(**changed: Any) -> Bundle:
    bundle = Bundle(
        source=Source.REDFIN,
        house=HOUSE,
        made_at=AT,
        exchanges=(),
        reading=Reading.of(
            Listing(source=Source.REDFIN, outcome=ListingOutcome.FAILED)
        ),
    )
    return replace(bundle, **changed)


def test_all_else_comes_again_too() -> None:
    house = replace(HOUSE, spellings=frozenset({"a", "b"}), strangers=frozenset({"c"}))
    photo = PhotoSeen(width=3, height=2, size_bytes=9, sha256="ab", is_inline=True)
    bundle = made(house=house, photo=photo, credentials=("PHX_MARICOPA_TOKEN",))

    assert unpacked(packed(bundle, clean=str), name="it") == bundle


async def test_a_body_for_which_there_is_no_room_is_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    listing, bundle = await asked(
        Source.ZILLOW, site(Source.ZILLOW, "listed_2026.html")
    )
    monkeypatch.setattr(check_bundle, "_MOST_KEPT", 100)

    again = await replay(unpacked(kept(bundle, listing), name="it"))

    assert again.steps[-1].told.startswith("reads less than was read then")
    assert not again.is_fine


async def test_each_request_gets_its_own_answers_in_turn() -> None:
    def exchange(url: str, body: bytes) -> Exchange:
        answer = Fetched(url=url, status=200, headers={}, body=body)
        return Exchange(url=url, kind=RequestKind.PAGE, answer=answer)

    fetcher = Replayed(
        [exchange("a", b"1"), exchange("b", b"x"), exchange("a", b"2")], known_as=str
    )

    request = Request(url="a", kind=RequestKind.PAGE)
    assert [(await fetcher.get(request)).body for _ in range(3)] == [b"1", b"2", b"2"]
    for other in (replace(request, url="c"), replace(request, body=b"x")):
        with pytest.raises(FetchError, match="nothing was recorded"):
            await fetcher.get(other)


def drawn(draw: Random, letters: str, length: int) -> str:
    return "".join(draw.choices(letters, k=length))


MEMBERS = st.sampled_from([*USUAL_MEMBERS, "listingAgentName", "AGENT"])
SHAPES: list[Callable[[str], object]] = [
    str,
    lambda name: [name, {"deep": [name]}],
    lambda name: {"mlsId": "6801242", "of": {"a": [name, '\\"' + name]}},
]


@settings(max_examples=40)
@given(
    seed=st.integers(0, 2**32),
    member=MEMBERS,
    shape=st.sampled_from(SHAPES),
    depth=st.integers(0, 2),
    source=st.sampled_from(sorted(SOURCES)),
)
def test_whoever_is_drawn_is_nowhere_in_it_and_json_stays(
    seed: int, member: str, shape: Any, depth: int, source: str
) -> None:
    draw = Random(seed)  # noqa: S311 - names of nobody
    name = f"J{drawn(draw, ascii_lowercase, 7)} R{drawn(draw, ascii_lowercase, 9)}"
    token = f"k{drawn(draw, digits, 4)}{drawn(draw, ascii_letters + digits, 20)}"
    told = {
        "beds": 4,
        member: shape(name),
        "sessionId": token,
        "at": f"/{token}?to={token}",
        "note": f"write to {name.replace(' ', '.')}@homes.example, 602-555-0147",
        "sqft": 1791,
    }
    text = json.dumps(told)
    for _ in range(depth):
        text = json.dumps({"text": text})
    nothing = Listing(source=Source(source), outcome=ListingOutcome.FAILED)

    left = cleaner(SOURCES[Source(source)], nothing, [])(text)

    for telling in (*name.split(), token, "602-555"):
        assert telling not in left
    for _ in range(depth):
        left = json.loads(left)["text"]
    opened = json.loads(left)
    assert (opened["beds"], opened["sqft"]) == (4, 1791)


# --- from elsewhere


def zipped(**parts: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in parts.items():
            archive.writestr(name.replace("_json", ".json"), body)
    return file.getvalue()


def with_manifest(change: Callable[[dict[str, Any]], object]) -> bytes:
    answer = Fetched(url="https://a.example/", status=200, headers={}, body=b"x")
    exchange = Exchange(url=answer.url, kind=RequestKind.PAGE, answer=answer)
    whole = packed(made(exchanges=(exchange,)), clean=str)
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        manifest = json.loads(archive.read("manifest.json"))
    change(manifest)
    return zipped(manifest_json=json.dumps(manifest).encode())


HOSTILE = {
    "nothing": b"",
    "no zip": b"<html>",
    "cut": zipped(manifest_json=b"{}" * 100)[:60],
    "damaged": zipped(manifest_json=b"{}" * 100).replace(b"manifest", b"manifesto"),
    "no manifest": zipped(other=b"{}"),
    "no JSON": zipped(manifest_json=b"{"),
    "deep": zipped(manifest_json=b"[" * 100_000),
    "a list": zipped(manifest_json=b"[]"),
    "another format": zipped(manifest_json=b'{"format":"x","version":1}'),
    "a bomb": zipped(manifest_json=b"{}", other=bytes(40_000_000)),
    "many parts": zipped(**{f"part{n}": b"" for n in range(300)}),
    "another version": with_manifest(lambda it: it.update(version=2)),
    "no version": with_manifest(lambda it: it.pop("version")),
    "no format": with_manifest(lambda it: it.update(format=None)),
    "a number too long": zipped(manifest_json=b'{"version":' + b"9" * 9999 + b"}"),
    "no source": with_manifest(lambda it: it.update(source="../..")),
    "a flag for a number": with_manifest(lambda it: it["reading"].update(tags=True)),
    "no time": with_manifest(lambda it: it.update(made_at="2026-03-09")),
    "no time of ours": with_manifest(
        lambda it: it.update(made_at="9999-12-31T23:59:59+00:00")
    ),
    "a huge number": with_manifest(
        lambda it: it["exchanges"][0]["answer"].update(status=10**4000)
    ),
    "two lines": with_manifest(lambda it: it["house"].update(slug="a\nb")),
    "an escape": with_manifest(lambda it: it["house"].update(slug="\x1b[2J")),
    "a long text": with_manifest(lambda it: it["house"].update(slug="a" * 9999)),
    "no exchanges": with_manifest(lambda it: it.update(exchanges={})),
    "a method": with_manifest(lambda it: it["exchanges"][0].update(kind="dance")),
    "a status": with_manifest(
        lambda it: it["exchanges"][0]["answer"].update(status=0.5)
    ),
    "no status of HTTP": with_manifest(
        lambda it: it["exchanges"][0]["answer"].update(status=10**15)
    ),
    "a negative number": with_manifest(lambda it: it["reading"].update(captions=-1)),
    "no house": with_manifest(lambda it: it.update(house=[])),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_bundle_is_told_in_one_line_with_a_remedy(
    name: str, tmp_path: Path
) -> None:
    path = tmp_path / "it.zip"
    path.write_bytes(HOSTILE[name])

    with pytest.raises(InputError) as told:
        read_bundle(path)

    line = str(told.value)
    assert line.startswith(f"{path}: ")
    assert line.endswith("; make one with `phx sources check`")
    assert len(line) < len(str(path)) + 300
    assert not re.search(r"\b(str|int|bool|dict)\b", line)


def test_no_part_is_written_whatever_its_name(tmp_path: Path) -> None:
    body = with_manifest(lambda it: it["exchanges"][0]["answer"].update(body="../x"))
    file = io.BytesIO(body)
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("../x", b"out")
        archive.writestr("/etc/phx", b"out")
    path = tmp_path / "inner" / "it.zip"
    path.parent.mkdir()
    path.write_bytes(file.getvalue())

    bundle = read_bundle(path)

    assert [it.name for it in tmp_path.rglob("*")] == ["inner", "it.zip"]
    assert bundle.exchanges[0].answer is not None
    assert bundle.exchanges[0].answer.body == b"out"


def test_a_bundle_of_a_source_that_is_not_here_names_those_that_are() -> None:
    bundle = made(source=Source("nowhere"))

    with pytest.raises(InputError, match=r"nowhere.*redfin"):
        asyncio.run(replay(bundle))


@pytest.mark.parametrize("what", ["folder", "large"])
def test_no_other_file_is_read(tmp_path: Path, what: str) -> None:
    path = tmp_path / what
    if what == "folder":
        path.mkdir()
    else:
        with path.open("wb") as file:
            file.truncate(100_000_000)

    with pytest.raises(InputError, match="name a bundle"):
        read_bundle(path)
