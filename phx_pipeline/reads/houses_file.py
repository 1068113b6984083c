"""What is wrong with the file of houses in the data folder, as its sensor noted it."""

from collections.abc import Iterator

from phx_pipeline.catalog.store import Catalog
from phx_pipeline.model.access import FILE_READ, FILE_REFUSED, AuditEntry
from phx_pipeline.model.printable import printable
from phx_pipeline.reads.base import Reads


def file_lines(reads: Reads) -> Iterator[str]:
    """Yield a line if the file as a whole could not be read when it was last tried."""
    if refused := refusal(reads.catalog):
        yield f"file: {refused.target}: {printable(refused.detail)}"


def refusal(catalog: Catalog) -> AuditEntry | None:
    """Return why the file as a whole is not read; None if nothing is wrong with it."""
    refused, read = (_newest(catalog, it) for it in (FILE_REFUSED, FILE_READ))
    is_over = refused and read and read.id > refused.id
    return None if is_over else refused


def _newest(catalog: Catalog, action: str) -> AuditEntry | None:
    return next(iter(catalog.audit.entries(limit=1, action=action)), None)
