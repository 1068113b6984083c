"""The JSON file beside each published picture: rendered from rows, never read back.

What is in the file and how it is spelt is told by `exports.sidecar`.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from phx_pipeline.exports.sidecar import Row, Sidecar, render_rows, render_sidecar
from phx_pipeline.model.facts import FACT_NAMES, SeenFacts, said_since
from phx_pipeline.model.naming import picture_named, sidecar_of
from phx_pipeline.model.outcome import Verdict
from phx_pipeline.model.particulars import Named, Particulars
from phx_pipeline.model.photo import Photo, PhotoKey
from phx_pipeline.model.picture import StandardPicture
from phx_pipeline.model.property import Property
from phx_pipeline.model.publication import Publication
from phx_pipeline.model.refusal import on_disk
from phx_pipeline.model.ruling import TAKEN_BACK, About, Ruling, couple_in
from phx_pipeline.model.source import Source, in_order
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.ruled_categories import MANUAL
from phx_pipeline.stages.scrubbing import scrubbed
from phx_pipeline.storage.atomic import create_folder, write_view

# It grows by itself: with it no sidecar would be the same on two days.
_LEFT_OUT: Final = frozenset({"days_on_market"})
_NOBODY: Final = Named(probability=0, votes=())


def write_sidecars(
    context: StageContext,
    house: Property,
    active: Sequence[Publication],
    photos: Sequence[Photo],
) -> int:
    """Write the sidecars of *active* that are not what the rows say; return how many.

    Stale ones go with their pictures.

    Raises:
        DiskError: the disk refused one; the next publication writes the rest.
    """
    folder = context.layout.folder(house.folder)
    if active:
        with on_disk(folder):
            create_folder(folder)
    return sum(
        write_view(folder / name, text.encode())
        for name, text in sidecars(context, house, active, photos)
    )


def sidecars(
    context: StageContext,
    house: Property,
    active: Sequence[Publication],
    photos: Sequence[Photo],
) -> Iterator[tuple[str, str]]:
    """Yield the name and text of each sidecar; a pure function of the rows.

    *active* are the publications that are shown, *photos* all photos of the house.
    """
    if not active:
        return
    album = _album(context, house, active, photos)
    for publication in active:
        sidecar = _sidecar(album, publication)
        yield sidecar_of(publication.file_name), render_sidecar(sidecar)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Album:
    """What the sidecars of one house are made of; `listings` is rendered already."""

    house: Row
    folder: str
    particulars: Particulars
    photos: Mapping[PhotoKey, Photo]
    clusters: Mapping[str | None, Sequence[Photo]]
    pictures: Mapping[tuple[str, str], StandardPicture]
    listings: str


def _album(
    context: StageContext,
    house: Property,
    active: Sequence[Publication],
    photos: Sequence[Photo],
) -> _Album:
    catalog, slug = context.catalog, house.slug
    clusters: dict[str | None, list[Photo]] = defaultdict(list)
    for photo in photos:
        clusters[photo.cluster_id].append(photo)
    urls = catalog.facts.listing_urls(slug)
    return _Album(
        house={"key": slug, "folder": house.folder, "address": str(house.address)},
        folder=house.folder,
        particulars=catalog.sidecars.particulars(slug),
        photos={photo.key: photo for photo in photos},
        clusters=clusters,
        pictures=catalog.pictures([row.sha256 for row in active]),
        listings=render_rows(_listings(catalog.facts.history(slug), urls)),
    )


def _sidecar(album: _Album, row: Publication) -> Sidecar:
    named = album.particulars.named.get(row.holder, _NOBODY)
    votes = [_vote(vote) for vote in named.votes]
    copies = _copies(album, album.photos[row.holder])
    rulings = [
        _ruling(ruling)
        for ruling in album.particulars.rulings
        if _applies(ruling, {photo.key for photo in copies}, known=album.photos)
    ]
    return Sidecar(
        file=row.file_name,
        house=album.house,
        shows=_shows(row, probability=named.probability),
        votes=votes,
        versions={"recipe": row.recipe, "backends": _backends(votes)},
        picture=_picture(album.pictures.get((row.sha256, row.recipe))),
        copies=[_copy(album, photo, shown=row.holder) for photo in copies],
        listings=album.listings,
        rulings=rulings,
    )


def _shows(row: Publication, *, probability: float) -> Row:
    name = picture_named(row.file_name)
    return {
        "location": row.location.value,
        "subject": row.subject.value,
        "confidence": name.confidence if name else 0,
        "probability": round(probability, 4),
    }


def _vote(vote: Row) -> Row:
    """A vote as it is stored; of a person's word only when it was given."""
    if vote["backend"] != MANUAL:
        return vote
    return {**vote, "version": str(vote["version"]).rpartition(" ")[2]}


def _backends(votes: Sequence[Row]) -> Row:
    return {str(vote["backend"]): vote["version"] for vote in votes}


def _picture(made: StandardPicture | None) -> Row:
    if made is None:
        return {}
    return {
        "sha256": made.png_sha256,
        "width": made.width,
        "height": made.height,
        "size_bytes": made.size_bytes,
    }


def _copies(album: _Album, shown: Photo) -> Sequence[Photo]:
    """All photos of the picture; none that no licence lets us hold."""
    members = album.clusters[shown.cluster_id] if shown.cluster_id else [shown]
    return [photo for photo in members if photo.verdict is not Verdict.WITHDRAWN]


def _copy(album: _Album, photo: Photo, *, shown: PhotoKey) -> Row:
    ref = photo.ref
    original = album.particulars.originals.get(photo.sha256 or "")
    size = original and {
        "width": original.width,
        "height": original.height,
        "size_bytes": original.size_bytes,
    }
    return {
        "source": ref.source.value,
        "photo_key": ref.photo_key,
        "shown": photo.key == shown,
        "url": ref.url,
        "fetched_url": photo.fetched_url,
        "sha256": photo.sha256,
        **(size or {}),
        "position": ref.position,
        "present": photo.present,
        "first_seen_on": photo.first_seen_on.isoformat(),
        "listed_on": photo.listed_on.isoformat() if photo.listed_on else None,
        "caption": scrubbed(ref.caption) if ref.caption else "",
        "tags": [scrubbed(tag) for tag in ref.tags],
    }


def _listings(
    history: Sequence[SeenFacts], urls: Mapping[Source, str]
) -> Iterator[Row]:
    said = said_since(history)
    for source in in_order([*said, *urls]):
        facts = said.get(source, {})
        yield {
            "source": source.value,
            "url": urls.get(source),
            "facts": {
                name: {"value": facts[name][0], "since": facts[name][1].isoformat()}
                for name in FACT_NAMES
                if name in facts and name not in _LEFT_OUT
            },
        }


def _applies(
    ruling: Ruling, copies: set[PhotoKey], *, known: Mapping[PhotoKey, Photo]
) -> bool:
    if ruling.value == TAKEN_BACK:
        return False
    about = _photos_of(ruling)
    withdrawn = (
        key for key in about if key in known and known[key].verdict is Verdict.WITHDRAWN
    )
    return not copies.isdisjoint(about) and not any(withdrawn)


def _photos_of(ruling: Ruling) -> Sequence[PhotoKey]:
    if ruling.about is About.COPIES:
        return couple_in(ruling.key)
    return [(ruling.source, ruling.key)] if ruling.source is not None else []


def _ruling(ruling: Ruling) -> Row:
    return {
        "about": ruling.about.value,
        "source": ruling.source.value if ruling.source else None,
        "key": ruling.key,
        "value": ruling.value,
        "at": ruling.at.isoformat(timespec="seconds"),
    }
