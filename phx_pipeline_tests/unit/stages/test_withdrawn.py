"""The bytes of a photo without a licence go, wherever the process is killed."""

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from phx_pipeline.catalog.withdrawn import WithdrawnBook
from phx_pipeline.model.address import Address
from phx_pipeline.model.job import Mode
from phx_pipeline.model.listing import EVERY_PHOTO, Listing
from phx_pipeline.model.outcome import ListingOutcome, Verdict
from phx_pipeline.model.photo import Blob, Photo
from phx_pipeline.model.property import Property
from phx_pipeline.model.ruling import About
from phx_pipeline.model.taxonomy import Subject
from phx_pipeline.reads.not_kept import not_kept
from phx_pipeline.stages.collect import collect
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.missing import lacking_files
from phx_pipeline.stages.partners import converge, has_originals
from phx_pipeline.stages.publish import publish
from phx_pipeline.stages.rebuild import rebuild
from phx_pipeline.stages.views import refresh_views
from phx_pipeline.storage.blobs import BlobStore
from phx_pipeline.wiring.runs import reads_of
from phx_pipeline.workflows import lifecycle
from phx_pipeline.workflows.repair import End, repair
from phx_pipeline.workflows.reviews import Review, review
from phx_pipeline.workflows.verify import Fault, verify_property, verify_views
from phx_pipeline_tests.canned import CannedFetcher
from phx_pipeline_tests.stored_blobs import raw_hashes

WHY = "the feed no longer lets it be seen"


class KilledError(Exception):
    """The process is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """A complete house; of one of its pictures it has two copies."""

    context: StageContext
    slug: str

    @property
    def photos(self) -> list[Photo]:
        return self.context.catalog.photos(self.slug)

    @property
    def copies(self) -> tuple[Photo, Photo]:
        """The kept copy and the other."""
        (second,) = (p for p in self.photos if p.verdict is Verdict.DUPLICATE)
        (best,) = (
            photo
            for photo in self.photos
            if photo.cluster_id == second.cluster_id and photo is not second
            if photo.verdict is Verdict.KEPT
        )
        return best, second

    def photo(self, like: Photo) -> Photo:
        return next(photo for photo in self.photos if photo.key == like.key)

    def withdraw(self, *keys: str) -> None:
        (source,) = {photo.ref.source for photo in self.photos}
        listing = Listing(
            source=source,
            outcome=ListingOutcome.OFF_MARKET,
            withdrawn=dict.fromkeys(keys, WHY),
        )
        with self.context.holding(self.slug) as lease:
            self.context.catalog.record_listing(
                lease, self.slug, listing, stamp=self.context.stamp()
            )

    def bodies_of(self, photo: Photo) -> set[bytes]:
        """The original and the PNG."""
        blobs, sha256 = self.context.blobs, str(photo.sha256)
        png = blobs.read_standardized(sha256, self.context.recipe)
        return {blobs.read_raw(sha256), png}

    def bodies(self) -> set[bytes]:
        """What there is on the disk, under whatever name."""
        files = self.context.layout.images.rglob("*")
        return {path.read_bytes() for path in files if path.is_file()}

    def files(self) -> int:
        folder = self.context.layout.folder(self.context.house(self.slug).folder)
        return len(list(folder.glob("*.png")))

    def thumbnail(self, photo: Photo) -> Path:
        """A small picture, as the service keeps one."""
        folder = self.context.house(self.slug).folder
        path = self.context.layout.thumbnail(folder, str(photo.sha256), side=480)
        path.parent.mkdir(parents=True)
        path.write_bytes(b"small")
        return path

    def problems(self) -> list[Fault]:
        refresh_views(self.context)
        found = verify_property(self.context, self.slug) + verify_views(self.context)
        return [problem.fault for problem in found]


@pytest.fixture
def house(collected: StageContext) -> House:
    (slug,) = collected.catalog.slugs()
    return House(context=collected, slug=slug)


def test_the_original_its_png_and_its_name_go_and_its_copy_is_shown(
    house: House,
) -> None:
    best, second = house.copies
    bodies, files = house.bodies_of(best), house.files()
    drawn = house.thumbnail(best)
    house.withdraw(best.ref.photo_key)

    assert converge(house.context, house.slug)

    now = house.photo(best)
    assert (now.verdict, now.sha256) == (Verdict.WITHDRAWN, None)
    assert house.photo(second).verdict is Verdict.KEPT
    assert house.files() == files
    assert not bodies & house.bodies()
    assert not drawn.exists()
    assert house.problems() == []
    assert not converge(house.context, house.slug)
    (told,) = (it for it in not_kept(reads_of(house.context), house.slug))
    assert (told.photo_key, told.detail) == (best.ref.photo_key, WHY)
    assert told.next_asked_on is None


@pytest.mark.parametrize("how", ["listing", "merge"])
def test_what_people_said_of_the_picture_goes_on_with_a_copy(
    how: str, house: House
) -> None:
    context = house.context
    best, second = house.copies
    review(context, [Review(slug=house.slug, photo=best, value="ext/pool", why="wet")])
    if how == "merge":
        keep = Property.at(Address.parse("77 E Elsewhere Rd, Glendale, AZ 85306"))
        context.catalog.add_properties([keep], at=context.stamp().at)
        show_withdrawn(context, keep.slug, best)
        lifecycle.merge(context, keep, context.house(house.slug))
        house = replace(house, slug=keep.slug)
    else:
        house.withdraw(best.ref.photo_key)

    converge(context, house.slug)

    assert house.photo(best).verdict is Verdict.WITHDRAWN
    named = context.catalog.categories(house.slug)[second.key]
    assert (named.subject, named.confidence) == (Subject.POOL, 99)
    given = context.catalog.rulings.newest(house.slug, About.CATEGORY)[second.key]
    assert (given.value, given.why) == ("ext/pool", "")


def show_withdrawn(context: StageContext, slug: str, photo: Photo) -> None:
    """Let a house have a photo whose licence was withdrawn at once."""
    shown = Listing(
        source=photo.ref.source, outcome=ListingOutcome.LISTED, photos=(photo.ref,)
    )
    gone = replace(shown, photos=(), withdrawn={photo.ref.photo_key: WHY})
    with context.holding(slug) as lease:
        for it in (shown, gone):
            context.catalog.record_listing(lease, slug, it, stamp=context.stamp())


def test_a_copy_that_nobody_saw_goes_at_the_next_publication(house: House) -> None:
    _, second = house.copies
    body = house.context.blobs.read_raw(str(second.sha256))
    house.withdraw(second.ref.photo_key)
    assert not house.context.tally(house.slug).is_published

    publish(house.context, house.slug)

    assert body not in house.bodies()
    assert house.problems() == []


def test_a_record_that_is_withdrawn_leaves_no_picture(house: House) -> None:
    house.withdraw(EVERY_PHOTO)

    rebuild(house.context, house.slug)

    assert {photo.verdict for photo in house.photos} == {Verdict.WITHDRAWN}
    assert raw_hashes(house.context.layout) == []
    assert house.files() == 0
    assert house.problems() == []


def test_bytes_that_another_photo_has_stay(house: House) -> None:
    best, _ = house.copies
    other = next(p for p in house.photos if p.cluster_id != best.cluster_id)
    blob = house.context.catalog.blobs(house.slug)[str(best.sha256)]
    with house.context.holding(house.slug) as lease:
        house.context.catalog.record_download(
            lease, other, blob, fetched_url=other.ref.url, stamp=house.context.stamp()
        )
    house.withdraw(best.ref.photo_key)

    rebuild(house.context, house.slug)

    assert house.context.blobs.is_whole(str(best.sha256))
    assert house.photo(best).sha256 is None
    assert house.problems() == []


@pytest.mark.parametrize(
    ("place", "step"),
    [(lifecycle, "drop_thumbnails"), (BlobStore, "drop_raw")],
    ids=["before", "amid"],
)
def test_a_purge_leaves_bytes_that_another_house_gets_meanwhile(
    house: House, monkeypatch: pytest.MonkeyPatch, place: object, step: str
) -> None:
    context = house.context
    (first, *_) = context.catalog.houses.own_blobs(house.slug)
    shown = next(it for it in house.photos if it.sha256 == first.sha256)
    blob = context.catalog.blobs(house.slug)[first.sha256]
    other = Property.at(Address.parse("77 E Elsewhere Rd, Glendale, AZ 85306"))
    context.catalog.add_properties([other], at=context.stamp().at)
    purged, real = context.house(house.slug), getattr(place, step)

    def meanwhile(*given: object) -> None:
        if not context.catalog.photos(other.slug):
            show(context, other.slug, shown, blob)
        real(*given)

    lifecycle.remove(context, house.slug)
    monkeypatch.setattr(place, step, meanwhile)
    lifecycle.purge(context, purged)

    assert context.blobs.is_whole(first.sha256)
    assert context.catalog.houses.find(house.slug) is None


def show(context: StageContext, slug: str, photo: Photo, blob: Blob) -> None:
    """Let a house have a photo, and its bytes."""
    source, stamp = photo.ref.source, context.stamp()
    listing = Listing(source=source, outcome=ListingOutcome.LISTED, photos=(photo.ref,))
    with context.holding(slug) as lease:
        context.catalog.record_listing(lease, slug, listing, stamp=stamp)
        (own,) = context.catalog.photos(slug)
        context.catalog.record_download(
            lease, own, blob, fetched_url=own.ref.url, stamp=stamp
        )


@pytest.mark.parametrize(
    ("kind", "step"),
    [
        (BlobStore, "drop_raw"),
        (BlobStore, "drop_standardized"),
        (WithdrawnBook, "record_removed"),
    ],
)
@pytest.mark.parametrize("is_done", [False, True], ids=["before", "after"])
def test_wherever_it_is_killed_the_next_run_does_the_rest(
    house: House,
    monkeypatch: pytest.MonkeyPatch,
    kind: type,
    step: str,
    *,
    is_done: bool,
) -> None:
    best, _ = house.copies
    bodies = house.bodies_of(best)
    house.withdraw(best.ref.photo_key)
    real = getattr(kind, step)

    def killed(*given: object, **named: object) -> None:
        if is_done:
            real(*given, **named)
        raise KilledError

    with monkeypatch.context() as patched:
        patched.setattr(kind, step, killed)
        with pytest.raises(KilledError):
            converge(house.context, house.slug)

    # Nobody misses the bytes, or asks for them; that they are there is a fault.
    assert has_originals(house.context, house.slug)
    assert lacking_files(house.context, [house.slug]) == set()
    asked = CannedFetcher({})
    offline = replace(house.context, open_fetcher=lambda _: asked)
    asyncio.run(collect(offline, house.slug, mode=Mode.FRESH))
    assert asked.asked == []
    has_debt = not (step == "record_removed" and is_done)
    assert (Fault.WITHDRAWN in house.problems()) is has_debt
    assert not house.context.tally(house.slug).is_published

    publish(house.context, house.slug)

    assert house.photo(best).sha256 is None
    assert not bodies & house.bodies()
    assert house.problems() == []


def test_repair_removes_what_a_killed_run_left(house: House) -> None:
    best, _ = house.copies
    bodies = house.bodies_of(best)
    house.withdraw(best.ref.photo_key)

    ends = asyncio.run(repair(house.context, house.slug))

    assert (Fault.WITHDRAWN, End.DONE, "removed") in {
        (it.problem.fault, it.end, it.told) for it in ends
    }
    assert not bodies & house.bodies()
    assert house.problems() == []
