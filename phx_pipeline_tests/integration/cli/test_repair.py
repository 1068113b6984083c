"""`phx repair` on stores that were damaged on purpose."""

import asyncio
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from phx_pipeline.catalog.leases import process_owner
from phx_pipeline.catalog.store import Catalog
from phx_pipeline.demo.loopback import Answer, Asked, Handler
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.model.identity import property_lease
from phx_pipeline.model.outcome import VerdictKind
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.publish import publish
from phx_pipeline.stages.views import VIEWS_LEASE, refresh_views
from phx_pipeline.workflows import repair as stage
from phx_pipeline.workflows.verify import content_digest
from phx_pipeline_tests.commands import Phx
from phx_pipeline_tests.damage import (
    HOUSE,
    Break,
    a_file,
    a_png,
    add_stray,
    alter_file,
    an_original,
    delete_file,
    delete_folder,
    delete_original,
    delete_png,
    delete_png_and_its_names,
    delete_pngs,
    delete_processed,
    edit_manifest,
    execute,
    forget_hashes,
    forget_png_row,
    hold_half_a_picture,
    keep_none_of_a_cluster,
    kill_before_publishing,
    set_original_aside,
    truncate_original,
)
from phx_pipeline_tests.deployment import (
    PHOTO_HOST,
    Deployment,
    collected_whole,
    slug_of,
)

pytestmark = pytest.mark.xdist_group("repair")  # all copy or share one store

SLUG = slug_of(HOUSE)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an installation with one complete house."""
    return collected_whole(tmp_path_factory.mktemp("whole"), HOUSE)


@pytest.fixture(scope="module")
def shared(
    whole: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    """One copy of it for many tests: each heals what it breaks, and looks first."""
    root = shutil.copytree(whole, tmp_path_factory.mktemp("shared") / "copy")
    with Deployment(root, redfin_sites([HOUSE])) as made:
        yield made


@pytest.fixture
def collected(shared: Deployment, phx_on: Phx) -> Deployment:
    assert phx_on(shared, "verify").out == "1 property checked, no problem found\n"
    shared.standin.asked.clear()
    return shared


Refused = Callable[[str], AbstractContextManager[Deployment]]


@pytest.fixture
def refused(whole: Path, tmp_path: Path) -> Refused:
    """Gives a copy at sites that answer so to every request for a photo."""

    @contextmanager
    def at_sites(kind: str) -> Iterator[Deployment]:
        root = shutil.copytree(whole, tmp_path / "refused")
        with Deployment(root, sites_that(kind)) as made:
            yield made

    return at_sites


def sites_that(kind: str) -> dict[str, Handler]:
    status = {"refuse": 403, "have nothing": 404}[kind]

    def answer(_asked: Asked) -> Answer:
        return Answer(status=status, body=b"no")

    return {**redfin_sites([HOUSE]), PHOTO_HOST: answer}


def digest(made: Deployment) -> str:
    with made.context() as context:
        return content_digest(context)


def published(made: Deployment) -> dict[str, bytes]:
    """The published files: when an original was downloaded is told in the views."""
    return {name: body for name, body in made.files().items() if "processed" in name}


def breaking(made: Deployment, *breaks: Break) -> None:
    with made.context() as context:
        for break_it in breaks:
            break_it(context)


# Beside what the recovery table names, which has a test of its own.
DAMAGE = {
    truncate_original: 1,
    set_original_aside: 0,
    delete_png_and_its_names: 0,
    alter_file: 0,
    edit_manifest: 0,
    keep_none_of_a_cluster: 0,
    forget_png_row: 0,
    kill_before_publishing: 0,
}


@pytest.mark.parametrize(
    ("break_it", "photos"),
    DAMAGE.items(),
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_was_broken_is_whole_again_with_as_few_requests_as_possible(
    collected: Deployment, phx_on: Phx, break_it: Break, photos: int
) -> None:
    before, files = digest(collected), published(collected)
    breaking(collected, break_it)
    assert phx_on(collected, "verify").code == 1

    ended = phx_on(collected, "repair")

    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("done: ")
    assert phx_on(collected, "verify").out == "1 property checked, no problem found\n"
    assert (digest(collected), published(collected)) == (before, files)
    assert len(collected.standin.asked) == len(collected.photos_asked()) == photos
    assert phx_on(collected, "repair").out == "1 property: nothing to repair\n"


def test_without_damage_nothing_is_asked_and_nothing_written(
    collected: Deployment, phx_on: Phx
) -> None:
    data = collected.settings.data_dir

    def written() -> dict[str, tuple[int, int]]:
        # The log of SQLite is truncated by whoever closes the file last.
        files = [path for path in data.rglob("*") if ".db" not in path.name]
        return {
            str(path): (path.stat().st_ino, path.stat().st_ctime_ns) for path in files
        }

    files, rows = written(), (data / "phx.db").read_bytes()

    ended = phx_on(collected, "repair", SLUG, "--deep", "--json")

    assert ended.json == {"properties": 1, "leftovers": 0, "problems": []}
    assert (written(), (data / "phx.db").read_bytes()) == (files, rows)
    assert collected.standin.asked == []


@pytest.mark.parametrize(
    ("break_it", "photos"),
    [(delete_png_and_its_names, 0), (delete_folder, 0)],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_the_plain_extraction_brings_back_what_was_deleted(
    collected: Deployment, phx_on: Phx, break_it: Break, photos: int
) -> None:
    before, files = digest(collected), published(collected)
    breaking(collected, break_it)

    ended = phx_on(collected, "extract", "--address", SLUG, "--sync")

    assert ended.code == 0
    assert phx_on(collected, "verify").out == "1 property checked, no problem found\n"
    assert (digest(collected), published(collected)) == (before, files)
    assert len(collected.standin.asked) == len(collected.photos_asked()) == photos
    again = phx_on(collected, "extract", "--address", SLUG, "--sync")
    assert "1 property left out: complete" in again.out


@pytest.mark.parametrize(
    "break_it",
    [  # of the first one the recovery table has a row
        pytest.param(forget_hashes, marks=pytest.mark.soak),
        forget_png_row,
    ],
)
def test_rows_that_differ_from_the_originals_are_found_and_mended_by_a_deep_look(
    collected: Deployment, phx_on: Phx, break_it: Break
) -> None:
    before = digest(collected)
    breaking(collected, break_it)

    looked = phx_on(collected, "verify", "--deep", "--json")
    ended = phx_on(collected, "repair", "--deep")

    assert looked.code == 1
    assert any("differs from its rows" in p["problem"] for p in looked.json["problems"])
    assert ended.code == 0
    assert phx_on(collected, "verify", "--deep").code == 0
    assert digest(collected) == before
    assert collected.standin.asked == []


@pytest.mark.parametrize(
    ("breaks", "looked", "repaired"),
    [
        ([hold_half_a_picture], "verify --deep", "repair --deep"),
        ([hold_half_a_picture, delete_pngs, delete_processed], "verify", "repair"),
    ],
    ids=["with a PNG", "without"],
)
def test_half_a_picture_is_given_up_and_asked_for_by_the_next_extraction(
    whole: Path,
    tmp_path: Path,
    phx_on: Phx,
    breaks: Sequence[Break],
    looked: str,
    repaired: str,
) -> None:
    root = shutil.copytree(whole, tmp_path / "copy")
    with Deployment(root, redfin_sites([HOUSE])) as made:
        breaking(made, *breaks)
        with made.context() as context:
            kept = context.tally(SLUG).count(VerdictKind.KEPT)
        commands = (looked, repaired, "verify --deep")
        ended = [phx_on(made, *command.split()) for command in commands]
        assert made.standin.asked == []
        extracted = phx_on(made, "extract", "--all", "--sync")
        last = phx_on(made, "verify", "--deep")
        with made.context() as context:
            tally = context.tally(SLUG)

        assert [it.code for it in ended] == [1, 0, 0]
        assert "it is no picture" in ended[1].out
        assert (extracted.code, len(made.photos_asked())) == (0, 1)
        assert (last.code, tally.count(VerdictKind.KEPT)) == (0, kept)
        assert tally.is_complete


def test_an_original_that_photos_share_is_asked_for_once(
    tmp_path: Path, phx_on: Phx
) -> None:
    sites = redfin_sites([HOUSE])
    photos = sites[PHOTO_HOST]
    targets: list[str] = []

    def answer(asked: Asked) -> Answer:
        targets.append(asked.target)
        return photos(replace(asked, target=targets[0]))

    with Deployment(tmp_path, {**sites, PHOTO_HOST: answer}) as made:
        made.add_houses([HOUSE])
        phx_on(made, "extract", "--all", "--sync")
        made.standin.asked.clear()
        breaking(made, delete_original)

        ended = phx_on(made, "repair")

        assert ended.code == 0
        assert len(made.standin.asked) == len(made.photos_asked()) == 1
        assert phx_on(made, "verify").code == 0


@pytest.mark.parametrize("kind", ["refuse", "have nothing"])
def test_what_a_source_does_not_give_waits_and_goes_on_being_shown(
    refused: Refused, phx_on: Phx, kind: str
) -> None:
    with refused(kind) as made:
        before = made.files()
        breaking(made, delete_original, delete_png)

        ended = phx_on(made, "repair")
        verified = phx_on(made, "verify", "--json")

        assert ended.code == 3
        assert "waits: files_match_rows: blob is missing" in ended.out
        assert "does not give it now" in ended.out
        assert made.files() == before
        large, *smaller = made.photos_asked()
        assert "/bigphoto/" in large
        assert len(smaller) == (kind == "have nothing")  # a refusal ends it
        assert len(verified.json["problems"]) == 1
        extracted = phx_on(made, "extract", "--all", "--sync")
        assert extracted.code == 3
        assert f"open: {SLUG}: files are missing" in extracted.out


def test_a_picture_lost_altogether_does_not_keep_the_others_from_being_mended(
    refused: Refused, phx_on: Phx
) -> None:
    with refused("have nothing") as made:
        breaking(made, lose_everything_of_a_picture, add_stray)

        ended = phx_on(made, "repair", "--json")

    ends = {p["problem"]: p["end"] for p in ended.json["problems"]}
    assert ended.code == 3
    assert set(ends.values()) == {"done", "waits"}
    assert "moved aside, to a name with .aside-" in ended.out
    assert [p for p, end in ends.items() if end == "done"] == [
        next(p for p in ends if p.startswith("[stray].png"))
    ]


def lose_everything_of_a_picture(context: StageContext) -> None:
    png = a_png(context)
    context.layout.raw(png.stem).unlink()
    png.unlink()
    a_file(context).unlink()


def test_a_house_somebody_works_on_is_left_to_them(
    collected: Deployment, phx_on: Phx
) -> None:
    breaking(collected, delete_file)
    impatient = replace(collected.settings, lease_wait_s=0)
    made = Deployment(collected.root, {})
    made.settings = impatient
    with collected.context("somebody") as context:
        name, owner = property_lease(SLUG), process_owner("somebody")
        with context.catalog.leases.hold(name, owner=owner):
            ended = phx_on(made, "repair")

    assert ended.code == 3
    assert "somebody works on the house" in ended.out
    assert phx_on(collected, "repair").code == 0


def test_what_another_run_has_in_its_hands_by_then_waits(
    collected: Deployment, phx_on: Phx, monkeypatch: pytest.MonkeyPatch
) -> None:
    breaking(collected, delete_file)
    with (
        collected.context("first") as context,
        collected.context("second") as other,
        ExitStack() as at_work,
    ):

        def publish_and_lose(*given: Any, **options: Any) -> None:
            publish(*given, **options)
            at_work.enter_context(other.holding(SLUG))
            delete_file(other)

        monkeypatch.setattr(stage, "publish", publish_and_lose)
        impatient = replace(context, lease_wait_s=0)
        ends = asyncio.run(stage.repair(impatient, SLUG))
        monkeypatch.undo()

    assert phx_on(collected, "repair").code == 0
    assert {it.end for it in ends} == {stage.End.WAITS}


@pytest.mark.parametrize("command", ["repair", "repair --deep", "verify"])
def test_a_house_that_is_removed_meanwhile_is_no_fault(
    collected: Deployment, phx_on: Phx, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setattr(Catalog, "slugs", lambda _: ["1-gone-st-mesa-az-85201", SLUG])

    ended = phx_on(collected, *command.split())

    assert (ended.code, ended.err) == (0, "")


def test_views_of_rows_that_go_on_changing_wait(
    collected: Deployment, phx_on: Phx, monkeypatch: pytest.MonkeyPatch
) -> None:
    breaking(collected, edit_manifest)
    with collected.context("first") as context, collected.context("second") as other:

        def render_and_change(*given: Any, **options: Any) -> int:
            written = refresh_views(*given, **options)
            other.catalog.views.want()
            edit_manifest(other)
            return written

        monkeypatch.setattr(stage, "refresh_views", render_and_change)
        ends = stage.repair_views(context)
        monkeypatch.undo()

    assert phx_on(collected, "repair").code == 0
    # What was wrong first is done: what differs now is told in other words.
    assert [it.end for it in ends] == [stage.End.DONE, stage.End.WAITS]


def test_views_that_another_process_renders_wait(
    collected: Deployment, phx_on: Phx
) -> None:
    breaking(collected, edit_manifest)
    made = Deployment(collected.root, {})
    made.settings = replace(collected.settings, lease_wait_s=0)
    with collected.context("somebody") as context:
        owner = process_owner("somebody")
        with context.catalog.leases.hold(VIEWS_LEASE, owner=owner):
            ended = phx_on(made, "repair")

    assert phx_on(collected, "repair").code == 0
    assert (ended.code, ended.err) == (3, "")
    assert "waits: manifest_equals_folder: image_manifest.json" in ended.out


@pytest.mark.parametrize("busy", [True, False], ids=["beside a run", "alone"])
def test_leftovers_of_killed_processes_go_and_no_file_of_a_living_one(
    collected: Deployment, phx_on: Phx, *, busy: bool
) -> None:
    with collected.context("somebody") as context:
        blob = an_original(context)
        leftover = blob.with_name(f".{blob.name}.0123456789abcdef.tmp")
        leftover.write_bytes(b"half")
        lease = property_lease(SLUG) if busy else "another"
        with context.catalog.leases.hold(lease, owner=process_owner("somebody")):
            ended = phx_on(collected, "repair")
    told = "1 temporary file of killed processes removed"

    assert (told in ended.out, leftover.exists()) == (not busy, busy)
    # The lease was held after the last publication, and so something is to be done.
    assert phx_on(collected, "repair").code == 0
    assert not leftover.exists()


def test_a_damaged_database_is_told_and_left_alone(
    whole: Path, tmp_path: Path, phx_on: Phx
) -> None:
    root = shutil.copytree(whole, tmp_path / "copy")
    with Deployment(root, {}) as made:
        breaking(made, lose_a_row_others_refer_to)

        verified = phx_on(made, "verify", "--json")
        ended = phx_on(made, "repair")

    problem, *_ = json.loads(verified.out)["problems"]
    assert problem["rule"] == "database_is_sound"
    assert problem["problem"].startswith("1 row of appearance without")
    assert ended.code == 1
    assert "nothing was changed: restore" in ended.err


def lose_a_row_others_refer_to(context: StageContext) -> None:
    assert execute(
        context,
        "delete from blob where sha256 in (select sha256 from photo"
        " where sha256 is not null order by sha256 limit 1)",
    )


# --- something of another kind in the place of a file ---------------------------------


_OBSTACLES = ("a folder", "a link to nowhere", "no folder")
_PLACES = ("raw/*/*", "standardized/**/*.png", "processed/*/*.png", "metadata/*.json")


@pytest.mark.parametrize(
    ("obstacle", "place"),
    [
        pytest.param(
            obstacle,
            place,
            # Each place and each obstacle is met at once, all of both in a soak.
            marks=[] if at % len(_OBSTACLES) == number else [pytest.mark.soak],
        )
        for number, obstacle in enumerate(_OBSTACLES)
        for at, place in enumerate(_PLACES)
    ],
)
def test_what_stands_in_the_place_of_a_file_is_told_and_set_aside(
    collected: Deployment, phx_on: Phx, place: str, obstacle: str
) -> None:
    before, known = published(collected), digest(collected)
    images = collected.root / "data" / "property_images"
    path = next(path for path in sorted(images.glob(place)) if path.is_file())
    put_in_place(obstacle, of=path)

    verified = phx_on(collected, "verify")
    repaired = phx_on(collected, "repair")
    again = phx_on(collected, "verify")

    assert (verified.code, repaired.code, again.code) == (1, 0, 0), repaired.out
    after = {n: b for n, b in published(collected).items() if ".aside-" not in n}
    assert (after, digest(collected)) == (before, known)
    for aside in images.rglob("*.aside-*"):  # the copy is shared
        shutil.rmtree(aside) if aside.is_dir() else aside.unlink()


def put_in_place(obstacle: str, *, of: Path) -> None:
    if obstacle == "no folder":
        shutil.rmtree(of.parent)
        of.parent.write_text("a file")
        return
    of.unlink()
    if obstacle == "a folder":
        of.mkdir()
        (of / "note.txt").write_text("mine")
    else:
        of.symlink_to("/nowhere/at/all")
