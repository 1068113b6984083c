"""Judging the pairs of a house's pictures in a run, and keeping what was judged.

What pixels tell of a pair is found in `dedup.judge`; what follows for the photos, in
`stages.dedupe`.
"""

import logging
from collections.abc import Sequence

from phx_pipeline.catalog.leases import Lease
from phx_pipeline.dedup.judge import judged
from phx_pipeline.dedup.proposals import Candidate
from phx_pipeline.dedup.sights import Sight, sight_of
from phx_pipeline.errors import ImageError, StorageError
from phx_pipeline.imaging.decode import decode
from phx_pipeline.model.judgement import Judgement, Pair, by_pair
from phx_pipeline.stages.context import StageContext

logger = logging.getLogger(__name__)


class Judging:
    """Judges one house in one run, and tells once of an original it cannot read."""

    def __init__(self, context: StageContext, lease: Lease, slug: str) -> None:
        self._context, self._lease, self._slug = context, lease, slug
        self._unreadable: set[str] = set()

    def judged(self, candidates: Sequence[Candidate]) -> dict[Pair, Judgement]:
        """Return what is known of all pairs; judge, and store, what is new."""
        book = self._context.catalog.judgements
        known = book.of_house(self._slug)
        fresh = list(judged(candidates, known))
        if fresh:
            book.record(self._lease, fresh)
        return known | by_pair(fresh)

    def sight(self, sha: str) -> Sight | None:
        """Return what pairs are judged by, or None where it cannot be read."""
        if sha in self._unreadable:
            return None
        try:
            body = self._context.blobs.read_raw(sha)
            with self._context.room_for(body):
                return sight_of(decode(body).image)
        except (ImageError, StorageError) as error:
            logger.warning("%s: judged by what is known of it", error)
            self._unreadable.add(sha)
            return None
