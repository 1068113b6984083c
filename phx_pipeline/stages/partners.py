"""Houses that share photo keys: what one of them learns is due on the others as well.

No stage works on another house than its own. It writes a job for the other one, which
becomes a run of that house; commands work off what they caused themselves.
"""

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Final
from uuid import uuid4

from phx_pipeline.catalog.jobs import FOLLOW_UP
from phx_pipeline.errors import LeaseHeldError, PhxError
from phx_pipeline.model.job import Mode
from phx_pipeline.model.outcome import Verdict
from phx_pipeline.model.quarantine import PhotoAt
from phx_pipeline.model.ruling import PhotoRuling
from phx_pipeline.stages.categorize import categorize
from phx_pipeline.stages.context import StageContext, working_on
from phx_pipeline.stages.dedupe import dedupe
from phx_pipeline.stages.guard import guard, suspects_of
from phx_pipeline.stages.publish import publish
from phx_pipeline.stages.runs import recorded

logger = logging.getLogger(__name__)

_PATIENCE_S: Final = 5.0  # of a command, for a house somebody else works on


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """Houses that were settled, and those whose runs wait in the queue."""

    done: tuple[str, ...]
    waiting: tuple[str, ...]


def call_on_partners(
    context: StageContext, slug: str, *, anyway: bool = False
) -> list[str]:
    """Ask for a run of each house that shares photos with *slug* and is not settled.

    Held or freed on one side means held or freed on the other. A house that waits for a
    run already gets no second one.

    Args:
        context: of the run.
        slug: the property that changed; it may be removed.
        anyway: also of those where no photo changes, only what is said of it.

    Returns:
        The properties a run was asked for.
    """
    partners = context.catalog.quarantine.partners(slug)
    return call_on(context, [p for p in partners if anyway or _is_due(context, p)])


def settle_called(context: StageContext, slugs: Collection[str]) -> Settled:
    """Do in this process what *slugs* made due: on other houses and on themselves.

    While this command was at work, another one may have found that a house of ours has
    to hold a photo too; what waits because of others is few and done as well. No source
    is asked. A house somebody else works on stays in the queue.
    """
    book = context.catalog.quarantine
    all_followed = context.catalog.slugs()
    called = context.catalog.jobs.called_on(all_followed)
    concerned = {*slugs, *called, *(p for slug in slugs for p in book.partners(slug))}
    followed = sorted(concerned & set(all_followed))
    patient = with_patience(context)
    done, waiting = [], []
    for slug in followed:
        if slug not in called and not _is_due(context, slug):
            continue
        if not has_originals(context, slug):  # a run fetches what is gone
            call_on(context, [slug])
            waiting.append(slug)
            continue
        try:
            _settle(patient, slug)
        except PhxError as error:
            logger.warning("%s waits for a run of its own: %s", slug, error)
            call_on(context, [slug])
            waiting.append(slug)
        else:
            context.catalog.jobs.withdraw([slug])
            done.append(slug)
    return Settled(done=tuple(done), waiting=tuple(waiting))


def has_originals(context: StageContext, slug: str) -> bool:
    """Whether all bytes downloaded for a house are there: not after half a purge."""
    held = {
        photo.sha256
        for photo in context.catalog.photos(slug)
        if photo.sha256 and photo.verdict is not Verdict.WITHDRAWN
    }
    return all(context.blobs.has_raw(sha) for sha in held)


def converge(context: StageContext, slug: str) -> bool:
    """Decide and publish anew what is stored; False if rows and files agree."""
    if not _is_unpublished(context, slug):
        return False
    dedupe(context, slug)
    categorize(context, slug)
    publish(context, slug)
    return True


def at_once(
    context: StageContext, slug: str, do: Callable[[StageContext], None]
) -> str:
    """Act now on what a person said of a house; no source is asked.

    Returns:
        Why a run of its own is asked for instead: somebody works on the house, or it
        lacks originals. Empty where it is done.
    """
    if not has_originals(context, slug):
        call_on(context, [slug])
        return "it lacks originals"
    try:
        do(with_patience(context))
    except LeaseHeldError as error:
        call_on(context, [slug])
        return str(error)
    return ""


def call_on(context: StageContext, slugs: Collection[str]) -> list[str]:
    """Ask for a run of each of *slugs* that waits for none yet; return those asked."""
    if not slugs:
        return []
    job_id = f"{FOLLOW_UP}{uuid4().hex[:12]}"
    asked = context.catalog.jobs.call_on(job_id, sorted(slugs), at=context.stamp().at)
    if asked:
        logger.info("a run is asked for of %s", ", ".join(asked))
    return asked


def with_patience(context: StageContext) -> StageContext:
    """The same, but that it waits no longer than a person at a terminal does."""
    return replace(context, lease_wait_s=min(_PATIENCE_S, context.lease_wait_s))


def _settle(given: StageContext, slug: str) -> None:
    context = given.for_run(f"{FOLLOW_UP}{uuid4().hex[:12]}")
    with recorded(context, slug, mode=Mode.RESUME):
        with context.holding(slug) as lease:
            guard(context, lease, slug)
        dedupe(context, slug)
        categorize(context, slug)
        publish(context, slug, ends_run=True)


def _is_due(context: StageContext, slug: str) -> bool:
    """Whether a house has to hold or free photos, or a run ended before it published.

    Who works on a house publishes it; that it has not yet is nobody else's business.
    """
    if _holds_others(context, slug):
        return True
    return _is_unpublished(context, slug) and working_on(context, slug) is None


def _holds_others(context: StageContext, slug: str) -> bool:
    """Whether other photos of *slug* are held than should be."""
    ruled = {row.photo: row.ruling for row in context.catalog.quarantine.held(slug)}
    suspects = suspects_of(context, slug)
    wanted, now = set(), set()
    for photo in context.catalog.photos(slug):
        if photo.verdict is Verdict.WITHDRAWN:
            continue
        at = PhotoAt(slug=slug, source=photo.ref.source, photo_key=photo.ref.photo_key)
        ruling = ruled.get(at, PhotoRuling.OPEN)
        if ruling is PhotoRuling.DROPPED or (
            ruling is PhotoRuling.OPEN and photo.key in suspects
        ):
            wanted.add(photo.key)
        if photo.verdict is Verdict.FOREIGN:
            now.add(photo.key)
    return wanted != now


def _is_unpublished(context: StageContext, slug: str) -> bool:
    """Whether decisions, rows and files of *slug* do not agree yet."""
    photos = context.catalog.photos(slug)
    waiting = {Verdict.PENDING, Verdict.WITHDRAWN}  # to be decided, to be removed
    if any(photo.verdict in waiting and photo.sha256 for photo in photos):
        return True
    kept = sum(photo.verdict is Verdict.KEPT for photo in photos)
    names = {row.file_name for row in context.catalog.publications(slug) if row.active}
    folder = context.layout.folder(context.house(slug).folder)
    there = {path.name for path in folder.glob("*.png")} if folder.is_dir() else set()
    return kept != len(names) or there != names
