"""The schema. Times are UTC, hashes signed 64-bit, sizes pixels and bytes."""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """An aware UTC time on both engines; SQLite stores it without a zone."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(
        self, value: datetime | None, dialect: sa.Dialect
    ) -> datetime | None:
        """Refuse naive times: their meaning would depend on the machine."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive time {value!r} must not enter the catalogue")
        value = _in_utc(value)
        return value if dialect.name == "postgresql" else value.replace(tzinfo=None)

    def process_result_value(
        self, value: datetime | None, dialect: sa.Dialect
    ) -> datetime | None:
        """Return UTC: SQLite gives no zone, PostgreSQL that of its session."""
        del dialect
        if value is None:
            return None
        if value.tzinfo is None:
            return value.replace(tzinfo=UTC)
        return value.astimezone(UTC)


def _in_utc(at: datetime) -> datetime:
    """The same moment; of one that is in no year of UTC, its own day and hour."""
    try:
        return at.astimezone(UTC)
    except OverflowError:
        return at.replace(tzinfo=UTC)


class StorableText(sa.types.TypeDecorator[str]):
    """Text from web pages, without what PostgreSQL or UTF-8 cannot hold.

    JSON in pages may spell NUL characters and halves of surrogate pairs.
    """

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        """Drop NUL characters, put `?` for half pairs."""
        del dialect
        if value is None:
            return None
        return value.replace("\0", "").encode(errors="replace").decode()


def _blob_of_pair(name: str) -> sa.Column[str]:
    """The bytes of one picture of a pair."""
    # By name: two keys to one table would both be named after it.
    key = sa.ForeignKey("blob.sha256", name=f"fk_pair_judgement_{name}")
    return sa.Column(name, sa.String(64), key, primary_key=True)


def _slug(**options: Any) -> sa.Column[str]:
    return sa.Column("slug", sa.String(200), sa.ForeignKey("property.slug"), **options)


# Five bands of 13 bits: hashes that differ in at most four bits agree in one of them.
# The index of each carries the dHash, so that most rows are ruled out by it alone.
BANDS = 5
_BAND_BITS = 13


def band_place(band: int) -> tuple[int, int]:
    """The mask of a band, and how far the signed hash is shifted to the right."""
    return 2**_BAND_BITS - 1, band * _BAND_BITS


def hash_band(band: int, column: str = "phash") -> str:
    """The SQL of one band of a blob's hash; of the pHash as its index spells it."""
    mask, shift = band_place(band)
    return f"(({column} >> {shift}) & {mask})"


house = sa.Table(
    "property",
    metadata,
    sa.Column("slug", sa.String(200), primary_key=True),
    sa.Column("folder", sa.String(8), nullable=False, unique=True),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("street_number", sa.Text, nullable=False),
    sa.Column("street", sa.Text, nullable=False),
    sa.Column("unit", sa.Text),
    sa.Column("city", sa.Text, nullable=False),
    sa.Column("state", sa.String(2), nullable=False),
    sa.Column("zip_code", sa.String(5), nullable=False),
    sa.Column("added_at", UtcDateTime, nullable=False),
    sa.Column("published_epoch", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("removed_at", UtcDateTime),
    sa.Column("match_key", sa.Text, nullable=False),
    sa.Column("twin", sa.Integer, nullable=False, server_default="0"),
    sa.Index("ix_property_match_key", "match_key", "twin", unique=True),
)

# Keys a property had before it was renamed or merged; they still mean it. `folder` is
# set while a merged property's files are still there.
alias = sa.Table(
    "alias",
    metadata,
    sa.Column("alias", sa.String(200), primary_key=True),
    _slug(nullable=False),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("folder", sa.String(8)),
    sa.Index("ix_alias_slug", "slug"),
)

listing = sa.Table(
    "listing",
    metadata,
    _slug(primary_key=True),
    sa.Column("source", sa.String(32), primary_key=True),
    sa.Column("outcome", sa.String(32), nullable=False),
    sa.Column("detail", StorableText, nullable=False, default=""),
    sa.Column("listing_id", StorableText),
    sa.Column("mls_id", StorableText),
    sa.Column("url", StorableText),
    sa.Column("listed_on", sa.Date),
    sa.Column("complete", sa.Boolean, nullable=False),
    sa.Column("challenged", sa.Boolean, nullable=False),
    sa.Column("checked_at", UtcDateTime, nullable=False),
    sa.Column("gallery_seen_at", UtcDateTime),
    sa.Column("run_id", sa.String(64), nullable=False),
    # Whether the house is offered, as last known: a word of `model.market`.
    sa.Column("market", StorableText),
)

# The two parts of the rule `model.due.is_photo_due`: due anyway, and due while the days
# of faults are fewer than a setting says. Counted as they change: `catalog.door`.
PHOTO_WANTED = (
    "(verdict <> 'rejected:withdrawn' and (asked_url is distinct from url"
    " or verdict in ('failed:blocked', 'failed:network', 'failed:rate_limited',"
    " 'failed:timeout') or (verdict = 'pending' and sha256 is null)"
    " or (fault_days = 0 and sha256 is null and verdict in ('failed:gone',"
    " 'rejected:damaged', 'rejected:not_an_image', 'rejected:placeholder',"
    " 'rejected:too_large', 'rejected:too_small'))))"
)
PHOTO_FAULTED = "(fault_days > 0 and verdict <> 'rejected:foreign')"

photo = sa.Table(
    "photo",
    metadata,
    _slug(primary_key=True),
    sa.Column("source", sa.String(32), primary_key=True),
    sa.Column("photo_key", sa.String(200), primary_key=True),
    sa.Column("url", StorableText, nullable=False),
    sa.Column("fallback_urls", sa.JSON, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("caption", StorableText, nullable=False),
    sa.Column("tags", sa.JSON, nullable=False),
    sa.Column("width", sa.Integer),
    sa.Column("height", sa.Integer),
    sa.Column("listed_on", sa.Date),
    sa.Column("first_seen_on", sa.Date, nullable=False),
    sa.Column("present", sa.Boolean, nullable=False),
    sa.Column("verdict", sa.String(32), nullable=False),
    sa.Column("detail", StorableText, nullable=False, default=""),
    sa.Column("asked_url", StorableText),
    sa.Column("fetched_url", StorableText),
    sa.Column("sha256", sa.String(64), sa.ForeignKey("blob.sha256")),
    sa.Column("cluster_id", sa.String(36)),
    sa.Column("downloaded_at", UtcDateTime),
    sa.Column("run_id", sa.String(64), nullable=False),
    sa.Column("fault_days", sa.Integer, nullable=False, server_default="0"),
    sa.Column("faulted_on", sa.Date),
    sa.Column("last_seen_on", sa.Date),  # empty while it is present
    sa.Index("ix_photo_photo_key", "source", "photo_key"),
    sa.Index("ix_photo_sha256", "sha256"),
    sa.Index(
        "ix_photo_faulted",
        *("slug", "source"),
        sqlite_where=sa.text(PHOTO_FAULTED),
        postgresql_where=sa.text(PHOTO_FAULTED),
    ),
)

# How many photos of a source a property has, by verdict and by what they wait for.
photo_count = sa.Table(
    "photo_count",
    metadata,
    _slug(primary_key=True),
    sa.Column("source", sa.String(32), primary_key=True),
    sa.Column("kind", sa.String(32), primary_key=True),
    sa.Column("photos", sa.Integer, nullable=False),
)

# The rows that events are told from, but for verdicts; literally, so that the databases
# know their index by it.
CHANGE_TOLD = (
    "what in ('added', 'fact', 'gallery', 'market', 'number', 'picture', 'present',"
    " 'price')"
)

# One row for each thing that changed (`model.change.What`); rows are only added. The
# key of a photo is empty where it is a source or a listing that changed.
change = sa.Table(
    "change",
    metadata,
    sa.Column(
        "id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True
    ),
    _slug(nullable=False),
    sa.Column("source", sa.String(32), nullable=False),
    sa.Column("photo_key", sa.String(200), nullable=False),
    sa.Column("what", sa.String(16), nullable=False),
    sa.Column("before", sa.String(32), nullable=False),
    sa.Column("after", sa.String(32), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("run_id", sa.String(64), nullable=False),
    sa.Index("ix_change_slug", "slug", "source", "photo_key"),
    sa.Index(
        "ix_change_told",
        "at",
        sqlite_where=sa.text(CHANGE_TOLD),
        postgresql_where=sa.text(CHANGE_TOLD),
    ),
)

attempt = sa.Table(
    "attempt",
    metadata,
    sa.Column(
        "id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True
    ),
    _slug(nullable=False),
    sa.Column("source", sa.String(32), nullable=False),
    sa.Column("photo_key", sa.String(200), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("run_id", sa.String(64), nullable=False),
    sa.Column("url", StorableText, nullable=False),
    sa.Column("result", sa.String(32), nullable=False),
    sa.Column("detail", StorableText, nullable=False, default=""),
    sa.Index("ix_attempt_slug", "slug", "source", "photo_key"),
)

blob = sa.Table(
    "blob",
    metadata,
    sa.Column("sha256", sa.String(64), primary_key=True),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    sa.Column("media_type", sa.String(32), nullable=False),
    sa.Column("width", sa.Integer, nullable=False),
    sa.Column("height", sa.Integer, nullable=False),
    sa.Column("phash", sa.BigInteger, nullable=False),
    sa.Column("dhash", sa.BigInteger, nullable=False),
    sa.Column("trimmed_phash", sa.BigInteger, nullable=False),
    sa.Column("trimmed_dhash", sa.BigInteger, nullable=False),
    sa.Index("ix_blob_phash", "phash"),
    *(
        sa.Index(f"ix_blob_phash_band_{band}", sa.text(hash_band(band)), "dhash")
        for band in range(BANDS)
    ),
)

# Apart from `blob`: thumbnails would make each look at a hash read thousands of bytes.
appearance = sa.Table(
    "appearance",
    metadata,
    sa.Column("sha256", sa.String(64), sa.ForeignKey("blob.sha256"), primary_key=True),
    sa.Column("thumbnail", sa.LargeBinary, nullable=False),
    sa.Column("left", sa.Float, nullable=False),
    sa.Column("top", sa.Float, nullable=False),
    sa.Column("right", sa.Float, nullable=False),
    sa.Column("bottom", sa.Float, nullable=False),
    sa.Column("low_information", sa.Boolean, nullable=False),
    sa.Column("detail", sa.Integer),
)

# What the columns mean: `model.judgement.Judgement`. The hashes are in rising order.
pair_judgement = sa.Table(
    "pair_judgement",
    metadata,
    _blob_of_pair("first"),
    _blob_of_pair("second"),
    sa.Column("method", sa.String(16), nullable=False),
    sa.Column("version", sa.String(16), nullable=False),
    sa.Column("verdict", sa.String(16), nullable=False),
    sa.Column("share", sa.Float),
    sa.Column("inliers", sa.Integer),
    sa.Column("better", sa.String(64)),
    sa.Column("why", sa.String(16)),
    sa.Index("ix_pair_judgement_second", "second"),
)

picture = sa.Table(
    "picture",
    metadata,
    sa.Column("sha256", sa.String(64), sa.ForeignKey("blob.sha256"), primary_key=True),
    sa.Column("recipe", sa.String(32), primary_key=True),
    sa.Column("png_sha256", sa.String(64), nullable=False),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    sa.Column("width", sa.Integer, nullable=False),
    sa.Column("height", sa.Integer, nullable=False),
)

category = sa.Table(
    "category",
    metadata,
    _slug(primary_key=True),
    sa.Column("source", sa.String(32), primary_key=True),
    sa.Column("photo_key", sa.String(200), primary_key=True),
    sa.Column("location", sa.String(4), nullable=False),
    sa.Column("subject", sa.String(16), nullable=False),
    sa.Column("confidence", sa.Integer, nullable=False),
    sa.Column("votes", sa.JSON, nullable=False),
    sa.Column("probability", sa.Float, nullable=False, server_default="0"),
)

# What the columns mean: `model.vote.Vote` and `Abstention`. `evidence` is a digest of
# what was read besides the bytes.
vote = sa.Table(
    "vote",
    metadata,
    sa.Column("sha256", sa.String(64), sa.ForeignKey("blob.sha256"), primary_key=True),
    sa.Column("backend", sa.String(32), primary_key=True),
    sa.Column("evidence", sa.String(64), primary_key=True),
    sa.Column("version", sa.String(100), nullable=False),
    sa.Column("probabilities", sa.JSON, nullable=False),
    sa.Column("places", sa.JSON, nullable=False),
    sa.Column("outside", sa.Float),
    sa.Column("abstention", StorableText),
)

# Vectors of half-precision floats, as the network of that name gives them.
feature = sa.Table(
    "feature",
    metadata,
    sa.Column("sha256", sa.String(64), sa.ForeignKey("blob.sha256"), primary_key=True),
    sa.Column("network", sa.String(100), primary_key=True),
    sa.Column("vector", sa.LargeBinary, nullable=False),
)

# What reviews taught: `body` is a `categorize.trained.TrainedModel`. The newest one
# that is accepted and not retired counts.
trained_model = sa.Table(
    "trained_model",
    metadata,
    sa.Column("id", sa.String(16), primary_key=True),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("who", StorableText, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("report", sa.JSON, nullable=False),
    sa.Column("accepted", sa.Boolean, nullable=False),
    sa.Column("retired", UtcDateTime),
)

publication = sa.Table(
    "publication",
    metadata,
    _slug(primary_key=True),
    sa.Column("location", sa.String(4), primary_key=True),
    sa.Column("subject", sa.String(16), primary_key=True),
    sa.Column("sequence", sa.Integer, primary_key=True),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("source", sa.String(32), nullable=False),
    sa.Column("photo_key", sa.String(200), nullable=False),
    sa.Column("file_name", sa.Text, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("recipe", sa.String(32), nullable=False),
    sa.Column("processed_at", UtcDateTime, nullable=False),
    sa.Column("run_id", sa.String(64), nullable=False),
    sa.Index("ix_publication_recipe", "recipe", "slug", "active"),
)

lease = sa.Table(
    "lease",
    metadata,
    sa.Column("name", sa.String(250), primary_key=True),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    sa.Column("heartbeat_at", sa.Float, nullable=False),
    sa.Column("expires_at", sa.Float, nullable=False),
)

# What the words mean: `model.job`. `turn` counts who was served last, over all jobs.
job = sa.Table(
    "job",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("sources", sa.JSON, nullable=False),
    sa.Column("mode", sa.String(16), nullable=False, server_default="fresh"),
    sa.Column("user", sa.String(200), nullable=False, server_default="unknown"),
    sa.Column("origin", sa.String(16), nullable=False, server_default="cli"),
    sa.Column("priority", sa.String(16), nullable=False, server_default="normal"),
    sa.Column("isolation", sa.String(16)),
    sa.Column("idempotency_key", sa.String(200)),
    sa.Column("request_sha256", sa.String(64)),
    sa.Column("cancelled_at", UtcDateTime),
    sa.Column("turn", sa.BigInteger, nullable=False, server_default="0"),
    sa.Index("ix_job_created_at", "created_at"),
    sa.Index("ix_job_user", "user", "created_at"),
    sa.Index("ix_job_idempotency_key", "user", "idempotency_key", unique=True),
)

# The run of an item is named by `run_job`, `run_attempt` and the slug: its own, or that
# of an older item which asks for the same.
job_item = sa.Table(
    "job_item",
    metadata,
    sa.Column("job_id", sa.String(36), sa.ForeignKey("job.id"), primary_key=True),
    _slug(primary_key=True),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("dispatched_at", UtcDateTime),
    sa.Column("requested_at", UtcDateTime, nullable=False),
    sa.Column("run_job", sa.String(36), nullable=False),
    sa.Column("run_attempt", sa.Integer, nullable=False),
    sa.Column("asked_at", UtcDateTime),
    sa.Column("run_id", sa.String(64)),
    sa.Column("state", sa.String(16)),
    sa.Column("ended_at", UtcDateTime),
    sa.Column("error", StorableText, nullable=False, server_default=""),
    sa.Index("ix_job_item_state", "state", "dispatched_at"),
    sa.Index("ix_job_item_slug", "slug", "state"),
    sa.Index("ix_job_item_run_job", "run_job"),
)

# What the columns mean: `model.source_state.SourceState`.
source_state = sa.Table(
    "source_state",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("disabled", sa.Boolean, nullable=False),
    sa.Column("next_slot", sa.Float, nullable=False),
    sa.Column("period_s", sa.Float, nullable=False),
    sa.Column("not_before", sa.Float, nullable=False),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("successes", sa.Integer, nullable=False),
    sa.Column("opened_at", sa.Float),
    sa.Column("open_until", sa.Float),
    sa.Column("probe", sa.Text, nullable=False),
    sa.Column("probe_until", sa.Float, nullable=False),
    sa.Column("blocked_at", sa.Float),
    sa.Column("block", StorableText, nullable=False),
)

quarantine = sa.Table(
    "quarantine",
    metadata,
    _slug(primary_key=True),
    sa.Column("source", sa.String(32), primary_key=True),
    sa.Column("photo_key", sa.String(200), primary_key=True),
    sa.Column("reason", sa.String(32), nullable=False),
    sa.Column("detail", StorableText, nullable=False),
    sa.Column("first_seen_at", UtcDateTime, nullable=False),
)

# What people ruled; rows are only added. What the columns mean: `model.ruling.Ruling`.
ruling = sa.Table(
    "ruling",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("who", StorableText, nullable=False),
    sa.Column("about", sa.String(16), nullable=False),
    _slug(nullable=False),
    sa.Column("source", sa.String(32), nullable=False),
    sa.Column("key", StorableText, nullable=False),
    sa.Column("value", StorableText, nullable=False),
    sa.Column("why", StorableText, nullable=False),
    sa.Index("ix_ruling_slug", "slug", "about"),
)

# Two photos of two properties; the slugs are in rising order.
lookalike = sa.Table(
    "lookalike",
    metadata,
    _slug(primary_key=True),
    sa.Column("source", sa.String(32), primary_key=True),
    sa.Column("photo_key", sa.String(200), primary_key=True),
    sa.Column("other_slug", sa.String(200), primary_key=True),
    sa.Column("other_source", sa.String(32), primary_key=True),
    sa.Column("other_key", sa.String(200), primary_key=True),
    sa.Column("likeness", sa.String(32), nullable=False),
    sa.Column("phash_distance", sa.Integer),
    sa.Column("dhash_distance", sa.Integer),
    sa.Column("first_seen_at", UtcDateTime, nullable=False),
    sa.Index("ix_lookalike_other_slug", "other_slug"),
)

# What the columns mean: `model.proxy_health.ProxyHealth`.
proxy_health = sa.Table(
    "proxy_health",
    metadata,
    sa.Column("proxy_id", sa.String(12), primary_key=True),
    sa.Column("source", sa.String(32), primary_key=True),
    sa.Column("place", sa.Text, nullable=False),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("cool_until", sa.Float, nullable=False),
    sa.Column("failed_at", sa.Float),
    sa.Column("fault", StorableText, nullable=False),
)

# What the columns mean: `model.facts.ListingFacts`. One row a day, the last of it.
listing_fact = sa.Table(
    "listing_fact",
    metadata,
    _slug(primary_key=True),
    sa.Column("source", sa.String(32), primary_key=True),
    sa.Column("seen_on", sa.Date, primary_key=True),
    sa.Column("list_price", sa.Integer),
    sa.Column("bedrooms_total", sa.Float),
    sa.Column("bathrooms_total", sa.Float),
    sa.Column("living_area", sa.Integer),
    sa.Column("lot_size_square_feet", sa.Integer),
    sa.Column("garage_spaces", sa.Float),
    sa.Column("pool_private", sa.Boolean),
    sa.Column("association_fee", sa.Float),
    sa.Column("sewer", StorableText),
    sa.Column("year_built", sa.Integer),
    sa.Column("days_on_market", sa.Integer),
    sa.Column("standard_status", StorableText),
    sa.Column("mls_number", StorableText),
    sa.Column("stories_total", sa.Float),
    sa.Column("roof", StorableText),
    sa.Column("construction_materials", StorableText),
    sa.Column("cooling", StorableText),
    sa.Column("heating", StorableText),
    sa.Column("parcel_number", StorableText),
    sa.Column("property_sub_type", StorableText),
)

# What the columns mean: `model.valuation.Valuation`.
valuation = sa.Table(
    "valuation",
    metadata,
    _slug(primary_key=True),
    sa.Column("source", sa.String(32), primary_key=True),
    sa.Column("tax_year", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("full_cash_value", sa.Integer),
    sa.Column("limited_property_value", sa.Integer),
)

# What the columns mean: `model.drift.FieldCount`.
field_count = sa.Table(
    "field_count",
    metadata,
    sa.Column("source", sa.String(32), primary_key=True),
    sa.Column("page_kind", sa.String(60), primary_key=True),
    sa.Column("field", sa.String(40), primary_key=True),
    sa.Column("seen_on", sa.Date, primary_key=True),
    sa.Column("pages", sa.Integer, nullable=False),
    sa.Column("had", sa.Integer, nullable=False),
    sa.Column("lacking", sa.Integer, nullable=False),
    sa.Index("ix_field_count_seen_on", "seen_on"),
)

# One row for each property a run worked on. `ended_at` is empty while it works, and for
# ever when it was killed; `result` holds counts per source.
run = sa.Table(
    "run",
    metadata,
    sa.Column("run_id", sa.String(64), primary_key=True),
    _slug(primary_key=True),
    sa.Column("job_id", sa.String(36)),
    sa.Column("mode", sa.String(16), nullable=False),
    sa.Column("started_at", UtcDateTime, nullable=False),
    sa.Column("ended_at", UtcDateTime),
    sa.Column("outcome", sa.String(16), nullable=False),
    sa.Column("error", StorableText, nullable=False, default=""),
    sa.Column("result", sa.JSON, nullable=False),
    sa.Index("ix_run_slug", "slug", "started_at"),
    sa.Index("ix_run_started_at", "started_at"),
    sa.Index("ix_run_job_id", "job_id"),
)

# The last day on which a house was looked at, and how. What the columns mean:
# `model.look.Tries`.
look = sa.Table(
    "look",
    metadata,
    _slug(primary_key=True),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("began_at", UtcDateTime, nullable=False),
    sa.Column("found", sa.String(16), nullable=False),
    sa.Column("called_on", sa.Date),
    sa.Column("fresh", sa.Boolean),
)

# What the columns mean: `model.look.LookDay`.
look_day = sa.Table(
    "look_day",
    metadata,
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("runs", sa.Integer, nullable=False),
    sa.Column("began_at", UtcDateTime, nullable=False),
    sa.Column("ended_at", UtcDateTime),
    sa.Column("next_at", UtcDateTime),
    sa.Column("looked", sa.Integer, nullable=False),
    sa.Column("changed", sa.Integer, nullable=False),
    sa.Column("open", sa.Integer, nullable=False),
    sa.Column("failed", sa.Integer, nullable=False),
    sa.Column("waiting", sa.Integer, nullable=False),
)

# Pages that looks and searches asked of a source on a day in Phoenix, or set aside.
asked_pages = sa.Table(
    "asked_pages",
    metadata,
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("source", sa.String(32), primary_key=True),
    sa.Column("pages", sa.Integer, nullable=False),
)

# How far the JSON views follow the rows: `wanted` counts publications, `rendered` is
# the count the files show. Times in seconds, `rendered_at` since 1970.
view = sa.Table(
    "view",
    metadata,
    sa.Column("name", sa.String(32), primary_key=True),
    sa.Column("wanted", sa.BigInteger, nullable=False),
    sa.Column("rendered", sa.BigInteger, nullable=False),
    sa.Column("took_s", sa.Float, nullable=False),
    sa.Column("rendered_at", sa.Float, nullable=False),
)

# What the columns mean: `model.access`. The text of a key is stored nowhere.
api_key = sa.Table(
    "api_key",
    metadata,
    sa.Column("id", sa.String(8), primary_key=True),
    sa.Column("name", StorableText, nullable=False),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("expires_at", UtcDateTime),
    sa.Column("revoked_at", UtcDateTime),
)

session = sa.Table(
    "session",
    metadata,
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("key_id", sa.String(8), sa.ForeignKey("api_key.id"), nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("expires_at", UtcDateTime, nullable=False),
)

# Rows are only added, and go by age alone.
audit = sa.Table(
    "audit",
    metadata,
    sa.Column(
        "id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True
    ),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("user", StorableText, nullable=False),
    sa.Column("action", sa.String(32), nullable=False),
    sa.Column("target", StorableText, nullable=False),
    sa.Column("detail", StorableText, nullable=False),
    sa.Column("address", sa.String(64), nullable=False),
    sa.Index("ix_audit_at", "at"),
)

# What the columns of these three mean: `model.search`. The criteria are those of
# `Criteria.plain`.
saved_search = sa.Table(
    "saved_search",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("criteria", sa.JSON, nullable=False),
    sa.Column("sources", sa.JSON, nullable=False),
    sa.Column("accept_per_day", sa.Integer, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("is_paused", sa.Boolean, nullable=False),
)

# One row for each door that was ever proposed; none goes, so none comes again. `house`
# is the key at the time of acceptance: no column `slug`, for it outlives the property.
# `decided_on` is the day in Phoenix, `by_itself` that no person decided.
proposal = sa.Table(
    "proposal",
    metadata,
    sa.Column("match_key", StorableText, primary_key=True),
    sa.Column("address", StorableText, nullable=False),
    sa.Column("search", sa.String(64), nullable=False),
    sa.Column("source", sa.String(32), nullable=False),
    sa.Column("listing_id", StorableText, nullable=False),
    sa.Column("url", StorableText, nullable=False),
    sa.Column("photo_url", StorableText, nullable=False),
    sa.Column("facts", sa.JSON, nullable=False),
    sa.Column("doubt", StorableText, nullable=False),
    sa.Column("first_seen_on", sa.Date, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("decided_at", UtcDateTime),
    sa.Column("decided_on", sa.Date),
    sa.Column("by_itself", sa.Boolean, nullable=False),
    sa.Column("house", StorableText),
    sa.Index("ix_proposal_state", "state", "search"),
    sa.Index("ix_proposal_first_seen_on", "first_seen_on", "match_key"),
)

search_turn = sa.Table(
    "search_turn",
    metadata,
    sa.Column("search", sa.String(64), primary_key=True),
    sa.Column("source", sa.String(32), primary_key=True),
    sa.Column("on", sa.Date, primary_key=True),
    sa.Column("pages", sa.Integer, nullable=False),
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("proposed", sa.Integer, nullable=False),
    sa.Column("left_out", sa.JSON, nullable=False),
    sa.Column("outcome", sa.String(32)),
    sa.Column("detail", StorableText, nullable=False),
    sa.Column("at", UtcDateTime),
    sa.Index("ix_search_turn_on", "on"),
)

# What is to be told on a channel, and what became of it: `model.message.Delivery`.
delivery = sa.Table(
    "delivery",
    metadata,
    sa.Column("channel", sa.String(16), primary_key=True),
    sa.Column("key", sa.String(400), primary_key=True),
    sa.Column("message", sa.String(64), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("booked_at", UtcDateTime, nullable=False),
    sa.Column("from_at", UtcDateTime),
    sa.Column("due_at", UtcDateTime, nullable=False),
    sa.Column("sent_at", UtcDateTime),
    sa.Column("detail", StorableText, nullable=False),
    sa.Column("told", sa.JSON),
    sa.Index("ix_delivery_state", "state", "due_at"),
)
