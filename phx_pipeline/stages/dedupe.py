"""Asset `deduped_images`: cluster all pictures of a property, keep the best of each.

Cards that stand where a photo is missing are left out.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256

from phx_pipeline.catalog.leases import Lease
from phx_pipeline.dedup.align import appearance
from phx_pipeline.dedup.cluster import Cluster, cluster
from phx_pipeline.dedup.proposals import Candidate
from phx_pipeline.dedup.sights import View
from phx_pipeline.errors import ImageError, StorageError
from phx_pipeline.imaging.decode import decode
from phx_pipeline.imaging.standardize import Frame, encode, standard_frame
from phx_pipeline.model.appearance import Appearance
from phx_pipeline.model.identity import image_id
from phx_pipeline.model.judgement import Judgement, Pair, Ruled
from phx_pipeline.model.outcome import Verdict
from phx_pipeline.model.photo import Blob, Decision, Photo, PhotoKey
from phx_pipeline.model.picture import StandardPicture
from phx_pipeline.model.ruling import About
from phx_pipeline.stages.cards import cards_of
from phx_pipeline.stages.context import StageContext, in_one, picture_pool, worker_pool
from phx_pipeline.stages.judging import Judging
from phx_pipeline.stages.ruled_copies import ruled_copies

logger = logging.getLogger(__name__)


_NOTHING_RULED = Ruled()
_DECIDABLE = frozenset(
    {Verdict.PENDING, Verdict.KEPT, Verdict.DUPLICATE, Verdict.PLACEHOLDER}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DedupeReport:
    """What one run of the stage did: decisions changed, pictures encoded.

    `looked_at` counts originals of which an older version had noted less.
    `to_settle` are houses that still show a card this run has found to be one.
    """

    decided: int
    encoded: int
    looked_at: int = 0
    to_settle: tuple[str, ...] = ()

    def and_then(self, more: "DedupeReport") -> "DedupeReport":
        """This and what was done after it."""
        return DedupeReport(
            decided=self.decided + more.decided,
            encoded=self.encoded + more.encoded,
            looked_at=self.looked_at + more.looked_at,
            to_settle=tuple(sorted({*self.to_settle, *more.to_settle})),
        )


def dedupe(context: StageContext, slug: str) -> DedupeReport:
    """Decide kept and duplicate anew for the whole property, encode what is kept.

    The decision is a pure function of the stored bytes, so the order in which photos
    arrived and the number of runs do not matter. Bytes an older version took for a
    picture, and that have to be decoded again, may be none: their photos are given up,
    and the others decided without them.
    """
    context.house(slug)
    context.require_disk()
    report = DedupeReport(decided=0, encoded=0)
    given_up: set[str] = set()
    with context.holding(slug) as lease:
        judging = Judging(context, lease, slug)
        while True:
            more, broken = _decided(context, lease, slug, judging)
            report = report.and_then(more)
            if broken.keys() <= given_up:  # none, or none that giving up would help
                return report
            give_up(context, lease, slug, broken)
            given_up |= broken.keys()


def give_up(
    context: StageContext, lease: Lease, slug: str, broken: Mapping[str, ImageError]
) -> None:
    """Let photos of stored bytes that are no pictures be asked for again."""
    for sha, error in broken.items():
        logger.warning("%s: original %s is no picture: %s", slug, sha, error)
    context.catalog.record_no_pictures(lease, slug, broken, stamp=context.stamp())


def _decided(
    context: StageContext, lease: Lease, slug: str, judging: Judging
) -> tuple[DedupeReport, dict[str, ImageError]]:
    """Decide and encode once; return as well the bytes that turned out no pictures."""
    photos = [
        photo
        for photo in context.catalog.photos(slug)
        if photo.sha256 and photo.verdict in _DECIDABLE
    ]
    blobs = context.catalog.blobs(slug)
    looks, broken, refused = _look_at_unseen(context, lease, photos, blobs)
    judging.tell_unreadable(refused)
    seen = {sha: replace(blobs[sha], appearance=looks[sha]) for sha in looks}
    if broken:
        return DedupeReport(decided=0, encoded=0, looked_at=len(looks)), broken
    blobs |= seen
    cards = cards_of(context, slug, photos, blobs)
    candidates = _candidates(photos, blobs, cards.sha256s, view=judging.view)
    ruled = ruled_copies(photos, context.catalog.rulings.newest(slug, About.COPIES))
    judgements = judging.judged(candidates, ruled)
    decisions = decide(
        slug,
        photos,
        blobs,
        cards=cards.sha256s,
        judgements=judgements,
        ruled=ruled,
    )
    changed = _changed(photos, decisions)
    if changed:
        context.catalog.record_decisions(lease, slug, changed, stamp=context.stamp())
    found_card = any(it.verdict is Verdict.PLACEHOLDER for it in changed.values())
    kept = [p for p in photos if decisions[p.key].verdict is Verdict.KEPT]
    encoded, broken = _encode_missing(context, lease, kept)
    report = DedupeReport(
        decided=len(changed),
        encoded=encoded,
        looked_at=len(looks),
        to_settle=tuple(sorted(cards.undecided)) if found_card else (),
    )
    return report, {**cards.broken, **broken}


def _changed(
    photos: Sequence[Photo], decisions: Mapping[PhotoKey, Decision]
) -> dict[PhotoKey, Decision]:
    """Return the decisions that are other than before."""
    before = {photo.key: (photo.verdict, photo.cluster_id) for photo in photos}
    return {
        key: decision
        for key, decision in decisions.items()
        if before[key] != (decision.verdict, decision.cluster_id)
    }


def decide(
    slug: str,
    photos: Sequence[Photo],
    blobs: Mapping[str, Blob],
    *,
    judgements: Mapping[Pair, Judgement],
    ruled: Ruled = _NOTHING_RULED,
    cards: Collection[str] = (),
) -> dict[PhotoKey, Decision]:
    """Return a decision per photo: one kept per cluster, the others duplicates.

    *judgements* tell which pairs of bytes are copies, unless people *ruled* on them. Of
    the photos that share the best bytes, the first in gallery order is kept. Photos
    whose bytes are *cards* are placeholders, and in no cluster.
    """
    holders: dict[str, list[Photo]] = defaultdict(list)
    for photo in sorted(photos, key=lambda photo: photo.order):
        if photo.sha256 not in cards:
            holders[str(photo.sha256)].append(photo)
    card = Decision(verdict=Verdict.PLACEHOLDER, cluster_id=None)
    decisions = {photo.key: card for photo in photos if photo.sha256 in cards}
    candidates = _candidates(photos, blobs, cards)
    for group in cluster(candidates, judgements=judgements, ruled=ruled):
        decisions |= _decide_cluster(slug, group, holders)
    return decisions


def _decide_cluster(
    slug: str, group: Cluster, holders: Mapping[str, list[Photo]]
) -> dict[PhotoKey, Decision]:
    cluster_id = image_id(slug, group.best)
    kept = holders[group.best][0]
    return {
        photo.key: Decision(
            verdict=Verdict.KEPT if photo is kept else Verdict.DUPLICATE,
            cluster_id=cluster_id,
        )
        for member in group.members
        for photo in holders[member]
    }


def _candidates(
    photos: Iterable[Photo],
    blobs: Mapping[str, Blob],
    cards: Collection[str],
    *,
    view: Callable[[str], View | None] | None = None,
) -> list[Candidate]:
    first: dict[str, Photo] = {}
    for photo in sorted(photos, key=lambda photo: photo.order):
        if photo.sha256 not in cards:
            first.setdefault(str(photo.sha256), photo)
    return [
        Candidate(
            sha256=sha,
            width=blobs[sha].width,
            height=blobs[sha].height,
            hashes=blobs[sha].hashes,
            appearance=blobs[sha].appearance,
            size_bytes=blobs[sha].size_bytes,
            order=photo.order,
            view=None if view is None else partial(view, sha),
        )
        for sha, photo in sorted(first.items())
    ]


def _look_at_unseen(
    context: StageContext,
    lease: Lease,
    photos: Sequence[Photo],
    blobs: Mapping[str, Blob],
) -> tuple[dict[str, Appearance], dict[str, ImageError], dict[str, StorageError]]:
    """Note the appearance of stored bytes that lack it or part of it.

    Return those, the bytes that turned out to be no pictures, and what cannot be read.
    """
    shas = {str(photo.sha256) for photo in photos}
    unseen = sorted(sha for sha in shas if not _is_seen(blobs[sha].appearance))
    with worker_pool(context) as pool:
        looks = list(pool.map(partial(_look, context, lease), unseen))
    told = list(zip(unseen, looks, strict=True))
    return (
        {sha: look for sha, look in told if isinstance(look, Appearance)},
        {sha: look for sha, look in told if isinstance(look, ImageError)},
        {sha: look for sha, look in told if isinstance(look, StorageError)},
    )


def _is_seen(look: Appearance | None) -> bool:
    return look is not None and look.detail is not None


def _look(
    context: StageContext, lease: Lease, sha: str
) -> Appearance | StorageError | ImageError:
    try:
        body = context.blobs.read_raw(sha)
        with context.room_for(body):
            look = appearance(decode(body).image)
    except ImageError as error:
        return error.bare()
    except StorageError as error:
        return error
    context.catalog.record_appearance(lease, sha, look)
    return look


def _encode_missing(
    context: StageContext, lease: Lease, kept: Sequence[Photo]
) -> tuple[int, dict[str, ImageError]]:
    """Make the PNGs that are not there, or have other bytes than their rows say.

    Return how many were to be made, and the bytes that turned out to be no pictures.
    """
    recipe = context.recipe
    shas = [str(photo.sha256) for photo in kept]
    known = context.catalog.pictures(shas)
    made = [known[sha, recipe] for sha in shas if (sha, recipe) in known]
    with worker_pool(context) as pool:
        whole = list(pool.map(partial(_has_png, context), made))
    there = {it.sha256 for it, is_whole in zip(made, whole, strict=True) if is_whole}
    missing = [sha for sha in shas if sha not in there]
    # Frames at hand go first and make room for the pictures to be decoded.
    at_hand = context.frames.keep_only(missing)
    missing.sort(key=lambda sha: sha not in at_hand)
    if not missing:
        return 0, {}
    with picture_pool(context) as pool:
        faults = list(
            pool.map(partial(_encode, context, lease, recipe=recipe), missing)
        )
    context.frames.clear()
    if refused := [str(fault) for fault in faults if isinstance(fault, StorageError)]:
        logger.warning("%s: no PNG can be made of it now", in_one(refused))
    told = zip(missing, faults, strict=True)
    broken = {sha: fault for sha, fault in told if isinstance(fault, ImageError)}
    return len(missing) - len(broken), broken


def _has_png(context: StageContext, picture: StandardPicture) -> bool:
    return context.blobs.holds_standardized(
        picture.sha256, picture.recipe, png_sha256=picture.png_sha256
    )


def _encode(
    context: StageContext, lease: Lease, sha: str, *, recipe: str
) -> StorageError | ImageError | None:
    try:
        frame = _frame(context, sha)
    except ImageError as error:
        return error.bare()
    except StorageError as error:
        return error
    keep_png(context, lease, sha, frame, recipe=recipe)
    return None


def keep_png(
    context: StageContext, lease: Lease, sha: str, frame: Frame, *, recipe: str
) -> None:
    """Store the PNG of a frame, and then the row that tells of it."""
    made = encode(frame)
    context.blobs.put_standardized(sha, recipe, made.png)
    picture = StandardPicture(
        sha256=sha,
        recipe=recipe,
        png_sha256=sha256(made.png).hexdigest(),
        size_bytes=len(made.png),
        width=made.width,
        height=made.height,
    )
    context.catalog.record_picture(lease, picture)


def _frame(context: StageContext, sha: str) -> Frame:
    """Return the frame that was just collected, else make it from the stored bytes."""
    frame = context.frames.take(sha)
    if frame is not None:
        return frame
    body = context.blobs.read_raw(sha)
    with context.room_for(body):
        return standard_frame(decode(body), max_side=context.max_side)
