"""What there is of each house and what is still open: the lines a person should see.

Whether the servers of `phx up` run is not told here.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from phx_pipeline.model.conflicts import Conflict
from phx_pipeline.model.counted import counted
from phx_pipeline.model.drift import Drift
from phx_pipeline.model.property import Property
from phx_pipeline.model.tally import PropertyTally
from phx_pipeline.reads.base import Reads
from phx_pipeline.reads.drift import drift_lines, drifting
from phx_pipeline.reads.facts import conflict_lines, conflicts_by_property
from phx_pipeline.reads.open_lines import open_lines, standing_lines
from phx_pipeline.reads.quarantine import cases
from phx_pipeline.reads.tallies import tallies


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The counts of houses, and what a person should know of them.

    Attributes:
        tallies: the counts, by key.
        suspects: how many photos of a house may be of another one, by key.
        conflicts: in what the sources of a house disagree, by key.
        drift: the fields that pages of the sources lack of late.
    """

    tallies: Sequence[PropertyTally]
    suspects: Mapping[str, int]
    conflicts: Mapping[str, Sequence[Conflict]]
    drift: tuple[Drift, ...]

    @property
    def complete(self) -> int:
        """How many houses are complete."""
        return sum(tally.is_complete for tally in self.tallies)


def read_status(reads: Reads, *, slugs: Collection[str] | None = None) -> Status:
    """Return the status of the houses with these keys, of all by default."""
    return Status(
        tallies=tallies(reads, slugs=slugs),
        suspects=suspects_of(reads, slugs=slugs),
        conflicts=conflicts_by_property(reads.catalog, slugs),
        drift=drifting(reads.catalog, today=reads.today),
    )


def suspects_of(
    reads: Reads, *, slugs: Collection[str] | None = None
) -> Mapping[str, int]:
    """Return how many photos of each house may be of another one; 0 for others."""
    found = Counter(case.photo.slug for case in cases(reads.catalog))
    if slugs is None:
        return found
    return Counter({slug: found[slug] for slug in slugs if slug in found})


def status_lines(reads: Reads, status: Status) -> Iterator[list[str]]:
    """Yield the lines of each kind, the most pressing first.

    What is open and why stands with the command that helps.
    """
    told = status.tallies
    yield list(drift_lines(status.drift))
    yield list(_twin_lines(reads.catalog.houses.twins()))
    yield list(open_lines(reads, told))
    yield [*standing_lines(reads, among=reads.enabled), *reads.naming_gaps()]
    yield list(_outdated_lines(told))
    yield list(conflict_lines(status.conflicts))
    yield list(_suspect_lines(status.suspects))
    yield list(_unknown_lines(told))


def look_lines(reads: Reads, slugs: Collection[str]) -> Iterator[str]:
    """Yield what a person should look at, of the houses a command worked on."""
    yield from _suspect_lines(suspects_of(reads, slugs=slugs))
    yield from _unknown_lines(tallies(reads, slugs=slugs))


def _twin_lines(twins: Iterable[Sequence[Property]]) -> Iterator[str]:
    for keep, *others in twins:
        for other in others:
            yield (
                f"twin: {other.slug} is the same house as {keep.slug}: "
                f"`phx properties merge {keep.slug} {other.slug}` makes them one"
            )


def _outdated_lines(told: Iterable[PropertyTally]) -> Iterator[str]:
    for tally in told:
        if tally.outdated:
            yield (
                f"open: {tally.slug}: {counted(tally.outdated, 'file')} made "
                "otherwise than now (by an older version, or with another "
                "PHX_IMAGE_FORMAT or PHX_MAX_SIDE); `phx rebuild` makes them anew"
            )


def _unknown_lines(told: Iterable[PropertyTally]) -> Iterator[str]:
    for tally in told:
        if tally.is_unknown:
            yield (
                f"look: {tally.slug}: no source knows this address: is it right? "
                f"`phx properties rename {tally.slug} ADDRESS` corrects it"
            )


def _suspect_lines(suspects: Mapping[str, int]) -> Iterator[str]:
    for slug, count in sorted(suspects.items()):
        yield (
            f"look: {slug}: {counted(count, 'photo')} may be of another house "
            f"(`phx quarantine list --property {slug}`)"
        )
