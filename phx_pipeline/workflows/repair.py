"""Making right what `verify` names, house by house, with as few requests as possible.

Only an original that is nowhere on the disk is asked for again, and then once, however
many photos share its bytes. All else follows from rows and originals.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import sha256
from types import MappingProxyType
from typing import Final

from phx_pipeline.errors import (
    ImageError,
    LeaseHeldError,
    StaleEpochError,
    StorageError,
)
from phx_pipeline.model.identity import property_lease
from phx_pipeline.model.job import Mode
from phx_pipeline.model.no_way import all_tell_no_way
from phx_pipeline.model.photo import Photo, PhotoKey
from phx_pipeline.stages.categorize import categorize
from phx_pipeline.stages.collect import collect
from phx_pipeline.stages.context import StageContext, working_on
from phx_pipeline.stages.dedupe import dedupe, give_up
from phx_pipeline.stages.folder_views import rebuild_links
from phx_pipeline.stages.publish import publish
from phx_pipeline.stages.runs import recorded
from phx_pipeline.stages.views import VIEWS_LEASE, refresh_views
from phx_pipeline.storage.atomic import sweep_temporaries
from phx_pipeline.workflows.recompute import correct_facts, verify_facts
from phx_pipeline.workflows.verify import (
    Fault,
    Problem,
    verify_property,
    verify_removed,
    verify_views,
)

logger = logging.getLogger(__name__)

_PATIENCE_S: Final = 5.0  # for a house somebody works on
_LEFTOVER_S: Final = 3600.0  # a file is written within moments, on the slowest disk


class End(StrEnum):
    """What became of a problem."""

    DONE = "done"
    WAITS = "waits"
    LEFT = "left"


@dataclass(frozen=True, slots=True, kw_only=True)
class Repaired:
    """A problem and its end; `told` says what was done, or what to do."""

    problem: Problem
    end: End
    told: str


_DONE = {
    Fault.COUNTS: "counted again",
    Fault.CLUSTER: "decided again",
    Fault.UNPUBLISHED: "published",
    Fault.ORIGINAL: "downloaded again",
    Fault.WITHDRAWN: "removed",
    Fault.FACTS: "read again from the original",
    Fault.PNG: "made again",
    Fault.FILE: "made again",
    Fault.FOLDER: "the folder holds what is listed",
    Fault.STRANGER: "moved aside, to a name with .aside-: it is none of ours",
    Fault.SIDECAR: "written again",
    Fault.VIEW: "rendered again",
    Fault.LINK: "the links are what the rows say",
}
_FOUND = "found under another name"
_NO_OTHER_WAY: Final[Mapping[Problem, str]] = MappingProxyType({})
_GIVEN_UP = "it is no picture: its photo is shown no more, `phx extract` asks for it"
_NOT_GIVEN = "its source does not give it now: `phx sources`, then repair again"
NO_NETWORK: Final = "this machine reaches no source: connect it, then repair again"
_AT_WORK = "somebody works on the house: repair again when that has ended"
_CHANGING = "somebody changes what it shows: repair again when that has ended"
_BACK = "or add the house again, and its next run fetches what is gone"
_NO_REMEDY = "this does not heal it: `phx extract --fresh` or a backup may"


async def repair(
    context: StageContext, slug: str, *, deep: bool = False
) -> list[Repaired]:
    """Make right what is wrong with one property; nothing is written if all is well.

    The database must be sound: see `verify_database`.

    Args:
        context: of the command.
        slug: the property.
        deep: whether rows are compared with what the originals say, too.
    """
    context.require_disk()
    found = _problems(context, slug, deep=deep)
    if not found:
        return []
    patient = replace(context, lease_wait_s=min(_PATIENCE_S, context.lease_wait_s))
    try:
        with recorded(patient, slug, mode=Mode.RESUME):
            ways, why = await _heal(patient, slug, found)
    except (LeaseHeldError, StaleEpochError) as error:
        logger.info("%s: %s", slug, error)
        return [Repaired(problem=p, end=End.WAITS, told=_AT_WORK) for p in found]
    before = _settled(context, slug)
    left = _problems(context, slug, deep=deep)
    is_busy = before is None or _settled(context, slug) != before
    return _ends(found, left, ways=ways, why=why, busy=_AT_WORK if is_busy else "")


def repair_views(context: StageContext, *, were_stale: bool = True) -> list[Repaired]:
    """Render the views anew if any is not what the rows render to.

    Call it after the properties: what they publish is shown there. That is no problem
    to be told, unless the views *were_stale* before.
    """
    if not were_stale:
        with suppress(LeaseHeldError):
            refresh_views(context)
    found = verify_views(context)
    if not found:
        return []
    try:
        refresh_views(context, anyway=True)
        if any(problem.fault is Fault.LINK for problem in found):
            rebuild_links(context)
    except LeaseHeldError as error:
        logger.info("%s", error)
        return _ends(found, found, busy=_CHANGING)
    before = context.catalog.views.states()
    left = verify_views(context)
    is_stale = any(state.is_stale for state in before)
    is_busy = is_stale or context.catalog.views.states() != before
    return _ends(found, left, busy=_CHANGING if is_busy else "")


def left_to_people(context: StageContext) -> list[Repaired]:
    """What is wrong with removed properties: whether they come back nobody has said."""
    return [
        Repaired(problem=problem, end=End.LEFT, told=_BACK)
        for problem in verify_removed(context)
    ]


def sweep_leftovers(context: StageContext) -> int:
    """Remove temporary files of killed processes; return how many.

    While nobody works on any house all of them; else those no living process writes to.
    """
    now = context.clock().timestamp()  # what begins to be written after it is younger
    images = context.layout.images
    if not any(images.rglob(".*.tmp")):
        return 0
    age_s = _LEFTOVER_S if _somebody_writes(context) else 0.0
    return sweep_temporaries(images, older_than_s=age_s, now=now)


def _somebody_writes(context: StageContext) -> bool:
    views = context.catalog.leases.state(VIEWS_LEASE)
    if views is not None and views.is_live:
        return True
    return any(working_on(context, slug) for slug in context.catalog.slugs())


def _problems(context: StageContext, slug: str, *, deep: bool) -> list[Problem]:
    return [
        *verify_property(context, slug),
        *(verify_facts(context, slug) if deep else ()),
        *_unfinished(context, slug),
    ]


def _settled(context: StageContext, slug: str) -> int | None:
    """The lease's epoch at the last publication; None if any has begun since.

    Who finds faults between two that are equal has not looked at half-done work.
    """
    state = context.catalog.leases.state(property_lease(slug))
    return state.epoch if state and context.tally(slug).is_published else None


def _unfinished(context: StageContext, slug: str) -> Iterable[Problem]:
    """A house whose run was killed: rows may be right, but nobody has looked."""
    tally = context.tally(slug)
    if tally.is_published or working_on(context, slug):
        return
    if tally.discovered or any(source.outcome for source in tally.sources):
        told = f"{slug}: a run ended before it had published"
        yield Problem(fault=Fault.UNPUBLISHED, text=told)


async def _heal(
    context: StageContext, slug: str, found: Sequence[Problem]
) -> tuple[dict[Problem, str], str]:
    """Do what *found* needs.

    Returns:
        What was done of those that took another way, and why originals that are still
        lost were not to be had.
    """
    faults = {problem.fault for problem in found}
    if Fault.COUNTS in faults:
        recount(context, slug)
    again = _find_originals(context, slug, found)
    why = await _fetch_originals(context, slug, found)
    if Fault.PNG in faults:
        _keep_shown_pngs(context, slug)
    for problem in found:
        if problem.fault is Fault.FACTS:
            _correct(context, slug, str(problem.sha256))
    dedupe(context, slug)
    categorize(context, slug)
    publish(context, slug, ends_run=True)
    return _other_ways(context, slug, found, again=again), why


def _other_ways(
    context: StageContext,
    slug: str,
    found: Sequence[Problem],
    *,
    again: frozenset[str],
) -> dict[Problem, str]:
    lost = {it.sha256 for it in found if _is_original(it)}
    held = {photo.sha256 for photo in context.catalog.photos(slug)}
    given_up = {it.sha256 for it in found} - held - lost - {None}
    return {it: _FOUND for it in found if _is_original(it) and it.sha256 in again} | {
        it: _GIVEN_UP for it in found if it.sha256 in given_up
    }


def recount(context: StageContext, slug: str) -> None:
    """Make the counters of a property what its photo rows give."""
    with context.holding(slug) as lease:
        context.catalog.door.recount(lease, slug)


def _find_originals(
    context: StageContext, slug: str, found: Sequence[Problem]
) -> frozenset[str]:
    lost = {p.sha256 for p in found if p.fault is Fault.ORIGINAL}
    blobs = context.catalog.blobs(slug)
    return frozenset(
        sha
        for sha, blob in blobs.items()
        if sha in lost and context.blobs.find_raw(sha, size_bytes=blob.size_bytes)
    )


async def _fetch_originals(
    context: StageContext, slug: str, found: Sequence[Problem]
) -> str:
    """Ask for originals that are lost, one photo after the other until one has it.

    Returns:
        Why one that is still lost was not to be had.
    """
    lost = {p.sha256 for p in found if p.fault is Fault.ORIGINAL}
    holders: dict[str, list[Photo]] = defaultdict(list)
    for photo in context.catalog.photos(slug):
        if photo.sha256 is not None and photo.sha256 in lost:
            holders[photo.sha256].append(photo)
    for photos in holders.values():
        photos.sort(key=lambda photo: not photo.present)
    asked: set[PhotoKey] = set()
    while wanted := {
        photos.pop(0).key
        for sha, photos in holders.items()
        if photos and not context.blobs.is_whole(sha)
    }:
        await collect(context, slug, only=wanted)
        asked |= wanted
    states = context.catalog.runs.photo_states(slug)
    ours = (it for it in states if it.key in asked and it.run_id == context.run_id)
    return NO_NETWORK if all_tell_no_way(it.detail for it in ours) else _NOT_GIVEN


def _keep_shown_pngs(context: StageContext, slug: str) -> None:
    """Where a published file has the right bytes, its PNG gets them from there.

    So a picture whose original is lost as well goes on being shown.
    """
    folder = context.layout.folder(context.house(slug).folder)
    shown = [row for row in context.catalog.publications(slug) if row.active]
    pictures = context.catalog.pictures([row.sha256 for row in shown])
    with context.holding(slug):
        for row in shown:
            picture = pictures.get((row.sha256, row.recipe))
            file = folder / row.file_name
            if picture is None or not file.is_file():
                continue
            png = file.read_bytes()
            if sha256(png).hexdigest() == picture.png_sha256:
                context.blobs.put_standardized(row.sha256, row.recipe, png)


def _correct(context: StageContext, slug: str, sha: str) -> None:
    """Make rows what an original says, also if it says that it is no picture."""
    try:
        correct_facts(context, slug, sha)
    except StorageError as error:
        logger.warning("%s: %s", slug, error)
    except ImageError as error:
        with context.holding(slug) as lease:
            give_up(context, lease, slug, {sha: error})


def _ends(
    found: Sequence[Problem],
    left: Sequence[Problem],
    *,
    ways: Mapping[Problem, str] = _NO_OTHER_WAY,
    why: str = _NOT_GIVEN,
    busy: str,
) -> list[Repaired]:
    """What became of *found*; *busy* tells who may be about to change what is left."""
    still = set(left)
    lost = {p.sha256 for p in left if _is_original(p)}
    return [
        _end_of_left(problem, lost=lost, why=why, busy=busy)
        if problem in still
        else Repaired(
            problem=problem,
            end=End.DONE,
            told=ways.get(problem, _DONE[problem.fault]),
        )
        for problem in dict.fromkeys([*found, *left])
    ]


def _is_original(problem: Problem) -> bool:
    return problem.fault is Fault.ORIGINAL


def _end_of_left(
    problem: Problem, *, lost: set[str | None], why: str, busy: str
) -> Repaired:
    if _is_original(problem) or (problem.sha256 and problem.sha256 in lost):
        return Repaired(problem=problem, end=End.WAITS, told=why)
    if busy:
        return Repaired(problem=problem, end=End.WAITS, told=busy)
    return Repaired(problem=problem, end=End.LEFT, told=_NO_REMEDY)
