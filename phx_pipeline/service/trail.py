"""Notes in the audit trail, written in a thread of their own.

A deed that was done is not undone because it cannot be noted: then the log has it.
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime
from functools import partial

from phx_pipeline.catalog.store import Catalog
from phx_pipeline.errors import PhxError
from phx_pipeline.model.printable import printable

logger = logging.getLogger("dagster.phx_pipeline.service")

OpenCatalog = Callable[[], Catalog]


class Trail:
    """Notes who did what.

    Args:
        open_catalog: Opens the catalogue for one note.
        clock: The wall clock.
    """

    def __init__(
        self, open_catalog: OpenCatalog, *, clock: Callable[[], datetime]
    ) -> None:
        self._open_catalog = open_catalog
        self._clock = clock
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="audit")

    async def note(
        self,
        user: str,
        action: str,
        target: str,
        *,
        detail: str = "",
        address: str = "",
    ) -> None:
        """Note that *user* did this just now; `catalog.audit` tells the words."""
        write = partial(
            self.write, user, action, target, detail=detail, address=address
        )
        await asyncio.get_running_loop().run_in_executor(self._thread, write)

    def write(
        self,
        user: str,
        action: str,
        target: str,
        *,
        detail: str = "",
        address: str = "",
    ) -> None:
        """As `note`, for who is in a thread already."""
        deed = {"user": user, "action": action, "target": target}
        deed |= {"detail": detail, "address": address}
        try:
            with closing(self._open_catalog()) as catalog:
                catalog.audit.note(**deed, at=self._clock())
        except PhxError as error:
            told = printable(" ".join(deed.values()))
            logger.error("not in the audit trail (%s): %s", error, told)  # noqa: TRY400
