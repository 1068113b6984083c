import asyncio
from pathlib import Path
from typing import Any

import pytest

from phx_pipeline.demo.houses import HOUSES
from phx_pipeline.fetch.base import Fetched
from phx_pipeline.model.address import Address
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.property import Property
from phx_pipeline.model.source import Source
from phx_pipeline.sources.phoenix_mls import (
    PhoenixMls,
    idx_site,
    licensed_reso,
    licensed_spark,
)
from phx_pipeline.sources.phoenix_mls.addresses import address_in
from phx_pipeline.sources.phoenix_mls.idx_search import parse_results
from phx_pipeline.sources.phoenix_mls.photos import photo_at, photo_key
from phx_pipeline.sources.phoenix_mls.standin import listing_page, results_page

PAGES = Path(__file__).parents[3] / "pages/phoenix_mls"
HOUSE = Property.at(Address.parse("1418 E Quail Whistle Ln, Phoenix, AZ 85042"))
KEY = "20250308211500000001000000"


@pytest.mark.parametrize(
    ("secrets", "way", "told"),
    [
        ({}, "site", "its public site"),
        ({"PHX_SPARK_TOKEN": "s"}, "spark s", "the Spark API, as PHX_SPARK_TOKEN is"),
        (
            {"PHX_RESO_TOKEN": "r", "PHX_SPARK_TOKEN": "s"},
            "reso r",
            "the RESO Web API, as PHX_RESO_TOKEN is",
        ),
        ({"PHX_MARICOPA_TOKEN": "m"}, "site", "its public site"),
    ],
)
def test_the_best_way_there_is_a_token_for_is_gone_and_told(
    secrets: dict[str, str], way: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def going(name: str) -> Any:
        async def discover(
            house: Property, *, fetcher: object, token: str = ""
        ) -> Listing:
            del house, fetcher
            detail = f"{name} {token}".strip()
            outcome = ListingOutcome.NOT_FOUND
            return Listing(source=Source.PHOENIX_MLS, outcome=outcome, detail=detail)

        return discover

    monkeypatch.setattr(idx_site, "discover", going("site"))
    monkeypatch.setattr(licensed_reso, "discover", going("reso"))
    monkeypatch.setattr(licensed_spark, "discover", going("spark"))
    nobody: Any = None

    source = PhoenixMls().equipped(secrets)
    listing = asyncio.run(source.discover(HOUSE, fetcher=nobody))

    assert listing.detail == way
    assert source.uncaptured.startswith(f"it is asked by {told}")


def test_it_needs_no_token_and_says_which_is_for_what() -> None:
    adapter = PhoenixMls()

    assert not any(credential.is_required for credential in adapter.credentials)
    assert all(it.setting in it.without for it in adapter.credentials)


@pytest.mark.parametrize(
    ("url", "key"),
    [
        (f"https://cdn.photos.sparkplatform.com/az/{KEY}-o.jpg", KEY),
        (f"https://cdn.photos.sparkplatform.com/az/{KEY}-t.jpg", KEY),
        (f"https://cdn.photos.sparkplatform.com/az/{KEY}.jpg", KEY),
        (f"https://cdn2.photos.sparkplatform.com/az/{KEY}-o.jpg", KEY),
        (f"https://cdn.resize.sparkplatform.com/az/640x480/true/{KEY}-o.jpg", KEY),
        (f"http://cdn.photos.sparkplatform.com/az/{KEY}-o.jpg", None),
        (f"https://cdn.photos.sparkplatform.com.evil.example/az/{KEY}-o.jpg", None),
        (f"https://me@cdn.photos.sparkplatform.com/az/{KEY}-o.jpg", None),
        (f"https://cdn.photos.sparkplatform.com/az/../{KEY}-o.jpg", None),
        (f"https://cdn.photos.sparkplatform.com/az/{KEY}0-o.jpg", None),
        ("https://cdn.photos.sparkplatform.com/az/logo.png", None),
        ("https://[cdn.photos.sparkplatform.com/az", None),
        (f"https://cdn.photos.sparkplatform.com/az/{KEY}-o.jpg" + "?" * 3000, None),
    ],
)
def test_a_photo_is_named_by_its_id_in_every_size(url: str, key: str | None) -> None:
    assert photo_key(url) == PhoenixMls().photo_named(url) == key


@pytest.mark.parametrize("scheme", ["http:", "https:", ""])
def test_a_photo_is_asked_for_as_its_original_however_it_is_linked(scheme: str) -> None:
    link = f"{scheme}//cdn1.resize.sparkplatform.com/az/64x48/true/{KEY}-o.jpg"

    photo = photo_at(link, position=3, caption="Kitchen")

    assert photo is not None
    assert photo.url == f"https://cdn.photos.sparkplatform.com/az/{KEY}-o.jpg"
    assert all(photo_key(url) == KEY for url in photo.fallback_urls)
    mark = PhoenixMls().filed_under(photo)
    assert str(mark.uploaded) == "2025-03-08"


@pytest.mark.parametrize(
    ("path", "address"),
    [
        (
            "/mls/5219-W-EL-CAMINITO-Drive-Glendale-AZ-85302-mls_6937912/",
            "5219 W El Caminito Dr, Glendale, AZ 85302",
        ),
        (
            "/mls/7316-E-COPPER-THRUSH-Avenue-204-Scottsdale-AZ-85251-mls_6985019",
            "7316 E Copper Thrush Ave Unit 204, Scottsdale, AZ 85251",
        ),
        ("/mls/search/", None),
        ("/simple-search/", None),
    ],
)
def test_the_path_of_a_listing_names_its_address(
    path: str, address: str | None
) -> None:
    named = address_in(path)

    assert (named and str(Address.parse(named))) == address


def test_a_page_of_results_of_the_later_template_is_read_too() -> None:
    body = (PAGES / "results_v2.html").read_bytes()
    results = parse_results(Fetched(url="", status=200, headers={}, body=body))

    assert results.matches == 3
    assert [(it.number, it.match(HOUSE), it.has_ended) for it in results.rows] == [
        ("4719507", "same", True),
        ("6801242", "same", False),
        ("6801299", "other", False),
    ]


@pytest.mark.parametrize(
    "text",
    [
        listing_page(HOUSES[0], others=HOUSES[1:]).decode(),
        results_page(HOUSES).decode(),
        (PAGES / "listing_v2.html").read_text(),
        "<b>Listing Office:</b> An Office",
        "<span>Listing Courtesy of</span> <span>An Office</span>",
        "<dt>List Agent Name</dt><dd>An Agent</dd>",
        "{'agentName': 'An Agent', \"officeEmail\": \"An Office\"}",
        "<p>Broker Attribution: An Agent, An Office</p>",
        '{"ListAgentFullName": "An Agent", "CoListOfficeName":"An Office", "a": 1}',
        '{"BuyerAgentEmail":"x@office.example","ListOffice":{"Of":["An Agent"]}}',
        '{"D": {"Success": false, "Code": 1000, "Message": "not for An Agent"}}',
    ],
    ids=range(11),
)
def test_what_is_kept_of_a_page_names_no_agent_and_no_office(text: str) -> None:
    scrubbed = PhoenixMls().scrubbed(text)

    assert "An Agent" not in scrubbed
    assert "An Office" not in scrubbed
    assert "@office.example" not in scrubbed
    assert len(scrubbed) > len(text) * 0.7 or len(text) < 100
