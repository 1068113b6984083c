"""How far the downloads of a run are, in few lines: each costs Dagster a commit."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from phx_pipeline.model.counted import counted
from phx_pipeline.model.outcome import Verdict
from phx_pipeline.model.photo import Photo
from phx_pipeline.model.source import Source

logger = logging.getLogger(__name__)

_LEAST_S: Final = 5.0  # between two lines of a source
_PART: Final = 5  # a later line comes after a fifth of the time so far: 36 in two hours
_FAULTS_TOLD: Final = 5  # one by one, of each source; the others are counted


@dataclass(slots=True, kw_only=True)
class _Downloads:
    """One source: of `total` photos so many bytes came, and so many did not."""

    total: int
    told_s: float
    came: int = 0
    size_bytes: int = 0
    faults: Counter[Verdict] = field(default_factory=Counter)
    kept_back: int = 0

    @property
    def done(self) -> int:
        return self.came + self.faults.total() + self.kept_back

    @property
    def text(self) -> str:
        size = f"{self.size_bytes / 1e6:.1f} MB"
        told = [f"{self.came} of {counted(self.total, 'photo')}, {size}"]
        told += [f"{count} {verdict}" for verdict, count in sorted(self.faults.items())]
        if self.kept_back:
            told.append(f"{self.kept_back} not asked for, the source rests")
        return ", ".join(told)


class Progress:
    """Tells of each source's photos every some seconds, and once all are done."""

    def __init__(
        self,
        slug: str,
        photos: Iterable[Photo],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._slug = slug
        self._clock = clock
        self._began_s = clock()
        totals = Counter(photo.ref.source for photo in photos)
        self._of = {
            source: _Downloads(total=total, told_s=self._began_s)
            for source, total in totals.items()
        }

    def came(self, source: Source, *, size_bytes: int) -> None:
        """Count a photo whose bytes are stored."""
        self._of[source].came += 1
        self._of[source].size_bytes += size_bytes
        self._tell(source)

    def failed(self, photo: Photo, verdict: Verdict, detail: str) -> None:
        """Count a photo that did not come; of the first ones tell why."""
        downloads = self._of[photo.ref.source]
        few = downloads.faults.total() < _FAULTS_TOLD
        level = logging.WARNING if few else logging.DEBUG
        logger.log(level, "%s %s: %s", self._slug, photo.ref.photo_key, detail)
        downloads.faults[verdict] += 1
        self._tell(photo.ref.source)

    def kept_back(self, source: Source) -> None:
        """Count a photo that was not asked for."""
        self._of[source].kept_back += 1
        self._tell(source)

    def _tell(self, source: Source) -> None:
        downloads, now_s = self._of[source], self._clock()
        wait_s = max(_LEAST_S, (now_s - self._began_s) / _PART)
        is_last = downloads.done == downloads.total
        if is_last or now_s - downloads.told_s >= wait_s:
            downloads.told_s = now_s
            logger.info("%s %s: %s", self._slug, source.value, downloads.text)
