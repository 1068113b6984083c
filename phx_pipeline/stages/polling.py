"""Asks the backends about the pictures of a house, each only for what it has not said.

What the votes amount to is decided in `categorize`.
"""

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from phx_pipeline.catalog.leases import Lease
from phx_pipeline.catalog.votes import EvidenceKey
from phx_pipeline.categorize.base import Abstention, Categorizer, Evidence, Vote
from phx_pipeline.model.counted import counted
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.evidence import Originals

logger = logging.getLogger(__name__)

Answer: TypeAlias = Vote | Abstention


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """One backend: what it has said of pictures, and of which it is to be asked."""

    backend: Categorizer
    keys: tuple[EvidenceKey, ...]
    answers: dict[EvidenceKey, Answer]
    open: dict[EvidenceKey, Evidence]


def read_polls(context: StageContext, pictures: Sequence[Evidence]) -> list[Poll]:
    """Return, for each backend, what is known of *pictures*; nobody is asked.

    What one that is missing for now has said last goes on counting, in whatever
    version: names do not change because a library is away for a day.
    """
    polls = [_read(context, it, pictures) for it in context.categorizers]
    return polls + [
        _read_away(context, it, pictures) for it in context.away_categorizers
    ]


def ask(context: StageContext, lease: Lease, poll: Poll, originals: Originals) -> None:
    """Ask a backend about what is open, and keep what it says.

    Of a picture that could not be read nothing is kept, nor what a backend could not do
    just now: both may be back next time.
    """
    if not poll.open:
        return
    answers = poll.backend.categorize(list(poll.open.values()))
    given = dict(zip(poll.open, answers, strict=True))
    lasting = {
        key: answer
        for key, answer in given.items()
        if isinstance(answer, Vote)
        or not (answer.is_passing or originals.is_unreadable(key[0]))
    }
    _tell_passing(poll.backend, given.values())
    context.catalog.votes.record(lease, lasting)
    poll.answers.update(given)


def votes_on(
    pictures: Sequence[Evidence], polls: Sequence[Poll]
) -> list[tuple[Vote, ...]]:
    """Return the votes on each picture, in the order of the backends."""
    return [
        tuple(
            answer
            for poll in polls
            if isinstance(answer := poll.answers.get(poll.keys[place]), Vote)
        )
        for place in range(len(pictures))
    ]


def _tell_passing(backend: Categorizer, answers: Collection[Answer]) -> None:
    """Tell in one line what a backend could not do just now."""
    told = [it.reason for it in answers if isinstance(it, Abstention) and it.is_passing]
    if told:
        many = counted(len(told), "picture")
        logger.warning("%s named without %s: %s", many, backend.name, told[0])


def _read_away(
    context: StageContext, backend: Categorizer, pictures: Sequence[Evidence]
) -> Poll:
    keys = _keys(backend, pictures)
    known = context.catalog.votes.last_given({sha for sha, _ in keys}, backend.name)
    return Poll(backend=backend, keys=keys, answers=known, open={})


def _keys(
    backend: Categorizer, pictures: Sequence[Evidence]
) -> tuple[EvidenceKey, ...]:
    return tuple((it.sha256, backend.reads(it)) for it in pictures)


def _read(
    context: StageContext, backend: Categorizer, pictures: Sequence[Evidence]
) -> Poll:
    keys = _keys(backend, pictures)
    shas = {sha for sha, _ in keys}
    known = context.catalog.votes.given(shas, backend.name, backend.version)
    pairs = zip(keys, pictures, strict=True)
    return Poll(
        backend=backend,
        keys=keys,
        answers=known,
        open={key: it for key, it in pairs if key not in known},
    )
