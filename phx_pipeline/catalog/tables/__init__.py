"""The schema. Times are UTC, hashes signed 64-bit, sizes pixels and bytes.

Each room of tables is a module; all are of the one `metadata`. The catalogue names them
as `tables.photo`, whatever their room.
"""

from phx_pipeline.catalog.tables.access import api_key, audit, session
from phx_pipeline.catalog.tables.categories import (
    category,
    feature,
    trained_model,
    vote,
)
from phx_pipeline.catalog.tables.columns import StorableText, UtcDateTime, metadata
from phx_pipeline.catalog.tables.houses import alias, house, ruling
from phx_pipeline.catalog.tables.jobs import job, job_item, lease, run
from phx_pipeline.catalog.tables.listings import (
    CHANGE_TOLD,
    change,
    fact_day,
    listing,
    listing_fact,
    valuation,
)
from phx_pipeline.catalog.tables.looks import look, look_day
from phx_pipeline.catalog.tables.messages import delivery
from phx_pipeline.catalog.tables.photos import (
    PHOTO_FAULTED,
    PHOTO_WANTED,
    attempt,
    lookalike,
    photo,
    photo_count,
    quarantine,
)
from phx_pipeline.catalog.tables.pictures import (
    BANDS,
    appearance,
    band_place,
    blob,
    hash_band,
    pair_judgement,
    picture,
)
from phx_pipeline.catalog.tables.publications import publication, view
from phx_pipeline.catalog.tables.searches import proposal, saved_search, search_turn
from phx_pipeline.catalog.tables.sites import (
    asked_pages,
    field_count,
    proxy_health,
    source_state,
)

__all__ = [
    "BANDS",
    "CHANGE_TOLD",
    "PHOTO_FAULTED",
    "PHOTO_WANTED",
    "StorableText",
    "UtcDateTime",
    "alias",
    "api_key",
    "appearance",
    "asked_pages",
    "attempt",
    "audit",
    "band_place",
    "blob",
    "category",
    "change",
    "delivery",
    "fact_day",
    "feature",
    "field_count",
    "hash_band",
    "house",
    "job",
    "job_item",
    "lease",
    "listing",
    "listing_fact",
    "look",
    "look_day",
    "lookalike",
    "metadata",
    "pair_judgement",
    "photo",
    "photo_count",
    "picture",
    "proposal",
    "proxy_health",
    "publication",
    "quarantine",
    "ruling",
    "run",
    "saved_search",
    "search_turn",
    "session",
    "source_state",
    "trained_model",
    "valuation",
    "view",
    "vote",
]
