"""Reading the catalogue. Every method is one read transaction and returns values."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final, cast

import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.door import WANTED, fault_days_of
from phx_pipeline.catalog.engine import reading
from phx_pipeline.catalog.properties import followed
from phx_pipeline.catalog.rows import (
    AnyRow,
    blob_of,
    category_of,
    photo_of,
    property_of,
    unsigned,
)
from phx_pipeline.catalog.spellings import with_spellings
from phx_pipeline.model.batches import batches
from phx_pipeline.model.fault_days import FINAL_AFTER_DAYS
from phx_pipeline.model.identity import image_id, property_lease
from phx_pipeline.model.outcome import ListingOutcome, Verdict, VerdictKind
from phx_pipeline.model.photo import Blob, Photo, PhotoKey
from phx_pipeline.model.picture import StandardPicture
from phx_pipeline.model.property import Property
from phx_pipeline.model.publication import Publication
from phx_pipeline.model.published import PublishedImage
from phx_pipeline.model.ruling import About
from phx_pipeline.model.source import Source, in_order
from phx_pipeline.model.tally import PropertyTally, SourceTally
from phx_pipeline.model.taxonomy import Category, Location, Subject

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HOUSES_AT_ONCE: Final = 200  # whose pictures are held

# Looked up for tens of thousands of rows, where calling an enum takes its time.
_OUTCOME = {outcome.value: outcome for outcome in ListingOutcome}
_KIND = {verdict.value: verdict.kind for verdict in Verdict}


class CatalogReader:
    """All reads; `catalog.store.Catalog` adds the writes."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def properties(self) -> list[Property]:
        """All properties but removed ones, by slug."""
        house = tables.house
        rows = self._all(sa.select(house).where(house.c.removed_at.is_(None)))
        found = [property_of(row) for row in sorted(rows, key=lambda row: row.slug)]
        return self._with_spellings(found)

    def property(self, slug: str) -> Property | None:
        """The property with this key, if there is one that is not removed."""
        this = sa.select(tables.house).where(tables.house.c.slug == slug)
        rows = self._all(this.where(tables.house.c.removed_at.is_(None)))
        found = self._with_spellings(list(map(property_of, rows)))
        return found[0] if found else None

    def _with_spellings(self, houses: list[Property]) -> list[Property]:
        if not houses:
            return []
        with reading(self._engine) as connection:
            return with_spellings(connection, houses)

    def slugs(self) -> list[str]:
        """All property keys but those of removed ones, sorted."""
        return sorted(row.slug for row in self._all(_slugs_query()))

    def photos(self, slug: str) -> list[Photo]:
        """All photos of a property in gallery order."""
        query = sa.select(tables.photo).where(tables.photo.c.slug == slug)
        return sorted(map(photo_of, self._all(query)), key=lambda photo: photo.order)

    def photo_names(self) -> Iterator[tuple[str, Source, str]]:
        """House, source and key of every photo of the houses that are followed."""
        photo = tables.photo.c
        query = sa.select(photo.slug, photo.source, photo.photo_key)
        for row in self._all(query.where(photo.slug.in_(_slugs_query()))):
            yield row.slug, Source(row.source), row.photo_key

    def blobs(self, slug: str) -> dict[str, Blob]:
        """Facts of all bytes downloaded for a property, by sha256."""
        used = sa.select(tables.photo.c.sha256).where(tables.photo.c.slug == slug)
        look = tables.appearance
        query = (
            sa.select(tables.blob, *(it for it in look.c if not it.primary_key))
            .join(look, look.c.sha256 == tables.blob.c.sha256, isouter=True)
            .where(tables.blob.c.sha256.in_(used))
        )
        return {row.sha256: blob_of(row) for row in self._all(query)}

    def pictures(
        self, sha256s: Collection[str]
    ) -> dict[tuple[str, str], StandardPicture]:
        """Standardized pictures of some blobs, by (sha256, recipe)."""
        query = sa.select(tables.picture).where(tables.picture.c.sha256.in_(sha256s))
        return {
            (row.sha256, row.recipe): StandardPicture(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name
            for row in self._all(query)
        }

    def categories(self, slug: str) -> dict[PhotoKey, Category]:
        """Categories of a property's kept photos."""
        query = sa.select(tables.category).where(tables.category.c.slug == slug)
        return {
            (Source(row.source), row.photo_key): category_of(row)
            for row in self._all(query)
        }

    def publications(self, slug: str) -> list[Publication]:
        """All publication rows of a property, active or not, by number."""
        query = sa.select(tables.publication).where(tables.publication.c.slug == slug)
        found = [_publication_of(row) for row in self._all(query)]
        return sorted(found, key=lambda publication: publication.number)

    def published_images(self, slug: str | None = None) -> Iterator[PublishedImage]:
        """Active publications with everything the views show, by address and name.

        Without a slug those of all properties that are not removed; few are held at a
        time.
        """
        if slug is not None:
            yield from _in_order(self._all(published_query(slug)))
            return
        with reading(self._engine) as connection:
            slugs = _slugs_by_address(connection)
            for some in batches(slugs, _HOUSES_AT_ONCE):
                of_these = tables.publication.c.slug.in_(some)
                rows = connection.execute(published_query(None).where(of_these)).all()
                yield from _in_order(rows)

    def newest_published(self) -> datetime | None:
        """When the newest of the published images was made; None without any."""
        published = published_query(None)
        at = sa.func.max(tables.publication.c.processed_at)
        (row,) = self._all(published.with_only_columns(at.label("at")))
        return cast("datetime | None", row.at)

    def published_counts(self) -> dict[str, int]:
        """How many published images each folder has, of properties not removed."""
        folder, count = tables.house.c.folder, sa.func.count()
        query = published_query(None).with_only_columns(folder, count.label("images"))
        return {row.folder: row.images for row in self._all(query.group_by(folder))}

    def tallies(
        self,
        sources: Sequence[Source],
        *,
        slugs: Collection[str] | None = None,
        recipe: str | None = None,
        final_after_days: int = FINAL_AFTER_DAYS,
    ) -> list[PropertyTally]:
        """Counts per property and enabled source, by slug; all properties by default.

        A source that has rows but is no longer enabled is listed too, so that counts
        always add up to the photo rows. Files of another recipe than *recipe* are
        outdated; without one, none is. Photos that gave no picture on fewer than
        *final_after_days* are wanting.
        """
        listed, counted, faulted, published, others = self._together(
            _of_slugs(_answers_query(), tables.listing, slugs),
            _of_slugs(_counts_query(), tables.photo_count, slugs),
            _of_slugs(_faulted_query(final_after_days), tables.photo, slugs),
            _of_slugs(_published_epochs(), tables.house, slugs),
            _outdated_query(recipe, slugs),
        )
        listings = {(row.slug, Source(row.source)): row for row in listed}
        counts = _by_source(counted)
        faults = {(row.slug, Source(row.source)): row for row in faulted}
        is_published = {row.slug: row.epoch == row.published_epoch for row in published}
        outdated = {row.slug: row.files for row in others}
        meant_since = {
            row.slug: max(filter(None, (row.renamed_at, row.ruled_at)), default=None)
            for row in published
        }
        asked = defaultdict(set)
        for slug, source in (*listings, *counts):
            asked[slug].add(source)
        return [
            PropertyTally(
                slug=slug,
                is_published=is_published.get(slug, False),
                outdated=outdated.get(slug, 0),
                sources=tuple(
                    replace(
                        _tally(
                            slug,
                            source,
                            listings.get((slug, source)),
                            meant_since=meant_since.get(slug),
                        ),
                        **_counted(
                            counts.get((slug, source), ()),
                            final_after_days=final_after_days,
                        ),
                        **_faulted(faults.get((slug, source))),
                    )
                    for source in in_order({*sources, *asked.get(slug, ())})
                ),
            )
            for slug in sorted(is_published if slugs is None else set(slugs))
        ]

    def content_rows(self) -> Iterator[tuple[str, list[Any]]]:
        """Every content column of every row, in a fixed order, for the digest.

        Left out are times, run ids, attempts, leases, jobs and explanations, and
        pictures no published file shows: they may differ between two ways to the same
        result.
        """
        tables_rows = self._together(*map(_content_query, _CONTENT))
        for name, rows in zip(_CONTENT, tables_rows, strict=True):
            for row in sorted(rows, key=tuple):
                yield name, [_plain(value) for value in row]

    def data_version(self, slug: str, *, asset: str) -> str:
        """A digest of the rows of *slug* that *asset* answers for."""
        digest = sha256()
        queries = (
            query.where(query.selected_columns["slug"] == slug)
            for query in _ANSWERS_FOR[asset]
        )
        for rows in self._together(*queries):
            for row in sorted(rows, key=tuple):
                digest.update(json.dumps([_plain(value) for value in row]).encode())
        return digest.hexdigest()[:16]

    def _all(self, query: sa.Select[Any]) -> Sequence[AnyRow]:
        with reading(self._engine) as connection:
            return connection.execute(query).all()

    def _together(self, *queries: sa.Select[Any]) -> list[Sequence[AnyRow]]:
        """The rows of several queries, all as of one moment."""
        with reading(self._engine) as connection:
            return [connection.execute(query).all() for query in queries]


def _slugs_query() -> sa.Select[tuple[str]]:
    return sa.select(tables.house.c.slug).where(tables.house.c.removed_at.is_(None))


def _published_epochs() -> sa.Select[Any]:
    house, lease, alias = tables.house.c, tables.lease.c, tables.alias.c
    held = lease.name == sa.literal(property_lease("")) + house.slug
    ruling = tables.ruling.c
    renamed_at = sa.select(sa.func.max(alias.at)).where(alias.slug == house.slug)
    ruled_at = sa.select(sa.func.max(ruling.at)).where(
        ruling.slug == house.slug, ruling.about == About.SPELLING.value
    )
    return (
        sa.select(
            house.slug,
            house.published_epoch,
            lease.epoch,
            renamed_at.scalar_subquery().label("renamed_at"),
            ruled_at.scalar_subquery().label("ruled_at"),
        )
        .join(tables.lease, held, isouter=True)
        .where(house.removed_at.is_(None))
    )


def _outdated_query(
    recipe: str | None, slugs: Collection[str] | None
) -> sa.Select[Any]:
    row = tables.publication.c
    # An index finds what is less or more, not what differs.
    others = [row.recipe < recipe, row.recipe > recipe] if recipe else [sa.false()]
    shown = sa.select(row.slug).where(row.active)
    sides = [
        _of_slugs(shown.where(other), tables.publication, slugs) for other in others
    ]
    outdated = sa.union_all(*sides).subquery()
    files = sa.func.count().label("files")
    return sa.select(outdated.c.slug, files).group_by(outdated.c.slug)


def _answers_query() -> sa.Select[Any]:
    row = tables.listing.c
    return sa.select(row.slug, row.source, row.outcome, row.detail, row.checked_at)


def _counts_query() -> sa.Select[Any]:
    row = tables.photo_count.c
    query = sa.select(row.slug, row.source, row.kind, row.photos)
    return query.where(row.photos > 0)


def _faulted_query(final_after_days: int) -> sa.Select[Any]:
    """The last day on which photos gave no picture that are due for no other reason.

    And why one of them did.
    """
    photo = tables.photo.c
    told = photo.verdict.concat(": ").concat(photo.detail)
    why = sa.func.min(told).label("fault")
    last = sa.func.max(photo.faulted_on).label("faulted_on")
    faulted: sa.ColumnElement[bool] = sa.literal_column(tables.PHOTO_FAULTED)
    wanted: sa.ColumnElement[bool] = sa.literal_column(tables.PHOTO_WANTED)
    due = sa.and_(faulted, sa.not_(wanted), photo.fault_days < final_after_days)
    query = sa.select(photo.slug, photo.source, last, why)
    return query.where(due).group_by(photo.slug, photo.source)


def _faulted(row: AnyRow | None) -> dict[str, Any]:
    """What `_faulted_query` says of a `SourceTally`, by their names."""
    if row is None:
        return {}
    return {"faulted_on": row.faulted_on, "fault": row.fault.removesuffix(": ")}


def _by_source(rows: Sequence[AnyRow]) -> dict[tuple[str, Source], list[AnyRow]]:
    counts: dict[tuple[str, Source], list[AnyRow]] = defaultdict(list)
    for row in rows:
        counts[row.slug, Source(row.source)].append(row)
    return counts


def _of_slugs(
    query: sa.Select[Any], table: sa.Table, slugs: Collection[str] | None
) -> sa.Select[Any]:
    return query if slugs is None else query.where(table.c.slug.in_(slugs))


def _tally(
    slug: str, source: Source, listing: AnyRow | None, *, meant_since: datetime | None
) -> SourceTally:
    """What a source said, without counts."""
    checked_at = listing.checked_at if listing else None
    if checked_at and meant_since and checked_at < meant_since:
        checked_at = None  # it answered before the address meant what it means now
    return SourceTally(
        slug=slug,
        source=source,
        outcome=_OUTCOME[listing.outcome] if listing else None,
        detail=listing.detail if listing else "",
        checked_at=checked_at,
    )


def _counted(rows: Iterable[AnyRow], *, final_after_days: int) -> dict[str, Any]:
    """The counts of a `SourceTally`, by their names."""
    bins: dict[VerdictKind, int] = defaultdict(int)
    wanted = faulted = 0
    for row in rows:
        if row.kind == WANTED:
            wanted += row.photos
        elif (days := fault_days_of(row.kind)) is not None:
            faulted += row.photos if days < final_after_days else 0
        else:
            bins[_KIND[row.kind]] += row.photos
    return {"counts": dict(bins), "wanting": wanted + faulted, "faulted": faulted}


def _publication_of(row: AnyRow) -> Publication:
    return Publication(
        slug=row.slug,
        location=Location(row.location),
        subject=Subject(row.subject),
        sequence=row.sequence,
        active=row.active,
        source=Source(row.source),
        photo_key=row.photo_key,
        file_name=row.file_name,
        sha256=row.sha256,
        recipe=row.recipe,
        processed_at=row.processed_at,
        run_id=row.run_id,
    )


def published_query(slug: str | None) -> sa.Select[Any]:
    """Return active publications of one property, or of all that are followed."""
    house, photo = tables.house, tables.photo
    publication, picture, blob = tables.publication, tables.picture, tables.blob
    same_photo = sa.and_(
        photo.c.slug == publication.c.slug,
        photo.c.source == publication.c.source,
        photo.c.photo_key == publication.c.photo_key,
    )
    same_picture = sa.and_(
        picture.c.sha256 == publication.c.sha256,
        picture.c.recipe == publication.c.recipe,
    )
    query = (
        sa.select(
            house.c.address,
            house.c.folder,
            publication,
            photo.c.fetched_url,
            photo.c.downloaded_at,
            picture.c.png_sha256,
            picture.c.size_bytes,
            picture.c.width,
            picture.c.height,
            blob.c.phash,
            blob.c.dhash,
        )
        .select_from(publication)
        .join(house, house.c.slug == publication.c.slug)
        .join(photo, same_photo)
        .join(picture, same_picture)
        .join(blob, blob.c.sha256 == publication.c.sha256)
        .where(publication.c.active)
    )
    if slug is None:
        return query.where(house.c.removed_at.is_(None))
    return query.where(publication.c.slug == slug)


def _slugs_by_address(connection: sa.Connection) -> list[str]:
    house = tables.house.c
    query = sa.select(house.address, house.slug).where(house.removed_at.is_(None))
    return [slug for _, slug in sorted(tuple(row) for row in connection.execute(query))]


def _in_order(rows: Iterable[AnyRow]) -> Iterator[PublishedImage]:
    ordered = sorted(rows, key=lambda row: (row.address, row.file_name))
    return map(published_of, ordered)


def published_of(row: AnyRow) -> PublishedImage:
    """Read a row of `published_query`."""
    return PublishedImage(
        image_id=image_id(row.slug, row.sha256),
        property_address=row.address,
        folder=row.folder,
        source=Source(row.source),
        source_url=row.fetched_url,
        local_path=f"processed/{row.folder}/{row.file_name}",
        phash=unsigned(row.phash),
        dhash=unsigned(row.dhash),
        width=row.width,
        height=row.height,
        file_size_bytes=row.size_bytes,
        downloaded_at=row.downloaded_at or _EPOCH,
        processed_at=row.processed_at,
        run_id=row.run_id,
        content_hash=row.png_sha256,
    )


def _plain(value: Any) -> Any:
    return value if isinstance(value, int | str | list | None) else str(value)


def _columns(table: sa.Table, *names: str) -> list[sa.Column[Any]]:
    return [table.c[name] for name in names]


_CONTENT: dict[str, list[sa.Column[Any]]] = {
    "property": _columns(tables.house, "slug", "folder", "address"),
    "listing": _columns(
        tables.listing,
        *("slug", "source", "outcome", "listing_id", "mls_id", "url", "listed_on"),
        *("complete", "challenged"),
    ),
    "photo": _columns(
        tables.photo,
        *("slug", "source", "photo_key", "url", "position", "caption", "present"),
        *("verdict", "fetched_url", "sha256", "cluster_id", "listed_on"),
    ),
    "category": _columns(
        tables.category,
        *("slug", "source", "photo_key", "location", "subject", "confidence"),
    ),
    "publication": _columns(
        tables.publication,
        *("slug", "location", "subject", "sequence", "active", "source", "photo_key"),
        *("file_name", "sha256", "recipe"),
    ),
    "picture": _columns(tables.picture, "sha256", "recipe", "png_sha256"),
}


def _content_query(name: str) -> sa.Select[Any]:
    query = sa.select(*_CONTENT[name])
    if name != "picture":
        return query.where(followed(query.selected_columns["slug"]))
    picture, shown = tables.picture.c, tables.publication.c
    same = sa.and_(shown.sha256 == picture.sha256, shown.recipe == picture.recipe)
    return query.where(sa.exists().where(same, shown.active, followed(shown.slug)))


# A photo without bytes is not yet a raw image, one without a cluster not yet decided.
_ANSWERS_FOR: dict[str, list[sa.Select[Any]]] = {
    "discovered_urls": [
        sa.select(*_columns(tables.listing, "slug", "source", "outcome", "listing_id")),
        sa.select(
            *_columns(
                tables.photo,
                *("slug", "source", "photo_key", "url", "position", "caption"),
                "present",
            )
        ),
    ],
    "raw_images": [
        sa.select(
            *_columns(tables.photo, "slug", "source", "photo_key", "sha256")
        ).where(tables.photo.c.sha256.is_not(None))
    ],
    "deduped_images": [
        sa.select(
            *_columns(
                tables.photo, "slug", "source", "photo_key", "verdict", "cluster_id"
            )
        ).where(tables.photo.c.cluster_id.is_not(None))
    ],
    "categorized_images": [sa.select(*_CONTENT["category"])],
    "manifest": [sa.select(*_CONTENT["publication"])],
}
