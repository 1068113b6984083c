"""The answers of the stand-in for the assessor: search, parcels, and the public map.

They have the shape of captured ones, traps included: numbers as padded texts, similar
parcels that are other homes, an address that is `N/A`. Owners and tenants stand in them
as in real ones; who they are is made up, and told by `persons_of`.
"""

import base64
import json
import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final
from zlib import crc32

from phx_pipeline.sources.standins import House

PAGE_HOST: Final = "mcassessor.maricopa.gov"
MAP_HOST: Final = "gis.mcassessor.maricopa.gov"
SEARCH_PATH: Final = "/search/property/"
MAP_PATH: Final = "/arcgis/rest/services/Parcels/MapServer/0/query"
TOKEN: Final = "made-up-token-of-a-stand-in"  # noqa: S105 - opens nothing

_ROWS_A_PAGE = 25
_SIMILAR = 5
_NEWEST_YEAR, _YEARS = 2026, 5
_TAX_SHARE = 0.93  # of a price, and of the year after
_PAD = 12  # characters of some numbers
_FIRST = ("Ottoline", "Barnabas", "Philippa", "Leopold", "Henrietta", "Cornelius")
_LAST = ("Quillfeather", "Dunmarrow", "Ashgrave", "Pinkerling", "Vosswick", "Tamsworth")
_WORD = re.compile(r"[A-Z0-9]+")
_EQUALS = re.compile(r"(?P<field>\w+)='(?P<value>(?:[^']|'')*)'")

Json = dict[str, Any]


def persons_of(house: House) -> dict[str, str]:
    """Return what the answers tell of persons: who owns the house, and where they are.

    Nothing of it may be kept.
    """
    seed = crc32(house.apn.encode())
    first, last = _FIRST[seed % len(_FIRST)], _LAST[seed // 7 % len(_LAST)]
    return {
        "owner": f"{last}/{first}".upper(),
        "care_of": f"{first} {last} Family Trust",
        "mailing": f"PO BOX {seed % 90_000 + 10_000}",
        "phone": f"602-555-{seed % 10_000:04}",
        "agent": f"{last} & {first} Rentals",
        "deed": f"2019{seed % 10_000_000:07}",
    }


def search_answer(asked_for: str, *, houses: Sequence[House], page: int = 1) -> bytes:
    """Return a page of the property search: what has all words of *asked_for*.

    That is a street line; a city, a state or a ZIP code in it finds nothing.
    """
    words = set(_WORD.findall(asked_for.upper()))
    found = [house for house in houses if words <= _words_of(house)]
    start = (page - 1) * _ROWS_A_PAGE
    rows = [search_row(house) for house in found[start : start + _ROWS_A_PAGE]]
    return _json({"TOTAL": len(found), "Results": rows})


def search_row(house: House) -> Json:
    """Return how the search shows a house."""
    return {
        "MCR": "47616",
        "SubdivisonName": "MADE UP MEADOWS UNIT 4",
        "APN": house.apn,
        "Ownership": persons_of(house)["owner"],
        "SitusAddress": _situs(house, with_place=False),
        "SitusCity": house.city.upper(),
        "SitusZip": house.zip_code,
        "PropertyType": "Residential",
        "RentalID": persons_of(house)["phone"],
    }


def parcel_answer(
    house: House, *, sketches: Sequence[bytes], others: Sequence[House]
) -> bytes:
    """Return what is known of a house's parcel.

    Args:
        house: whose parcel.
        sketches: the drawings of its building, as PNG.
        others: houses of which some are called similar.
    """
    return _json(
        {
            "MCR": "47616",
            "PropertyAddress": _situs(house, with_place=True),
            "LotSize": str(house.lot_sqft),
            "IsResidential": True,
            "SubdivisionName": "MADE UP MEADOWS UNIT 4",
            "LocalJusidiction": house.city.upper(),
            "PropertyType": "Residential",
            **_owned(house),
            "TreasurersTransitionUrl": "https://treasurer.maricopa.gov/parcel/"
            f"default.aspx?Parcel={parcel_of(house)}",
            "IsCancelled": False,
            "Valuations": [_valuation(house, year) for year in _years()],
            "PropertyUseCode": "0131",
            "PEPropUseDesc": _use_of(house),
            "ResidentialPropertyData": _home(house),
            "SimilarParcels": [_similar(other) for other in others[:_SIMILAR]],
            "Sketches": {
                "TotalPages": len(sketches),
                "Pages": [
                    {
                        "Sketch": base64.b64encode(sketch).decode(),
                        "PageNum": number,
                        "APN": parcel_of(house),
                    }
                    for number, sketch in enumerate(sketches, start=1)
                ],
            },
            "MapIDs": {"Parcel Maps": [], "S/T/R Maps": []},
        }
    )


def map_answer(where: str, *, houses: Sequence[House]) -> bytes:
    """Return the parcels of the public map for which *where* holds.

    It is understood as far as fields are compared with texts, all of them at once.
    """
    wanted = {
        found["field"]: found["value"].replace("''", "'")
        for found in _EQUALS.finditer(where)
    }
    found = [
        attributes
        for attributes in map(_on_map, houses)
        if all(attributes.get(name) == value for name, value in wanted.items())
    ]
    features = [{"attributes": attributes} for attributes in found]
    return _json({"displayFieldName": "APN", "features": features})


def parcel_of(house: House) -> str:
    """Return the number of a house's parcel without its signs."""
    return house.apn.replace("-", "")


def _owned(house: House) -> Json:
    who = persons_of(house)
    return {
        "Owner": {
            "OwnerID": who["deed"],
            "Ownership": who["owner"],
            "InCareOf": who["care_of"],
            "MailingAddress1": who["mailing"],
            "MailingCity": "KETTLEMERE",
            "MailingState": "ZZ",
            "FullMailingAddress": f"{who['mailing']}, KETTLEMERE ZZ",
            "MostCurrentDeed": who["deed"],
            "DeedDate": "12/23/2020",
            "SalePrice": "290000",
            "SaleDate": "12/01/2020",
        },
        "IsRental": True,
        "RentalInformation": {
            "ParcelNumber": parcel_of(house),
            "OwnerName": who["owner"],
            "OwnerAddress": who["mailing"],
            "OwnerPhone": who["phone"],
            "BusinessContactName": who["care_of"],
            "BusinessContactPhone": who["phone"],
            "AgentName": who["agent"],
            "AgentPhone": who["phone"],
        },
        "DeedTransitionUrl": "https://recorder.maricopa.gov/recording/"
        f"document-details.html?recordingNumber={who['deed']}&suffix=",
    }


def _home(house: House) -> Json:
    return {
        "ConstructionYear": str(house.year_built),
        "OriginalConstructionYear": str(house.year_built),
        "LotSize": str(house.lot_sqft),
        "LivableSpace": str(house.sqft),
        "Detached_Livable_sqft": None,
        "Pool": house.pool,
        "ImprovementQualityGrade": "CLASS R3",
        "NumberOfPatios": "1",
        "ExteriorWalls": "Fs - Frame Stucco",
        "RoofType": "Ct - Concrete Tile",
        "BathFixtures": str(round(house.baths * 3)),
        "Cooling": "RF - REFRIGERATION",
        "Heating": "Yes",
        "NumberOfGarages": str(house.garage),
        "ParkingDetails": {"ParkingType": "Garage", "ParkingCount": "1"},
        "PhysicalCondition": None,
    }


def _valuation(house: House, year: int) -> Json:
    age = _NEWEST_YEAR - year + 1
    value = round(house.record.price * _TAX_SHARE**age / 100) * 100
    return {
        "TaxYear": str(year),
        "FullCashValue": str(value),
        "LimitedPropertyValue": str(round(value * 0.45)).ljust(_PAD),
        "LegalClassificationCode": "3.1 ",
        "AssessedFCV": "na",
        "ValuationSource": "Notice",
    }


def _years() -> range:
    return range(_NEWEST_YEAR, _NEWEST_YEAR - _YEARS, -1)


def _similar(other: House) -> Json:
    return {
        "Parcel": other.apn,
        "LandSize": str(other.lot_sqft),
        "SalesPriceDate": f"${other.record.price} / 7 -{date(2023, 7, 1).year}",
        "LivableSqFootage": str(other.sqft),
        "ConstructionYear": str(other.year_built),
        "PoolArea": "378" if other.pool else [],
        "SitusAddress": _situs(other, with_place=False),
        "ForeClosed": [],
    }


def _on_map(house: House) -> Json:
    who = persons_of(house)
    street = _situs(house, with_place=False)
    return {
        "APN": parcel_of(house),
        "APN_DASH": house.apn,
        "OWNER_NAME": who["owner"],
        "MAIL_ADDRESS": who["mailing"],
        "PHYSICAL_ADDRESS": f"{street}   {house.city.upper()}  {house.zip_code}",
        "PHYSICAL_STREET_NUM": house.number,
        "PHYSICAL_STREET_NAME": house.street.upper(),
        "PHYSICAL_ZIP": house.zip_code,
        "CONST_YEAR": str(house.year_built),
        "LIVING_SPACE": house.sqft,
        "LAND_SIZE": house.lot_sqft,
    }


def _situs(house: House, *, with_place: bool) -> str:
    unit = f" {house.unit}" if house.unit else ""
    place = f" {house.city} {house.zip_code}" if with_place else ""
    return f"{house.street_line}{unit}{place}".upper()


def _use_of(house: House) -> str:
    return "Condominium" if house.unit else "Single Family Residence"


def _words_of(house: House) -> set[str]:
    return set(_WORD.findall(_situs(house, with_place=False)))


def _json(answer: Mapping[str, Any]) -> bytes:
    return json.dumps(answer).encode()
