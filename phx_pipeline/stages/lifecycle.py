"""A property is renamed, removed, taken up again or purged; nothing here is asked for.

Each is one transaction under the property's lease, and then what follows from it:
names, views, and what other properties held because of it. Running again after a kill
does the rest.
"""

import logging
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from phx_pipeline.catalog.leases import Lease, process_owner
from phx_pipeline.catalog.properties import Known, OwnBlob
from phx_pipeline.errors import InputError, LeaseHeldError, StorageError
from phx_pipeline.model.address import Address
from phx_pipeline.model.identity import property_lease
from phx_pipeline.model.property import Property
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.guard import guard
from phx_pipeline.stages.partners import call_on_partners
from phx_pipeline.stages.rebuild import rebuild
from phx_pipeline.stages.typed import is_address, typed_address
from phx_pipeline.stages.views import refresh_views

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """What a purge deletes: photo rows, published files, blobs nobody shares."""

    photos: int
    files: int
    blobs: tuple[OwnBlob, ...]

    @property
    def size_bytes(self) -> int:
        """Bytes of the originals and PNGs that go."""
        return sum(blob.size_bytes for blob in self.blobs)


def known_property(context: StageContext, text: str) -> Known:
    """Return the property meant by a key, former key, folder, address or listing's URL.

    It may be a removed one.

    Raises:
        InputError: nothing in the catalogue is meant by *text*.
    """
    wanted = text.strip()
    known = context.catalog.houses.find(wanted.lower())
    if known is None and is_address(wanted):
        wanted = typed_address(wanted).slug
        known = context.catalog.houses.find(wanted)
    if known is None:
        context.house(wanted)  # raises, and tells the remedy
        raise InputError(f"unknown property {wanted!r}")
    return known


def rename(context: StageContext, slug: str, address: Address) -> Property:
    """Give a property another address; folder, photos, verdicts and names stay.

    A stage at work on it is waited for; what a run would do under the old key after
    that is refused. The sources are due: they answered for another address.

    Raises:
        InputError: the address means another property.
        LeaseHeldError: a stage still works on it.
    """
    before = context.house(slug)
    with _alone(context, slug) as lease:
        house = context.catalog.houses.rename(
            lease, slug, address, at=context.stamp().at
        )
    logger.info("%s is %s now", before.slug, house.slug)
    rebuild(context, house.slug)
    if house.slug != before.slug:
        call_on_partners(context, house.slug, anyway=True)
    refresh_views(context)
    return house


def remove(context: StageContext, slug: str) -> bool:
    """Follow a property no more; rows and photos stay. False if it was so before.

    Photos other properties shared with it are no longer held because of it.

    Raises:
        LeaseHeldError: a stage still works on it.
    """
    followed = context.catalog.property(slug) is not None
    if followed:
        with _alone(context, slug) as lease:
            context.catalog.houses.remove(lease, slug, at=context.stamp().at)
        logger.info("%s is removed", slug)
    call_on_partners(context, slug)
    refresh_views(context)
    return followed


def take_up_again(context: StageContext, slugs: Iterable[str]) -> None:
    """Publish removed properties that were added again, as far as they may be seen.

    One whose purge was killed half-way stays open: the next run fetches what is gone.
    """
    for slug in slugs:
        with context.holding(slug) as lease:
            guard(context, lease, slug)
        held = {photo.sha256 for photo in context.catalog.photos(slug) if photo.sha256}
        if all(context.blobs.has_raw(sha) for sha in held):
            rebuild(context, slug)
        call_on_partners(context, slug)
    refresh_views(context)


def holdings(context: StageContext, house: Property) -> Holdings:
    """Return what a purge would delete now."""
    folder = context.layout.folder(house.folder)
    return Holdings(
        photos=len(context.catalog.photos(house.slug)),
        files=len(list(folder.iterdir())) if folder.is_dir() else 0,
        blobs=tuple(context.catalog.houses.own_blobs(house.slug)),
    )


def purge(context: StageContext, house: Property) -> Holdings:
    """Delete a removed property for good: folder, bytes nobody else has, rows.

    Files go first: while the rows are there, a purge that was killed finds what is left
    when it is run again.

    Raises:
        InputError: the property is not removed.
        LeaseHeldError: somebody works on it.
    """
    if context.catalog.property(house.slug) is not None:
        raise InputError(f"{house.slug} is not removed: `phx properties remove` first")
    with _alone(context, house.slug) as lease:
        gone = holdings(context, house)
        folder = context.layout.folder(house.folder)
        if folder.is_dir():
            shutil.rmtree(folder)
        for blob in gone.blobs:
            _drop(context, blob, slug=house.slug)
        context.catalog.houses.purge(lease, house.slug)
    refresh_views(context)
    return gone


@contextmanager
def _alone(context: StageContext, slug: str) -> Iterator[Lease]:
    """Hold the lease of a property, removed or not; say what to do if it is held."""
    owner = process_owner(context.run_id)
    name, wait_s = property_lease(slug), context.lease_wait_s
    try:
        with context.catalog.leases.hold(name, owner=owner, wait_s=wait_s) as lease:
            yield lease
    except LeaseHeldError as error:
        raise LeaseHeldError(
            f"{slug} is being worked on ({error}) and nothing was changed: wait until "
            "its run has ended, or cancel it in the UI, and run this again"
        ) from error


def _drop(context: StageContext, blob: OwnBlob, *, slug: str) -> None:
    """Delete one original and its PNGs, unless another property has it by now."""
    if context.catalog.houses.is_elsewhere(blob.sha256, slug=slug):
        return
    try:
        body = context.blobs.read_raw(blob.sha256)
    except StorageError:
        body = b""
    context.blobs.drop_raw(blob.sha256)
    # Who stored the same bytes a moment ago found the file there and wrote its row now.
    if body and context.catalog.houses.is_elsewhere(blob.sha256, slug=slug):
        context.blobs.put_raw(body)
        return
    for recipe in {*blob.recipes, context.recipe}:
        context.blobs.drop_standardized(blob.sha256, recipe)
