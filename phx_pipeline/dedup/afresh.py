"""Pictures of which nothing is known, judged and clustered in one go.

For whoever keeps no judgements: benchmarks, tests. The pipeline stores them, see
`stages.dedupe`.
"""

from collections.abc import Sequence

from phx_pipeline.dedup.cluster import Cluster, cluster
from phx_pipeline.dedup.judge import judged
from phx_pipeline.dedup.proposals import Candidate
from phx_pipeline.model.judgement import by_pair


def cluster_afresh(candidates: Sequence[Candidate]) -> list[Cluster]:
    """Judge every pair that hashes propose, and group all candidates by that."""
    return cluster(candidates, judgements=by_pair(judged(candidates, {})))
