"""`phx properties rename` and `remove` on real stores, and what is left of a house."""

import asyncio
import json
import os
import pty
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from phx_pipeline.catalog.leases import process_owner
from phx_pipeline.defs.partitions import PROPERTIES
from phx_pipeline.defs.submit import open_instance
from phx_pipeline.demo.houses import HOUSES, House
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.errors import InputError, StaleEpochError
from phx_pipeline.model.address import Address
from phx_pipeline.model.identity import property_lease
from phx_pipeline.model.outcome import Verdict
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.dedupe import dedupe
from phx_pipeline.stages.extract import extract
from phx_pipeline.stages.lifecycle import rename
from phx_pipeline.stages.verify import verify_property, verify_views
from phx_pipeline.stages.views import refresh_views
from phx_pipeline_tests.commands import Phx, UseSettings
from phx_pipeline_tests.deployment import Deployment, slug_of

# The views of what is; the others tell what was done.
OF_NOW = ("image_manifest.json", "address_folder_lookup.json", "hash_index.json")


def short(house: House) -> House:
    """The house with its first pictures only, a duplicate among them if it has one."""
    return replace(house, record=replace(house.record, shots=house.record.shots[:6]))


FIRST, OTHER = map(short, HOUSES[:2])
RIGHT = Address.parse(FIRST.address)
WRONG = replace(RIGHT, city="Surprise")  # the same door, as the source sees it
STREET = f"{RIGHT.street_number} {RIGHT.street}"


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with two houses collected, the first under the wrong address."""
    root = tmp_path_factory.mktemp("collected")
    with Deployment(root, redfin_sites([FIRST, OTHER])) as made:
        for slug in made.add([str(WRONG), OTHER.address]):
            with made.context() as context:
                asyncio.run(extract(context, slug))
                refresh_views(context)  # in case a run had no time for it
        return made.settings.data_dir


@pytest.fixture
def made(tmp_path: Path, collected: Path) -> Iterator[Deployment]:
    """Those houses in stores of their own, and the sites still up."""
    shutil.copytree(collected, tmp_path / "data")
    with Deployment(tmp_path, redfin_sites([FIRST, OTHER]), lease_wait_s=0) as made:
        yield made


@pytest.fixture
def phx(phx: Phx, made: Deployment, use_settings: UseSettings) -> Phx:
    """Run a command line on the deployment."""
    use_settings(made.settings)
    return phx


def content(context: StageContext) -> str:
    """All content rows, with the folders of the houses put alike."""
    text = json.dumps(list(context.catalog.content_rows()))
    for house in context.catalog.properties():
        text = text.replace(house.folder, f"folder of {house.slug}")
    return text


def problems(made: Deployment) -> list[str]:
    with made.context() as context:
        found = [
            p for s in context.catalog.slugs() for p in verify_property(context, s)
        ]
        return [problem.text for problem in [*found, *verify_views(context)]]


def published(made: Deployment) -> dict[str, bytes]:
    """The published files, by relative path."""
    return {name: body for name, body in made.files().items() if "processed" in name}


# --- rename ---------------------------------------------------------------------------


def test_a_renamed_house_is_as_if_it_had_the_address_from_the_start(
    made: Deployment, phx: Phx, tmp_path: Path
) -> None:
    files = published(made)

    ended = phx("properties", "rename", str(WRONG), FIRST.address)

    asked = len(made.standin.asked)
    with made.context() as context:
        renamed = content(context)
    with Deployment(tmp_path / "new", redfin_sites([FIRST, OTHER])) as new:
        for slug in new.add([FIRST.address, OTHER.address]):
            with new.context() as context:
                asyncio.run(extract(context, slug))
        with new.context() as context:
            from_the_start = content(context)
    assert (ended.code, ended.err) == (0, "")
    assert f"renamed to {RIGHT.slug}" in ended.out
    assert asked == 0
    assert renamed == from_the_start
    assert published(made) == files
    assert problems(made) == []
    assert str(WRONG) not in made.files()["metadata/image_manifest.json"].decode()


def test_the_next_run_asks_the_source_under_the_new_address_and_for_no_photo(
    made: Deployment, phx: Phx
) -> None:
    phx("properties", "rename", str(WRONG), FIRST.address)

    first = phx("extract", "--all", "--sync")
    asked = [a.target for a in made.standin.asked]
    second = phx("extract", "--all", "--sync")

    assert (first.code, second.code) == (0, 0)
    assert "1 properties are complete" in first.out
    assert any("Glendale" in target for target in asked)
    assert not any("Surprise" in target for target in asked)
    assert made.photos_asked() == []
    assert len(made.standin.asked) == len(asked)


@pytest.mark.parametrize("named", [str(WRONG), WRONG.slug, WRONG.slug.upper()])
def test_the_former_address_still_means_the_house(
    made: Deployment, phx: Phx, tmp_path: Path, named: str
) -> None:
    phx("properties", "rename", str(WRONG), FIRST.address)
    file = tmp_path / "houses.csv"
    file.write_text(f'address\n"{WRONG}"\n"{RIGHT}"\n')

    images = phx("images", named, "--json")
    extracted = phx("extract", "--address", named, "--dry-run")
    added = phx("properties", "add", str(WRONG))
    listed = phx("properties", "add", str(file))

    assert len(json.loads(images.out)) > 0
    assert RIGHT.slug in extracted.out
    assert "0 added, 1 known before" in added.out
    assert "0 added, 2 known before" in listed.out
    with made.context() as context:
        assert len(context.catalog.slugs()) == 2


def test_a_rename_to_another_houses_address_changes_nothing(
    made: Deployment, phx: Phx
) -> None:
    with made.context() as context:
        before = content(context)

    taken = phx("properties", "rename", str(WRONG), OTHER.address)
    bad = phx("properties", "rename", str(WRONG), "nowhere")
    unknown = phx("properties", "rename", "1-nowhere", FIRST.address)

    assert [ended.code for ended in (taken, bad, unknown)] == [2, 2, 2]
    assert "is a property of its own" in taken.err
    assert taken.err.count("\n") == 1
    with made.context() as context:
        assert content(context) == before
        assert problems(made) == []


def test_a_rename_to_the_same_key_changes_the_spelling_in_the_views(
    made: Deployment, phx: Phx
) -> None:
    shouted = f"{STREET.replace('Larkstone', 'LarkStone')}, Surprise, AZ 85306"

    ended = phx("properties", "rename", str(WRONG), shouted)
    again = phx("properties", "rename", str(WRONG), shouted)

    assert ended.code == again.code == 0
    assert "same key" in ended.out
    assert "has this address already" in again.out
    assert shouted in made.files()["metadata/image_manifest.json"].decode()
    assert problems(made) == []


def test_a_rename_to_another_door_says_what_that_means(phx: Phx) -> None:
    ended = phx("properties", "rename", str(WRONG), "9 W Larkstone Rd, Mesa, AZ 85201")

    assert ended.code == 0
    assert "if that is another house" in ended.err


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


def test_a_stage_that_waited_through_a_rename_stops_with_the_new_key(
    made: Deployment,
) -> None:
    patient = Deployment(made.root, {}, lease_wait_s=120)
    patient.settings = replace(made.settings, lease_wait_s=120)
    said: list[str] = []

    def work() -> None:
        with patient.context("late") as late:
            try:
                dedupe(late, WRONG.slug)
            except InputError as error:
                said.append(str(error))

    with made.context("first") as context:
        waiting = threading.Thread(target=work)
        name, owner = property_lease(WRONG.slug), process_owner("first")
        with context.catalog.leases.hold(name, owner=owner) as lease:
            waiting.start()
            at = context.stamp().at
            context.catalog.houses.rename(lease, WRONG.slug, RIGHT, at=at)
        waiting.join(timeout=120)

    assert said == [f"unknown property '{WRONG.slug}': its key is {RIGHT.slug} now"]


def test_a_run_that_slept_through_a_rename_writes_nothing(made: Deployment) -> None:
    with made.context("sleeper") as context:
        lease = context.catalog.leases.acquire(
            property_lease(WRONG.slug), owner="elsewhere:1:1:sleeper"
        )
        (photo, *_) = context.catalog.photos(WRONG.slug)
        context.catalog.leases.release(lease)
        rename(context, WRONG.slug, RIGHT)
        before = content(context)

        with pytest.raises(StaleEpochError, match="nothing was written"):
            context.catalog.record_failure(
                lease, photo, Verdict.GONE, detail="", stamp=context.stamp()
            )

        assert content(context) == before


def test_a_rename_that_was_killed_before_publishing_is_finished_by_the_next_run(
    made: Deployment, phx: Phx
) -> None:
    with made.context() as context:
        name = property_lease(WRONG.slug)
        with context.catalog.leases.hold(name, owner="killed") as lease:
            at = context.stamp().at
            context.catalog.houses.rename(lease, WRONG.slug, RIGHT, at=at)

    ended = phx("extract", "--all", "--sync")

    assert ended.code == 0
    assert made.photos_asked() == []
    assert problems(made) == []


# --- remove ---------------------------------------------------------------------------


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

    assert "0 added, 1 followed again, 0 known before" in again.out
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
    tmp_path: Path, use_settings: UseSettings
) -> None:
    spelled = replace(RIGHT, city="Peoria")
    with Deployment(tmp_path, redfin_sites([FIRST])) as made:
        use_settings(made.settings)
        slugs = made.add([str(RIGHT), str(spelled)])
        with made.context() as context:
            for slug in slugs:
                asyncio.run(extract(context, slug))
            held = [p.verdict for p in context.catalog.photos(RIGHT.slug)]

        ended = made.phx("properties", "remove", spelled.slug)

        with made.context() as context:
            free = {
                p.ref.photo_key: p.verdict for p in context.catalog.photos(RIGHT.slug)
            }
        assert set(held) == {Verdict.FOREIGN}
        assert ended.returncode == 0, ended.stderr
        assert free == FIRST.expected_verdicts()
        assert problems(made) == []
        assert "0 photos" in made.phx("quarantine", "list").stdout


def test_runs_are_cancelled_and_the_partition_goes_without_a_daemon(
    made: Deployment, phx: Phx, use_settings: UseSettings
) -> None:
    use_settings(made.settings)
    name = str(PROPERTIES.name)
    with made.context() as context:
        at = context.stamp().at
        context.catalog.jobs.submit("job", context.catalog.slugs(), sources=(), at=at)
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
    assert re.search(r"deleted 6 photos, \d+\.\d MB", ended.out)
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
    assert "delete 6 photos" in told
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


@pytest.mark.parametrize("moment", [0, 2, 8, 14])
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

    phx("properties", "add", str(WRONG))
    ended = phx("extract", "--all", "--sync")

    assert ended.code == 0
    assert len(made.photos_asked()) == 1
    assert problems(made) == []
    with made.context() as context:
        assert content(context) == before


# --- long files -----------------------------------------------------------------------


def test_a_long_file_is_told_in_a_summary(
    made: Deployment, phx: Phx, tmp_path: Path
) -> None:
    file = tmp_path / "many.csv"
    lines = [f'"{n} W Davis Rd Unit {n % 7}, Mesa, AZ 85201"' for n in range(1, 301)]
    file.write_text("\n".join(["full_address", *lines]))

    ended = phx("properties", "add", str(file))
    again = phx("properties", "add", str(file))

    shown = [line for line in ended.out.splitlines() if line.startswith("added ")]
    assert (ended.code, ended.err) == (0, "")
    assert len(shown) == 20
    assert ended.out.splitlines()[-2:] == [
        "… and 280 more",
        "300 added, 0 known before",
    ]
    assert again.out == "0 added, 300 known before\n"
    with made.context() as context:
        assert len(context.catalog.slugs()) == 302


def test_one_bad_row_keeps_a_long_file_out(
    made: Deployment, phx: Phx, tmp_path: Path
) -> None:
    file = tmp_path / "many.csv"
    rows: list[Any] = [f'"{n} W Davis Rd, Mesa, AZ 85201"' for n in range(1, 301)]
    file.write_text("\n".join(["full_address", *rows, "nowhere", *rows[:7]]))

    ended = phx("properties", "add", str(file))

    assert ended.code == 2
    assert ended.err.count("\n") == 1
    assert "row 302: " in ended.err
    assert "row 303 repeats row 2" in ended.err
    assert ended.err.rstrip().endswith("; and 3 more")
    with made.context() as context:
        assert len(context.catalog.slugs()) == 2
