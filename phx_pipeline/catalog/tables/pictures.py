"""The bytes of pictures: hashes, looks, judged pairs, and the PNGs made of them."""

import sqlalchemy as sa

from phx_pipeline.catalog.tables.columns import metadata

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


def _blob_of_pair(name: str) -> sa.Column[str]:
    """The bytes of one picture of a pair."""
    # By name: two keys to one table would both be named after it.
    key = sa.ForeignKey("blob.sha256", name=f"fk_pair_judgement_{name}")
    return sa.Column(name, sa.String(64), key, primary_key=True)


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
