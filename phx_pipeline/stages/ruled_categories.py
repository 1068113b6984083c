"""What people said that pictures show, in terms of the clusters there are now.

A ruling names a photo, because clusters change: by better copies, and by what people
say of copies. It holds for the picture that the photo is of now. Giving rulings is
`workflows.reviews`' matter.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from phx_pipeline.catalog.rulings import Subject as RuledOn
from phx_pipeline.model.photo import Photo, PhotoKey
from phx_pipeline.model.ruling import Ruling, category_in
from phx_pipeline.model.taxonomy import CONFIDENCE_MAX, Category
from phx_pipeline.model.vote import Named, Vote

MANUAL = "manual"
"""The name under which a person's word stands among the votes of backends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuledCategory:
    """What people said of one picture: the newest ruling on any photo of it counts.

    `overruled` are those on other photos of it that say something else.
    """

    category: Category
    ruling: Ruling
    overruled: tuple[Ruling, ...] = ()

    @property
    def vote(self) -> Vote:
        """The ruling as it stands among the votes: its version tells who, and when."""
        location, subject = self.category.location, self.category.subject
        at = self.ruling.at.isoformat(timespec="seconds")
        return Vote(
            backend=MANUAL,
            version=f"{self.ruling.who} {at}",
            probabilities={subject: 1.0},
            places={} if location is subject.location else {subject: location},
        )


def with_rulings(
    named: Mapping[PhotoKey, Named],
    photos: Iterable[Photo],
    rulings: Mapping[RuledOn, Ruling],
) -> dict[PhotoKey, Named]:
    """Return what pictures are named, where people's word stands above the votes.

    The votes go on standing beside it.
    """
    of_photos = list(photos)
    said = by_photo(of_photos, ruled_categories(of_photos, rulings))
    return {
        name: replace(
            it,
            category=said[name].category,
            probability=1.0,
            votes=(*it.votes, said[name].vote),
        )
        if name in said
        else it
        for name, it in named.items()
    }


def ruled_categories(
    photos: Iterable[Photo], rulings: Mapping[RuledOn, Ruling]
) -> dict[str, RuledCategory]:
    """Return what was said of each picture, by the id of its cluster.

    Rulings on a photo that is not here, or of no picture now, wait for it.
    """
    on: dict[str, list[Ruling]] = {}
    for photo in photos:
        ruling = rulings.get(photo.key)
        if ruling is not None and photo.cluster_id is not None:
            on.setdefault(photo.cluster_id, []).append(ruling)
    said = {cluster: ruled_category(of_it) for cluster, of_it in on.items()}
    return {cluster: ruled for cluster, ruled in said.items() if ruled is not None}


def ruled_category(rulings: Iterable[Ruling]) -> RuledCategory | None:
    """Return what the rulings on the photos of one picture come to.

    None where all were taken back, or are another version's and cannot be read here.
    """
    live = [it for it in rulings if category_in(it.value) is not None]
    newest = max(live, key=lambda it: it.order, default=None)
    if newest is None or (said := category_in(newest.value)) is None:
        return None
    location, subject = said
    return RuledCategory(
        category=Category(
            location=location, subject=subject, confidence=CONFIDENCE_MAX
        ),
        ruling=newest,
        overruled=tuple(it for it in live if it.value != newest.value),
    )


def by_photo(
    photos: Iterable[Photo], ruled: Mapping[str, RuledCategory]
) -> dict[PhotoKey, RuledCategory]:
    """Return what was said of each photo's picture, by the photo."""
    return {
        photo.key: ruled[photo.cluster_id]
        for photo in photos
        if photo.cluster_id is not None and photo.cluster_id in ruled
    }
