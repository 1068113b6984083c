"""The Phoenix MLS by its licensed feeds, from an address to filed photos.

Requests carry production URLs through the loopback proxy; the answers are drawn.
"""

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from phx_pipeline.demo.loopback import Answer, Asked, Handler
from phx_pipeline.demo.phoenix_mls_site import phoenix_mls_sites
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.source import Source
from phx_pipeline.sources.phoenix_mls import licensed_reso, licensed_spark
from phx_pipeline.sources.phoenix_mls.standin_photos import uploads
from phx_pipeline.stages.extract import extract
from phx_pipeline.workflows.verify import verify_property
from phx_pipeline_tests.deployment import SMALLEST, Deployment, with_shots

HOUSE = with_shots(SMALLEST, 0, 1)
TOKEN = "a-token-of-the-tests"  # noqa: S105 - opens nothing
KEY = f"{HOUSE.record.listed_on:%Y%m%d}070000000000000000"
SHOWN = [upload for upload in uploads(HOUSE) if not upload.is_gone]


def record() -> dict[str, Any]:
    """What both feeds tell of the house."""
    return {
        "ListingId": HOUSE.record.mls_id,
        "StandardStatus": "Active",
        "ListingContractDate": HOUSE.record.listed_on.isoformat(),
        "StreetNumber": HOUSE.number,
        "StreetDirPrefix": HOUSE.direction,
        "StreetName": HOUSE.street,
        "StreetSuffix": HOUSE.street_type,
        "UnitNumber": HOUSE.unit,
        "City": HOUSE.city,
        "StateOrProvince": "AZ",
        "PostalCode": HOUSE.zip_code,
        "LivingArea": HOUSE.sqft,
        "PhotosCount": len(SHOWN),
        "ListAgentFullName": "Kettlemere Roe",
    }


def reso(_asked: Asked) -> object:
    media = [
        {
            "MediaKey": upload.key,
            "MediaURL": upload.url(),
            "MediaCategory": "Photo",
            "Order": order,
            "Permission": ["IDX"],
            "ImageOf": "Kitchen",
        }
        for order, upload in enumerate(SHOWN)
    ]
    return {"value": [{"ListingKey": KEY, "Media": media, **record()}]}


def spark(asked: Asked) -> object:
    rows: list[dict[str, Any]] = [{"Id": KEY, "StandardFields": record()}]
    if urlsplit(asked.target).path.endswith("/photos"):
        rows = [
            {"Id": upload.key, "Name": "Kitchen", "UriLarge": upload.url()}
            for upload in SHOWN
        ]
    pages = {"TotalRows": len(rows), "CurrentPage": 1, "TotalPages": 1}
    return {"D": {"Success": True, "Results": rows, "Pagination": pages}}


def told(answers: Callable[[Asked], object]) -> Handler:
    def answer(asked: Asked) -> Answer:
        is_ours = asked.headers.get("authorization") == f"Bearer {TOKEN}"
        body = json.dumps(answers(asked) if is_ours else {}).encode()
        return Answer(status=200 if is_ours else 401, body=body)

    return answer


FEEDS = {
    "reso_token": {licensed_reso.HOST: told(reso)},
    "spark_token": {licensed_spark.HOST: told(spark)},
}


@pytest.fixture(params=FEEDS)
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Deployment]:
    """An installation with the token of one feed, and one house."""
    sites = phoenix_mls_sites([HOUSE]) | FEEDS[request.param]
    token = {request.param: TOKEN}
    with Deployment(tmp_path, sites, sources=(Source.PHOENIX_MLS,), **token) as made:
        made.add_houses([HOUSE])
        yield made


def test_a_feed_leads_to_filed_photos_and_names_nobody(made: Deployment) -> None:
    with made.context() as context:
        (slug,) = context.catalog.slugs()
        asyncio.run(extract(context, slug))
        (source,) = context.tally(slug).sources
        (seen,) = context.catalog.facts.history(slug)
        assert verify_property(context, slug) == []

    assert (source.outcome, source.detail) == (ListingOutcome.LISTED, "")
    assert seen.facts.living_area == HOUSE.sqft
    files = [name for name in made.files() if name.endswith(".png")]
    assert len(files) == len(SHOWN)
    assert all("_int_kitchen_" in name and "_p_" in name for name in files)
    hosts = {it.host for it in made.standin.asked}
    assert len(hosts) == 2  # the feed and the photo host, no page of the public site
    kept = [path for path in made.root.rglob("*") if path.is_file()]
    for path in kept:
        assert not [
            it for it in (TOKEN, "Kettlemere") if it.encode() in path.read_bytes()
        ]
