"""Which members of a Zillow page were there that something else stands in for.

Where one of them is renamed, the page still reads, only with less or with another
value; so they are counted by name.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from phx_pipeline.sources.json_values import JsonObject, objects
from phx_pipeline.sources.stated import members, members_of_any, only, unwrapped
from phx_pipeline.sources.zillow.gallery import PHOTO_LISTS

_OF_HOME: Final = (
    *("hdpUrl", "photoCount", "contingentListingType", "bedrooms", "bathrooms"),
    *("daysOnZillow", "timeOnZillow", "datePostedString", "priceHistory"),
    *("livingAreaValue", "livingAreaUnits", "lotSize", "lotAreaValue", "lotAreaUnits"),
    *("monthlyHoaFee", "resoFacts", "attributionInfo", *PHOTO_LISTS),
)
_OF_FACTS = ("bathroomsFloat", "bathroomsFull", "hasPrivatePool", "hoaFee")
_OF_EVENT = ("attributeSource", "date", "event", "source", "time")
_OF_PHOTO = ("caption", "subjectType")
_OF_ROW = ("detailUrl", "carouselPhotos", "carouselPhotosComposable", "photoCount")
_OF_CAROUSEL = ("baseUrl", "photoData")
_OF_ROW_FACTS = ("contingentListingType", "lotAreaValue", "lotAreaUnit", "lotSize")


def of_home(home: JsonObject) -> dict[str, bool]:
    """Return by name whether a property object has the members."""
    photos = [photo for name in PHOTO_LISTS for photo in objects(home.get(name))]
    events = list(objects(unwrapped(home.get("priceHistory"))))
    return {
        **members(home, _OF_HOME),
        **members(home.get("resoFacts"), _OF_FACTS),
        **members(only(home.get("attributionInfo")), ("mlsId", "mlsName")),
        **members_of_any(events, _OF_EVENT),
        **members_of_any(
            [only(event.get("attributeSource")) for event in events], ["infoString1"]
        ),
        **members_of_any(photos, _OF_PHOTO),
        **members_of_any(_sizes(photos), ["width"]),
    }


def of_row(row: JsonObject, *, info: JsonObject) -> dict[str, bool]:
    """Return by name whether a search row and its `homeInfo` have the members."""
    composed = row.get("carouselPhotosComposable")
    return {
        **members(info, _OF_ROW_FACTS),
        **members(row, _OF_ROW),
        **(members(composed, _OF_CAROUSEL) if isinstance(composed, dict) else {}),
    }


def _sizes(photos: Iterable[JsonObject]) -> Iterator[JsonObject]:
    for photo in photos:
        mixed = photo.get("mixedSources")
        yield from objects(mixed.get("jpeg") if isinstance(mixed, dict) else None)
