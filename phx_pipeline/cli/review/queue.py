"""`phx review list`: the pictures that are worth a look."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table

from phx_pipeline.cli.console import console, print_table
from phx_pipeline.cli.options import json_option
from phx_pipeline.cli.outputs import OutputFile, tell_written
from phx_pipeline.cli.review.chosen import (
    everything_option,
    house_option,
    slug_of,
    subject_named,
    subject_option,
)
from phx_pipeline.cli.session import opened
from phx_pipeline.model.counted import counted
from phx_pipeline.model.taxonomy import Subject

if TYPE_CHECKING:
    from phx_pipeline.model.vote import Named, Vote
    from phx_pipeline.workflows.review_queue import Entry

_LISTED = 25
_GUESSED = 0.2  # below it the likeliest subject is no opinion


@click.command("list")
@house_option
@subject_option
@everything_option
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    metavar="N",
    default=_LISTED,
    show_default=True,
    help="List at most so many.",
)
@click.option(
    "--sheet",
    type=OutputFile(".jpg", ".jpeg"),
    help="Write a JPEG that shows the listed pictures, with their ids.",
)
@json_option
def list_(
    *,
    house: str | None,
    subject: str | None,
    everything: bool,
    limit: int,
    sheet: Path | None,
    as_json: bool,
) -> None:
    """List the pictures to look at, the one that teaches most first.

    First those that people named differently (the newest word counts until you say
    more), then those on which what was read and what was seen disagree, then the
    unknown, then the unsure: below 85 %, the nearest to it first, and of those as near
    the subjects with the fewest reviews. Of one house a few come at a time.

    \b
    Examples:
      phx review list --limit 50 --sheet queue.jpg
      phx review list --house 686067a4 --subject unknown
      phx review list --house 686067a4 --all --json
    """
    from phx_pipeline.storage.outputs import write_output
    from phx_pipeline.workflows.review_queue import file_of, queue_sheet, review_queue

    with opened() as context:
        slug = slug_of(context, house)
        named = subject_named(subject)
        queue = review_queue(
            context, slug=slug, subject=named, limit=limit, everything=everything
        )
        if sheet is not None:
            write_output(sheet, queue_sheet(context, queue.entries))
            tell_written("the sheet is", sheet, as_json=as_json)
        files = [str(file_of(context, entry)) for entry in queue.entries]
    if as_json:
        rows = [_plain(it, file) for it, file in zip(queue.entries, files, strict=True)]
        click.echo(json.dumps(rows, indent=2))
        return
    if not queue.entries:
        more = "" if everything else " (--all lists also what is sure or reviewed)"
        console.print(f"no picture waits for a look{more}", soft_wrap=True)
        return
    print_table(_table(queue.entries, files))
    console.print(_shown(len(queue.entries), queue.total), soft_wrap=True)


def _table(entries: "Sequence[Entry]", files: Sequence[str]) -> Table:
    table = Table("id", "shows", "sure", "why here", "file")
    for it, file in zip(entries, files, strict=True):
        now = it.picture.category
        shows, sure = f"{now.location} {now.subject}", f"{now.confidence} %"
        table.add_row(it.id, shows, sure, _standing(it), file)
    return table


def _standing(entry: "Entry") -> str:
    told = [entry.standing.value]
    if entry.ruled is not None:
        rulings = (entry.ruled.ruling, *entry.ruled.overruled)
        told += [f"{it.value} by {it.who}" for it in rulings]
    else:
        told += [_vote_text(it) for it in entry.picture.named.votes]
        told += _untaken(entry)
    return ", ".join(told)


def _untaken(entry: "Entry") -> list[str]:
    """Tell why a subject that somebody names is not the name."""
    from phx_pipeline.categorize.fusion import NAMED_AT

    named = entry.picture.named
    likely = max((_likeliest(it)[1] for it in named.votes), default=0.0)
    is_unknown = named.category.subject is Subject.UNKNOWN
    if not is_unknown or likely < NAMED_AT or len(named.votes) == 1:
        return []
    told = f"not named: with all that was said it is only {_cut(named)} likely"
    return [told]


def _cut(named: "Named") -> str:
    """Return the probability in percent, cut: what is below a limit is told below."""
    return f"{int(100 * named.probability)}%"


def _vote_text(vote: "Vote") -> str:
    subject, probability = _likeliest(vote)
    if probability >= _GUESSED:
        return f"{vote.backend} {subject} {probability:.0%}"
    return f"{vote.backend} does not know it{_place_text(vote)}"


def _place_text(vote: "Vote") -> str:
    from phx_pipeline.categorize.fusion import SURELY_INSIDE, SURELY_OUTSIDE

    if vote.outside is None or SURELY_INSIDE < vote.outside < SURELY_OUTSIDE:
        return ""
    return f" but sees it {'out of' if vote.outside >= SURELY_OUTSIDE else 'in'} doors"


def _likeliest(vote: "Vote") -> tuple[Subject, float]:
    return max(
        vote.probabilities.items(),
        key=lambda it: (it[1], it[0]),
        default=(Subject.UNKNOWN, 0.0),
    )


def _shown(listed: int, total: int) -> str:
    if listed == total:
        return counted(total, "picture")
    return f"{listed} of {counted(total, 'picture')} (--limit lists more)"


def _plain(entry: "Entry", file: str) -> dict[str, Any]:
    from phx_pipeline.catalog.votes import vote_values
    from phx_pipeline.workflows.rulings import plain_ruling

    picture, ruled = entry.picture, entry.ruled
    rulings = () if ruled is None else (ruled.ruling, *ruled.overruled)
    return {
        "id": entry.id,
        "property": picture.slug,
        "source": picture.source.value,
        "photo_key": picture.photo_key,
        "file": file,
        "location": picture.category.location.value,
        "subject": picture.category.subject.value,
        "confidence": picture.category.confidence,
        "standing": entry.standing.value,
        "votes": list(map(vote_values, picture.named.votes)),
        "rulings": list(map(plain_ruling, rulings)),
    }
