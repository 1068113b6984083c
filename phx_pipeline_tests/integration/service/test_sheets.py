"""Contact sheets over HTTP: what the catalogue names, behind the guard, no more."""

from functools import partial
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from PIL import Image
from starlette.applications import Starlette

from phx_pipeline.catalog.store import Catalog
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.errors import CatalogDownError
from phx_pipeline.model.address import Address
from phx_pipeline.model.property import Property
from phx_pipeline.model.sheet import SHEETS, Step, path_of_sheet
from phx_pipeline.service.guard import Guard
from phx_pipeline.service.reach import Reach
from phx_pipeline.service.sheets import MAX_BYTES, Sheets
from phx_pipeline.stages.extract import extract
from phx_pipeline.storage.layout import Layout
from phx_pipeline.wiring.catalog import build_catalog
from phx_pipeline_tests.deployment import Deployment
from phx_pipeline_tests.integration.service.conftest import HOUSE as _HOUSE
from phx_pipeline_tests.integration.service.conftest import SLUG as _SLUG

_PORT = 3999
_URL = f"http://127.0.0.1:{_PORT}"
_KNOWN = Property.at(Address.parse(_HOUSE.address))
_MANIFEST = path_of_sheet(_KNOWN, Step.MANIFEST)


def sheets_of(made: Deployment) -> Sheets:
    opening = partial(build_catalog, made.settings)
    return Sheets(opening, layout=Layout(made.settings.data_dir))


async def ask(sheets: Sheets, path: str, **headers: str) -> httpx.Response:
    """What a browser gets that goes to *path*."""
    app = Guard(Starlette(routes=[sheets.mount()]), reach=Reach(port=_PORT))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url=_URL) as client:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return await client.get(path, headers=given)


@pytest.mark.parametrize("step", Step)
async def test_each_step_with_pictures_has_a_sheet_of_them(
    collected: Deployment, step: Step
) -> None:
    shown = await ask(sheets_of(collected), path_of_sheet(_KNOWN, step))

    assert shown.status_code == 200
    assert shown.headers["content-type"] == "image/jpeg"
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert len(shown.content) < MAX_BYTES
    with Image.open(BytesIO(shown.content), formats=["JPEG"]) as sheet:
        assert sheet.width > 2 * 240
        assert not sheet.getexif()


async def test_a_sheet_is_asked_about_each_time_and_sent_once(
    collected: Deployment,
) -> None:
    sheets = sheets_of(collected)
    first = await ask(sheets, _MANIFEST)
    etag = first.headers["etag"]

    known = await ask(sheets, _MANIFEST, if_none_match=f'"other", W/{etag}')
    outdated = await ask(sheets, _MANIFEST, if_none_match='"other"')

    assert first.headers["cache-control"] == "private, no-cache"
    assert (known.status_code, known.content) == (304, b"")
    assert known.headers["etag"] == etag
    assert (outdated.status_code, outdated.content) == (200, first.content)


async def test_the_key_of_a_house_leads_to_it_too(collected: Deployment) -> None:
    shown = await ask(sheets_of(collected), f"{SHEETS}/{_SLUG}/manifest.jpg")

    assert shown.status_code == 200
    assert f'"{_SLUG}-manifest.jpg"' in shown.headers["content-disposition"]


@pytest.mark.parametrize(
    "path",
    [
        f"{SHEETS}/1-e-unasked-st-mesa-az-85204/manifest.jpg",
        f"{SHEETS}/1-nowhere-st-mesa-az-85204/manifest.jpg",
        f"{SHEETS}/{_SLUG}/discovered_urls.jpg",
        f"{SHEETS}/{_SLUG}/phx.jpg",
        f"{SHEETS}/{_SLUG}/manifest.png",
        f"{SHEETS}/{_SLUG}/../../phx.db",
        f"{SHEETS}/..%2F..%2Fphx.db/manifest.jpg",
        f"{SHEETS}/%2E%2E/manifest.jpg",
        f"{SHEETS}/{_SLUG}/..%2F{_SLUG}%2Fmanifest.jpg",
        f"{SHEETS}/{_SLUG}%00/manifest.jpg",
        f"{SHEETS}/'%20OR%201=1--/manifest.jpg",
        f"{SHEETS}/",
    ],
)
async def test_what_the_catalogue_does_not_name_is_not_there(
    collected: Deployment, path: str
) -> None:
    refused = await ask(sheets_of(collected), path)

    assert refused.status_code in {400, 404}
    assert refused.headers["content-type"].startswith("text/plain")
    assert len(refused.content) < 400


async def test_a_page_from_elsewhere_cannot_show_it(collected: Deployment) -> None:
    refused = await ask(sheets_of(collected), _MANIFEST, sec_fetch_site="cross-site")

    assert refused.status_code == 403


@pytest.mark.parametrize("left", [None, b"no picture"], ids=["gone", "damaged"])
async def test_a_picture_that_cannot_be_read_leaves_its_place_empty_until_it_is_mended(
    tmp_path: Path, left: bytes | None
) -> None:
    with Deployment(tmp_path / "made", redfin_sites([_HOUSE])) as made:
        made.add_houses([_HOUSE])
        with made.context() as context:
            await extract(context, _SLUG)
        sheets = sheets_of(made)
        whole = await ask(sheets, _MANIFEST)
        folder = made.settings.data_dir / "property_images" / "processed"
        file = min(folder.glob("*/*.png"))
        body = file.read_bytes()
        file.unlink()
        if left is not None:
            file.write_bytes(left)

        lacking = await ask(sheets, _MANIFEST)
        file.unlink(missing_ok=True)
        file.write_bytes(body)
        etag = lacking.headers["etag"]
        mended = await ask(sheets, _MANIFEST, if_none_match=etag)

    sheet = Image.open(BytesIO(lacking.content), formats=["JPEG"])
    assert sheet.getpixel((60, 60)) == (221, 221, 221)
    assert (mended.status_code, mended.content) == (200, whole.content)


async def test_a_catalogue_that_is_down_is_told_in_one_line(
    collected: Deployment,
) -> None:
    def down() -> Catalog:
        raise CatalogDownError("/srv/phx.db does not answer: start its server")

    sheets = Sheets(down, layout=Layout(collected.settings.data_dir))

    told = await ask(sheets, _MANIFEST)

    assert told.status_code == 503
    assert told.text == "the catalogue does not answer now: try again in a minute\n"
