"""One picture in place of many photos: what a photo host shows in a bad minute.

"Temporarily unavailable" may come as a good picture, for each photo asked for. Bytes
that only look alike are no concern of this module: dedupe and cards judge those.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import Final

from phx_pipeline.errors import ImageError
from phx_pipeline.model.counted import counted
from phx_pipeline.model.due import faults_after
from phx_pipeline.model.outcome import Verdict
from phx_pipeline.model.photo import Photo, PhotoKey

MOST_ALIKE: Final = 3
"""Photos of one gallery that may be the very same bytes: agents upload some twice."""


class Repeats:
    """The bytes of one property's photos, by how many photos have them.

    More photos with the same bytes than `MOST_ALIKE` gave no picture, until so many
    days have told the same that it is what the gallery shows.
    """

    def __init__(
        self, photos: Iterable[Photo], *, final_after_days: int, today: date
    ) -> None:
        self._final_after_days = final_after_days
        self._today = today
        self._keys: dict[PhotoKey, set[str]] = defaultdict(set)
        for photo in photos:
            if photo.sha256 is not None:
                self._keys[photo.ref.source, photo.sha256].add(photo.ref.photo_key)
        self._held = frozenset(self._keys)
        self.new: dict[str, ImageError] = {}
        """By SHA-256, what is wrong with bytes that first came in this run."""

    def check(self, photo: Photo, sha256: str) -> None:
        """Note that *photo* came as these bytes.

        Raises:
            ImageError: too many others did so too.
        """
        bytes_of = (photo.ref.source, sha256)
        keys = self._keys[bytes_of]
        if photo.ref.photo_key not in keys and len(keys) >= MOST_ALIKE:
            days, _ = faults_after(photo, Verdict.PLACEHOLDER, today=self._today)
            if days < self._final_after_days:
                told = f"the same picture came for {counted(len(keys), 'other photo')}"
                error = ImageError(told, verdict=Verdict.PLACEHOLDER)
                if bytes_of not in self._held:
                    self.new[sha256] = error
                raise error
        keys.add(photo.ref.photo_key)
