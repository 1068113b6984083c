"""What is wrong with the file of houses in the data folder, as its sensor noted it."""

from collections.abc import Iterator
from typing import Final

from phx_pipeline.catalog.store import Catalog
from phx_pipeline.model.access import FILE_READ, FILE_REFUSED, AuditEntry
from phx_pipeline.model.printable import printable
from phx_pipeline.reads.base import Reads

NAME: Final = "properties.csv"
_WELL: Final = "nothing is wrong"
ALL_WELL: Final = f"{_WELL} with it any more"
_WAITS: Final = "`phx up` follows the houses of its rows"


def file_lines(reads: Reads) -> Iterator[str]:
    """Yield a line if the file, or a row of it, could not be read when last tried."""
    if refused := refusal(reads.catalog):
        yield f"file: {refused.target}: {printable(refused.detail)}"
    elif is_there(reads) and (rows := left_out(reads.catalog)):
        yield f"file: {NAME}: {printable(rows)}"


def waiting_line(reads: Reads) -> str:
    """Tell who follows the file's houses; empty if there is none."""
    return f"file: {NAME}: {_WAITS}" if is_there(reads) else ""


def is_there(reads: Reads) -> bool:
    """Whether there is a file of houses."""
    return (reads.layout.root / NAME).is_file()


def refusal(catalog: Catalog) -> AuditEntry | None:
    """Return why the file as a whole is not read; None if nothing is wrong with it."""
    refused, read = (_newest(catalog, it) for it in (FILE_REFUSED, FILE_READ))
    is_over = refused and read and read.id > refused.id
    return None if is_over else refused


def left_out(catalog: Catalog) -> str:
    """Return how many rows are not followed, as it was told last; empty if all are."""
    read = _newest(catalog, FILE_READ)
    told = read.detail if read else ""
    return "" if told.startswith(_WELL) else told


def _newest(catalog: Catalog, action: str) -> AuditEntry | None:
    return next(iter(catalog.audit.entries(limit=1, action=action)), None)
