"""`phx bench dedup`: how well copies are found where the groups are known."""

import csv
import json
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table

from phx_pipeline.cli.bench.clocks import cpu_ms
from phx_pipeline.cli.bench.looks import candidate
from phx_pipeline.cli.bench.pictures import pictures_in
from phx_pipeline.cli.console import console, errors
from phx_pipeline.cli.options import json_option
from phx_pipeline.errors import ImageError, InputError
from phx_pipeline.model.counted import counted

if TYPE_CHECKING:
    from phx_pipeline.dedup.evaluate import Pair, Score
    from phx_pipeline.dedup.proposals import Candidate

_MAX_PHASH, _MAX_DHASH = 8, 10  # of the rule compared with


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--labels",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Read the groups from this CSV with the columns file and group; by "
    "default from names such as {group}_{anything}.jpg.",
)
@json_option
def dedup(folder: Path, *, labels: Path | None, as_json: bool) -> None:
    """Count how well copies are found where the groups are known.

    FOLDER holds pictures of which those of one group are copies of each other, and no
    others. All are compared as if one house had them. Printed are precision, recall and
    photos lost, for our rule and for the plain rule on the hashes of imagehash. A file
    that cannot be read as a picture is left out, and named.

    \b
    Examples:
      phx bench dedup ~/pairs
      phx bench dedup ~/photos --labels groups.csv --json
    """
    groups = _labelled(folder, labels)
    with cpu_ms() as spent:
        readable = {file: it for file in groups if (it := _readable(file)) is not None}
    prepared = spent[0] / len(groups)
    if not readable:
        raise InputError(f"{folder}: no picture that can be read")
    groups = {file: groups[file] for file in readable}
    candidates = list(readable.values())
    scores = _scores(list(groups.values()), candidates)
    peer = _imagehash_pairs(list(groups))
    scores["imagehash, pHash <= 8 and dHash <= 10"] = _of_pairs(groups, peer)
    scores["the same through 8 x 8 bands"] = _of_pairs(
        groups, [pair for pair in peer if _share_a_band(*pair, candidates)]
    )
    if as_json:
        found = {name: _plain(score) for name, score in scores.items()}
        click.echo(json.dumps({"prepare_cpu_ms": prepared, "rules": found}, indent=2))
        return
    console.print(_score_table(scores))
    console.print(f"decode, hashes, thumbnail: {prepared:.1f} ms CPU per picture")


def _readable(file: Path) -> "Candidate | None":
    """Return the picture of a file; None, and say why, where it cannot be read."""
    try:
        return candidate(file.read_bytes(), name=file.name)
    except ImageError as error:
        errors.print(f"left out: {file.name}: {error}", soft_wrap=True)
        return None


def _labelled(folder: Path, labels: Path | None) -> dict[Path, str]:
    """Return the group of each picture, by path in order of names."""
    if labels is None:
        groups = {
            file: file.stem.rpartition("_")[0] or file.stem
            for file in pictures_in(folder)
        }
    else:
        with labels.open(encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines))
        if not rows or not {"file", "group"} <= rows[0].keys():
            raise InputError(f"{labels}: needs the columns file and group")
        groups = {folder / row["file"]: row["group"] for row in rows}
    if missing := [file for file in groups if not file.is_file()]:
        raise InputError(f"{missing[0]}: no such file")
    return groups


def _scores(
    groups: Sequence[str], candidates: Sequence["Candidate"]
) -> dict[str, "Score"]:
    from dataclasses import replace

    from phx_pipeline.dedup.afresh import cluster_afresh
    from phx_pipeline.dedup.evaluate import score_clusters

    numbered = [replace(it, sha256=str(index)) for index, it in enumerate(candidates)]
    bare = [replace(it, appearance=None) for it in numbered]
    return {
        "phx": score_clusters(groups, cluster_afresh(numbered)),
        "phx, hashes only": score_clusters(groups, cluster_afresh(bare)),
    }


def _of_pairs(groups: Mapping[Path, str], pairs: Sequence["Pair"]) -> "Score":
    from phx_pipeline.dedup.evaluate import score_pairs

    return score_pairs(list(groups.values()), pairs)


def _imagehash_pairs(files: Sequence[Path]) -> list["Pair"]:
    """Return the pairs within both distances, hashed by the library itself."""
    import imagehash
    from PIL import Image

    hashed = []
    for file in files:
        with Image.open(file) as image:
            hashed.append((imagehash.phash(image), imagehash.dhash(image)))
    return [
        (a, b)
        for a, b in combinations(range(len(hashed)), 2)
        if hashed[a][0] - hashed[b][0] <= _MAX_PHASH
        and hashed[a][1] - hashed[b][1] <= _MAX_DHASH
    ]


def _share_a_band(a: int, b: int, candidates: Sequence["Candidate"]) -> bool:
    differing = candidates[a].hashes.phash ^ candidates[b].hashes.phash
    return 0 in differing.to_bytes(8, "big")


def _plain(score: "Score") -> dict[str, Any]:
    from dataclasses import asdict

    return {**asdict(score), "precision": score.precision, "recall": score.recall}


def _score_table(scores: Mapping[str, "Score"]) -> Table:
    first = next(iter(scores.values()))
    pictures = counted(first.pictures, "picture")
    photos, pairs = counted(first.photos, "photo"), counted(first.pairs, "pair")
    title = f"{pictures} of {photos}, {pairs}"
    table = Table("rule", title=title)
    for column in ("precision", "recall", "wrong pairs", "photos lost", "copies left"):
        table.add_column(column, justify="right")
    for name, it in scores.items():
        cells = (it.wrong, it.lost, it.left_in)
        table.add_row(name, f"{it.precision:.5f}", f"{it.recall:.5f}", *map(str, cells))
    return table
