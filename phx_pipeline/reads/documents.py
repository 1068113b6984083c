"""The JSON documents of what is shown: the same for commands and for REST.

Each has a schema in `schemas`, which knows all of its keys. Times are ISO 8601 with
their zone, days are those of Phoenix.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

from phx_pipeline.model.change import NotedChange
from phx_pipeline.model.conflicts import Conflict
from phx_pipeline.model.drift import Drift
from phx_pipeline.model.iso_times import iso, iso_s
from phx_pipeline.model.job import Job, JobProperty, JobState
from phx_pipeline.model.look import Found, Looked, LookReport
from phx_pipeline.model.property import Property
from phx_pipeline.model.published import PHOTOS
from phx_pipeline.model.search import Proposal, SavedSearch, SearchTurn
from phx_pipeline.model.source import Source
from phx_pipeline.model.tally import PropertyTally, SourceTally, tally_counts
from phx_pipeline.reads.digest import Digest, NewMatch, Told
from phx_pipeline.reads.facts import HouseSheet
from phx_pipeline.reads.history import ToldEvent
from phx_pipeline.reads.images import ShownImage
from phx_pipeline.reads.not_kept import NotKept
from phx_pipeline.reads.sources import SeenSource
from phx_pipeline.reads.status import Status

Document = dict[str, object]

_PATHS = {"file", "sidecar"}  # of a picture, on the disk of this computer


def status_documents(status: Status) -> Iterable[Document]:
    """Return a document for each house, by key."""
    drift = {
        source: _drifts(it for it in status.drift if it.source is source)
        for source in {it.source for it in status.drift}
    }
    return (_house_status(status, it, drift=drift) for it in status.tallies)


def _house_status(
    status: Status, tally: PropertyTally, *, drift: Mapping[Source, object]
) -> Document:
    return {
        "property": tally.slug,
        "complete": tally.is_complete,
        **tally_counts(tally),
        "outdated": tally.outdated,
        "suspects": status.suspects.get(tally.slug, 0),
        "sources": {
            it.source.value: _source_status(it, drift=drift.get(it.source, []))
            for it in tally.sources
        },
        "conflicts": _conflicts(status.conflicts.get(tally.slug, ())),
    }


def _source_status(tally: SourceTally, *, drift: object) -> Document:
    return {
        "outcome": tally.outcome.value if tally.outcome else None,
        "detail": tally.detail,
        "wanting": tally.wanting,
        "faulted": tally.faulted,
        "discovered": tally.discovered,
        "drift": drift,
        **{kind.value: count for kind, count in tally.counts.items()},
    }


def _drifts(found: Iterable[Drift]) -> list[Document]:
    return [
        {
            "field": drift.field,
            "page_kind": drift.page_kind,
            "since": drift.since.isoformat(),
            "pages_before": drift.before,
            "had": drift.had,
            "pages_since": drift.lacking,
        }
        for drift in found
    ]


def _conflicts(differing: Sequence[Conflict]) -> list[Document]:
    return [
        {
            "fact": conflict.name,
            "values": {source.value: value for source, value in conflict.values},
        }
        for conflict in differing
    ]


def look_document(report: LookReport, houses: Sequence[Looked]) -> Document:
    """Return what a look at houses found, and what became of each."""
    counted = (it for it in Found if it is not Found.UNDER_WAY)
    return {
        "looked": report.looked,
        **{found.value: report.counts[found] for found in counted},
        "runs_asked_for": report.called,
        "waiting": report.waiting,
        "next_at": iso(report.next_at),
        "ended": report.ended,
        "houses": [
            {
                "property": it.slug,
                "found": it.found.value,
                "asked": list(it.sources),
                "run_asked_for": it.called,
                "detail": it.detail,
            }
            for it in houses
        ],
    }


def house_document(sheet: HouseSheet) -> Document:
    """Return all that is known of one house."""
    return {
        "key": sheet.house.slug,
        "folder": sheet.house.folder,
        "address": str(sheet.house.address),
        "sources": {
            tally.source.value: {
                "outcome": tally.outcome.value if tally.outcome else None,
                "detail": tally.detail,
                "url": sheet.urls.get(tally.source),
                "asked_at": iso(tally.checked_at),
            }
            for tally in sheet.sources
        },
        **_said(sheet),
        "conflicts": _conflicts(sheet.conflicts),
        "prices": [
            {
                "seen_on": seen.seen_on.isoformat(),
                "source": seen.source.value,
                "list_price": seen.list_price,
            }
            for seen in sheet.prices
        ],
        "photos": dict(sheet.subjects),
    }


def _said(sheet: HouseSheet) -> Document:
    """What the sources say of the house and its worth."""
    return {
        "facts": {
            source.value: {
                "seen_on": it.seen.seen_on.isoformat(),
                **it.seen.facts.stated,
                "days": {name: day.isoformat() for name, day in it.days.items()},
            }
            for source, it in sheet.facts.items()
        },
        "valuations": {
            source.value: [{"tax_year": it.tax_year, **it.stated} for it in valuations]
            for source, valuations in sheet.valuations.items()
        },
    }


def picture_document(shown: ShownImage) -> Document:
    """Return what is known of a published picture, for people of this computer."""
    found, name = shown.found, shown.name
    return {
        "file": str(shown.file),
        "url": found.image.source_url,
        "location": name.location.value,
        "subject": name.subject.value,
        "confidence": name.confidence,
        "width": found.image.width,
        "height": found.image.height,
        "date": name.date.isoformat(),
        "source": found.image.source.value,
        "property": found.slug,
        "first_seen_on": found.first_seen_on.isoformat(),
        "probability": round(found.probability, 4),
        "sidecar": str(shown.sidecar),
        "photo": f"{PHOTOS}/{found.image.folder}/{shown.file.name}",
        "shown_now": found.is_shown,
        "last_seen_on": _day(found.last_seen_on),
    }


def sent_picture(shown: ShownImage) -> Document:
    """The same for others, who learn no path of a disk that they cannot read."""
    told = picture_document(shown)
    return {name: it for name, it in told.items() if name not in _PATHS}


def not_kept_document(photo: NotKept) -> Document:
    """Return why a photo is not among the kept ones."""
    return {
        "url": photo.url,
        "source": photo.source.value,
        "photo_key": photo.photo_key,
        "verdict": photo.verdict.value,
        "detail": photo.detail,
        "copy_of": photo.copy_of,
        "next_asked_on": _day(photo.next_asked_on),
    }


def source_document(seen: SeenSource) -> Document:
    """Return how a group of hosts is being asked, and whether runs ask it here."""
    circuit, state = seen.circuit, seen.circuit.state
    means = seen.means if seen.is_whole else None
    return {
        "name": seen.name,
        "state": circuit.word,
        "requests_per_s": circuit.requests_per_s,
        "failures": state.failures,
        "open_since": iso_s(state.opened_at),
        "last_block_at": iso_s(state.blocked_at),
        "last_block": state.block or None,
        "next_try_at": iso_s(circuit.next_try_s),
        "asked": not seen.why_not,
        "why_not": seen.why_not or None,
        "lacks": (means.lacks or None) if means else None,
        "uncaptured": (means.uncaptured or None) if means else None,
    }


def property_document(
    house: Property, *, removed_at: datetime | None = None
) -> Document:
    """Return the names of a house; *removed_at* only of one that was removed."""
    told: Document = {
        "key": house.slug,
        "folder": house.folder,
        "address": str(house.address),
    }
    return told if removed_at is None else {**told, "removed_at": iso(removed_at)}


def change_document(change: NotedChange) -> Document:
    """Return one thing that changed; of an outcome the photo is None."""
    return {
        "id": change.id,
        "property": change.slug,
        "source": change.source.value,
        "photo_key": change.photo_key or None,
        "what": change.what,
        "before": change.before,
        "after": change.after,
        "at": iso(change.at),
        "run_id": change.run_id,
    }


def event_document(told: ToldEvent) -> Document:
    """Return one change of a house; the photos of two listings only where it tells."""
    event, photos = told.event, told.photos
    document: Document = {
        "key": event.key,
        "property": event.slug,
        "source": event.source.value,
        "kind": event.kind.value,
        "on": event.on.isoformat(),
        "at": iso(event.at),
        "before": event.before,
        "after": event.after,
        "fact": event.fact or None,
        "photo_keys": list(event.photo_keys),
    }
    if photos is not None:
        document |= {"old_photos": list(photos.old), "new_photos": list(photos.new)}
    return document


def job_document(job: Job, *, slots: int | None = None, items: bool = True) -> Document:
    """Return how far a job is.

    Args:
        job: as it is shown.
        slots: how many runs work at once, for the estimate; by default as many as are
            at work for this job now.
        items: whether each of its properties is told too; a list may leave them out.
    """
    told: Document = {
        "id": job.job_id,
        "user": job.user,
        "status": job.state.value,
        "origin": job.origin.value,
        "priority": job.priority.value,
        "mode": job.mode.value,
        "isolation_mode": job.isolation.value if job.isolation else None,
        "properties": [item.address for item in job.items],
        "sources": [source.value for source in job.sources],
        "total_properties": len(job.items),
        **{f"{state.value}_properties": n for state, n in job.counts.items()},
        "total_images": job.total_images,
        "new_images": job.new_images,
        "duplicate_images": job.duplicate_images,
        "error_message": job.error_message,
        "failed_properties_list": job.failed_properties_list,
        **_job_times(job, slots=slots),
    }
    return {**told, "items": list(map(_job_item, job.items))} if items else told


def _job_times(job: Job, *, slots: int | None) -> Document:
    at_work = job.counts[JobState.IN_PROGRESS]
    remaining_s = job.remaining_s(slots=at_work if slots is None else slots)
    return {
        "created_at": iso(job.created_at),
        "started_at": iso(job.started_at),
        "completed_at": iso(job.completed_at),
        "cancelled_at": iso(job.cancelled_at),
        "progress_updated_at": iso(job.progress_updated_at),
        "progress_percent": job.progress_percent,
        "remaining_s": None if remaining_s is None else round(remaining_s, 1),
    }


def _job_item(item: JobProperty) -> Document:
    return {
        "property": item.slug,
        "address": item.address,
        "folder": item.folder,
        "status": item.state.value,
        "run_id": item.run_id,
        "error": item.error or None,
        "total_images": item.counts.total,
        "new_images": item.counts.new,
        "duplicate_images": item.counts.duplicate,
        "started_at": iso(item.started_at),
        "completed_at": iso(item.ended_at),
        "took_s": None if item.took_s is None else round(item.took_s, 1),
    }


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def search_document(search: SavedSearch) -> Document:
    """Return a saved search."""
    return {
        "name": search.name,
        "criteria": search.criteria.plain(),
        "sources": [source.value for source in search.sources],
        "accept_per_day": search.accept_per_day,
        "paused": search.is_paused,
        "created_at": iso(search.created_at),
    }


def turn_document(turn: SearchTurn) -> Document:
    """Return what a search found at a source on a day."""
    return {
        "search": turn.search,
        "source": turn.source.value,
        "on": turn.on.isoformat(),
        "outcome": turn.outcome.value if turn.outcome else None,
        "detail": turn.detail,
        "pages": turn.pages,
        "rows": turn.rows,
        "proposed": turn.proposed,
        "left_out": {why.value: count for why, count in turn.left_out.items()},
        "at": iso(turn.at),
    }


def proposal_document(proposal: Proposal) -> Document:
    """Return a house that a search found."""
    return {
        "key": proposal.address.slug,
        "address": str(proposal.address),
        "search": proposal.search,
        "source": proposal.source.value,
        "url": proposal.url,
        "photo_url": proposal.photo_url or None,
        "first_seen_on": proposal.first_seen_on.isoformat(),
        "facts": dict(proposal.facts.stated),
        "doubt": proposal.doubt,
        "state": proposal.state.value,
        "decided_at": iso(proposal.decided_at),
        "property": proposal.slug,
    }


def digest_document(digest: Digest) -> Document:
    """Return what a digest says."""
    return {
        "since": digest.since.isoformat(),
        "day": digest.day.isoformat(),
        "changes": [_told(it, digest) for it in digest.told],
        "new_matches": [_match(it) for it in digest.matches],
        "open": list(digest.open),
        "blocked": [
            {
                "name": it.name,
                "state": it.word,
                "why": it.why or None,
                "next_try_at": iso_s(it.next_try_s),
            }
            for it in digest.blocked
        ],
        "failures": [
            {"property": it.slug, "at": iso(it.at), "error": it.error}
            for it in digest.failures
        ],
        "drift": list(digest.drift),
        "undelivered": list(digest.undelivered),
    }


def _told(told: Told, digest: Digest) -> Document:
    event, house = told.event, digest.houses.get(told.event.slug)
    return {
        "key": told.key,
        "property": event.slug,
        "address": house.address if house else None,
        "list_price": house.price if house else None,
        "kind": event.kind.value,
        "on": event.on.isoformat(),
        "at": iso(event.at),
        "sources": [source.value for source in told.sources],
        "before": event.before,
        "after": event.after,
        "fact": event.fact or None,
        "photos": len(event.photo_keys),
    }


def _match(match: NewMatch) -> Document:
    return {
        "key": match.key,
        "on": match.on.isoformat(),
        "address": match.address,
        "search": match.search,
        "source": match.source.value,
        "list_price": match.price,
        "url": match.url,
    }
