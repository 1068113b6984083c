"""The assessor of a county, from an address to filed sketches, stored facts and values.

Requests carry production URLs through the loopback proxy, as those of every source.
"""

import asyncio
import base64
import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path

import pytest

from phx_pipeline.demo.houses import HOUSES
from phx_pipeline.demo.loopback import Answer, Asked, Handler
from phx_pipeline.demo.maricopa_site import maricopa_sites
from phx_pipeline.demo.maricopa_sketches import sketches_of
from phx_pipeline.model.job import Mode
from phx_pipeline.model.outcome import ListingOutcome, VerdictKind
from phx_pipeline.model.source import Source
from phx_pipeline.sources.maricopa.standin import (
    MAP_HOST,
    PAGE_HOST,
    TOKEN,
    parcel_answer,
    parcel_of,
    persons_of,
)
from phx_pipeline.stages.extract import extract
from phx_pipeline.stages.views import refresh_views
from phx_pipeline.workflows.ingest import house_of, ingest
from phx_pipeline.workflows.verify import verify_property
from phx_pipeline_tests.deployment import Deployment, slug_of

HOUSE = HOUSES[0]
SLUG = slug_of(HOUSE)
SOURCES = (Source.MARICOPA,)


def county(
    root: Path,
    *,
    token: str | None = TOKEN,
    sites: Mapping[str, Handler] | None = None,
) -> Deployment:
    """An installation that asks the assessor alone; *sites* stand in for its own."""
    served = {**maricopa_sites(), **(sites or {})}
    return Deployment(root, served, sources=SOURCES, maricopa_token=token)


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    with county(tmp_path / "made") as made:
        made.add_houses([HOUSE])
        yield made


def run(deployment: Deployment, *, mode: Mode = Mode.RESUME) -> None:
    with deployment.context() as context:
        asyncio.run(extract(context, SLUG, mode=mode))
        refresh_views(context)


def outcome(deployment: Deployment) -> tuple[ListingOutcome | None, str]:
    with deployment.context() as context:
        (source,) = context.tally(SLUG).sources
    return source.outcome, source.detail


def assert_names_nobody(deployment: Deployment, told: str) -> None:
    """Nothing the county tells of persons is in a file, a store, or what was said."""
    secrets = {said for house in HOUSES for said in persons_of(house).values()}
    secrets |= {"KETTLEMERE", TOKEN}
    kept = [it for it in deployment.root.rglob("*") if it.is_file()]
    assert len(kept) > 5
    for text in (told.encode(), *(path.read_bytes() for path in kept)):
        assert not [said for said in secrets if said.encode() in text]


def test_from_an_address_to_filed_sketches_and_stored_facts(
    deployment: Deployment, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    run(deployment)

    with deployment.context() as context:
        photos = context.catalog.photos(SLUG)
        facts = context.catalog.facts.history(SLUG)
        values = context.catalog.facts.valuations(SLUG)[Source.MARICOPA]
        faults = verify_property(context, SLUG)
        assert context.tally(SLUG).is_complete
    pages = sketches_of(HOUSE)
    assert [photo.verdict.kind for photo in photos] == [VerdictKind.KEPT] * len(pages)
    names = [name for name in deployment.files() if name.endswith(".png")]
    assert len([name for name in names if "_feat_document_" in name]) == len(pages)
    assert all("_m_" in name for name in names)
    assert faults == []
    assert [it.facts.parcel_number for it in facts] == [HOUSE.apn]
    assert len(values) > 1
    assert_names_nobody(deployment, caplog.text)


def test_each_answer_is_asked_for_once_by_a_plain_client(
    deployment: Deployment,
) -> None:
    run(deployment)
    run(deployment)

    asked = deployment.standin.asked
    assert [(it.host, it.target.partition("?")[0]) for it in asked] == [
        (PAGE_HOST, "/search/property/"),
        (PAGE_HOST, f"/parcel/{parcel_of(HOUSE)}"),
    ]
    for it in asked:
        assert it.headers["authorization"] == TOKEN
        assert not {"user-agent", "cookie", "sec-ch-ua"} & it.headers.keys()


def test_where_there_are_proxies_nothing_goes_round_them(
    deployment: Deployment, tmp_path: Path
) -> None:
    proxies = tmp_path / "proxies.txt"
    proxies.write_text(deployment.standin.proxy_url)
    deployment.settings = replace(deployment.settings, proxy=None, proxies_file=proxies)

    run(deployment)

    assert outcome(deployment)[0] is ListingOutcome.LISTED
    asked = deployment.standin.asked
    assert [it.headers["authorization"] for it in asked] == [TOKEN, TOKEN]
    assert all("Mozilla" in it.headers["user-agent"] for it in asked)  # curl's way


@pytest.mark.parametrize("number", ["501-93-515", "509-11-455"])
def test_a_captured_sketch_is_filed_as_a_document(
    number: str, shared_dir: Path, tmp_path: Path
) -> None:
    file = shared_dir / f"samples/maricopa/parcel_{number}.json"
    if not file.is_file():
        pytest.skip(f"no captured answer of the assessor ({file.name})")
    pages = json.loads(file.read_text())["Sketches"]["Pages"]
    drawn = [base64.b64decode(page["Sketch"]) for page in pages]
    sites = maricopa_sites(sketches=lambda _house: drawn)

    with county(tmp_path / "made", sites=sites) as made:
        made.add_houses([HOUSE])
        run(made)

        names = [name for name in made.files() if name.endswith(".png")]
        assert len([name for name in names if "_feat_document_" in name]) == 1


def test_a_saved_answer_is_read_without_asking(
    deployment: Deployment, tmp_path: Path
) -> None:
    saved = tmp_path / "parcel.json"
    saved.write_bytes(parcel_answer(HOUSE, sketches=sketches_of(HOUSE), others=[]))

    with deployment.context() as context:
        house = house_of(context, saved, source=Source.MARICOPA)
        listing = ingest(context, house.slug, saved, source=Source.MARICOPA)
        photos = context.catalog.photos(SLUG)

    assert (house.slug, listing.outcome) == (SLUG, ListingOutcome.LISTED)
    assert len(photos) == len(sketches_of(HOUSE))
    assert deployment.standin.asked == []


def test_without_a_token_facts_come_from_the_map_and_with_one_it_is_due(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with county(tmp_path / "made", token=None) as made:
        made.add_houses([HOUSE])
        run(made)
        run(made)

        ended, told = outcome(made)
        assert (ended, "PHX_MARICOPA_TOKEN" in told) == (ListingOutcome.DISABLED, True)
        assert [it.host for it in made.standin.asked] == [MAP_HOST]
        with made.context() as context:
            (seen,) = context.catalog.facts.history(SLUG)
        assert seen.facts.year_built == HOUSE.year_built
        assert_names_nobody(made, caplog.text)

    with county(tmp_path / "made") as equipped:
        run(equipped)

        assert outcome(equipped)[0] is ListingOutcome.LISTED


@pytest.mark.parametrize("token", ["wrong", TOKEN])
def test_what_refuses_us_or_cannot_be_read_is_told_and_nothing_of_it_is_kept(
    token: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    said = json.dumps({"Owner": persons_of(HOUSE), "note": token})
    is_known = token == TOKEN

    def answer(asked: Asked) -> Answer:
        assert asked.headers["authorization"] == token
        status = HTTPStatus.OK if is_known else HTTPStatus.FORBIDDEN
        return Answer(status=status, body=said.encode())

    with county(tmp_path / "made", token=token, sites={PAGE_HOST: answer}) as made:
        made.add_houses([HOUSE])
        run(made)

        ended, told = outcome(made)
        if is_known:
            assert ended is ListingOutcome.PAGE_CHANGED
        else:
            assert ended is ListingOutcome.BLOCKED
            assert "phx sources reset maricopa_assessor" in told
        with made.context() as context:
            folder = context.layout.quarantined_pages(Source.MARICOPA)
            assert not folder.exists()
        assert_names_nobody(made, caplog.text)
