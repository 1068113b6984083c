"""Writing the catalogue: one method, one transaction, one fact.

Writes about a property carry its lease; a superseded lease raises `StaleEpochError`
and writes nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime

import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import writing
from phx_pipeline.catalog.facts import FactBook, upsert_facts
from phx_pipeline.catalog.files import FileBook
from phx_pipeline.catalog.integrity import Integrity
from phx_pipeline.catalog.jobs import JobBook
from phx_pipeline.catalog.leases import Lease, Leases
from phx_pipeline.catalog.lookup import HashLookup
from phx_pipeline.catalog.policies import CatalogPolicies
from phx_pipeline.catalog.properties import PropertyBook
from phx_pipeline.catalog.proxies import CatalogProxies
from phx_pipeline.catalog.quarantine import QuarantineBook
from phx_pipeline.catalog.queries import CatalogReader
from phx_pipeline.catalog.retention import History
from phx_pipeline.catalog.rows import (
    AnyRow,
    appearance_values,
    blob_values,
    ref_values,
)
from phx_pipeline.catalog.rulings import RulingBook
from phx_pipeline.catalog.runs import RunBook
from phx_pipeline.catalog.statistics import CatalogStatistics
from phx_pipeline.catalog.tracker import UrlTracker
from phx_pipeline.catalog.views import ViewBook, want
from phx_pipeline.model.appearance import Appearance
from phx_pipeline.model.due import MOST_FAULT_DAYS, faults_after
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.outcome import Verdict
from phx_pipeline.model.photo import Blob, Photo, PhotoRef
from phx_pipeline.model.picture import StandardPicture
from phx_pipeline.model.property import Property
from phx_pipeline.model.publication import Publication
from phx_pipeline.model.source import Source
from phx_pipeline.model.taxonomy import Category

PhotoKey = tuple[Source, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """When and by which run a fact is written; `today` is the date in Phoenix."""

    at: datetime
    today: date
    run_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What dedupe decided for one photo; no cluster for a rejected one."""

    verdict: Verdict
    cluster_id: str | None


class Catalog(CatalogReader):
    """The catalogue: inherited reads, writes here, leases and jobs beside."""

    def __init__(self, engine: sa.Engine, *, leases: Leases) -> None:
        super().__init__(engine)
        self.leases = leases
        self.houses = PropertyBook(engine)
        self.jobs = JobBook(engine)
        self.policies = CatalogPolicies(engine)
        self.proxies = CatalogProxies(engine)
        self.quarantine = QuarantineBook(engine)
        self.rulings = RulingBook(engine)
        self.lookup = HashLookup(engine)
        self.history = History(engine)
        self.statistics = CatalogStatistics(engine)
        self.facts = FactBook(engine)
        self.files = FileBook(engine)
        self.integrity = Integrity(engine)
        self.views = ViewBook(engine)
        self.runs = RunBook(engine)
        self.urls = UrlTracker(engine)

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def add_properties(
        self, houses: Sequence[Property], *, at: datetime
    ) -> list[Property]:
        """Add the houses not known yet, all or none; return those added.

        Removed ones among them are followed again; `houses.add` tells which.
        """
        return list(self.houses.add(houses, at=at).added)

    def record_listing(
        self, lease: Lease, slug: str, listing: Listing, *, stamp: Stamp
    ) -> None:
        """Record what a source said: outcome, facts, and its gallery when one was seen.

        Photos missing from the gallery lose `present` only if it was seen whole.
        """
        with writing(self._engine) as connection:
            Leases.fence(connection, lease)
            _upsert_listing(connection, slug, listing, stamp=stamp)
            if listing.facts is not None:
                upsert_facts(
                    connection,
                    slug,
                    listing.source,
                    listing.facts,
                    seen_on=stamp.today,
                )
            known = _photo_rows(connection, slug, source=listing.source)
            _insert_photos(connection, slug, listing, known=known, stamp=stamp)
            _update_photos(connection, slug, listing, known=known)
            if listing.complete and listing.outcome.saw_gallery:
                seen = {ref.photo_key for ref in listing.photos}
                absent = [
                    key for key, row in known.items() if row.present and key not in seen
                ]
                _mark_absent(connection, slug, source=listing.source, keys=absent)

    def record_download(
        self,
        lease: Lease,
        photo: Photo,
        blob: Blob,
        *,
        fetched_url: str,
        stamp: Stamp,
    ) -> None:
        """Record bytes that are safely stored; the photo waits for its decision."""
        with writing(self._engine) as connection:
            Leases.fence(connection, lease)
            _insert_blob(connection, blob)
            values: dict[str, object] = {
                "sha256": blob.sha256,
                "asked_url": photo.ref.url,
                "fetched_url": fetched_url,
                "downloaded_at": stamp.at,
                "run_id": stamp.run_id,
                "detail": "",
                **_NO_FAULT,
            }
            if _is_new_to_decide(photo, blob):
                values |= {"verdict": Verdict.PENDING.value, "cluster_id": None}
            _set_photo(connection, photo, values)
            _log_attempt(
                connection, photo, url=fetched_url, result="ok", detail="", stamp=stamp
            )

    def record_failure(
        self,
        lease: Lease,
        photo: Photo,
        verdict: Verdict,
        *,
        detail: str,
        stamp: Stamp,
    ) -> None:
        """Record an attempt without usable bytes.

        Bytes already held stay what they were: a failed upgrade loses nothing.
        """
        with writing(self._engine) as connection:
            Leases.fence(connection, lease)
            days, day = faults_after(photo, verdict, today=stamp.today)
            values: dict[str, object] = {
                "detail": detail,
                "run_id": stamp.run_id,
                "fault_days": days,
                "faulted_on": day,
            }
            if photo.sha256 is None and photo.verdict is not Verdict.FOREIGN:
                values["verdict"] = verdict.value
            if not verdict.is_passing:
                values["asked_url"] = photo.ref.url
            _set_photo(connection, photo, values)
            _log_attempt(
                connection,
                photo,
                url=photo.ref.url,
                result=verdict.value,
                detail=detail,
                stamp=stamp,
            )

    def record_decisions(
        self, lease: Lease, slug: str, decisions: Mapping[PhotoKey, Decision]
    ) -> None:
        """Record who is kept, a duplicate or a card, for all photos decided anew."""
        with writing(self._engine) as connection:
            Leases.fence(connection, lease)
            for (source, photo_key), decision in decisions.items():
                connection.execute(
                    _this_photo(slug, source, photo_key).values(
                        verdict=decision.verdict.value,
                        cluster_id=decision.cluster_id,
                        fault_days=_faults_of(decision),
                    )
                )

    def record_appearance(self, lease: Lease, sha256: str, look: Appearance) -> None:
        """Record what bytes look like that were stored without it."""
        with writing(self._engine) as connection:
            Leases.fence(connection, lease)
            _insert_appearance(connection, sha256, look)

    def record_examined(self, lease: Lease, blob: Blob) -> None:
        """Make the facts of known bytes what a new look at them gave."""
        table, look = tables.blob, tables.appearance
        with writing(self._engine) as connection:
            Leases.fence(connection, lease)
            this = table.c.sha256 == blob.sha256
            connection.execute(sa.update(table).where(this).values(blob_values(blob)))
            connection.execute(sa.delete(look).where(look.c.sha256 == blob.sha256))
            if blob.appearance is not None:
                _insert_appearance(connection, blob.sha256, blob.appearance)

    def record_picture(self, lease: Lease, picture: StandardPicture) -> None:
        """Record a standardized picture that is safely stored."""
        with writing(self._engine) as connection:
            Leases.fence(connection, lease)
            _upsert_picture(connection, picture)

    def record_categories(
        self,
        lease: Lease,
        slug: str,
        categories: Mapping[PhotoKey, Category],
        *,
        votes: Mapping[PhotoKey, Sequence[Mapping[str, object]]],
    ) -> None:
        """Replace the categories of a property's kept photos."""
        with writing(self._engine) as connection:
            Leases.fence(connection, lease)
            connection.execute(
                sa.delete(tables.category).where(tables.category.c.slug == slug)
            )
            if categories:
                connection.execute(
                    sa.insert(tables.category),
                    [
                        _category_values(slug, key, category, votes=votes.get(key, ()))
                        for key, category in categories.items()
                    ],
                )

    def record_publications(
        self, lease: Lease, slug: str, changed: Iterable[Publication]
    ) -> None:
        """Write new and changed publication rows of a property, all or none."""
        table = tables.publication
        with writing(self._engine) as connection:
            Leases.fence(connection, lease)
            for publication in changed:
                key = sa.and_(
                    table.c.slug == slug,
                    table.c.location == publication.location.value,
                    table.c.subject == publication.subject.value,
                    table.c.sequence == publication.sequence,
                )
                connection.execute(sa.delete(table).where(key))
                connection.execute(
                    sa.insert(table).values(_publication_values(publication))
                )

    def record_published(self, lease: Lease, slug: str) -> None:
        """Note that the folder shows all rows written up to this lease.

        The views are stale from now on: they show this property as it was.
        """
        with writing(self._engine) as connection:
            Leases.fence(connection, lease)
            want(connection)
            connection.execute(
                sa.update(tables.house)
                .where(tables.house.c.slug == slug)
                .values(published_epoch=lease.epoch)
            )


_NO_FAULT: dict[str, object] = {"fault_days": 0, "faulted_on": None}
_DECIDED = frozenset({Verdict.KEPT.kind, Verdict.DUPLICATE.kind})


def _faults_of(decision: Decision) -> sa.ColumnElement[int]:
    """A card came as bytes: asking again would give it again, so that is final."""
    table = tables.photo
    if decision.verdict is Verdict.PLACEHOLDER:
        return sa.literal(MOST_FAULT_DAYS)
    was_card = table.c.verdict == Verdict.PLACEHOLDER.value
    return sa.case((was_card, 0), else_=table.c.fault_days)


def _is_new_to_decide(photo: Photo, blob: Blob) -> bool:
    if photo.verdict is Verdict.FOREIGN:  # whatever its bytes: it is held
        return False
    return photo.sha256 != blob.sha256 or photo.verdict.kind not in _DECIDED


def _upsert_listing(
    connection: sa.Connection, slug: str, listing: Listing, *, stamp: Stamp
) -> None:
    table = tables.listing
    this = sa.and_(table.c.slug == slug, table.c.source == listing.source.value)
    values: dict[str, object] = {
        "outcome": listing.outcome.value,
        "detail": listing.detail,
        "complete": listing.complete,
        "challenged": listing.challenged,
        "checked_at": stamp.at,
        "run_id": stamp.run_id,
    }
    # A block tells nothing about the listing: what was learnt before stays.
    learnt = {
        "listing_id": listing.listing_id,
        "mls_id": listing.mls_id,
        "url": listing.url,
        "listed_on": listing.listed_on,
        "gallery_seen_at": stamp.at if listing.complete else None,
    }
    values |= {name: value for name, value in learnt.items() if value is not None}
    updated = connection.execute(sa.update(table).where(this).values(values))
    if not updated.rowcount:
        key = {"slug": slug, "source": listing.source.value}
        connection.execute(sa.insert(table).values(key | values))


def _photo_rows(
    connection: sa.Connection, slug: str, *, source: Source
) -> dict[str, AnyRow]:
    query = sa.select(tables.photo).where(
        tables.photo.c.slug == slug, tables.photo.c.source == source.value
    )
    return {row.photo_key: row for row in connection.execute(query)}


def _insert_photos(
    connection: sa.Connection,
    slug: str,
    listing: Listing,
    *,
    known: Mapping[str, AnyRow],
    stamp: Stamp,
) -> None:
    new = [
        {
            "slug": slug,
            "source": listing.source.value,
            "photo_key": ref.photo_key,
            "listed_on": listing.listed_on,
            "first_seen_on": stamp.today,
            "present": True,
            "verdict": Verdict.PENDING.value,
            "detail": "",
            "run_id": stamp.run_id,
            **ref_values(ref),
        }
        for ref in listing.photos
        if ref.photo_key not in known
    ]
    if new:
        connection.execute(sa.insert(tables.photo), new)


def _update_photos(
    connection: sa.Connection,
    slug: str,
    listing: Listing,
    *,
    known: Mapping[str, AnyRow],
) -> None:
    for ref in listing.photos:
        row = known.get(ref.photo_key)
        if row is None:
            continue
        wanted = _wanted_values(ref, listing=listing, row=row)
        if any(getattr(row, name) != value for name, value in wanted.items()):
            statement = _this_photo(slug, ref.source, ref.photo_key)
            connection.execute(statement.values(wanted))


def _wanted_values(
    ref: PhotoRef, *, listing: Listing, row: AnyRow
) -> dict[str, object]:
    values: dict[str, object] = {
        **ref_values(ref),
        "listed_on": listing.listed_on or row.listed_on,
        "present": True,
    }
    # What failed was another variant.
    return values if row.url == ref.url else values | _NO_FAULT


def _mark_absent(
    connection: sa.Connection, slug: str, *, source: Source, keys: Sequence[str]
) -> None:
    for key in keys:
        connection.execute(_this_photo(slug, source, key).values(present=False))


def _this_photo(slug: str, source: Source, photo_key: str) -> sa.Update:
    table = tables.photo
    return sa.update(table).where(
        table.c.slug == slug,
        table.c.source == source.value,
        table.c.photo_key == photo_key,
    )


def _set_photo(
    connection: sa.Connection, photo: Photo, values: Mapping[str, object]
) -> None:
    statement = _this_photo(photo.property_slug, photo.ref.source, photo.ref.photo_key)
    connection.execute(statement.values(values))


def _insert_blob(connection: sa.Connection, blob: Blob) -> None:
    known = sa.select(tables.blob.c.sha256).where(tables.blob.c.sha256 == blob.sha256)
    if connection.execute(known).first() is not None:
        return
    try:
        with connection.begin_nested():
            connection.execute(sa.insert(tables.blob).values(blob_values(blob)))
            if blob.appearance is not None:
                look = appearance_values(blob.sha256, blob.appearance)
                connection.execute(sa.insert(tables.appearance).values(look))
    except sa.exc.IntegrityError:
        pass  # another property stored the same bytes a moment ago: the row is equal


def _insert_appearance(
    connection: sa.Connection, sha256: str, look: Appearance
) -> None:
    table = tables.appearance
    known = sa.select(table.c.sha256).where(table.c.sha256 == sha256)
    if connection.execute(known).first() is not None:
        return
    try:
        with connection.begin_nested():
            values = appearance_values(sha256, look)
            connection.execute(sa.insert(table).values(values))
    except sa.exc.IntegrityError:
        pass  # as in `_insert_blob`


def _upsert_picture(connection: sa.Connection, picture: StandardPicture) -> None:
    # The row belongs to the bytes: runs of two properties may write it at once.
    table = tables.picture
    this = sa.and_(table.c.sha256 == picture.sha256, table.c.recipe == picture.recipe)
    values = asdict(picture)
    update = sa.update(table).where(this).values(values)
    if connection.execute(update).rowcount:
        return
    try:
        with connection.begin_nested():
            connection.execute(sa.insert(table).values(values))
    except sa.exc.IntegrityError:
        connection.execute(update)


def _log_attempt(
    connection: sa.Connection,
    photo: Photo,
    *,
    url: str,
    result: str,
    detail: str,
    stamp: Stamp,
) -> None:
    connection.execute(
        sa.insert(tables.attempt).values(
            slug=photo.property_slug,
            source=photo.ref.source.value,
            photo_key=photo.ref.photo_key,
            at=stamp.at,
            run_id=stamp.run_id,
            url=url,
            result=result,
            detail=detail,
        )
    )


def _category_values(
    slug: str,
    key: PhotoKey,
    category: Category,
    *,
    votes: Sequence[Mapping[str, object]],
) -> dict[str, object]:
    return {
        "slug": slug,
        "source": key[0].value,
        "photo_key": key[1],
        "location": category.location.value,
        "subject": category.subject.value,
        "confidence": category.confidence,
        "votes": [dict(vote) for vote in votes],
    }


def _publication_values(publication: Publication) -> dict[str, object]:
    return {
        "slug": publication.slug,
        "location": publication.location.value,
        "subject": publication.subject.value,
        "sequence": publication.sequence,
        "active": publication.active,
        "source": publication.source.value,
        "photo_key": publication.photo_key,
        "file_name": publication.file_name,
        "sha256": publication.sha256,
        "recipe": publication.recipe,
        "processed_at": publication.processed_at,
        "run_id": publication.run_id,
    }
