"""A property is renamed, merged, removed, taken up again or purged, without a request.

Each is one transaction under the property's lease, and then what follows from it:
names, views, and what other properties held because of it. Running again after a kill
does the rest.
"""

import logging
import shutil
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from uuid import uuid4

from phx_pipeline.catalog.leases import Lease, process_owner
from phx_pipeline.catalog.properties import Known, OwnBlob, PropertyBook
from phx_pipeline.errors import InputError, LeaseHeldError
from phx_pipeline.model.address import Address, Match
from phx_pipeline.model.identity import property_lease
from phx_pipeline.model.naming import is_sidecar
from phx_pipeline.model.property import Property
from phx_pipeline.model.ruling import About, Ruling, SpellingRuling
from phx_pipeline.reads.houses import known_house
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.folder_views import drop_house, drop_links, names_given
from phx_pipeline.stages.guard import guard
from phx_pipeline.stages.partners import call_on_partners, has_originals
from phx_pipeline.stages.rebuild import rebuild
from phx_pipeline.stages.views import refresh_views
from phx_pipeline.stages.withdrawn import drop_bytes, drop_thumbnails
from phx_pipeline.workflows.typed import address_in

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
    return known_house(context.catalog, text, typed_address=address_in)


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


def merge(context: StageContext, keep: Property, other: Property) -> bool:
    """Make two properties one: *keep* has all of *other*, whose key means it from now.

    Numbers and folder of *keep* stay, photos held only because both had them are free,
    and the sources are due. Run again after a kill, it does the rest.

    Returns:
        Whether there was anything to do.

    Raises:
        InputError: one of them is not there any more.
        LeaseHeldError: a stage still works on one of them.
    """
    if keep.slug != other.slug:
        with ExitStack() as stack:
            # In one order for all who merge, so that nobody waits in a circle.
            leases = [
                stack.enter_context(_alone(context, slug))
                for slug in sorted((keep.slug, other.slug))
            ]
            context.catalog.houses.merge(
                leases,
                keep.slug,
                other.slug,
                stamp=context.stamp(),
                ruling=_same_spelling(context, keep, other),
            )
        logger.info("%s is part of %s now", other.slug, keep.slug)
    return _finish_merge(context, keep.slug)


def _finish_merge(context: StageContext, slug: str) -> bool:
    """Publish a property others were merged into, and delete their folders."""
    folders = context.catalog.houses.merged_folders(slug)
    if not folders:
        return False
    with context.holding(slug) as lease:
        guard(context, lease, slug)
    rebuild(context, slug)
    for folder in folders:
        path = context.layout.folder(folder)
        drop_links(context, names_given(context, folder, ()))
        if path.is_dir():
            shutil.rmtree(path)
        drop_thumbnails(context, folder)
        context.catalog.houses.forget_folder(folder)
    call_on_partners(context, slug, anyway=True)
    refresh_views(context)
    return True


def _same_spelling(
    context: StageContext, keep: Property, other: Property
) -> Ruling | None:
    """Return the ruling that the address of *other* is *keep*, unless that is plain."""
    if keep.means(other.address) is Match.SAME:
        return None
    return _spelling(context, keep, other.address, SpellingRuling.SAME)


def confirm(
    context: StageContext, house: Property, address: Address, *, same: bool
) -> bool:
    """Remember whether an address a site shows is *house*; its sources are due again.

    Returns:
        Whether that is new.

    Raises:
        InputError: it is the property's own address, or that of another one, followed
            or not.
    """
    if same:
        refuse_other_house(context.catalog.houses, house, address)
    if house.address.compare(address) is Match.SAME:
        raise InputError(f"{address} is the address of {house.slug} itself")
    ruled = house.spellings if same else house.strangers
    if address.match_key in ruled:
        return False
    value = SpellingRuling.SAME if same else SpellingRuling.OTHER
    with context.holding(house.slug) as lease:
        ruling = _spelling(context, house, address, value)
        context.catalog.rulings.record(lease, ruling)
    return True


def refuse_other_house(houses: PropertyBook, house: Property, address: Address) -> None:
    """Refuse to call an address a spelling of *house* that no site means by it.

    Raises:
        InputError: another property has the address, or it is not even near the
            property's own: another number or ZIP is a slip of the pen, not a spelling.
    """
    known = houses.find_address(address)
    if known is None and house.address.compare(address) is Match.OTHER:
        raise InputError(
            f"{address} is no spelling of {house.address}, but another "
            f"{_difference(house.address, address)}: check it; where the house's own "
            f"address is wrong, `phx properties rename {house.slug} ADDRESS` mends it"
        )
    if known is not None and known.house.slug != house.slug:
        raise InputError(
            f"{address} is {known.house.slug}: if both are one house, "
            f"`phx properties merge {house.slug} {known.house.slug}` makes them one"
        )


def _difference(mine: Address, other: Address) -> str:
    differences = {
        "ZIP code": mine.zip_code != other.zip_code,
        "house number": mine.street_number != other.street_number,
    }
    found = [name for name, differs in differences.items() if differs]
    return " and ".join(found) or "street or unit"


def _spelling(
    context: StageContext, house: Property, address: Address, value: SpellingRuling
) -> Ruling:
    return Ruling(
        id=str(uuid4()),
        at=context.stamp().at,
        who=context.who,
        about=About.SPELLING,
        slug=house.slug,
        source=None,
        key=str(address),
        value=value,
    )


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
    _hide(context, slug)
    call_on_partners(context, slug)
    refresh_views(context)
    return followed


def _hide(context: StageContext, slug: str) -> None:
    """Take a removed house out of the folder views; its folder stays."""
    known = context.catalog.houses.find(slug)
    if known is not None and known.removed_at is not None:
        drop_house(context, slug, known.house.folder)


def take_up_again(context: StageContext, slugs: Iterable[str]) -> None:
    """Publish removed properties that were added again, as far as they may be seen.

    One whose purge was killed half-way stays open: the next run fetches what is gone.
    """
    for slug in slugs:
        with context.holding(slug) as lease:
            guard(context, lease, slug)
        if has_originals(context, slug):
            rebuild(context, slug)
        call_on_partners(context, slug)
    refresh_views(context)


def holdings(context: StageContext, house: Property) -> Holdings:
    """Return what a purge would delete now."""
    folder = context.layout.folder(house.folder)
    there = folder.iterdir() if folder.is_dir() else ()
    return Holdings(
        photos=len(context.catalog.photos(house.slug)),
        files=sum(not is_sidecar(it.name) for it in there),
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
        drop_house(context, house.slug, house.folder)
        if folder.is_dir():
            shutil.rmtree(folder)
        drop_thumbnails(context, house.folder)
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
    drop_bytes(
        context,
        blob.sha256,
        recipes=blob.recipes,
        is_needed=lambda: context.catalog.houses.is_elsewhere(blob.sha256, slug=slug),
    )
