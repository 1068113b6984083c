"""Which members of a Redfin page were there that something else stands in for.

Where one of them is renamed, the page still reads, only with less or with another
value; so they are counted by name.
"""

from collections.abc import Sequence
from typing import Any

from phx_pipeline.sources.json_values import JsonObject
from phx_pipeline.sources.redfin.answers import EmbeddedAnswers
from phx_pipeline.sources.stated import members, members_of_any

_OF_SECTION = (
    *("url", "status", "homeStatusLabel", "searchStatus", "lotSize"),
    *("priceInfo", "latestPriceInfo", "cumulativeDaysOnMarket", "timeOnRedfin"),
)
_OF_PHOTO = ("height", "photoId")
_OF_URLS = ("nonFullScreenPhotoUrlCompressed", "nonFullScreenPhotoUrl")
_OF_TAGS = ("shortCaption", "longCaption")


def also_read(
    answers: EmbeddedAnswers,
    *,
    section: JsonObject,
    photos: Sequence[Any],
    tags: JsonObject,
) -> dict[str, bool]:
    """Return by name whether a page has the members.

    Args:
        answers: what the page carries.
        section: its `addressSectionInfo`.
        photos: the entries of its gallery, as decoded from JSON.
        tags: its own `tagsByPhotoId`.
    """
    history = answers.optional("belowTheFold").get("propertyHistoryInfo")
    urls = [photo.get("photoUrls") for photo in photos if isinstance(photo, dict)]
    return {
        **members(section, _OF_SECTION),
        **members(section.get("status"), ["displayValue"]),
        **members(section.get("priceInfo"), ["label"]),
        **members(answers.optional("initialInfo"), ["riftPageType"]),
        **members(history, ["displayTimeZone"]),
        **members_of_any(photos, _OF_PHOTO),
        **members_of_any(urls, _OF_URLS),
        **members_of_any(list(tags.values()), _OF_TAGS),
    }
