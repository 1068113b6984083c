"""A fifth source is one package and one line in the registry, from address to photo."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from click.testing import CliRunner

from phx_pipeline.cli.main import phx
from phx_pipeline.demo import rooms
from phx_pipeline.demo.loopback import Answer, Asked
from phx_pipeline.demo.rooms import RoomKind
from phx_pipeline.model.address import Address
from phx_pipeline.model.outcome import ListingOutcome, VerdictKind
from phx_pipeline.sources import registry
from phx_pipeline.sources.registry import address_at
from phx_pipeline.stages.extract import extract
from phx_pipeline.stages.views import refresh_views
from phx_pipeline.workflows.ingest import house_of, ingest
from phx_pipeline.workflows.verify import verify_property
from phx_pipeline_tests.deployment import Deployment
from phx_pipeline_tests.integration.realtor.source import (
    HOST,
    PHOTO_HOST,
    REALTOR,
    Realtor,
)

SHOWN = 5  # photos: as many as show the way


@dataclass
class Site:
    """The site, with the captured house; `block` is what it answers in place of it."""

    details: Any
    block: bytes = b""
    asked: list[str] = field(default_factory=list)

    @property
    def page(self) -> bytes:
        state = {"initialReduxState": {"propertyDetails": self.details}}
        data = json.dumps({"props": {"pageProps": state}})
        script = f'<script id="__NEXT_DATA__" type="application/json">{data}</script>'
        own = f'<link rel="canonical" href="{self.details["url"]}">'
        return f"<html><head>{own}</head><body>{script}</body></html>".encode()

    def pages(self, asked: Asked) -> Answer:
        self.asked.append(asked.target)
        if self.block:
            return Answer(status=403, body=self.block)
        return Answer(body=self.page, headers={"content-type": "text/html"})

    def photo(self, asked: Asked) -> Answer:
        seed = crc32(asked.target.encode())
        kind = list(RoomKind)[seed % len(RoomKind)]
        body = rooms.draw(kind, seed=seed, size=(1024, 768))
        return Answer(body=body, headers={"content-type": "image/jpeg"})


@pytest.fixture
def site(shared_dir: Path) -> Site:
    sample = shared_dir / "samples/realtor/property_2026-05.json"
    if not sample.is_file():
        pytest.skip("no captured page of a fifth source (samples/realtor)")
    details = json.loads(sample.read_text())
    return Site(details={**details, "photos": details["photos"][:SHOWN]})


@pytest.fixture
def deployment(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Deployment]:
    monkeypatch.setattr(
        registry, "REGISTERED", {**registry.REGISTERED, Realtor.source: Realtor}
    )
    sites = {HOST: site.pages, PHOTO_HOST: site.photo}
    with Deployment(tmp_path / "made", sites, sources=(REALTOR,)) as made:
        yield made


def test_from_an_address_to_filed_photos(deployment: Deployment, site: Site) -> None:
    (slug,) = deployment.add([address_at(site.details["url"])])

    with deployment.context() as context:
        asyncio.run(extract(context, slug))
        refresh_views(context)
        photos = context.catalog.photos(slug)
        faults = verify_property(context, slug)
        tally = context.tally(slug)

    assert site.asked == ["/realestateandhomes-detail/12355-Attlee-Dr_Houston_TX_77077"]
    assert [photo.verdict.kind for photo in photos] == [VerdictKind.KEPT] * SHOWN
    assert all(str(it.fetched_url).endswith("od-w1024_h768.jpg") for it in photos)
    assert faults == []
    assert tally.is_complete
    names = [name for name in deployment.files() if name.endswith(".png")]
    assert len([name for name in names if "_u_20220610" in name]) == SHOWN
    assert '"realtor"' in "".join(deployment.views().values())


def test_its_saved_page_is_read(
    deployment: Deployment, site: Site, tmp_path: Path
) -> None:
    (slug,) = deployment.add([address_at(site.details["url"])])
    saved = tmp_path / "saved.html"
    saved.write_bytes(site.page)

    with deployment.context() as context:
        listing = ingest(context, slug, saved)
        house = house_of(context, saved)

    assert (listing.source, listing.outcome) == (REALTOR, ListingOutcome.LISTED)
    assert house.address == Address.parse("12355 Attlee Dr, Houston, TX 77077")
    assert site.asked == []


def test_a_refusal_is_one_and_what_is_kept_of_it_names_nobody(
    deployment: Deployment, site: Site
) -> None:
    (slug,) = deployment.add([address_at(site.details["url"])])
    told = json.dumps({key: site.details[key] for key in ("agent", "advertisers")})
    site.block = f"<title>Are you a robot?</title><pre>{told}</pre>".encode()

    with deployment.context() as context:
        asyncio.run(extract(context, slug))
        (source,) = context.tally(slug).sources
        (kept,) = context.layout.quarantined_pages("realtor").iterdir()

    assert source.outcome is ListingOutcome.BLOCKED
    text = kept.read_text()
    assert "robot" in text
    assert "Rachid" not in text
    assert "Opendoor" not in text


def test_the_commands_know_it(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in deployment.env.items():
        monkeypatch.setenv(name, value)

    shown = CliRunner().invoke(phx, ["sources", "--json"])
    disabled = CliRunner().invoke(phx, ["sources", "disable", "realtor"])

    rows = [row for row in json.loads(shown.output) if row["asked"]]
    rates = {row["name"]: row["requests_per_s"] for row in rows}
    assert rates == {"realtor": 0.5, "realtor/photos": None}
    assert disabled.exit_code == 0
    with deployment.context() as context:
        assert context.catalog.policies.switched_off() == {REALTOR}
