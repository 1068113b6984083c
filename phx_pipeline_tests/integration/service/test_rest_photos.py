"""Published pictures over HTTP: whole, in part, small; and nothing else of the disk."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from PIL import Image

from phx_pipeline.model.access import Principal, Role
from phx_pipeline.service.api.problems import Problem
from phx_pipeline.service.api.thumbnails import Thumbnails
from phx_pipeline.settings import Settings
from phx_pipeline.storage.layout import Layout
from phx_pipeline.wiring.catalog import build_catalog
from phx_pipeline.wiring.runs import build_context
from phx_pipeline.workflows.lifecycle import known_property, purge
from phx_pipeline_tests.commands import Phx
from phx_pipeline_tests.deployment import Deployment
from phx_pipeline_tests.integration.service.conftest import SLUG, UNASKED
from phx_pipeline_tests.rest import Rest, looking, problem, serving


@pytest.fixture
async def rest(collected: Deployment) -> AsyncIterator[Rest]:
    async with looking(collected.settings) as made:
        yield made


def pictures(settings: Settings) -> list[Path]:
    return sorted(Layout(settings.data_dir).processed.glob("*/*.png"))


def path_of(file: Path) -> str:
    return f"/photos/{file.parent.name}/{file.name}"


@pytest.fixture
def file(collected: Deployment) -> Path:
    return pictures(collected.settings)[0]


@pytest.fixture
def body(file: Path) -> bytes:
    return file.read_bytes()


async def test_a_picture_is_sent_whole_and_only_once(
    rest: Rest, file: Path, body: bytes
) -> None:
    whole = await rest.get(path_of(file))
    known = await rest.get(
        path_of(file), if_none_match=f'"x", W/{whole.headers["etag"]}'
    )
    head = await rest("HEAD", path_of(file))

    assert whole.content == body
    assert whole.headers["etag"] == f'"{sha256(whole.content).hexdigest()[:32]}"'
    assert whole.headers["content-type"] == "image/png"
    assert whole.headers["x-content-type-options"] == "nosniff"
    assert whole.headers["cache-control"] == "private, no-cache"
    assert (known.status_code, known.content) == (304, b"")
    assert head.headers["content-length"] == str(len(whole.content))
    assert head.content == b""


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-9", 0, 10),
        ("bytes=10-", 10, None),
        ("bytes=-7", -7, None),
        ("bytes=5-99999999999", 5, None),
        ("bytes=-99999999999", 0, None),
    ],
)
async def test_a_part_is_sent_to_who_asks_for_one(
    rest: Rest, file: Path, body: bytes, *, asked: str, start: int, end: int | None
) -> None:
    part = await rest.get(path_of(file), range=asked)

    assert part.status_code == 206
    assert part.content == body[start:end]
    first = start % len(body)
    last = first + len(part.content) - 1
    assert part.headers["content-range"] == f"bytes {first}-{last}/{len(body)}"


@pytest.mark.parametrize(
    "asked",
    ["bytes=", "bytes=-", "bytes=9-1", "lines=1-2", "bytes=0-1,5-6", "bytes=a-b"],
)
async def test_what_is_no_single_range_gives_the_whole(
    rest: Rest, file: Path, body: bytes, asked: str
) -> None:
    whole = await rest.get(path_of(file), range=asked)

    assert (whole.status_code, whole.content) == (200, body)


async def test_a_range_counts_for_the_picture_it_was_asked_of(
    rest: Rest, file: Path, body: bytes
) -> None:
    size = len(body)
    beyond = await rest.get(path_of(file), range=f"bytes={size}-")
    changed = await rest.get(path_of(file), range="bytes=0-9", if_range='"former"')

    problem(beyond)
    assert beyond.status_code == 416
    assert beyond.headers["content-range"] == f"bytes */{size}"
    assert (changed.status_code, len(changed.content)) == (200, size)


@pytest.mark.parametrize(
    "path",
    [
        "{folder}/..%2f..%2f..%2fphx.db",
        "{folder}/%2e%2e%2fmanifest.json",
        "..%2f..%2fmetadata/image_manifest.json",
        "%2e%2e/phx.db",
        "{folder}%5c..%5c/phx.db",
        "{folder}/{name}%00.png",
        "{folder}/{name}%0a",
        "{folder}/{name}/",
        "{folder}//{name}",
        "{folder}/.{name}",
        "{folder}/" + "a" * 250,
        "{folder}/{sidecar}",
        "00000000/{name}",
        "{upper}/{name}",
        "'%20OR%201=1--/{name}",
        "{folder}",
        "",
    ],
)
async def test_what_is_not_published_is_not_there(
    rest: Rest, file: Path, path: str
) -> None:
    named = path.format(
        folder=file.parent.name,
        name=file.name,
        sidecar=file.with_suffix(".json").name,
        upper=file.parent.name.upper(),
    )
    answer = await rest.client.get(httpx.URL(raw_path=f"/photos/{named}".encode()))

    assert answer.status_code in {400, 404}, answer.text
    assert len(answer.content) < 800


def _link_to_elsewhere(file: Path) -> None:
    body = file.read_bytes()
    file.unlink()
    (other := file.parents[3] / "elsewhere.png").write_bytes(body)
    file.symlink_to(other)


def _folder_elsewhere(file: Path) -> None:
    file.parent.rename(moved := file.parents[3] / "elsewhere")
    file.parent.symlink_to(moved, target_is_directory=True)


def _pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def _short(file: Path) -> None:
    body = file.read_bytes()
    file.unlink()
    file.write_bytes(body[:-1])


@pytest.mark.parametrize(
    "spoil", [Path.unlink, _link_to_elsewhere, _folder_elsewhere, _pipe, _short]
)
async def test_only_the_file_itself_is_sent(copied: Settings, spoil: object) -> None:
    file = pictures(copied)[0]
    spoil(file)  # type: ignore[operator]  # one of those above

    async with serving(copied) as rest:
        answers = [
            await rest.get(path_of(file)),
            *([] if spoil is _short else [await rest.get(f"{path_of(file)}?size=480")]),
        ]

    assert [it.status_code for it in answers] == [404] * len(answers)
    assert all("`phx repair` mends it" in problem(it)["detail"] for it in answers)
    assert "retry-after" not in answers[0].headers


async def test_pictures_of_a_removed_house_are_not_shown(copied: Settings) -> None:
    async with serving(copied) as rest:
        file = pictures(copied)[0]
        before = await rest.get(path_of(file))
        await rest("DELETE", f"/api/properties/{SLUG}")
        after = await rest.get(path_of(file))

    assert (before.status_code, after.status_code) == (200, 404)


async def test_a_thumbnail_is_drawn_once_and_kept(copied: Settings) -> None:
    file = pictures(copied)[0]
    async with serving(copied) as rest:
        several = await asyncio.gather(
            *(rest.get(f"{path_of(file)}?size=480") for _ in range(5))
        )
        kept = list(Layout(copied.data_dir).thumbnail_root.rglob("*"))
        (jpeg,) = (it for it in kept if it.is_file())
        whole = jpeg.read_bytes()
        jpeg.write_bytes(b"")  # as a full disk leaves it: it is drawn anew
        drawn = await rest.get(f"{path_of(file)}?size=480")
        jpeg.unlink()
        jpeg.symlink_to(copied.data_dir / "phx.db")
        linked = await rest.get(f"{path_of(file)}?size=480")
        is_link = jpeg.is_symlink()
        drawn_at = [it.stat().st_mtime_ns for it in kept]
        again = await rest.get(f"{path_of(file)}?size=480")
        etag = again.headers["etag"]
        known = await rest.get(f"{path_of(file)}?size=480", if_none_match=etag)
        other = await rest.get(f"{path_of(file)}?size=481")

    assert {it.content for it in (*several, drawn, linked, again)} == {whole}
    assert not is_link
    assert [it.suffix for it in kept if it.is_file()] == [".jpg"]
    assert [it.stat().st_mtime_ns for it in kept] == drawn_at
    assert (known.status_code, other.status_code) == (304, 422)
    with Image.open(BytesIO(again.content), formats=["JPEG"]) as shown:
        assert max(shown.size) == 480
        assert not shown.getexif()


@pytest.fixture
def images(copied: Settings) -> Iterator[list[object]]:
    catalog = build_catalog(copied)
    yield list(catalog.published_images(SLUG))
    catalog.close()


async def test_thumbnails_take_a_bounded_room(
    copied: Settings, images: list[object]
) -> None:
    layout = Layout(copied.data_dir)
    small = Thumbnails(layout, most_bytes=1)

    for image in images:
        await small.file(image)  # type: ignore[arg-type]  # published ones
    left = list(layout.thumbnail_root.glob("*/*.jpg"))
    busy = Thumbnails(layout, most_waiting=0)

    assert left == []
    with pytest.raises(Problem, match="many thumbnails"):
        await busy.file(images[0])  # type: ignore[arg-type]  # as above


async def test_lists_are_those_of_the_commands(
    collected: Deployment, rest: Rest, phx_on: Phx
) -> None:
    images = await rest.pages("/api/images?limit=1")
    (status,) = await rest.pages("/api/status")
    sources = await rest.get("/api/sources")
    (open_ones,) = await rest.pages(f"/api/images?not_kept=true&property={SLUG}")
    houses = await rest.pages("/api/properties?limit=1")
    rest.who = Principal(user="ann", role=Role.READER, key_id="aaaaaaaa")
    sent = (await rest.get("/api/images")).json()["items"]

    def told(*arguments: str) -> object:
        return phx_on(collected, *arguments, "--json").json

    assert [it for page in images for it in page] == told("images")
    here = {"file", "sidecar"}  # paths of this computer
    assert sent == [
        {name: value for name, value in it.items() if name not in here}
        for page in images
        for it in page
    ]
    assert here < images[0][0].keys()
    assert status == told("status")
    assert sources.json()["items"] == told("sources")
    assert open_ones == []
    assert [it for page in houses for it in page] == told("properties", "list")
    assert [it["property"] for it in status] == [UNASKED, SLUG]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("subject=kitchen", 0),
        ("location=ext", 1),
        ("min_confidence=99", 0),
        ("source=redfin&since=2d", 2),
        ("since=2100-01-01", 0),
        (f"property={UNASKED}", 0),
    ],
)
async def test_pictures_are_chosen_as_by_the_command(
    rest: Rest, query: str, found: int
) -> None:
    assert sum(map(len, await rest.pages(f"/api/images?{query}"))) == found


async def test_a_purge_takes_the_thumbnails_along(copied: Settings) -> None:
    layout = Layout(copied.data_dir)
    async with serving(copied) as rest:
        await rest.get(f"{path_of(pictures(copied)[0])}?size=480")
        drawn = list(layout.thumbnail_root.glob("*/*.jpg"))
        await rest("DELETE", f"/api/properties/{SLUG}")
    context = build_context(copied, run_id="test")
    house = known_property(context, SLUG).house

    purge(context, house)
    context.catalog.close()

    assert len(drawn) == 1
    assert not list(layout.thumbnail_root.glob("*/*"))
