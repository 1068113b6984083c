"""How well copies are found that are made of real photos, and which copy is kept.

    python -m phx_pipeline_tests.bench.copies ~/photos --half judging --seeds 5 --jobs 2

FOLDER holds photos that differ, named {house}_{anything}. Copies and look-alikes of
them are made, some houses at a time are compared, and the copy that is kept is judged.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from phx_pipeline.cli.bench.pictures import pictures_in
from phx_pipeline.cli.console import console, errors
from phx_pipeline.dedup.evaluate import NOTHING, Score
from phx_pipeline.errors import ImageError, InputError
from phx_pipeline.imaging.decode import decode
from phx_pipeline.model.counted import counted
from phx_pipeline.model.outcome import Verdict
from phx_pipeline_tests.bench.parts import judged_parts
from phx_pipeline_tests.corpus.copies import NEARLY, UNPROMISED
from phx_pipeline_tests.corpus.counts import Chosen, Judged, summed
from phx_pipeline_tests.corpus.halves import half_of
from phx_pipeline_tests.corpus.judged import Photo, parts

_SITE = "copies as sites make them"
_MARKED = "and as they mark and cut them"
_GROUPS = ("promised", "promised in 99 of 100", "not promised")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What of a corpus is judged, and how.

    Every so many houses of a half, with random numbers of so many seeds; so many jobs
    side by side. In the folder `kept`, if there is one, each part that is judged stays.
    """

    half: str
    seeds: int
    every: int
    jobs: int
    kept: Path | None


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--half",
    type=click.Choice(["tuning", "judging"]),
    default="judging",
    help="Judge the photos of this half of the houses; limits are set on the tuning "
    "half alone.",
)
@click.option(
    "--seeds",
    type=click.IntRange(min=1),
    default=1,
    help="Make copies this many times, with other random numbers. After five every "
    "photo has had every kind of worse copy.",
)
@click.option(
    "--every",
    type=click.IntRange(min=1),
    default=1,
    help="Take one house in this many.",
)
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    default=1,
    help="Judge the copies of so many properties side by side.",
)
@click.option(
    "--keep",
    "kept",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep the counts of each property and seed as a file in this folder. After "
    "an interruption what is there is not judged again, unless code or photos have "
    "changed.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, not text.")
def main(folder: Path, *, as_json: bool, **asked: Any) -> None:
    """Judge the rules on copies of the photos in FOLDER."""
    _judge_on_corpus(folder, Asked(**asked), as_json=as_json)


def _judge_on_corpus(folder: Path, asked: Asked, *, as_json: bool) -> None:
    """Make the corpus that is asked for of the photos in *folder*, judge and print."""
    half, seeds = asked.half, asked.seeds
    photos = _photos(folder, half=half, every=asked.every)
    each = parts(photos, seeds=range(1, seeds + 1))
    judged = summed(judged_parts(each, jobs=asked.jobs, kept=asked.kept))
    if as_json:
        click.echo(json.dumps(_plain(judged), indent=2))
        return
    houses = len({it.house for it in photos})
    console.print(
        f"{half} half: {counted(len(photos), 'photo')} of {counted(houses, 'house')}, "
        f"{counted(seeds, 'seed')}"
    )
    console.print(_copies_table(judged))
    console.print(_others_table(judged.others))
    console.print(_choices_table(judged.choices))


def _photos(folder: Path, *, half: str, every: int) -> list[Photo]:
    files = {file: file.stem.partition("_")[0] for file in pictures_in(folder)}
    houses = sorted({it for it in files.values() if half_of(it) == half})[::every]
    if not houses:
        raise InputError(f"{folder}: no photo is of a house of the {half} half")
    bodies = {file: _body(file) for file, house in files.items() if house in houses}
    photos = [
        Photo(house=files[file], name=file.stem, body=body)
        for file, body in bodies.items()
        if body is not None
    ]
    if not photos:
        raise InputError(f"{folder}: no picture that can be read")
    return photos


def _body(file: Path) -> bytes | None:
    """Return the bytes of a picture; None, and say why, where it cannot be read.

    One that is too small is a picture: its copies are judged.
    """
    body = file.read_bytes()
    try:
        decode(body)
    except ImageError as error:
        if error.verdict is not Verdict.TOO_SMALL:
            errors.print(f"left out: {file.name}: {error}", soft_wrap=True)
            return None
    return body


def _plain(judged: Judged) -> dict[str, Any]:
    sums = {**_sums(judged), _SITE: judged.site, _MARKED: judged.marked}
    return {
        "sums": {name: _plain_score(it) for name, it in sums.items()},
        "operations": {it: _plain_score(s) for it, s in judged.operations.items()},
        "others": {it: _plain_score(s) for it, s in judged.others.items()},
        "choices": {kind: asdict(it) for kind, it in judged.choices.items()},
    }


def _plain_score(score: Score) -> dict[str, Any]:
    extra = {"recall": score.recall, "shown_twice": score.shown_twice}
    return {**asdict(score), "wrong": score.wrong, **extra}


def _sums(judged: Judged) -> dict[str, Score]:
    """Return the score of all operations that are promised alike, by the promise."""
    sums = dict.fromkeys(_GROUPS, NOTHING)
    for kind, score in judged.operations.items():
        sums[_promise(kind)] += score
    return sums


def _promise(kind: str) -> str:
    if kind in UNPROMISED:
        return _GROUPS[2]
    return _GROUPS[1] if kind in NEARLY else _GROUPS[0]


def _copies_table(judged: Judged) -> Table:
    table = Table("copies", title="Copies that are to be found")
    for column in ("pairs", "recall", "wrong", "lost", "twice"):
        table.add_column(column, justify="right")
    _add(table, _SITE, judged.site)
    _add(table, _MARKED, judged.marked)
    for promise, total in _sums(judged).items():
        table.add_section()
        _add(table, f"{promise}: all", total)
        for kind, score in judged.operations.items():
            if _promise(kind) == promise:
                _add(table, kind, score)
    return table


def _add(table: Table, name: str, it: Score) -> None:
    cells = (f"{it.recall:.4f}", str(it.wrong), str(it.lost), f"{it.shown_twice:.2%}")
    table.add_row(name, str(it.pairs), *cells)


def _others_table(others: Mapping[str, Score]) -> Table:
    table = Table("pictures", title="Pictures that are to stay apart")
    for column in ("photos", "wrong pairs", "lost"):
        table.add_column(column, justify="right")
    for kind, it in others.items():
        table.add_row(kind, str(it.photos), str(it.wrong), str(it.lost))
    return table


def _choices_table(choices: Mapping[str, Chosen]) -> Table:
    table = Table("the other copy", title="The clean copy is kept")
    for column in ("right", "wrong", "share", "left apart"):
        table.add_column(column, justify="right")
    for kind, it in sorted(choices.items()):
        table.add_row(kind, *_cells(it.right, it.wrong, it.apart))
    table.add_section()
    table.add_row("all", *_cells(*_summed(choices.values())))
    return table


def _summed(choices: Iterable[Chosen]) -> tuple[int, int, int]:
    each = [(it.right, it.wrong, it.apart) for it in choices]
    right, wrong, apart = (sum(column) for column in zip(*each, strict=True))
    return right, wrong, apart


def _cells(right: int, wrong: int, apart: int) -> tuple[str, str, str, str]:
    share = f"{right / (right + wrong):.3f}" if right + wrong else "-"
    return str(right), str(wrong), share, str(apart)


if __name__ == "__main__":
    main()
