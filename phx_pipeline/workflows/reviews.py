"""What people say that pictures show, and all that follows from it at once.

What a ruling means for the pictures there are is `ruled_categories`' matter; which
pictures are worth a look is `review_queue`'s.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePath
from typing import Final
from uuid import uuid4

from phx_pipeline.errors import InputError, LeaseHeldError
from phx_pipeline.model.naming import BadNameError, ImageName
from phx_pipeline.model.nearest import did_you_mean
from phx_pipeline.model.outcome import Verdict
from phx_pipeline.model.photo import Photo, PhotoKey
from phx_pipeline.model.ruling import (
    TAKEN_BACK,
    About,
    Ruling,
    category_in,
    category_value,
)
from phx_pipeline.model.taxonomy import Location, Subject
from phx_pipeline.stages.categorize import categorize
from phx_pipeline.stages.context import StageContext, working_on
from phx_pipeline.stages.partners import at_once, call_on, with_patience
from phx_pipeline.stages.publish import publish
from phx_pipeline.stages.ruled_categories import by_photo, ruled_categories
from phx_pipeline.workflows.duplicates import LEAST_ID, find_photo, id_of
from phx_pipeline.workflows.lifecycle import known_property

NAMEABLE: Final = tuple(it.value for it in Subject if it is not Subject.UNKNOWN)
_SHOWN: Final = frozenset({Verdict.PENDING, Verdict.KEPT, Verdict.DUPLICATE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """One thing a person says: what the picture of a photo shows.

    `value` is a `category_value`, or `TAKEN_BACK`: then the votes count again.
    """

    slug: str
    photo: Photo
    value: str
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """A review, what came of it, and the file before and after.

    `changed` is False where the same had been said before.
    """

    review: Review
    changed: bool
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewsDone:
    """What came of reviews; `waits` tells why runs of some houses are to act on them.

    Somebody works on such a house, or it lacks originals.
    """

    reviewed: tuple[Reviewed, ...]
    rulings: tuple[Ruling, ...]
    waits: Mapping[str, str] = field(default_factory=dict)

    @property
    def settled(self) -> list[str]:
        """The houses that were named and published anew."""
        slugs = {ruling.slug for ruling in self.rulings}
        return sorted(slugs - self.waits.keys())


def named_category(subject: str, location: str = "") -> str:
    """Return the value of a ruling for words a person typed.

    *subject* may have its location before it, as in `ext/pool`. Where none is named it
    is the usual one of the subject.

    Raises:
        InputError: there is no such subject or location, or not both together; tells
            which there are.
    """
    place, _, word = subject.strip().lower().rpartition("/")
    if word == Subject.UNKNOWN:
        raise InputError(
            "nobody says that a picture is unknown: `phx review undo` takes back what "
            "was said of it, as does `open` in the column subject of a table"
        )
    if word not in NAMEABLE:
        raise InputError(
            f"there is no subject {subject!r}{did_you_mean(word, NAMEABLE)}: give one "
            f"of {', '.join(NAMEABLE)}"
        )
    wanted = location.strip().lower() or place
    if place not in {"", wanted}:
        raise InputError(
            f"{subject!r} is not at {location!r}: name the location only once"
        )
    found = Subject(word)
    if wanted and wanted not in set(Location):
        places = ", ".join(Location)
        raise InputError(f"there is no location {wanted!r}: give one of {places}")
    return category_value(_place_of(found, wanted), found)


def _place_of(subject: Subject, wanted: str) -> Location:
    if not wanted:
        return subject.location
    if not subject.may_be(Location(wanted)):
        places = " or ".join(it for it in Location if subject.may_be(it))
        raise InputError(f"a picture of {subject} is at {places}, never at {wanted}")
    return Location(wanted)


def review(context: StageContext, wanted: Sequence[Review]) -> ReviewsDone:
    """Record what a person says, then name and publish the houses it is about.

    Of the photos of one picture the one that is named gets the ruling, and so does each
    other that was ruled to show something else: the last word counts. What is taken
    back is taken back of all photos of the picture.

    Raises:
        InputError: a photo has no picture.
    """
    houses = {it.slug: _House(context, it.slug) for it in wanted}
    asked = [(it, houses[it.slug].rule(it)) for it in wanted]
    waits = {slug: house.act() for slug, house in houses.items()}
    files = {slug: _files(context, slug) for slug in houses}
    return ReviewsDone(
        reviewed=tuple(
            Reviewed(
                review=it,
                changed=changed,
                before=houses[it.slug].files.get(it.photo.key),
                after=files[it.slug].get(it.photo.key),
            )
            for it, changed in asked
        ),
        rulings=tuple(it for house in houses.values() for it in house.given),
        waits={slug: why for slug, why in waits.items() if why},
    )


def named_so(
    context: StageContext, slug: str, subject: Subject, *, value: str, why: str = ""
) -> list[Review]:
    """Return a review of each picture of a house that is named so now.

    What people said of single pictures stays: reviewed ones are left out.
    """
    photos = context.catalog.photos(slug)
    newest = context.catalog.rulings.newest(slug, About.CATEGORY)
    reviewed = by_photo(photos, ruled_categories(photos, newest))
    named = context.catalog.categories(slug)
    return [
        Review(slug=slug, photo=photo, value=value, why=why)
        for photo in photos
        if photo.key in named
        and named[photo.key].subject is subject
        and photo.key not in reviewed
    ]


def settle_reviews(context: StageContext, slug: str) -> str:
    """Name and publish a house by its rulings; no source is asked.

    Returns:
        Why a run of its own is asked for instead, as of `at_once`.
    """

    def settle(patient: StageContext) -> None:
        categorize(patient, slug)
        publish(patient, slug)

    return at_once(context, slug, settle)


class _House:
    """A house that is reviewed: what was ruled on it so far, and what is new."""

    def __init__(self, context: StageContext, slug: str) -> None:
        context.house(slug)
        self._context, self._slug = context, slug
        self._photos = context.catalog.photos(slug)
        newest = context.catalog.rulings.newest(slug, About.CATEGORY)
        self._values = {
            (source, key): ruling.value
            for (source, key), ruling in newest.items()
            if source is not None
        }
        self._new: dict[PhotoKey, Review] = {}
        self.files = _files(context, slug)
        self.given: list[Ruling] = []

    def rule(self, wanted: Review) -> bool:
        """Note the rulings that a review asks for; return whether there are any."""
        require_picture(wanted.photo)
        others = [
            name
            for name in self._copies(wanted.photo)
            if category_in(self._values.get(name, TAKEN_BACK)) is not None
        ]
        named = [] if wanted.value == TAKEN_BACK else [wanted.photo.key]
        names = {
            name
            for name in (*others, *named)
            if self._values.get(name, TAKEN_BACK) != wanted.value
        }
        self._values |= dict.fromkeys(names, wanted.value)
        self._new |= dict.fromkeys(names, wanted)
        return bool(names)

    def _copies(self, photo: Photo) -> list[PhotoKey]:
        """Return all photos that are of its picture now, itself among them."""
        clusters = {it.key: it.cluster_id for it in self._photos}
        its_own = clusters.get(photo.key)
        return [
            name
            for name, cluster in clusters.items()
            if name == photo.key or (cluster is not None and cluster == its_own)
        ]

    def act(self) -> str:
        """Record what is new and act on it; return why a run has to, if one has to.

        While the house's lease is held it counts as not published: the next run, or the
        same command again, does what a killed one has left.
        """
        context, slug = self._context, self._slug
        if not (self._new or self._is_left()):
            return ""
        try:
            with with_patience(context).holding(slug):
                self._record()
        except LeaseHeldError as error:
            self._record()
            call_on(context, [slug])
            return str(error)
        return settle_reviews(context, slug)

    def _is_left(self) -> bool:
        """Whether a command that was killed has left the house as it was."""
        context, slug = self._context, self._slug
        return not context.tally(slug).is_published and not working_on(context, slug)

    def _record(self) -> None:
        wanted = [self._ruling(name, it) for name, it in sorted(self._new.items())]
        self.given = self._context.catalog.rulings.record_unheld(wanted)
        if len(self.given) < len(wanted):
            self._context.house(self._slug)  # raises: it was renamed just now

    def _ruling(self, name: PhotoKey, wanted: Review) -> Ruling:
        source, key = name
        return Ruling(
            id=str(uuid4()),
            at=self._context.stamp().at,
            who=self._context.who,
            about=About.CATEGORY,
            slug=self._slug,
            source=source,
            key=key,
            value=wanted.value,
            why=wanted.why,
        )


class PictureFinder:
    """Finds the photo that is meant by what a person typed of a picture."""

    def __init__(self, context: StageContext, slug: str | None) -> None:
        self._context, self._slug = context, slug

    def find(self, text: str) -> tuple[str, Photo]:
        """Return the house and the photo.

        *text* is the name or the path of a published file, also one that the picture
        had before; else an id, or what `find_photo` takes where the house is given.

        Raises:
            InputError: none or several are meant, or one of another house.
        """
        word = text.strip()
        name = _image_name(word)
        if name is not None:
            return self._named(name)
        slug = self._slug or self._house_of(word)
        return slug, find_photo(self._context, slug, word)

    def _named(self, name: ImageName) -> tuple[str, Photo]:
        slug = known_property(self._context, name.folder).house.slug
        self._context.house(slug)  # raises if it is removed
        if self._slug not in {None, slug}:
            raise InputError(f"{name} is a picture of {slug}, not of {self._slug}")
        number = (name.location, name.subject, name.sequence)
        holders = {
            row.number: row.holder for row in self._context.catalog.publications(slug)
        }
        for photo in self._context.catalog.photos(slug):
            if photo.key == holders.get(number):
                return slug, photo
        raise InputError(f"{slug} has no picture {name}: see `phx images {slug}`")

    def _house_of(self, word: str) -> str:
        """Return the house of the photo that has this id."""
        start = word.lower()
        slugs = {
            slug
            for photo_id, slug in self._ids
            if photo_id.startswith(start) and len(start) >= LEAST_ID
        }
        if len(slugs) == 1:
            return slugs.pop()
        if slugs:
            told = ", ".join(sorted(slugs))
            raise InputError(f"{word!r} may be of {told}: give the whole id")
        raise InputError(
            f"{word!r} is neither the name of a picture's file nor the id of a photo: "
            "see `phx review list`, or name its house with --house"
        )

    @cached_property
    def _ids(self) -> list[tuple[str, str]]:
        """The ids of all photos, each with its house; made once for many questions."""
        return [
            (id_of(slug, (source, key)), slug)
            for slug, source, key in self._context.catalog.photo_names()
        ]


def _image_name(word: str) -> ImageName | None:
    name = PurePath(word).name
    try:
        return ImageName.parse(name if name.endswith(".png") else f"{name}.png")
    except BadNameError:
        return None


def _files(context: StageContext, slug: str) -> dict[PhotoKey, str]:
    """Return the file of each photo's picture, also that of copies."""
    rows = context.catalog.publications(slug)
    names = {row.holder: row.file_name for row in rows if row.active}
    photos = context.catalog.photos(slug)
    of_cluster = {
        photo.cluster_id: names[photo.key]
        for photo in photos
        if photo.cluster_id is not None and photo.key in names
    }
    return {
        photo.key: of_cluster[photo.cluster_id]
        for photo in photos
        if photo.cluster_id in of_cluster
    }


def require_picture(photo: Photo) -> None:
    """Raise `InputError` if nobody can say what a photo shows: it has no picture."""
    told = f"{photo.ref.source} {photo.ref.photo_key}"
    if photo.sha256 is None:
        raise InputError(f"{told} is not downloaded: nothing is known of it")
    if photo.verdict not in _SHOWN:
        raise InputError(f"{told} is {photo.verdict.value}: it is of no picture")
