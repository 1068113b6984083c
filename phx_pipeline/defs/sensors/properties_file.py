"""Sensor `properties_file`: new rows of `data/properties.csv` become properties.

How rows are read and what is left alone is told in `workflows.properties_file`. A tick
reads a part of the file, and a process of its own reads a large one or a workbook:
other sensors wait for this one.
"""

import json
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Final

import dagster as dg

from phx_pipeline.catalog.store import Catalog
from phx_pipeline.defs.sensors.own_process import TooLongError, in_own_process
from phx_pipeline.defs.stores import Stores
from phx_pipeline.errors import InputError
from phx_pipeline.model.access import (
    FILE_READ,
    FILE_REFUSED,
    FILE_ROW,
    MOST_TARGET,
    AuditNote,
)
from phx_pipeline.model.counted import counted
from phx_pipeline.model.job import PHX
from phx_pipeline.model.name_list import line_of_names
from phx_pipeline.reads.houses_file import ALL_WELL, NAME, left_out, refusal
from phx_pipeline.settings import Settings
from phx_pipeline.stages.context import StageContext
from phx_pipeline.wiring.runs import build_context
from phx_pipeline.workflows.properties_file import (
    MOST_BYTES,
    PartTaken,
    Progress,
    take_part,
)

_RESTS_S: Final = 2.0  # who saves a file may be half-way
_SMALL_BYTES: Final = 50_000  # of text; its cells are bounded, so it is read at once
_PACKED: Final = b"PK"  # how a workbook begins: it may unpack to a thousand times that
_CPU_S: Final = 10
_WAIT_S: Final = 20.0
_LONGER_S: Final = 40.0  # after a wait in vain; Dagster ends a tick after 60
_MANY_WAITS: Final = 3  # in vain; then people are told
_BUSY: Final = (
    f"it is not read yet: {_MANY_WAITS} times the process that reads it did not end in "
    "time, as happens on a machine that is busy; each tick tries again"
)
_TOO_LONG: Final = (
    f"it takes more than {_CPU_S} s of the processor to read, and is left alone until "
    "it changes: save it as CSV with its columns of addresses alone"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """What a tick leaves to the next one.

    Attributes:
        seen: what told the file as it was when it was last read.
        progress: how far it was read, and what was told.
        left: how many rows are left.
        trouble: why it cannot be read as a whole, if that was told.
        waits: how often it was waited for in vain since it was last read.
    """

    seen: str = ""
    progress: Progress = field(default_factory=Progress)
    left: int = 0
    trouble: str = ""
    waits: int = 0

    @classmethod
    def of(cls, text: str | None) -> "Cursor":
        """Return what `text` gave, also that of an older version."""
        held = json.loads(text) if text else {}
        known = {
            name: held[name]
            for name in ("seen", "left", "trouble", "waits")
            if name in held
        }
        return cls(progress=Progress.of(held), **known)

    def text(self) -> str:
        """Return it as the cursor of a sensor."""
        held = {"seen": self.seen, "left": self.left, "trouble": self.trouble}
        waits = {"waits": self.waits} if self.waits else {}
        told = {**held, **waits, **self.progress.plain()}
        return json.dumps(told, separators=(",", ":"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What is there of the file: what tells it as it is now, and its bytes or a fault.

    Without either there is nothing to be read: it did not change, or is not there.
    """

    seen: str = ""
    content: bytes | None = None
    trouble: str = ""


@dg.sensor(
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Follows the houses of new rows in data/properties.csv.",
)
def properties_file(
    context: dg.SensorEvaluationContext, stores: dg.ResourceParam[Stores]
) -> dg.SkipReason:
    """Read a part of the file when it has changed; tell of what is wrong once."""
    settings, before = stores.settings(), Cursor.of(context.cursor)
    file = settings.data_dir / NAME
    found = found_at(file, before, at=stores.clock())
    if found.content is None and found.trouble == before.trouble:
        told = f"{file} has not changed, or is not there"
        return dg.SkipReason(f"{NAME}: {found.trouble}" if found.trouble else told)
    after, lines, said = taken(settings, found, before, at=stores.clock())
    for line in lines:
        context.log.warning("%s, %s", NAME, line)
    context.update_cursor(after.text())
    return dg.SkipReason(said)


def found_at(file: Path, before: Cursor, *, at: datetime) -> Found:
    """Look at the file; it is opened only if it changed, or rows of it are left."""
    try:
        seen = state_of(file, at=at)
        if seen is None or (seen == before.seen and not before.left):
            return Found(seen=before.seen, trouble=before.trouble)
        if not seen:
            return Found()
        with file.open("rb") as opened:
            content = opened.read(MOST_BYTES + 1)
    except InputError as error:
        return Found(trouble=str(error))
    except OSError as error:
        return Found(
            trouble=f"it cannot be read: {error.strerror}: let the user of `phx up` "
            "read it"
        )
    return Found(seen=seen, content=content if content.strip() else None)


def state_of(file: Path, *, at: datetime) -> str | None:
    """Return what tells a changed file; empty without one, None while it is saved.

    Raises:
        InputError: it is no file that can be read.
        OSError: nobody can tell.
    """
    try:
        found = file.stat()
    except (FileNotFoundError, NotADirectoryError):
        return ""
    if not stat.S_ISREG(found.st_mode):
        what = "a folder" if stat.S_ISDIR(found.st_mode) else "no file of rows"
        raise InputError(f"it is {what}: put a file with one house a row there")
    # Whoever saves it may give it any time; when it was changed the system says.
    ages_s = (at.timestamp() - it for it in (found.st_mtime, found.st_ctime))
    if any(0 <= age_s < _RESTS_S for age_s in ages_s):
        return None
    return f"{found.st_mtime_ns}:{found.st_ctime_ns}:{found.st_size}"


def taken(
    settings: Settings, found: Found, before: Cursor, *, at: datetime
) -> tuple[Cursor, list[str], str]:
    """Read what was found; return what the next tick is left, lines, and a summary."""
    content = found.content or b""
    if len(content) <= _SMALL_BYTES and not content.startswith(_PACKED):
        return _taken(settings, found, before, at)
    wait_s = _LONGER_S if before.waits else _WAIT_S
    try:
        read: tuple[Cursor, list[str], str] = in_own_process(
            _taken, settings, found, before, at, cpu_s=_CPU_S, wait_s=wait_s
        )
    except TimeoutError as error:
        waits = replace(before, waits=before.waits + 1)
        if waits.waits < _MANY_WAITS:
            return waits, [], f"{error}: the next tick tries again"
        return _waited(settings, waits, at)
    except TooLongError:
        given_up = replace(found, content=None, trouble=_TOO_LONG)
        return _taken(settings, given_up, before, at)
    return read


def _waited(
    settings: Settings, waits: Cursor, at: datetime
) -> tuple[Cursor, list[str], str]:
    """Tell that the file was not read in time, which is no fault of its own.

    The cursor stays as it is but for that, so that the next tick reads the file.
    """
    found = Found(seen=waits.seen, trouble=_BUSY)
    after, lines, said = _taken(settings, found, waits, at)
    return replace(waits, trouble=after.trouble), lines, said


def _taken(
    settings: Settings, found: Found, before: Cursor, at: datetime
) -> tuple[Cursor, list[str], str]:
    run_id = f"file-{os.getpid()}"
    context = build_context(settings, run_id=run_id, clock=lambda: at)
    try:
        return _read(context, found, before)
    finally:
        context.catalog.close()


def _read(
    context: StageContext, found: Found, before: Cursor
) -> tuple[Cursor, list[str], str]:
    trouble, part = found.trouble, PartTaken(progress=before.progress)
    if found.content is not None:
        try:
            part = take_part(context, found.content, before.progress)
        except InputError as error:
            trouble = _of_file(error)
    after = Cursor(
        seen=found.seen, progress=part.progress, left=part.left, trouble=trouble
    )
    is_new = trouble not in {"", before.trouble}
    lines = [*([trouble] if is_new else ()), *part.told]
    if part.added:
        of_file = AuditNote(
            at=context.stamp().at,
            user=PHX,
            action="house.add",
            target=line_of_names(part.added, most=MOST_TARGET),
            detail=f"from {NAME}",
        )
        context.catalog.audit.note_all([of_file])
    _note(context, FILE_REFUSED if trouble else FILE_ROW, lines)
    if not trouble:
        _note(context, FILE_READ, _news(context.catalog, part))
    said = [f"{counted(len(part.added), 'house')} added"]
    said += [trouble] if trouble else lines[:1]
    if part.left:
        said.append(f"{counted(part.left, 'row')} left for the next tick")
    return after, lines, "; ".join(said)


def _news(catalog: Catalog, part: PartTaken) -> list[str]:
    """Return what is to be noted of a file that could be read: what is wrong with it.

    Of rows that are left out their number is told once all were read.
    """
    before = left_out(catalog)
    now = before if part.left else part.progress.left_out
    return [now or ALL_WELL] if now != before or refusal(catalog) else []


def _of_file(error: InputError) -> str:
    """Return what is wrong with the file as a whole, without its name."""
    text = " ".join(str(error).split())
    if text.startswith(f"{NAME} "):
        return f"it {text.removeprefix(f'{NAME} ')}"
    return text.removeprefix(f"{NAME}: ")


def _note(context: StageContext, action: str, lines: Iterable[str]) -> None:
    """Have the audit trail tell it too: a tick's log is kept for some days only."""
    at = context.stamp().at
    notes = [
        AuditNote(at=at, user=PHX, action=action, target=NAME, detail=line)
        for line in lines
    ]
    if notes:
        context.catalog.audit.note_all(notes)
