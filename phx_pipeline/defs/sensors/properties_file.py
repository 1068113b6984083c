"""Sensor `properties_file`: new rows of `data/properties.csv` become properties.

How rows are read and what is left alone is told in `workflows.properties_file`.
"""

import json
import os
import stat
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import dagster as dg

from phx_pipeline.defs.stores import Stores
from phx_pipeline.errors import PhxError
from phx_pipeline.model.access import AuditNote
from phx_pipeline.model.counted import counted
from phx_pipeline.stages.context import StageContext
from phx_pipeline.wiring import build_context
from phx_pipeline.workflows.properties_file import (
    MOST_BYTES,
    NAME,
    FileTaken,
    take_file,
)
from phx_pipeline.workflows.searches import PHX

_RESTS_S: Final = 2.0  # who saves a file may be half-way
_MOST_MARKS: Final = 2_000  # remembered in a cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """How the file was when it was last read, and which problems were told."""

    seen: str = ""
    told: tuple[str, ...] = ()

    @classmethod
    def of(cls, text: str | None) -> "Cursor":
        """Return what `text` gave."""
        held = json.loads(text) if text else {}
        return cls(seen=held.get("seen", ""), told=tuple(held.get("told", ())))

    def text(self) -> str:
        """Return it as the cursor of a sensor."""
        told = self.told[:_MOST_MARKS]
        return json.dumps({"seen": self.seen, "told": told}, separators=(",", ":"))


@dg.sensor(
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Follows the houses of new rows in data/properties.csv.",
)
def properties_file(
    context: dg.SensorEvaluationContext, stores: dg.ResourceParam[Stores]
) -> dg.SkipReason:
    """Read the file when it has changed; tell of each bad row once."""
    settings, at = stores.settings(), stores.clock()
    file, before = settings.data_dir / NAME, Cursor.of(context.cursor)
    seen = state_of(file, at=at)
    if seen in {None, before.seen}:
        return dg.SkipReason(f"{file} has not changed, or is not there")
    made = build_context(settings, run_id=f"file-{os.getpid()}", clock=stores.clock)
    try:
        taken, told = _taken(made, file, before=before)
    finally:
        made.catalog.close()
    for line in told:
        context.log.warning(line)
    marks = taken.marks if taken else before.told
    context.update_cursor(Cursor(seen=str(seen), told=marks).text())
    added = len(taken.added) if taken else 0
    return dg.SkipReason(f"{counted(added, 'house')} added; {len(told)} to be told of")


def state_of(file: Path, *, at: datetime) -> str | None:
    """Return what tells a changed file; None if there is none, or it is being saved."""
    try:
        found = file.stat()
    except OSError:
        return None
    is_fresh = 0 <= at.timestamp() - found.st_mtime < _RESTS_S
    if not stat.S_ISREG(found.st_mode) or is_fresh:
        return None
    return f"{found.st_mtime_ns}:{found.st_size}"


def _taken(
    context: StageContext, file: Path, *, before: Cursor
) -> tuple[FileTaken | None, list[str]]:
    """Take the file; return what it gave, and lines about what was not taken."""
    try:
        with file.open("rb") as opened:
            content = opened.read(MOST_BYTES + 1)
        taken = take_file(context, content, told=before.told)
    except (PhxError, OSError) as error:
        told = [" ".join(str(error).split())]
        _note(context, told)
        return None, told
    told = [f"{NAME}, {problem}" for problem in taken.problems]
    _note(context, told)
    return taken, told


def _note(context: StageContext, told: list[str]) -> None:
    """Have the audit trail tell it too: a tick's log is kept for some days only."""
    if not told:
        return
    at = context.stamp().at
    context.catalog.audit.note_all(
        AuditNote(at=at, user=PHX, action="file.row", target=NAME, detail=line)
        for line in told
    )
