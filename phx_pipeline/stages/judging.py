"""Judging the pairs of a house's pictures in a run, and keeping what was judged.

What pixels tell of a pair is found in `dedup.judge`; what follows for the photos, in
`stages.dedupe`.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from time import monotonic
from typing import Final

from phx_pipeline.catalog.leases import Lease
from phx_pipeline.dedup.judge import judged
from phx_pipeline.dedup.proposals import Candidate
from phx_pipeline.dedup.sights import View, view_of
from phx_pipeline.errors import ImageError, PhxError, StorageError
from phx_pipeline.imaging.decode import decode
from phx_pipeline.model.judgement import Judgement, Pair, Ruled, by_pair
from phx_pipeline.stages.context import StageContext, in_one

logger = logging.getLogger(__name__)

_MANY: Final = 50  # judgements stored at once
_LONG_S: Final = 2.0  # what is judged waits so long at most to be stored


class Judging:
    """Judges one house in one run, and tells once of an original it cannot read."""

    def __init__(self, context: StageContext, lease: Lease, slug: str) -> None:
        self._context, self._lease, self._slug = context, lease, slug
        self._unreadable: set[str] = set()

    def judged(
        self, candidates: Sequence[Candidate], ruled: Ruled
    ) -> dict[Pair, Judgement]:
        """Return what is known of pairs; judge, and store, what is new and matters.

        It is stored as it comes, so that a killed run loses the last moments only.
        """
        known = self._context.catalog.judgements.of_house(self._slug)
        fresh = judged(candidates, known, ruled=ruled)
        return known | by_pair(chain.from_iterable(map(self._kept, _batches(fresh))))

    def _kept(self, judgements: list[Judgement]) -> list[Judgement]:
        self._context.catalog.judgements.record(self._lease, judgements)
        return judgements

    def view(self, sha: str) -> View | None:
        """Return what pairs are judged by, or None where it cannot be read."""
        if sha in self._unreadable:
            return None
        try:
            body = self._context.blobs.read_raw(sha)
            with self._context.room_for(body):
                return view_of(decode(body).image)
        except (ImageError, StorageError) as error:
            self.tell_unreadable({sha: error})
            return None

    def tell_unreadable(self, faults: Mapping[str, PhxError]) -> None:
        """Tell in one line of originals that cannot be read; of each once in a run."""
        told = [str(it) for sha, it in faults.items() if sha not in self._unreadable]
        self._unreadable |= faults.keys()
        if told:
            logger.warning("%s: judged by what is known of it", in_one(told))


def _batches(judgements: Iterable[Judgement]) -> Iterator[list[Judgement]]:
    """Yield judgements in lists as they come: many at once, or those of some time."""
    some: list[Judgement] = []
    since_s = monotonic()
    for it in judgements:
        some.append(it)
        if len(some) >= _MANY or monotonic() - since_s >= _LONG_S:
            yield some
            some, since_s = [], monotonic()
    if some:
        yield some
