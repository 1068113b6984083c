"""Lines about what is open, by house and by source: why, and which command helps.

What a person should look at although nothing is open is told by `reads.status`.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from phx_pipeline.model.circuit import Circuits
from phx_pipeline.model.counted import counted
from phx_pipeline.model.due import next_day
from phx_pipeline.model.moments import day_start_s, moment
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.source import Source
from phx_pipeline.model.tally import PropertyTally, SourceTally
from phx_pipeline.reads.base import Reads
from phx_pipeline.storage.demo_stores import ONLY_BY_DEMO, is_demo


def open_lines(reads: Reads, tallies: Sequence[PropertyTally]) -> Iterator[str]:
    """Yield what is left to do, and from when on it may be asked for.

    Houses that wait for the same source, which rests, have one line together.
    """
    asking = _Asking(reads)
    left = [it for it in asked_now(reads, tallies) if not _is_done(it)]
    waiting: dict[Source, list[SourceTally]] = {}
    for tally in left:
        if asking.try_s(tally.source):
            waiting.setdefault(tally.source, []).append(tally)
    for tally in left:
        at_s = asking.try_s(tally.source)
        together = waiting.get(tally.source, [])
        if len(together) > 1:
            if tally is together[0]:
                yield _resting_line(together, at_s=at_s)
        else:
            yield _open_line(tally, at_s=at_s, today=asking.today)


def asked_now(reads: Reads, tallies: Iterable[PropertyTally]) -> list[SourceTally]:
    """Return what was told by sources that the next run asks, or fetches photos of."""
    off = reads.catalog.policies.switched_off()
    asked = {it for it in reads.enabled if reads.standing(it).is_asked}
    return [
        source
        for tally in tallies
        for source in tally.sources
        if source.source not in off and (source.source in asked or source.wanting)
    ]


def standing_lines(reads: Reads, *, among: Collection[Source]) -> Iterator[str]:
    """Yield a line for each source *among* those not asked, or not for all it has.

    Of one that is switched off that alone is told, whatever else it lacks.
    """
    off = reads.catalog.policies.switched_off()
    is_of_demo = is_demo(reads.layout)
    told = [it for it in reads.enabled if it in among]
    if is_of_demo and off.intersection(told):
        yield f"its sources are switched off: {ONLY_BY_DEMO}"
    for source in told:
        name, standing = source.value, reads.standing(source)
        if source in off and is_of_demo:
            continue
        if source in off:
            yield f"{name} is switched off: `phx sources enable {name}` has it asked"
        elif standing.told:
            yield f"{name} is {standing.sentence}"


def why_none_asked(reads: Reads) -> str:
    """Why no source is asked, whatever the house, and the remedy; empty if one is."""
    off = reads.catalog.policies.switched_off()
    if any(it not in off and reads.standing(it).is_asked for it in reads.enabled):
        return ""
    told = list(standing_lines(reads, among=set(reads.enabled) - off))
    if names := ", ".join(it.value for it in reads.enabled if it in off):
        remedy = "`phx sources enable NAME` has one asked again"
        remedy = ONLY_BY_DEMO if is_demo(reads.layout) else remedy
        told = [f"{names} switched off; {remedy}", *told]
    return f"no source is asked: {'; '.join(told)}"


@dataclass(frozen=True)
class _Asking:
    """From when on sources may be asked; the catalogue is read once."""

    reads: Reads

    @cached_property
    def today(self) -> date:
        return self.reads.today

    @cached_property
    def _circuits(self) -> Circuits:
        return self.reads.circuits()

    def try_s(self, source: Source) -> float:
        """The seconds since 1970 at which its rest ends; 0 if it does not rest."""
        return self._circuits.rest_end_s(source) or 0.0


def _is_done(tally: SourceTally) -> bool:
    return tally.outcome is None or tally.is_settled


def _resting_line(tallies: Sequence[SourceTally], *, at_s: float) -> str:
    """What the houses of *tallies* wait for: the source of them all, which rests."""
    source = tallies[0].source.value
    waiting = counted(len(tallies), "property")
    photos = sum(tally.wanting for tally in tallies)
    waiting += f" and {counted(photos, 'photo')}" if photos else ""
    waiting += " waits" if len(tallies) == 1 and not photos else " wait"
    cause = _cause(tallies)
    told = f"open: {source} rests, {waiting} for it{cause and ': '}{cause}"
    again = f"`phx extract --all` asks it again not before {moment(at_s)}"
    return f"{told}; {again}"


def _cause(tallies: Sequence[SourceTally]) -> str:
    """How the source ended for most; that it rested tells less than why."""
    ends = [it for it in tallies if it.outcome and not it.outcome.is_settled]
    why = [it for it in ends if it.outcome is not ListingOutcome.CIRCUIT_OPEN]
    told = Counter(f"{it.outcome}, {it.detail}".rstrip(", ") for it in why or ends)
    return told.most_common(1)[0][0] if told else ""


def _open_line(tally: SourceTally, *, at_s: float, today: date) -> str:
    told = [f"open: {tally.slug} {tally.source.value}: {tally.outcome}"]
    if to_fetch := tally.wanting - tally.faulted:
        told.append(f"{counted(to_fetch, 'photo')} to fetch")
    if tally.faulted:
        told.append(f"{counted(tally.faulted, 'photo')} without a picture so far")
        told[-1] += f" ({tally.fault})" if tally.fault else ""
    if detail := _detail(tally, rests=bool(at_s)):
        told.append(detail)
    when = f"not before {moment(at_s)}" if at_s else "any time"
    day = next_day(tally.faulted_on, today=today)
    if _has_only_faults(tally) and day > today and day_start_s(day) > at_s:
        when = f"not before {day}"
    between = "; without that " if "`phx " in detail else ", "
    return f"{', '.join(told)}{between}{_retry(tally)} {when}"


def _detail(tally: SourceTally, *, rests: bool) -> str:
    """Why it ended so; a rest that is over is told as such."""
    if tally.outcome is ListingOutcome.CIRCUIT_OPEN and not rests:
        return "it rested when it was to be asked"
    return tally.detail


def _retry(tally: SourceTally) -> str:
    return f"`phx extract --address {tally.slug}` retries it"


def _has_only_faults(tally: SourceTally) -> bool:
    """Whether nothing is open but photos for which asking counts once a day."""
    is_answered = tally.outcome is not None and tally.outcome.is_settled
    return is_answered and tally.wanting == tally.faulted
