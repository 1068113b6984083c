"""`phx extract --sync` against stand-in sites: exit codes, and Ctrl-C half-way."""

import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from phx_pipeline.cli import batch
from phx_pipeline.demo.houses import HOUSES, House
from phx_pipeline.demo.loopback import Answer, Asked, Handler
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.model.outcome import ListingOutcome, Verdict, VerdictKind
from phx_pipeline.sources.redfin.standin import PAGE_HOST
from phx_pipeline_tests.commands import Phx
from phx_pipeline_tests.deployment import PHOTO_HOST, Deployment, slug_of
from phx_pipeline_tests.expected import verdict_of


def short(house: House) -> House:
    """The house with its first three pictures only."""
    shots = tuple(s for s in house.record.shots if verdict_of(s) is Verdict.KEPT)[:3]
    return replace(house, record=replace(house.record, shots=shots))


FIRST, SECOND = sorted(map(short, HOUSES[:2]), key=slug_of)
BOTH = [FIRST, SECOND]
_PATIENCE_S = 120


def refusing(
    sites: Mapping[str, Handler], *, host: str, mark: str
) -> dict[str, Handler]:
    """The sites, but *host* refuses every request that names *mark*."""

    def handle(asked: Asked) -> Answer:
        if mark in asked.target:
            return Answer(status=403, body=b"Forbidden")
        return sites[host](asked)

    return {**sites, host: handle}


def forget_refusals(made: Deployment) -> None:
    """Let every source be asked again at once, whatever it said before."""
    with closing(sqlite3.connect(made.settings.data_dir / "phx.db")) as connection:
        connection.execute("delete from source_state")
        connection.commit()


def test_a_complete_extraction_ends_with_0(
    tmp_path: Path, phx_on: Phx, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "_FEW", 5)
    with Deployment(tmp_path, redfin_sites(BOTH)) as made:
        made.add_houses(BOTH)

        ended = phx_on(made, "extract", "--all", "--sync")

    assert (ended.code, ended.err) == (0, "")
    assert f"[1/2] {slug_of(FIRST)}\n" in ended.out
    assert f"[2/2] {slug_of(SECOND)}\n" in ended.out
    assert "large batch: 6 new pictures" in ended.out
    assert re.search(r"storage: 0\.\d\d GB in originals and PNGs", ended.out)


def test_only_the_houses_asked_for_are_extracted(tmp_path: Path, phx_on: Phx) -> None:
    with Deployment(tmp_path, redfin_sites(BOTH)) as made:
        made.add_houses(BOTH)

        twice = ["--address", SECOND.address, "--address", slug_of(SECOND)]
        ended = phx_on(made, "extract", "--sync", *twice)

        with made.context() as context:
            tallies = context.catalog.tallies(())
    assert ended.code == 0
    assert "[1/1]" in ended.out
    assert {tally.slug: tally.discovered for tally in tallies} == {
        slug_of(FIRST): 0,
        slug_of(SECOND): 3,
    }


def test_a_photo_that_was_refused_is_left_open_until_a_later_run(
    tmp_path: Path, phx_on: Phx
) -> None:
    last = FIRST.record.file_name(2)
    sites = refusing(redfin_sites(BOTH), host=PHOTO_HOST, mark=last)
    with Deployment(tmp_path, sites, downloads=1) as made:
        (slug,) = made.add_houses([FIRST])

        ended = phx_on(made, "extract", "--all", "--sync")

        with made.context() as context:
            tally = context.tally(slug)
        status = phx_on(made, "status")
    assert ended.code == 3
    assert tally.count(VerdictKind.KEPT) == 2
    assert tally.count(VerdictKind.FAILED) == 1
    assert f"open: {slug} redfin: listed, 1 photo to fetch" in status.out
    assert f"`phx extract --address {slug}`" in status.out

    with Deployment(tmp_path, redfin_sites(BOTH)) as made:
        forget_refusals(made)

        ended = phx_on(made, "extract", "--all", "--sync")

        assert ended.code == 0
        assert len(made.photos_asked()) == 1


def test_a_source_that_refused_one_of_two_houses_leaves_it_partial(
    tmp_path: Path, phx_on: Phx
) -> None:
    sites = redfin_sites(BOTH)
    sites = refusing(sites, host=PAGE_HOST, mark=f"home/{SECOND.home_id}")
    with Deployment(tmp_path, sites) as made:
        made.add_houses(BOTH)

        ended = phx_on(made, "extract", "--all", "--sync")

        with made.context() as context:
            first, second = context.catalog.tallies(tuple(context.sources))
    assert ended.code == 3
    assert first.is_complete
    assert second.sources[0].outcome is ListingOutcome.BLOCKED


def test_a_source_that_refuses_from_the_start_gives_nothing(
    tmp_path: Path, phx_on: Phx
) -> None:
    sites = redfin_sites(BOTH, blocked=frozenset({PAGE_HOST}))
    with Deployment(tmp_path, sites) as made:
        made.add_houses(BOTH)

        ended = phx_on(made, "extract", "--all", "--sync")

        assert ended.code == 4
        assert "blocked" in ended.out
        assert phx_on(made, "verify").code == 0


# --- Ctrl-C ---------------------------------------------------------------------------

# A shell's `&` would have it ignored, and what starts the tests may have done so.
_PHX = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from phx_pipeline.cli.main import main; main()"
)


def test_ctrl_c_ends_with_130_and_running_again_completes(
    tmp_path: Path, phx_on: Phx
) -> None:
    command = [sys.executable, "-c", _PHX, "extract", "--all", "--sync"]
    with Deployment(tmp_path, redfin_sites(BOTH, photo_delay_s=0.2)) as made:
        slugs = made.add_houses(BOTH)
        process = subprocess.Popen(  # noqa: S603 - the tests' own command
            command,
            env=made.env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        deadline = time.monotonic() + _PATIENCE_S
        while len(made.photos_asked()) < 2 and time.monotonic() < deadline:
            time.sleep(0.02)

        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=_PATIENCE_S)

        assert process.returncode == 130
        assert "Traceback" not in told
        assert told.count("the same command goes on from here") == 1
        assert phx_on(made, "extract", "--all", "--sync").code == 0
        assert phx_on(made, "verify").code == 0
        with made.context() as context:
            for slug in slugs:
                assert context.tally(slug).count(VerdictKind.KEPT) == 3
