"""Pictures of which nothing is known, judged and clustered in one go.

For whoever keeps no judgements: benchmarks, tests. The pipeline stores them, see
`stages.dedupe`.
"""

from collections.abc import Sequence
from typing import Final

from phx_pipeline.dedup.cluster import Cluster, cluster
from phx_pipeline.dedup.judge import judged
from phx_pipeline.dedup.looks import Looks
from phx_pipeline.dedup.proposals import Candidate
from phx_pipeline.model.judgement import Judgement, Pair, by_pair

_KEPT: Final = 256  # pictures looked at: 240 MB


def cluster_afresh(candidates: Sequence[Candidate]) -> list[Cluster]:
    """Judge every pair that hashes propose, and group all candidates by that."""
    return Afresh().clusters(candidates)


class Afresh:
    """Groups several sets of pictures, of which some are in more than one.

    Pictures of one name are one picture. Each is looked at once, and each pair judged
    once.
    """

    def __init__(self) -> None:
        self._looks = Looks(kept=_KEPT)
        self._judged: dict[bool, dict[Pair, Judgement]] = {True: {}, False: {}}

    def clusters(
        self, candidates: Sequence[Candidate], *, choosing: bool = True
    ) -> list[Cluster]:
        """Group all candidates; unless *choosing* the best of each is any of them."""
        known = self._judged[choosing]
        found = judged(candidates, known, looks=self._looks, choosing=choosing)
        known |= by_pair(found)
        return cluster(candidates, judgements=known)
