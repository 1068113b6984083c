"""How each source is being asked, and whether runs ask it here."""

from dataclasses import dataclass

from phx_pipeline.model.circuit import Circuit
from phx_pipeline.model.standing import UNREADABLE, Means, Standing
from phx_pipeline.reads.base import Reads


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenSource:
    """One group of hosts: how it fares, and what this machine has to ask it with.

    `means` is None for a source that this version cannot read.
    """

    circuit: Circuit
    means: Means | None

    @property
    def name(self) -> str:
        """As that of its circuit."""
        return self.circuit.name

    @property
    def is_whole(self) -> bool:
        """Whether it stands for a source, not for its photo hosts or its browser."""
        return "/" not in self.name

    @property
    def standing(self) -> Standing:
        """Whether runs ask the source, were it not switched off."""
        return self.means.standing if self.means else UNREADABLE

    @property
    def why_not(self) -> str:
        """Why runs do not ask it; empty if they do."""
        if self.circuit.state.disabled:
            return "it is switched off"
        return self.standing.why_not


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenSources:
    """All groups of hosts at one moment; `now_s` is the catalogue's clock."""

    now_s: float
    rows: tuple[SeenSource, ...]


def read_sources(reads: Reads) -> SeenSources:
    """Return all groups of hosts there are, and those never asked, by name."""
    circuits = reads.circuits()
    return SeenSources(
        now_s=circuits.now_s,
        rows=tuple(
            SeenSource(circuit=it, means=_means(reads, it.name))
            for it in circuits.seen()
        ),
    )


def _means(reads: Reads, name: str) -> Means | None:
    whole = name.partition("/")[0]
    return next((it for source, it in reads.means().items() if source == whole), None)
