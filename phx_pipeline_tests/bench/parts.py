"""Judging the parts of a corpus side by side, and keeping what each came to."""

import json
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from multiprocessing import get_context
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import PIL

from phx_pipeline import dedup, imaging
from phx_pipeline.cli.bench.looks import candidate
from phx_pipeline.cli.console import errors
from phx_pipeline.dedup.afresh import Afresh
from phx_pipeline.dedup.proposals import Candidate
from phx_pipeline.errors import ImageError
from phx_pipeline.settings import use_one_thread
from phx_pipeline_tests import corpus
from phx_pipeline_tests.corpus.counts import Judged, judged_of
from phx_pipeline_tests.corpus.judged import Part, judge


def judged_parts(
    parts: Sequence[Part], *, jobs: int, kept: Path | None
) -> list[Judged]:
    """Judge all parts, so many at a time, and tell of each that is done.

    In the folder *kept* each has a file as soon as it is judged. What is there, judged
    by the same code from the same photos, is not judged again.
    """
    store = _Store(kept)
    found = {at: plain for at, it in enumerate(parts) if (plain := store.get(it))}
    if found:
        errors.print(f"{len(found)} of {len(parts)} parts are kept in {kept}")
    open_ones = [at for at in range(len(parts)) if at not in found]
    for at, plain, cpu_s in _each(parts, open_ones, jobs=jobs):
        found[at] = plain
        store.put(parts[at], plain)
        houses = ", ".join(parts[at].houses)
        errors.print(
            f"{len(found)} of {len(parts)}: seed {parts[at].seed}, houses {houses}: "
            f"{cpu_s:.0f} s CPU",
            highlight=False,
        )
    return [judged_of(found[at]) for at in range(len(parts))]


_Done = tuple[dict[str, Any], float]  # what was judged, CPU seconds


def _each(
    parts: Sequence[Part], chosen: Sequence[int], *, jobs: int
) -> Iterator[tuple[int, dict[str, Any], float]]:
    use_one_thread()  # the jobs inherit it, whoever called this
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        asked: dict[Future[_Done], int] = {
            pool.submit(_judge, parts[at]): at for at in chosen
        }
        try:
            for done in as_completed(asked):
                yield (asked[done], *done.result())
        finally:
            pool.shutdown(cancel_futures=True)


def _judge(part: Part) -> _Done:
    start_s = process_time()
    judged = judge(part, look=_looked_at, rule=Afresh())
    return judged.plain(), process_time() - start_s


def _looked_at(body: bytes) -> "Candidate | None":
    try:
        return candidate(body, name="", at_once=True)
    except ImageError:
        return None


class _Store:
    """A folder with a file for each part, named by all that its counts follow from."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        if folder is not None:
            folder.mkdir(exist_ok=True)
            self._code = _digest_of_code()

    def get(self, part: Part) -> dict[str, Any] | None:
        file = self._file(part)
        if file is None or not file.exists():
            return None
        plain: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return plain

    def put(self, part: Part, plain: dict[str, Any]) -> None:
        file = self._file(part)
        if file is not None:
            unfinished = file.with_suffix(".part")
            unfinished.write_text(json.dumps(plain), encoding="utf-8")
            unfinished.replace(file)

    def _file(self, part: Part) -> Path | None:
        if self._folder is None:
            return None
        inputs = [*self._code, f"{part.seed} {part.places} {part.pages}".encode()]
        inputs += [it.name.encode() + b"\0" + it.body for it in part.photos]
        digests = (sha256(it).digest() for it in inputs)
        key = sha256(b"".join(digests)).hexdigest()[:16]
        return self._folder / f"{part.seed}-{'-'.join(part.houses)}-{key}.json"


def _digest_of_code() -> list[bytes]:
    """Return what tells versions of the rules, and of what they are made with."""
    files = [
        file
        for package in (dedup, imaging, corpus)
        for folder in package.__path__
        for file in sorted(Path(folder).rglob("*.py"))
    ]
    libraries = (np.__version__, PIL.__version__, _opencv_version(), sys.version)
    return [*(it.read_bytes() for it in files), " ".join(libraries).encode()]


def _opencv_version() -> str:
    try:
        return version("opencv-python-headless")
    except PackageNotFoundError:
        return "none"
