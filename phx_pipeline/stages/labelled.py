"""Judges the backends on files that somebody labelled; the catalogue is not changed."""

import csv
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from phx_pipeline.categorize.base import Evidence, Said
from phx_pipeline.categorize.learning.lessons import Course, Reviewed, scores_of
from phx_pipeline.errors import ImageError, InputError
from phx_pipeline.imaging.glimpse import glimpse
from phx_pipeline.model.nearest import did_you_mean
from phx_pipeline.model.source import Source
from phx_pipeline.model.taxonomy import Subject
from phx_pipeline.model.vote import Vote
from phx_pipeline.stages.context import StageContext, in_one
from phx_pipeline.stages.learning import Evaluation
from phx_pipeline.stages.trained_models import model_in_use

logger = logging.getLogger(__name__)

_COLUMNS: Final = ("file", "subject")
_AT_ONCE: Final = 200
_NAMES: Final = {it.value: it for it in Subject if it is not Subject.UNKNOWN}


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A file, what it shows, its house if that was told, and its caption."""

    path: Path
    subject: Subject
    house: str
    caption: str


def read_labels(labels: Path, folder: Path) -> list[Labelled]:
    """Read a CSV with the columns file and subject, and house and caption if it has.

    Raises:
        InputError: it cannot be used; tells the line and what is wrong with it.
    """
    found = list(_rows(labels, folder))
    if not found:
        raise InputError(f"{labels}: no picture is labelled there")
    return found


def evaluate_files(context: StageContext, labelled: list[Labelled]) -> Evaluation:
    """Judge what is in use by labelled files.

    A backend that has nothing to say of a file is not judged by it. Files that are no
    pictures, or too small, are told in one line.

    Raises:
        InputError: a file cannot be opened, or no backend says anything of any.
    """
    used = model_in_use(context.catalog)
    faults: list[str] = []
    reviewed: list[Reviewed] = []
    votes: list[tuple[Vote, ...]] = []
    for start in range(0, len(labelled), _AT_ONCE):
        some = labelled[start : start + _AT_ONCE]
        pictures = [_evidence(it, start + at, faults) for at, it in enumerate(some)]
        given = [it.categorize(pictures) for it in context.categorizers]
        for place, it in enumerate(some):
            cast = tuple(one[place] for one in given)
            votes.append(tuple(vote for vote in cast if isinstance(vote, Vote)))
            reviewed.append(
                Reviewed(
                    sha256=pictures[place].sha256,
                    house=it.house,
                    subject=it.subject,
                    votes=votes[-1],
                    features=None,
                )
            )
    if not any(votes):
        raise InputError(
            f"no backend says anything of these files: {in_one(faults or ['no words'])}"
        )
    if faults:
        logger.warning("%s: no pixels to judge by", in_one(faults))
    course = Course(
        reviewed=reviewed,
        others=(),
        network="",
        in_use=used.model if used else None,
        knows={it.name: it.knows for it in context.categorizers},
    )
    return Evaluation(
        scores=scores_of(course, votes),
        pictures=len(labelled),
        houses=len({it.house for it in labelled if it.house}),
        model=used.row.id if used else None,
    )


def _rows(labels: Path, folder: Path) -> Iterator[Labelled]:
    try:
        with labels.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines)
            lacking = [it for it in _COLUMNS if it not in (reader.fieldnames or ())]
            if lacking:
                raise InputError(
                    f"{labels}: the first line must name the columns file and subject; "
                    f"it lacks {' and '.join(lacking)}"
                )
            for row in reader:
                yield _label(row, folder, where=f"{labels}: line {reader.line_num}")
    except OSError as error:
        raise InputError(f"{labels} cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{labels} is no CSV in UTF-8: {error}") from error


def _label(row: dict[str, str | None], folder: Path, *, where: str) -> Labelled:
    name = (row["file"] or "").strip()
    word = (row["subject"] or "").strip().lower().rpartition("/")[2]
    if not name:
        raise InputError(f"{where} names no file")
    if word not in _NAMES:
        raise InputError(
            f"{where}: there is no subject {row['subject']!r}"
            f"{did_you_mean(word, _NAMES)}: give one of {', '.join(_NAMES)}"
        )
    path = folder / name
    if not path.is_file():
        raise InputError(f"{where}: there is no file {path}")
    return Labelled(
        path=path,
        subject=_NAMES[word],
        house=(row.get("house") or "").strip(),
        caption=(row.get("caption") or "").strip(),
    )


def _evidence(labelled: Labelled, number: int, faults: list[str]) -> Evidence:
    try:
        body = labelled.path.read_bytes()
    except OSError as error:
        raise InputError(f"{labelled.path}: {error.strerror}") from error
    said = Said(
        source=Source.ZILLOW,
        photo_key=str(number),
        position=number,
        caption=labelled.caption,
        tags=(),
    )
    return Evidence(
        sha256=sha256(body).hexdigest(),
        said=(said,),
        pixels=partial(_pixels, body, labelled.path, faults),
    )


def _pixels(body: bytes, path: Path, faults: list[str]) -> NDArray[np.uint8]:
    try:
        return glimpse(body)
    except ImageError as error:
        faults.append(f"{path}: {error}")
        raise
