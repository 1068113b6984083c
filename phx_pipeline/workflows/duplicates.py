"""The pictures of a house with all their copies, and why each copy is one.

Nothing is compared anew: decisions, judgements and rulings are read. Rulings are given
by `split_join`.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePath

from phx_pipeline.errors import InputError, StorageError
from phx_pipeline.imaging.captioned_sheet import captioned_sheet
from phx_pipeline.model.judgement import Alike, Judgement, Pair, pair_of
from phx_pipeline.model.naming import BadNameError, ImageName
from phx_pipeline.model.outcome import Verdict
from phx_pipeline.model.photo import Blob, Photo, PhotoKey
from phx_pipeline.model.quarantine import PhotoAt
from phx_pipeline.model.ruling import About, CopyRuling, Ruling
from phx_pipeline.reads.quarantine import case_id
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.ruled_copies import photos_ruled_on, rulings_by_bytes

_SHEET_BYTES = 8_000_000
LEAST_ID = 4  # digits of an id that are enough where they are unambiguous
_DECIDED = frozenset({Verdict.KEPT, Verdict.DUPLICATE})
_HEX = re.compile(r"[0-9a-f]+")


class Bond(StrEnum):
    """What makes two photos copies of one picture, the strongest first.

    `HASHES`: nobody has looked at one of the two yet.
    """

    BYTES = "bytes"
    RULING = "ruling"
    JUDGEMENT = "judgement"
    HASHES = "hashes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tie:
    """Why a photo is in its cluster: what binds it to another copy, `to`.

    `judgement` is what was found of it and the kept copy, if they were compared;
    `ruling` the newest on the two that are bound.
    """

    to: PhotoKey
    bond: Bond
    judgement: Judgement | None
    ruling: Ruling | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A photo of a cluster; the kept one has no tie.

    `partings` are the rulings that count by which it is another picture than a photo.
    """

    id: str
    photo: Photo
    blob: Blob
    tie: Tie | None
    partings: tuple[Ruling, ...]

    @property
    def name(self) -> PhotoKey:
        """Source and key."""
        return self.photo.key

    @property
    def kept(self) -> bool:
        """Whether it is the one shown."""
        return self.photo.verdict is Verdict.KEPT


@dataclass(frozen=True, slots=True, kw_only=True)
class Copies:
    """A picture: the kept photo first, then its copies in gallery order.

    `file_name` is None until the picture is published.
    """

    file_name: str | None
    members: tuple[Copy, ...]

    @property
    def is_shared(self) -> bool:
        """Whether several photos show it."""
        return len(self.members) > 1

    @property
    def is_parted(self) -> bool:
        """Whether a person parted one of its photos from another picture's."""
        return any(it.partings for it in self.members)


def copies_of(context: StageContext, slug: str) -> list[Copies]:
    """Return every picture of a house by its file name, also those without copies."""
    groups = defaultdict[str, list[Photo]](list)
    for photo in context.catalog.photos(slug):
        if photo.cluster_id and photo.sha256 and photo.verdict in _DECIDED:
            groups[photo.cluster_id].append(photo)
    names = _file_names(context, slug)
    ties = _Ties(context, slug)
    found = [ties.of_group(group, names=names) for group in groups.values()]
    return sorted(found, key=lambda it: (it.file_name or "~", it.members[0].id))


def copies_with(found: Iterable[Copies], photo: Photo) -> Copies | None:
    """Return the picture that a photo is a copy of, if it is decided yet."""
    for copies in found:
        if any(it.name == photo.key for it in copies.members):
            return copies
    return None


def photo_id(slug: str, photo: Photo) -> str:
    """Return the id of a photo, the same as in the quarantine."""
    return id_of(slug, photo.key)


def id_of(slug: str, name: PhotoKey) -> str:
    """Return the id of the photo that has this name in a house."""
    source, key = name
    return case_id(PhotoAt(slug=slug, source=source, photo_key=key))


def photo_name(name: PhotoKey) -> str:
    """Return how people are shown a photo, and may name it: SOURCE/KEY."""
    source, key = name
    return f"{source.value}/{key}"


def require_bytes(photo: Photo) -> None:
    """Refuse a photo that is not downloaded.

    Raises:
        InputError: it is not; what became of it, and what may be done.
    """
    if photo.sha256 is not None:
        return
    told = f"{photo_name(photo.key)} is not downloaded ({photo.verdict.value}), so"
    asked = f"`phx extract --address {photo.property_slug}` asks for it once it is due"
    remedy = "" if photo.verdict is Verdict.WITHDRAWN else f"; {asked}"
    raise InputError(f"{told} nothing is known of it{remedy}")


def find_photo(context: StageContext, slug: str, text: str) -> Photo:
    """Return the photo of a house that is meant by *text*.

    That is an id or its start, a file name, a photo's key, or SOURCE/KEY, also with a
    space. The id may be one of the time when the house had a former key.

    Raises:
        InputError: none or several are meant, or the photo is of another house.
    """
    wanted = text.strip()
    holders = {name: key for key, name in _file_names(context, slug).items()}
    shown = holders.get(PurePath(wanted).name) or holders.get(f"{wanted}.png")
    slugs = (slug, *context.catalog.houses.aliases(slug))
    found = [
        it
        for it in context.catalog.photos(slug)
        if it.key == shown or any(_is_meant(wanted, own, it.key) for own in slugs)
    ]
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(photo_id(slug, it) for it in found)
        raise InputError(f"{text!r} may be any of {ids}: give one of these")
    if len(wanted) < LEAST_ID and _HEX.fullmatch(wanted.lower()):
        raise InputError(f"{text!r} is too short for an id: give at least four digits")
    if (other := _house_of(context, wanted)) not in {None, slug}:
        raise InputError(f"{text!r} is a photo of {other}, not of {slug}")
    raise InputError(
        f"no photo of {slug} is meant by {text!r}: "
        f"see `phx duplicates list {slug} --all`"
    )


def copies_sheet(context: StageContext, found: Sequence[Copies]) -> bytes:
    """Return a JPEG that shows all copies of some pictures, one after the other."""
    members = [it for copies in found for it in copies.members]

    def pictures() -> Iterator[tuple[bytes, str]]:
        for it in members:
            state = "kept" if it.kept else "copy"
            yield _original(context, it), f"{it.id} {state} {it.photo.ref.source}"

    return captioned_sheet(pictures(), count=len(members), max_bytes=_SHEET_BYTES)


def _is_meant(text: str, slug: str, name: PhotoKey) -> bool:
    source, key = name
    if text in {key, f"{source}/{key}", f"{source} {key}"}:
        return True
    digits = text.lower()
    told = len(digits) >= LEAST_ID and _HEX.fullmatch(digits) is not None
    return told and id_of(slug, name).startswith(digits)


def _house_of(context: StageContext, wanted: str) -> str | None:
    """Return the house of which a photo is named so, or a file."""
    for slug, source, key in context.catalog.photo_names():
        if _is_meant(wanted, slug, (source, key)):
            return slug
    name = PurePath(wanted).name
    try:
        folder = ImageName.parse(f"{name.removesuffix('.png')}.png").folder
    except BadNameError:
        return None
    known = context.catalog.houses.find(folder)
    return known.house.slug if known else None


def _file_names(context: StageContext, slug: str) -> dict[PhotoKey, str]:
    rows = context.catalog.publications(slug)
    return {row.holder: row.file_name for row in rows if row.active}


def _original(context: StageContext, copy: Copy) -> bytes:
    try:
        return context.blobs.read_raw(copy.blob.sha256)
    except StorageError:
        return b""


class _Ties:
    """What is known of the pairs of a house."""

    def __init__(self, context: StageContext, slug: str) -> None:
        self._slug, self._blobs = slug, context.catalog.blobs(slug)
        self._judgements = context.catalog.judgements.of_house(slug)
        newest = context.catalog.rulings.newest(slug, About.COPIES)
        self._rulings = rulings_by_bytes(context.catalog.photos(slug), newest)
        self._partings = _partings(self._rulings.values())

    def of_group(
        self, group: Sequence[Photo], *, names: Mapping[PhotoKey, str]
    ) -> Copies:
        """Return the photos of a cluster, each with what binds it."""
        ordered = sorted(
            group, key=lambda it: (it.verdict is not Verdict.KEPT, it.order)
        )
        members = [self._copy(photo, among=ordered) for photo in ordered]
        return Copies(file_name=names.get(ordered[0].key), members=tuple(members))

    def _copy(self, photo: Photo, *, among: Sequence[Photo]) -> Copy:
        return Copy(
            id=photo_id(self._slug, photo),
            photo=photo,
            blob=self._blobs[str(photo.sha256)],
            tie=None if photo is among[0] else self._tie(photo, among=among),
            partings=self._partings.get(photo.key, ()),
        )

    def _tie(self, photo: Photo, *, among: Sequence[Photo]) -> Tie:
        """Return the tie to the kept one, else to the first copy there is one to."""
        kept = among[0]
        judgement = self._judgements.get(_pair(photo, kept))
        for other in among:
            bond = None if other is photo else self._bond(photo, other)
            if bond is not None:
                ruling = self._rulings.get(_pair(photo, other))
                return Tie(to=other.key, bond=bond, judgement=judgement, ruling=ruling)
        return Tie(to=kept.key, bond=Bond.HASHES, judgement=judgement, ruling=None)

    def _bond(self, photo: Photo, other: Photo) -> Bond | None:
        if photo.sha256 == other.sha256:
            return Bond.BYTES
        pair = _pair(photo, other)
        ruling, judgement = self._rulings.get(pair), self._judgements.get(pair)
        if ruling is not None and ruling.value == CopyRuling.SAME:
            return Bond.RULING
        if judgement is not None and judgement.verdict is Alike.SAME:
            return Bond.JUDGEMENT
        return None


def _partings(rulings: Iterable[Ruling]) -> dict[PhotoKey, tuple[Ruling, ...]]:
    """Return the rulings that part photos, by each of the two that one names."""
    found: dict[PhotoKey, tuple[Ruling, ...]] = {}
    for ruling in rulings:
        if ruling.value == CopyRuling.OTHER:
            for name in photos_ruled_on(ruling):
                found[name] = (*found.get(name, ()), ruling)
    return found


def _pair(photo: Photo, other: Photo) -> Pair:
    return pair_of(str(photo.sha256), str(other.sha256))
