"""The JSON files of the metadata folder: rendered from rows, never read back.

Rendering takes time that grows with the number of properties and of runs, publishing
one property must not. So whatever changes rows only notes that the views are stale: a
command renders them at its end, the sensor `refresh_views` beside the runs. No more of
a file is in memory than a part, and no more than one file.
"""

import logging
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from phx_pipeline.catalog.leases import process_owner
from phx_pipeline.catalog.views import ALL, HISTORY, ViewState
from phx_pipeline.errors import DiskError
from phx_pipeline.model.moments import sane_end_s
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.view_rows import (
    JOB_FOLDER,
    RUN_FOLDER,
    View,
    history_views,
    outdated_files,
    picture_views,
)
from phx_pipeline.storage.atomic import holds_parts, set_aside, write_parts

logger = logging.getLogger(__name__)

VIEWS_LEASE: Final = "views"

# Processor time, which does not depend on what else the machine does.
_START_S = 0.2  # what a forked process costs that only renders
_SHARE = 20  # between renderings nobody waits for: this many times what one takes
_PART: Final = 1 << 18  # characters that are written at once


def refresh_views(
    context: StageContext, *, anyway: bool = False, only_history: bool = False
) -> int:
    """Render the views whose rows changed since; return the number of files changed.

    One process at a time renders; one that waited finds its work done.

    Args:
        context: of the command or process that renders.
        anyway: all of them, whatever changed.
        only_history: those of runs and jobs, even if others are stale, too.

    Raises:
        LeaseHeldError: another process renders, and does not end.
    """
    if not anyway and not context.catalog.views.is_stale():
        return 0
    owner = process_owner(context.run_id)
    wait_s = context.lease_wait_s
    with context.catalog.leases.hold(VIEWS_LEASE, owner=owner, wait_s=wait_s) as lease:
        every, history = context.catalog.views.states()
        whole = anyway or (every.is_stale and not only_history)
        if not whole and not history.is_stale:
            return 0
        wanted = {ALL: every.wanted} if whole else {}
        if history.wanted:
            wanted[HISTORY] = history.wanted
        started = time.thread_time()
        written = _write_views(context, whole=whole)
        context.catalog.views.record_rendered(
            lease,
            wanted,
            took_s=time.thread_time() - started,
            at_s=context.clock().timestamp(),
        )
    return written


def is_due(state: ViewState, *, now_s: float) -> bool:
    """Whether stale views should be rendered in the background by now."""
    rest_s = _SHARE * (state.took_s + _START_S)
    due_s = sane_end_s(state.rendered_at + rest_s, now_s=now_s, longest_s=rest_s)
    return state.is_stale and due_s <= now_s


def render_views(context: StageContext) -> Iterator[View]:
    """Yield every view; a pure function of the rows."""
    yield from picture_views(context)
    yield from history_views(context)


def holds_view(context: StageContext, view: View) -> bool:
    """Whether the file of *view* is what the rows render to."""
    return holds_parts(context.layout.metadata / view.name, _encoded(view.parts))


def _write_views(context: StageContext, *, whole: bool) -> int:
    folder = context.layout.metadata
    names = set()
    written = 0
    for view in render_views(context) if whole else history_views(context):
        names.add(view.name)
        written += _written(folder / view.name, view.parts)
    for path in outdated_files(folder, views=names):
        set_aside(path)
        path.unlink(missing_ok=True)
    return written


def _written(path: Path, parts: Iterable[str]) -> bool:
    """Write one view, unless it holds these bytes.

    One of a single run or job that the disk refuses keeps no other back.

    Raises:
        DiskError: the disk takes no file at all, or not one that tells of all.
    """
    try:
        return write_parts(path, _encoded(parts))
    except DiskError as error:
        if error.stops_all or path.parent.name not in {RUN_FOLDER, JOB_FOLDER}:
            raise
        logger.warning("the view of one run or job was not written: %s", error)
        return False


def _encoded(parts: Iterable[str]) -> Iterator[bytes]:
    """The text in parts of a size that is worth a call of the disk."""
    held: list[str] = []
    size = 0
    for part in parts:
        held.append(part)
        size += len(part)
        if size >= _PART:
            yield "".join(held).encode()
            held, size = [], 0
    yield "".join(held).encode()
