"""Writing the catalogue: one method, one transaction, one fact.

Writes about a property carry its lease; a superseded lease raises `StaleEpochError`
and writes nothing.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime

import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.access import AccessBook
from phx_pipeline.catalog.audit import AuditBook
from phx_pipeline.catalog.deliveries import DeliveryBook
from phx_pipeline.catalog.dispatch import DispatchBook
from phx_pipeline.catalog.door import Door, Passage, passing, photo_rows
from phx_pipeline.catalog.engine import writing
from phx_pipeline.catalog.facts import FactBook, upsert_facts, upsert_valuations
from phx_pipeline.catalog.features import FeatureBook
from phx_pipeline.catalog.fields import FieldBook, count_fields
from phx_pipeline.catalog.files import FileBook
from phx_pipeline.catalog.images import ImageSearch
from phx_pipeline.catalog.integrity import Integrity
from phx_pipeline.catalog.jobs import JobBook
from phx_pipeline.catalog.judgements import JudgementBook, forget_judgements
from phx_pipeline.catalog.leases import Lease, Leases
from phx_pipeline.catalog.locking import change_row, insert_missing
from phx_pipeline.catalog.looks import LookBook
from phx_pipeline.catalog.lookup import HashLookup
from phx_pipeline.catalog.migrate import require_current
from phx_pipeline.catalog.news import (
    known_blob,
    note_bytes,
    note_gallery,
    note_said,
)
from phx_pipeline.catalog.pages import PageBook
from phx_pipeline.catalog.policies import CatalogPolicies
from phx_pipeline.catalog.properties import PropertyBook
from phx_pipeline.catalog.proxies import CatalogProxies
from phx_pipeline.catalog.quarantine import QuarantineBook
from phx_pipeline.catalog.queries import CatalogReader
from phx_pipeline.catalog.retention import History
from phx_pipeline.catalog.reviews import ReviewBook
from phx_pipeline.catalog.rows import (
    AnyRow,
    appearance_values,
    blob_values,
    flat_values,
    photo_of,
    ref_values,
)
from phx_pipeline.catalog.rulings import RulingBook
from phx_pipeline.catalog.runs import RunBook
from phx_pipeline.catalog.searches import SearchBook
from phx_pipeline.catalog.sidecars import SidecarBook
from phx_pipeline.catalog.statistics import CatalogStatistics
from phx_pipeline.catalog.told import ToldBook
from phx_pipeline.catalog.tracker import UrlTracker
from phx_pipeline.catalog.trained import TrainedBook
from phx_pipeline.catalog.views import ViewBook, want
from phx_pipeline.catalog.votes import VoteBook, vote_values
from phx_pipeline.catalog.withdrawn import WithdrawnBook, withdraw
from phx_pipeline.errors import ImageError
from phx_pipeline.model.appearance import Appearance
from phx_pipeline.model.change import What
from phx_pipeline.model.due import faults_after
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.moments import phoenix_day
from phx_pipeline.model.outcome import Verdict
from phx_pipeline.model.photo import Blob, Decision, Photo, PhotoKey, PhotoRef
from phx_pipeline.model.picture import StandardPicture
from phx_pipeline.model.printable import printable
from phx_pipeline.model.property import Property
from phx_pipeline.model.publication import Publication
from phx_pipeline.model.stamp import Stamp
from phx_pipeline.model.vote import Named


class Catalog(CatalogReader):
    """The catalogue: inherited reads, writes here, leases and jobs beside."""

    def __init__(
        self,
        engine: sa.Engine,
        *,
        leases: Leases,
        policies: CatalogPolicies | None = None,
    ) -> None:
        super().__init__(engine)
        self.leases = leases
        self.access = AccessBook(engine)
        self.audit = AuditBook(engine)
        self.door = Door(engine)
        self.houses = PropertyBook(engine)
        self.sidecars = SidecarBook(engine)
        self.images = ImageSearch(engine)
        self.jobs = JobBook(engine)
        self.deliveries = DeliveryBook(engine)
        self.dispatch = DispatchBook(engine)
        self.judgements = JudgementBook(engine)
        self.pages = PageBook(engine)
        self.policies = policies or CatalogPolicies(engine)
        self.proxies = CatalogProxies(engine)
        self.quarantine = QuarantineBook(engine)
        self.reviews = ReviewBook(engine)
        self.rulings = RulingBook(engine)
        self.lookup = HashLookup(engine)
        self.looks = LookBook(engine)
        self.searches = SearchBook(engine)
        self.history = History(engine)
        self.statistics = CatalogStatistics(engine)
        self.facts = FactBook(engine)
        self.features = FeatureBook(engine)
        self.fields = FieldBook(engine)
        self.files = FileBook(engine)
        self.integrity = Integrity(engine)
        self.views = ViewBook(engine)
        self.votes = VoteBook(engine)
        self.runs = RunBook(engine)
        self.told = ToldBook(engine)
        self.trained = TrainedBook(engine)
        self.urls = UrlTracker(engine)
        self.withdrawn = WithdrawnBook(engine)

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def require_current(self) -> None:
        """Raise `RevisionError` if somebody migrated it to another version."""
        require_current(self._engine)

    def add_properties(
        self, houses: Sequence[Property], *, at: datetime
    ) -> list[Property]:
        """Add the houses not known yet, all or none; return those added.

        Removed ones among them are followed again; `houses.add` tells which.
        """
        return list(self.houses.add(houses, at=at).added)

    def record_listing(
        self,
        lease: Lease,
        slug: str,
        listing: Listing,
        *,
        stamp: Stamp,
        shown_at: datetime | None = None,
    ) -> None:
        """Record what a source said: outcome, facts, and its gallery when one was seen.

        Photos missing from the gallery lose `present` only if it was seen whole, or if
        their licence was withdrawn; the bytes of those are to be removed. *shown_at*
        tells when the source showed it, if that is not now: then the fields of the page
        are not counted.
        """
        with writing(self._engine) as connection:
            Leases.fence(connection, lease)
            before = _listing_row(connection, slug, listing)
            known = photo_rows(connection, slug, source=listing.source)
            with passing(connection, slug, stamp=stamp) as door:
                market = note_said(door, listing, before=before)
                _upsert_listing(
                    door,
                    listing,
                    before=before,
                    market=market,
                    shown_at=shown_at or stamp.at,
                )
                _take_facts(door, listing)
                _take_gallery(
                    door,
                    listing,
                    known=known,
                    seen_at=before.gallery_seen_at if before is not None else None,
                )
            if shown_at is None:  # a page at hand may be of any year
                count_fields(connection, listing, seen_on=stamp.today)

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
            with passing(connection, photo.property_slug, stamp=stamp) as door:
                row = door.row(*photo.key)
                if _is_new_to_decide(row, blob):
                    values |= {"verdict": Verdict.PENDING.value, "cluster_id": None}
                door.change(row, values)
                if row.sha256 != blob.sha256 and (
                    old := known_blob(connection, row.sha256)
                ):
                    note_bytes(door, photo.key, old=old, blob=blob)
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
            with passing(connection, photo.property_slug, stamp=stamp) as door:
                row = door.row(*photo.key)
                values = _failed_values(
                    photo_of(row), verdict, asked_url=photo.ref.url, today=stamp.today
                )
                told = {"detail": detail, "run_id": stamp.run_id}
                door.change(row, values | told)
            _log_attempt(
                connection,
                photo,
                url=photo.ref.url,
                result=verdict.value,
                detail=detail,
                stamp=stamp,
            )

    def record_no_pictures(
        self,
        lease: Lease,
        slug: str,
        faults: Mapping[str, ImageError],
        *,
        stamp: Stamp,
    ) -> None:
        """Record that stored bytes, once taken for pictures, are none.

        Their photos are due, as if none had ever come; one that is held stays so.

        Args:
            lease: of the property.
            slug: the property.
            faults: by the SHA-256 of the bytes.
            stamp: when, and in which run.
        """
        with writing(self._engine) as connection:
            Leases.fence(connection, lease)
            known = photo_rows(connection, slug)
            with passing(connection, slug, stamp=stamp) as door:
                for row in known.values():
                    is_ours = row.verdict != Verdict.WITHDRAWN.value
                    if is_ours and (fault := faults.get(row.sha256)) is not None:
                        values = _bereft_values(photo_of(row), fault)
                        door.change(row, values | {"run_id": stamp.run_id})

    def record_decisions(
        self,
        lease: Lease,
        slug: str,
        decisions: Mapping[PhotoKey, Decision],
        *,
        stamp: Stamp,
    ) -> None:
        """Record who is kept, a duplicate or a card, for all photos decided anew."""
        with writing(self._engine) as connection:
            Leases.fence(connection, lease)
            known = photo_rows(connection, slug)
            with passing(connection, slug, stamp=stamp) as door:
                for key, decision in decisions.items():
                    verdict, cluster_id = decision.verdict.value, decision.cluster_id
                    values = {"verdict": verdict, "cluster_id": cluster_id}
                    door.change(known[key], values)

    def record_appearance(self, lease: Lease, sha256: str, look: Appearance) -> None:
        """Record what bytes look like that were stored without it, or part of it."""
        with writing(self._engine) as connection:
            Leases.fence(connection, lease)
            table = tables.appearance
            this = sa.and_(table.c.sha256 == sha256, table.c.detail.is_(None))
            connection.execute(sa.delete(table).where(this))
            _insert_appearance(connection, sha256, look)

    def record_examined(self, lease: Lease, blob: Blob) -> None:
        """Make the facts of known bytes what a new look at them gave.

        What was judged by the facts before is forgotten.
        """
        table, look = tables.blob, tables.appearance
        with writing(self._engine) as connection:
            Leases.fence(connection, lease)
            this = table.c.sha256 == blob.sha256
            connection.execute(sa.update(table).where(this).values(blob_values(blob)))
            connection.execute(sa.delete(look).where(look.c.sha256 == blob.sha256))
            forget_judgements(connection, blob.sha256)
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
        named: Mapping[PhotoKey, Named],
    ) -> None:
        """Replace the categories of a property's kept photos, with their votes."""
        with writing(self._engine) as connection:
            Leases.fence(connection, lease)
            connection.execute(
                sa.delete(tables.category).where(tables.category.c.slug == slug)
            )
            if named:
                rows = [_category_values(slug, key, it) for key, it in named.items()]
                connection.execute(sa.insert(tables.category), rows)

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


_ATTEMPT = sa.insert(tables.attempt)
_NO_FAULT: dict[str, object] = {"fault_days": 0, "faulted_on": None}
_DECIDED = frozenset({Verdict.KEPT.kind, Verdict.DUPLICATE.kind})


def _is_new_to_decide(row: AnyRow, blob: Blob) -> bool:
    verdict = Verdict(row.verdict)
    if verdict is Verdict.FOREIGN:  # whatever its bytes: it is held
        return False
    return row.sha256 != blob.sha256 or verdict.kind not in _DECIDED


def _failed_values(
    photo: Photo, verdict: Verdict, *, asked_url: str, today: date
) -> dict[str, object]:
    days, day = faults_after(photo, verdict, today=today)
    values: dict[str, object] = {"fault_days": days, "faulted_on": day}
    if photo.sha256 is None and photo.verdict is not Verdict.FOREIGN:
        values["verdict"] = verdict.value
    if not verdict.is_passing:
        values["asked_url"] = asked_url
    return values


def _bereft_values(photo: Photo, fault: ImageError) -> dict[str, object]:
    is_held = photo.verdict is Verdict.FOREIGN
    return {
        "verdict": (photo.verdict if is_held else fault.verdict).value,
        "detail": printable(str(fault)),
        "sha256": None,
        "fetched_url": None,
        "downloaded_at": None,
        "cluster_id": None,
        **_NO_FAULT,
    }


def _listing_row(
    connection: sa.Connection, slug: str, listing: Listing
) -> AnyRow | None:
    table = tables.listing
    this = sa.and_(table.c.slug == slug, table.c.source == listing.source.value)
    return connection.execute(sa.select(table).where(this)).one_or_none()


def _upsert_listing(
    door: Passage,
    listing: Listing,
    *,
    before: AnyRow | None,
    market: str | None,
    shown_at: datetime,
) -> None:
    """Write what a source said of the listing, and note how it ended."""
    key = {"slug": door.slug, "source": listing.source.value}
    values: dict[str, object] = {
        "outcome": listing.outcome.value,
        "detail": listing.detail,
        "complete": listing.complete,
        "challenged": listing.challenged,
        "checked_at": door.stamp.at,
        "market": market,
        "run_id": door.stamp.run_id,
    }
    # A block tells nothing about the listing: what was learnt before stays.
    learnt = {
        "listing_id": listing.listing_id,
        "mls_id": listing.mls_id,
        "url": listing.url,
        "listed_on": listing.listed_on,
        "gallery_seen_at": shown_at if listing.complete else None,
    }
    values |= {name: value for name, value in learnt.items() if value is not None}
    if before is None:
        door.connection.execute(sa.insert(tables.listing).values(key | values))
    else:
        change_row(door.connection, tables.listing, {**key, **values})
    ended = before.outcome if before is not None else ""
    door.note_outcome(listing.source, before=ended, after=listing.outcome.value)


def _take_facts(door: Passage, listing: Listing) -> None:
    whose = (door.connection, door.slug, listing.source)
    if listing.facts is not None:
        upsert_facts(*whose, listing.facts, seen_on=door.stamp.today)
    upsert_valuations(*whose, listing.valuations)


def _take_gallery(
    door: Passage,
    listing: Listing,
    *,
    known: Mapping[PhotoKey, AnyRow],
    seen_at: datetime | None,
) -> None:
    """Take the photos of an answer; *seen_at* is when the gallery was last seen whole.

    Only against such a gallery is a photo told to be new, or gone.
    """
    refs: dict[PhotoKey, PhotoRef] = {}
    for ref in listing.photos:  # a page that shows a photo twice shows one photo
        refs.setdefault((ref.source, ref.photo_key), ref)
    new = [ref for key, ref in refs.items() if key not in known]
    door.add([_new_values(ref, listing=listing, door=door) for ref in new])
    for key, ref in refs.items():
        if (row := known.get(key)) is not None:
            wanted = _wanted_values(ref, listing=listing, row=row)
            if any(getattr(row, name) != value for name, value in wanted.items()):
                door.change(row, wanted)
    gone = withdraw(door, listing, known=known)
    if listing.complete and listing.outcome.saw_gallery:
        left = {key for key, row in known.items() if row.present} - refs.keys() - gone
        for key in left:
            door.change(known[key], _left_values(known[key], seen_at=seen_at))
        gone |= left
    if seen_at is not None:
        _note_photos(door, listing, known=known, refs=refs, gone=gone, seen_at=seen_at)


def _note_photos(
    door: Passage,
    listing: Listing,
    *,
    known: Mapping[PhotoKey, AnyRow],
    refs: Collection[PhotoKey],
    gone: Collection[PhotoKey],
    seen_at: datetime,
) -> None:
    for key in refs:
        if key not in known:
            door.note(
                listing.source, What.ADDED, before="false", after="true", key=key[1]
            )
    before = {key[1] for key, row in known.items() if row.present}
    after = (before | {key[1] for key in refs}) - {key[1] for key in gone}
    note_gallery(door, listing.source, before=before, after=after, seen_at=seen_at)


def _left_values(row: AnyRow, *, seen_at: datetime | None) -> dict[str, object]:
    """Columns of a photo that a whole gallery does not show any more."""
    seen_on = phoenix_day(seen_at) if seen_at else row.first_seen_on
    return {"present": False, "last_seen_on": max(seen_on, row.first_seen_on)}


def _new_values(ref: PhotoRef, *, listing: Listing, door: Passage) -> dict[str, object]:
    return {
        "slug": door.slug,
        "source": listing.source.value,
        "photo_key": ref.photo_key,
        "listed_on": listing.listed_on,
        "first_seen_on": door.stamp.today,
        "present": True,
        "verdict": Verdict.PENDING.value,
        "detail": "",
        "run_id": door.stamp.run_id,
        **ref_values(ref),
    }


def _wanted_values(
    ref: PhotoRef, *, listing: Listing, row: AnyRow
) -> dict[str, object]:
    values: dict[str, object] = {
        **ref_values(ref),
        "listed_on": listing.listed_on or row.listed_on,
        "present": True,
        "last_seen_on": None,
    }
    if row.verdict == Verdict.WITHDRAWN.value:  # its licence lets us have it again
        values |= {"verdict": Verdict.PENDING.value, "detail": ""}
    # What failed was another variant.
    return values if row.url == ref.url else values | _NO_FAULT


def _insert_blob(connection: sa.Connection, blob: Blob) -> None:
    # Another property may store the same bytes at this moment: the row is equal.
    insert_missing(connection, tables.blob, blob_values(blob))
    if blob.appearance is not None:
        _insert_appearance(connection, blob.sha256, blob.appearance)


def _insert_appearance(
    connection: sa.Connection, sha256: str, look: Appearance
) -> None:
    insert_missing(connection, tables.appearance, appearance_values(sha256, look))


def _upsert_picture(connection: sa.Connection, picture: StandardPicture) -> None:
    # The row belongs to the bytes: runs of two properties may write it at once.
    values = flat_values(picture)
    if not insert_missing(connection, tables.picture, values):
        change_row(connection, tables.picture, values)


def _log_attempt(
    connection: sa.Connection,
    photo: Photo,
    *,
    url: str,
    result: str,
    detail: str,
    stamp: Stamp,
) -> None:
    values = {
        "slug": photo.property_slug,
        "source": photo.ref.source.value,
        "photo_key": photo.ref.photo_key,
        "at": stamp.at,
        "run_id": stamp.run_id,
        "url": url,
        "result": result,
        "detail": detail,
    }
    connection.execute(_ATTEMPT, values)


def _category_values(slug: str, key: PhotoKey, named: Named) -> dict[str, object]:
    category = named.category
    return {
        "slug": slug,
        "source": key[0].value,
        "photo_key": key[1],
        "location": category.location.value,
        "subject": category.subject.value,
        "confidence": category.confidence,
        "votes": [vote_values(vote) for vote in named.votes],
        "probability": float(named.probability),
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
