"""What is wrong with the file of houses in the data folder, as its sensor noted it."""

from collections.abc import Iterator

from phx_pipeline.model.access import FILE_READ, FILE_REFUSED, AuditEntry
from phx_pipeline.model.printable import printable
from phx_pipeline.reads.base import Reads


def file_lines(reads: Reads) -> Iterator[str]:
    """Yield a line if the file as a whole could not be read when it was last tried."""
    refused = _newest(reads, FILE_REFUSED)
    read = _newest(reads, FILE_READ)
    if refused is None or (read is not None and read.id > refused.id):
        return
    yield f"file: {refused.target}: {printable(refused.detail)}"


def _newest(reads: Reads, action: str) -> AuditEntry | None:
    found = reads.catalog.audit.entries(limit=1, action=action)
    return found[0] if found else None
