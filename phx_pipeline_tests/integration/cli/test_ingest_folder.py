"""`phx ingest FOLDER`: each saved page goes to the house it is of, the bad are told."""

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from phx_pipeline.demo.houses import HOUSES, House
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.model.outcome import VerdictKind
from phx_pipeline.model.source import Source
from phx_pipeline.sources.redfin.standin import listing_page
from phx_pipeline.sources.zillow.standin import detail_page, detail_path
from phx_pipeline.workflows.verify import content_digest
from phx_pipeline_tests.commands import Phx
from phx_pipeline_tests.deployment import SMALLEST, Deployment, slug_of

FIRST = SMALLEST
SECOND, UNKNOWN = [house for house in HOUSES if house is not FIRST][:2]
PAGES = Path(__file__).parents[2] / "pages"
DAY_S = 86_400


def redfin(house: House) -> bytes:
    return listing_page(house, others=())


def zillow(house: House) -> bytes:
    """As Chromium saves it: with the page's address above it."""
    url = f"https://www.zillow.com{detail_path(house)}"
    note = f"<!-- saved from url=({len(url):04}){url} -->\n"
    return note.encode() + detail_page(house, others=())


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Deployment]:
    sources = (Source.ZILLOW, Source.REDFIN)
    with Deployment(tmp_path / "store", redfin_sites(), sources=sources) as deployment:
        deployment.add_houses([FIRST, SECOND])
        yield deployment


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as browsers leave it: pages, and the parts they save beside one."""
    made = tmp_path / "saved"
    (made / "first_files").mkdir(parents=True)
    (made / "first_files/style.css").write_text("p {}")
    (made / ".DS_Store").write_bytes(b"\0")
    (made / "first.html").write_bytes(redfin(FIRST))
    (made / "second.html").write_bytes(redfin(SECOND))
    (made / "second at zillow.html").write_bytes(zillow(SECOND))
    return made


def test_each_page_goes_to_the_house_it_is_of(
    made: Deployment, folder: Path, phx_on: Phx
) -> None:
    done = phx_on(made, "ingest", str(folder))

    assert done.code == 0
    assert "[3/3]" in done.out
    assert "3 pages taken" in done.out
    with made.context() as context:
        given = {
            (tally.slug, source.source): source.discovered
            for tally in context.tallies()
            for source in tally.sources
            if source.discovered
        }
    assert set(given) == {
        (slug_of(FIRST), Source.REDFIN),
        (slug_of(SECOND), Source.REDFIN),
        (slug_of(SECOND), Source.ZILLOW),
    }
    assert made.standin.asked == []


def test_bad_files_are_told_by_name_and_keep_no_other_out(
    made: Deployment, folder: Path, phx_on: Phx
) -> None:
    bad = {
        "stranger.html": (redfin(UNKNOWN), "phx properties add"),
        "robot.html": ((PAGES / "redfin/robot.html").read_bytes(), "is a challenge"),
        "px.html": ((PAGES / "zillow/block.html").read_bytes(), "is a challenge"),
        "notes.html": (b"<p>call the agent</p>", "give --source"),
        "photo.html": (b"\xff\xd8\xff", "a picture"),
        "empty.html": (b"", "no text"),
        "\x1b[31mred.html": (b"%PDF-1.7", "a PDF"),
    }
    for name, (body, _) in bad.items():
        (folder / name).write_bytes(body)

    done = phx_on(made, "ingest", str(folder))
    rows = phx_on(made, "ingest", str(folder), "--json").json

    assert done.code == 3
    assert "3 pages taken, 7 not taken" in done.out
    assert "\x1b" not in done.out + done.err
    told = {row["file"].rpartition("/")[2]: row for row in rows}
    assert len(told) == len(bad) + 3
    for name, (_, reason) in bad.items():
        assert not told[name]["taken"]
        assert reason in told[name]["problem"]
        assert name.lstrip("\x1b") in done.err
    assert sum(row["taken"] for row in rows) == 3


def test_reading_it_again_changes_nothing(
    made: Deployment, folder: Path, phx_on: Phx
) -> None:
    older = folder / "older.html"
    older.write_bytes(redfin(FIRST))
    long_ago = older.stat().st_mtime - DAY_S
    os.utime(older, (long_ago, long_ago))

    first = phx_on(made, "ingest", str(folder))
    with made.context() as context:
        before = content_digest(context)
    again = phx_on(made, "ingest", str(folder))
    with made.context() as context:
        after = content_digest(context)

    assert (first.code, again.code) == (0, 0)
    assert "4 pages taken" in first.out
    assert "3 pages taken, 1 older than what is known" in again.out
    assert before == after


def test_photos_are_collected_at_once_if_asked_for(
    made: Deployment, tmp_path: Path, phx_on: Phx
) -> None:
    folder = tmp_path / "one"
    folder.mkdir()
    (folder / "page.html").write_bytes(redfin(FIRST))

    done = phx_on(made, "ingest", str(folder), "--collect", "--json")

    assert (done.code, done.json[0]["taken"]) == (0, True)
    with made.context() as context:
        assert context.tally(slug_of(FIRST)).count(VerdictKind.KEPT) > 0


@pytest.mark.parametrize("named", ["first.html", ""], ids=["page", "folder"])
def test_photos_that_cannot_be_had_now_are_told_as_open(
    made: Deployment, folder: Path, phx_on: Phx, named: str
) -> None:
    for photos in ("redfin/photos", "zillow/photos"):
        phx_on(made, "sources", "disable", photos)

    done = phx_on(made, "ingest", str(folder / named), "--collect")

    assert done.code == 3
    assert f"open: {slug_of(FIRST)} redfin: listed, " in done.out
    assert " to fetch" in done.out


def test_a_page_alone_tells_its_house_too(
    made: Deployment, folder: Path, phx_on: Phx
) -> None:
    done = phx_on(made, "ingest", str(folder / "first.html"), "--json")

    assert (done.code, done.json["property"]) == (0, slug_of(FIRST))


@pytest.mark.parametrize("arguments", [(), ("--property", "x")])
def test_a_folder_without_pages_or_with_a_house_is_refused(
    made: Deployment, tmp_path: Path, phx_on: Phx, arguments: tuple[str, ...]
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()

    done = phx_on(made, "ingest", str(empty), *arguments)

    assert done.code == 2
    assert ("holds no file" if not arguments else "--property is for") in done.err


def test_nothing_of_a_folder_is_told_apart_from_some(
    made: Deployment, tmp_path: Path, phx_on: Phx
) -> None:
    folder = tmp_path / "useless"
    folder.mkdir()
    (folder / "notes.txt").write_text("call the agent")

    assert phx_on(made, "ingest", str(folder)).code == 2


def test_a_file_without_an_end_is_no_page(made: Deployment, phx_on: Phx) -> None:
    done = phx_on(made, "ingest", "/dev/zero")

    assert done.code == 2
    assert "is larger than" in done.err


@pytest.mark.parametrize(
    ("written_s", "told"), [(1e12, "1 page taken"), (-1e12, "1 older than")]
)
def test_a_file_may_be_of_any_year(
    made: Deployment, phx_on: Phx, written_s: float, told: str
) -> None:
    """Some file systems tell years that no clock of ours can name."""
    with TemporaryDirectory(dir="/dev/shm") as folder:
        first, second = Path(folder) / "1.html", Path(folder) / "2.html"
        first.write_bytes(redfin(FIRST))
        assert phx_on(made, "ingest", str(first)).code == 0
        first.rename(second)
        os.utime(second, (0, written_s))

        done = phx_on(made, "ingest", folder)

    assert done.code == 0
    assert told in done.out


def test_the_views_tell_when_a_page_was_read_again(
    made: Deployment, folder: Path, phx_on: Phx
) -> None:
    for _ in range(2):
        (folder / "first.html").touch()
        assert phx_on(made, "ingest", str(folder / "first.html")).code == 0

    assert phx_on(made, "verify").code == 0
