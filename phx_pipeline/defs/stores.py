"""The resource `stores`: settings, clock and catalogue of sensors, schedules and runs.

Whoever builds the definitions may replace it: then a week passes in seconds, or two
stores are served side by side. The run launcher is made by Dagster's instance, which
knows no resources; it opens the catalogue itself. What a run's stages are given besides
is `resources.pipeline`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from phx_pipeline.catalog.store import Catalog
from phx_pipeline.settings import Settings, load_settings
from phx_pipeline.wiring.catalog import build_catalog
from phx_pipeline.wiring.clock import utc_now


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """Where the catalogue is, and what time it is; nothing is open before it is needed.

    `settings` are read anew for each tick, as the environment of the process says.
    """

    settings: Callable[[], Settings] = load_settings
    clock: Callable[[], datetime] = utc_now

    @contextmanager
    def catalog(self) -> Iterator[Catalog]:
        """Open the catalogue for as long as the body lasts.

        Raises:
            RevisionError: it is of another version, and `phx init` is due.
        """
        opened = build_catalog(self.settings(), clock=self.clock)
        try:
            yield opened
        finally:
            opened.close()
