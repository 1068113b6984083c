import asyncio

import pytest

from phx_pipeline.errors import DeadlineError, InputError
from phx_pipeline.model.address import Address
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.property import Property
from phx_pipeline.model.source import Source
from phx_pipeline.sources.base import Credential
from phx_pipeline.sources.border import Border
from phx_pipeline.sources.redfin import Redfin
from phx_pipeline.sources.registry import (
    address_at,
    available_sources,
    hosts_of,
    lacking,
    site_named,
)
from phx_pipeline.sources.zillow import Zillow
from phx_pipeline.sources.zillow.search import search_url
from phx_pipeline_tests.canned import CannedFetcher


def test_every_source_is_registered_under_its_own_name() -> None:
    sources = available_sources()

    assert Source.REDFIN in sources
    assert all(adapter.source is source for source, adapter in sources.items())


def test_the_hosts_of_a_source_are_those_of_its_pages_and_photos() -> None:
    hosts = hosts_of(available_sources())

    assert hosts[Source.REDFIN] == (
        "www.redfin.com",
        "redfin.com",
        "ratelimited.redfin.com",
        "ssl.cdn-redfin.com",
    )


def test_no_source_has_no_hosts() -> None:
    assert hosts_of({}) == {}


# --- what URLs name -------------------------------------------------------------------

REDFIN = "https://www.redfin.com"
ZILLOW = "https://www.zillow.com"
DAVIS = "4732 W Davis Rd, Glendale, AZ 85306"


@pytest.mark.parametrize(
    ("url", "address"),
    [
        (f"{REDFIN}/AZ/Glendale/4732-W-Davis-Rd-85306/home/26790171", DAVIS),
        (
            f"{REDFIN}/AZ/Glendale/4732-W-Davis-Rd-85306/home/1?utm_source=x&a=b#c",
            DAVIS,
        ),
        ("http://redfin.com/az/Glendale/4732-W-Davis-Rd-85306/home/1/", DAVIS),
        (f"{REDFIN}:443/AZ/Glendale/4732-W-Davis-Rd-85306/home/1/crime", DAVIS),
        (
            f"{REDFIN}/AZ/Phoenix/123-N-1st-St-85003/unit-4/home/123",
            "123 N 1st St Unit 4, Phoenix, AZ 85003",
        ),
        (
            f"{REDFIN}/AZ/Phoenix/123-N-1st-St-85003/apt-B-4/home/123",
            "123 N 1st St Unit B4, Phoenix, AZ 85003",
        ),
        (
            f"{REDFIN}/AZ/Phoenix/123-N-1st-St-85003/204/home/123",
            "123 N 1st St Unit 204, Phoenix, AZ 85003",
        ),
        (
            f"{REDFIN}/AZ/Queen-Creek/1-E-Main-St-85142/home/5",
            "1 E Main St, Queen Creek, AZ 85142",
        ),
        (
            f"{ZILLOW}/homedetails/4732-W-Davis-Rd-Glendale-AZ-85306/7812345_zpid/",
            DAVIS,
        ),
        (
            f"{ZILLOW}/homedetails/4732-W-Davis-Rd-Glendale-AZ-85306/78_zpid/?x=1#photos",
            DAVIS,
        ),
        (
            f"{ZILLOW}/homedetails/1425-E-Roosevelt-St-APT-204-Phoenix-AZ-85006/7_zpid",
            "1425 E Roosevelt St Unit 204, Phoenix, AZ 85006",
        ),
        (
            f"{ZILLOW}/homedetails/1-E-Main-St-San-Tan-Valley-AZ-85140/7_zpid/",
            "1 E Main St, San Tan Valley, AZ 85140",
        ),
        (f"{ZILLOW}/homes/4732-W-Davis-Rd-Glendale-AZ-85306_rb/", DAVIS),
        (f"{ZILLOW}/homes/4732-W-Davis-Rd,-Glendale,-AZ-85306_rb/7_zpid/", DAVIS),
        (f"{ZILLOW}/homes/4732-W-Davis-Rd%2C-Glendale%2C-AZ-85306_rb/", DAVIS),
        (f"{ZILLOW}/homes/for_sale/4732-W-Davis-Rd-Glendale-AZ-85306_rb/", DAVIS),
        (
            f"{ZILLOW}/homedetails/2417-1-2-W-Adams-St-Phoenix-AZ-85009/7_zpid/",
            "2417 1/2 W Adams St, Phoenix, AZ 85009",
        ),
    ],
)
def test_the_url_of_a_listing_names_an_address(url: str, address: str) -> None:
    assert str(Address.parse(address_at(url))) == address


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://redf.in/aB3", "is a short link: open it and give the full URL"),
        ("https://zillow.app.link/aB3", "is a short link"),
        (f"{REDFIN}/city/14240/AZ/Phoenix", "names no address"),
        (f"{REDFIN}/AZ/Phoenix/The-Tower/building/12", "names no address"),
        (f"{ZILLOW}/homedetails/7812345_zpid/", "names no address"),
        (f"{ZILLOW}/homes/Phoenix,-AZ_rb/", "names no address"),
        (ZILLOW, "names no address"),
        ("https://www.realtor.com/x_85306", "no page of redfin or zillow"),
        ("https://www.zillow.com.evil.example/homes/x_rb/", "no page of redfin or"),
        ("https://[::1/", "is no URL"),
    ],
)
def test_a_url_that_names_no_address_is_told_with_the_remedy(
    url: str, told: str
) -> None:
    with pytest.raises(InputError, match=told):
        address_at(url)


def test_a_url_without_its_scheme_is_known_by_its_host() -> None:
    assert site_named("www.Redfin.com/AZ/x")
    assert site_named("redf.in/x")
    assert not site_named("4732 W Davis Rd / Glendale")


# --- what a source lacks --------------------------------------------------------------


class Licensed(Zillow):
    """A source with one token it needs and one it can do without."""

    needs_browser = False
    credentials = (
        Credential(setting="PHX_A", is_required=True, without="set PHX_A"),
        Credential(setting="PHX_B", is_required=False, without="set PHX_B"),
    )


def test_a_source_lacks_the_token_it_needs_until_it_is_there() -> None:
    assert lacking(Licensed(), {}, lacks_browser="no browser") == "set PHX_A"
    assert lacking(Licensed(), {"PHX_A": "x"}, lacks_browser="no browser") == ""
    assert lacking(Zillow(), {}, lacks_browser="no browser") == "no browser"
    assert lacking(Redfin(), {}, lacks_browser="no browser") == ""


@pytest.mark.parametrize("asks_without", ["", "what can be had"])
def test_what_lacks_something_is_disabled_and_asked_only_if_it_has_a_way(
    asks_without: str,
) -> None:
    inner = Licensed()
    inner.asks_without = asks_without
    address = Address.parse(DAVIS)
    house = Property(slug=address.slug, folder="686067a4", address=address)
    late = DeadlineError("late", url=search_url(address))
    fetcher = CannedFetcher({search_url(address): late})

    found = asyncio.run(Border(inner, lacks="no key").discover(house, fetcher=fetcher))

    assert bool(fetcher.asked) is bool(asks_without)
    if not asks_without:
        assert (found.outcome, found.detail) == (ListingOutcome.DISABLED, "no key")
