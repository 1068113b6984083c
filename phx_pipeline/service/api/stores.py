"""The stores of one data folder, opened when first asked for and then kept open."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from phx_pipeline.catalog.store import Catalog
from phx_pipeline.errors import PhxError
from phx_pipeline.reads.base import Reads
from phx_pipeline.service.api.problems import problem_of
from phx_pipeline.settings import Settings
from phx_pipeline.storage.atomic import require_usable
from phx_pipeline.storage.layout import Layout
from phx_pipeline.wiring.reads import build_reads
from phx_pipeline.wiring.runs import build_context

if TYPE_CHECKING:
    from phx_pipeline.stages.context import StageContext

_TRUSTED_S: Final = 5.0  # then it is looked again whether somebody migrated
_PATIENCE_S: Final = 10.0  # for a run that works on a house that is to be changed


class Stores:
    """Catalogue and folders; any number of threads may ask.

    Args:
        settings: Which stores.
        opening: Opens the catalogue for reading; raises what tells why not.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        opening: Callable[[Settings], Reads] = build_reads,
    ) -> None:
        self.settings = settings
        self.layout = Layout(settings.data_dir)
        self._opening = opening
        self._lock = Lock()
        self._open: Reads | None = None
        self._looked_at_s = float("-inf")

    @property
    def reads(self) -> Reads:
        """What reads need; raises as `build_catalog` where there are no stores."""
        with self._lock:
            if self._open is None:
                self._open = self._opening(self.settings)
            elif time.monotonic() - self._looked_at_s > _TRUSTED_S:
                self._open.catalog.require_current()
            else:
                return self._open
            self._looked_at_s = time.monotonic()
            return self._open

    @property
    def catalog(self) -> Catalog:
        """The catalogue itself."""
        return self.reads.catalog

    @contextmanager
    def changing(self, user: str) -> Iterator["StageContext"]:
        """What houses are changed with, in the name of *user*.

        Its patience with runs at work is that of somebody who waits for an answer.
        """
        context = build_context(self.settings, run_id=f"api-{uuid4().hex[:12]}")
        try:
            yield replace(context, who=user, lease_wait_s=_PATIENCE_S)
        finally:
            context.catalog.close()

    def why_no_catalogue(self) -> str | None:
        """Why the catalogue cannot be used now; None if it can."""
        try:
            self.catalog.require_current()
        except PhxError as error:
            return problem_of(error).detail
        return None

    def why_no_storage(self) -> str | None:
        """Why pictures cannot be read and written now; None if they can."""
        try:
            require_usable(self.layout.trees)
        except PhxError as error:
            return problem_of(error).detail
        return None

    def close(self) -> None:
        """Close what is open; asking again opens it again."""
        with self._lock:
            if self._open is not None:
                self._open.catalog.close()
                self._open = None
