"""`phx properties remove` on real stores, with and without `--purge`."""

import asyncio
import json
import os
import pty
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from phx_pipeline.catalog.leases import process_owner
from phx_pipeline.defs.partitions import PROPERTIES
from phx_pipeline.defs.submit import open_instance
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.model.identity import property_lease
from phx_pipeline.model.outcome import Verdict
from phx_pipeline.model.property import Property
from phx_pipeline.stages.extract import extract
from phx_pipeline.stages.partners import settle_called
from phx_pipeline.workflows.verify import verify_property
from phx_pipeline_tests.commands import Phx, UseSettings
from phx_pipeline_tests.deployment import Deployment, slug_of
from phx_pipeline_tests.expected import expected_verdicts
from phx_pipeline_tests.integration.cli.lifecycle.conftest import (
    FIRST,
    OTHER,
    RIGHT,
    WRONG,
    content,
    problems,
    published,
)
from phx_pipeline_tests.integration.conftest import add_twin
from phx_pipeline_tests.jobs import ask_job

pytestmark = pytest.mark.xdist_group("lifecycle")  # all copy the same store

# The views of what is; the others tell what was done.
OF_NOW = ("image_manifest.json", "address_folder_lookup.json", "hash_index.json")


@contextmanager
def at_work(made: Deployment, slug: str) -> Iterator[None]:
    """Somebody who lives works on the house."""
    with made.context("somebody") as context:
        name, owner = property_lease(slug), process_owner("somebody")
        with context.catalog.leases.hold(name, owner=owner):
            yield


@pytest.mark.parametrize(
    "arguments",
    [
        ("rename", str(WRONG), FIRST.address),
        ("remove", str(WRONG)),
        ("remove", str(WRONG), "--purge", "--yes"),
    ],
    ids=["rename", "remove", "purge"],
)
def test_a_house_that_is_worked_on_is_left_alone_and_the_remedy_told(
    made: Deployment, phx: Phx, arguments: tuple[str, ...]
) -> None:
    before = made.files()
    with at_work(made, WRONG.slug):
        ended = phx("properties", *arguments)

    assert ended.code == 1
    assert "somebody works on" in ended.err
    assert "nothing was changed: wait until its run has ended" in ended.err
    assert made.files() == before
    assert problems(made) == []


def test_a_removed_house_is_shown_nowhere_and_comes_back_whole(
    made: Deployment, phx: Phx
) -> None:
    with made.context() as context:
        before = content(context)
    files = published(made)

    removed = phx("properties", "remove", str(WRONG))

    shown = [
        phx("properties", "list"),
        phx("status"),
        phx("status", "--json"),
        phx("quarantine", "list"),
        phx("verify"),
        phx("extract", "--all", "--sync"),
    ]
    refused = [
        phx("images", str(WRONG)),
        phx("extract", "--address", WRONG.slug, "--sync"),
        phx("export", WRONG.slug),
    ]
    gone = json.loads(phx("properties", "list", "--removed", "--json").out)
    files_now = made.files()
    views = "".join(files_now[f"metadata/{name}"].decode() for name in OF_NOW)
    assert (removed.code, removed.out) == (0, f"removed {WRONG.slug}\n")
    assert [ended.code for ended in shown] == [0] * len(shown)
    assert not any(WRONG.slug in ended.out for ended in shown)
    assert [ended.code for ended in refused] == [2] * len(refused)
    assert all("was removed on" in ended.err for ended in refused)
    assert [row["key"] for row in gone] == [WRONG.slug]
    assert str(WRONG) not in views
    assert OTHER.address in views
    assert published(made) == files

    again = phx("properties", "add", str(WRONG))

    assert "1 followed again" in again.out
    assert phx("extract", "--all", "--sync").code == 0
    assert made.standin.asked == []
    with made.context() as context:
        assert content(context) == before
    assert problems(made) == []


def test_removing_again_changes_nothing_and_says_so(made: Deployment, phx: Phx) -> None:
    phx("properties", "remove", WRONG.slug)

    ended = phx("properties", "remove", WRONG.slug)

    assert ended.code == 0
    assert f"removed (before) {WRONG.slug}" in ended.out
    assert problems(made) == []


def test_a_removed_house_holds_no_photo_of_another(
    tmp_path: Path, phx: Phx, use_settings: UseSettings
) -> None:
    spelled = replace(RIGHT, city="Peoria")
    with Deployment(tmp_path / "other", redfin_sites([FIRST])) as made:
        use_settings(made.settings)
        made.add([str(RIGHT)])
        with made.context() as context:
            add_twin(context.catalog, Property.at(spelled))
            for slug in (RIGHT.slug, spelled.slug):
                asyncio.run(extract(context, slug))
            settle_called(context, [RIGHT.slug, spelled.slug])
            held = [p.verdict for p in context.catalog.photos(RIGHT.slug)]

        ended = phx("properties", "remove", spelled.slug)

        with made.context() as context:
            free = {
                p.ref.photo_key: p.verdict for p in context.catalog.photos(RIGHT.slug)
            }
        assert set(held) == {Verdict.FOREIGN}
        assert ended.code == 0, ended.err
        assert free == expected_verdicts(FIRST)
        assert problems(made) == []
        assert "no photo waits" in phx("quarantine", "list").out


def test_runs_are_cancelled_and_the_partition_goes_without_a_daemon(
    made: Deployment, phx: Phx
) -> None:
    name = str(PROPERTIES.name)
    with made.context() as context:
        at = context.stamp().at
        ask_job(context.catalog, "job", context.catalog.slugs(), sources=(), at=at)
    with open_instance(made.settings) as instance:
        instance.add_dynamic_partitions(name, [WRONG.slug, slug_of(OTHER)])

    ended = phx("properties", "remove", WRONG.slug)

    with open_instance(made.settings) as instance:
        assert instance.get_dynamic_partitions(name) == [slug_of(OTHER)]
    with made.context() as context:
        waiting = context.catalog.jobs.waiting(limit=9)
    assert ended.code == 0
    assert [item.slug for item in waiting] == [slug_of(OTHER)]


# --- purge ----------------------------------------------------------------------------


def stored(made: Deployment) -> set[str]:
    """Every file of the photos, by its path below the images."""
    images = made.settings.data_dir / "property_images"
    return {
        path.relative_to(images).as_posix()
        for part in ("raw", "standardized", "processed")
        for path in (images / part).rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def only_other(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, set[str]]:
    """Rows and files of a store that never had the first house."""
    root = tmp_path_factory.mktemp("only_other")
    with Deployment(root, redfin_sites([OTHER])) as made:
        made.add([OTHER.address])
        with made.context() as context:
            asyncio.run(extract(context, slug_of(OTHER)))
            return content(context), stored(made)


def assert_gone(made: Deployment, only_other: tuple[str, set[str]]) -> None:
    with made.context() as context:
        assert (content(context), stored(made)) == only_other
        assert context.catalog.houses.find(WRONG.slug) is None
    assert problems(made) == []


def test_without_a_terminal_a_purge_wants_to_be_confirmed(
    made: Deployment, phx: Phx, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = stored(made)
    with Path(os.devnull).open(encoding="ascii") as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)

        ended = phx("properties", "remove", WRONG.slug, "--purge")

    assert (ended.code, ended.out) == (2, "")
    assert "add --yes" in ended.err
    assert stored(made) == before
    with made.context() as context:
        assert WRONG.slug in context.catalog.slugs()


def test_a_purge_deletes_rows_folder_and_bytes_nobody_else_has(
    made: Deployment, phx: Phx, only_other: tuple[str, set[str]]
) -> None:
    ended = phx("properties", "remove", WRONG.slug, "--purge", "--yes")

    assert ended.code == 0
    assert re.search(r"deleted 4 photos, \d+\.\d MB", ended.out)
    assert_gone(made, only_other)
    assert phx("properties", "remove", WRONG.slug, "--purge", "--yes").code == 2


def ask(made: Deployment, answer: str) -> tuple[int, str]:
    """Run a purge in a terminal and answer its question."""
    master, slave = pty.openpty()
    with subprocess.Popen(  # noqa: S603 - the tests' own command
        made.command("properties", "remove", WRONG.slug, "--purge"),
        env=made.env,
        stdin=slave,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        os.write(master, f"{answer}\n".encode())
        told, _ = process.communicate(timeout=300)
        os.close(slave)
    os.close(master)
    return process.returncode, told


def test_a_terminal_is_asked_and_a_no_changes_nothing(
    made: Deployment, only_other: tuple[str, set[str]]
) -> None:
    before = stored(made)

    code, told = ask(made, "n")

    assert code == 1
    assert "delete 4 photos" in told
    assert "nothing was changed" in told
    assert stored(made) == before
    with made.context() as context:
        assert WRONG.slug in context.catalog.slugs()

    code, told = ask(made, "y")

    assert code == 0, told
    assert_gone(made, only_other)


def test_bytes_another_house_has_stay(made: Deployment, phx: Phx) -> None:
    with made.context() as context:
        other = slug_of(OTHER)
        (shared, *_) = [p for p in context.catalog.photos(WRONG.slug) if p.sha256]
        (photo, *_) = context.catalog.photos(other)
        blob = context.catalog.blobs(WRONG.slug)[str(shared.sha256)]
        with context.holding(other) as lease:
            context.catalog.record_download(
                lease, photo, blob, fetched_url="https://x", stamp=context.stamp()
            )

    phx("properties", "remove", WRONG.slug, "--purge", "--yes")

    with made.context() as context:
        assert context.blobs.has_raw(blob.sha256)
        assert blob.sha256 in context.catalog.blobs(other)
        assert [
            p.text for p in verify_property(context, other) if "blob" in p.text
        ] == []


# Dies before it deletes the n-th file or folder.
_KILLED = """
import os, sys
limit, seen = int(sys.argv.pop(1)), 0
def hook(event, arguments):
    global seen
    if event in {"os.remove", "os.rmdir", "shutil.rmtree"} and "phx.db" not in str(
        arguments[0]
    ):
        if seen == limit:
            os._exit(9)
        seen += 1
sys.addaudithook(hook)
from phx_pipeline.cli.main import main
main()
"""


@pytest.mark.parametrize(
    "moment", [2, 10, *(pytest.param(it, marks=pytest.mark.soak) for it in (0, 6))]
)
def test_a_purge_that_is_killed_is_finished_when_run_again(
    made: Deployment, phx: Phx, only_other: tuple[str, set[str]], moment: int
) -> None:
    purge = ["properties", "remove", WRONG.slug, "--purge", "--yes"]
    killed = subprocess.run(  # noqa: S603 - the tests' own command
        [sys.executable, "-c", _KILLED, str(moment), *purge],
        env=made.env,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert killed.returncode == 9, killed.stderr
    with made.context() as context:
        known = context.catalog.houses.find(WRONG.slug)
        assert known is not None
        assert known.removed_at is not None

    ended = phx(*purge)

    assert ended.code == 0, ended.err
    assert_gone(made, only_other)


def test_a_house_taken_up_again_after_half_a_purge_is_fetched_again(
    made: Deployment, phx: Phx
) -> None:
    with made.context() as context:
        before = content(context)
        (first, *_) = context.catalog.houses.own_blobs(WRONG.slug)
        phx("properties", "remove", WRONG.slug)
        context.blobs.drop_raw(first.sha256)
        context.blobs.drop_standardized(first.sha256, context.recipe)
        folder = context.layout.folder(WRONG.folder_id())
        shutil.rmtree(folder)
    for command in ("verify", "repair"):
        ended = phx(command)
        assert ended.code == 1
        assert f"`phx properties remove {WRONG.slug} --purge`" in ended.out

    phx("properties", "add", str(WRONG))
    assert not folder.exists()
    ended = phx("extract", "--all", "--sync")

    assert ended.code == 0
    assert len(made.photos_asked()) == 1
    assert problems(made) == []
    with made.context() as context:
        assert content(context) == before
