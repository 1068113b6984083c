"""Links by subject and location follow the published pictures, and lead somewhere."""

import errno
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from phx_pipeline.errors import DiskError
from phx_pipeline.model.naming import ImageName
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.folder_views import dangling, rebuild_links
from phx_pipeline.stages.publish import publish
from phx_pipeline.workflows.lifecycle import known_property, purge, remove
from phx_pipeline.workflows.repair import End, repair_views
from phx_pipeline.workflows.verify import Fault, verify_views
from phx_pipeline_tests.damage import a_file, execute, lead_nowhere


@dataclass(frozen=True, slots=True, kw_only=True)
class Views:
    """The folder views of a store of one house."""

    context: StageContext
    slug: str

    def links(self) -> dict[str, str]:
        """What each entry below the views is, by its path."""
        root = self.context.layout.views
        found = (it for it in root.rglob("*") if it.is_symlink() or it.is_file())
        return {
            str(it.relative_to(root)): str(it.readlink())
            if it.is_symlink()
            else "a file"
            for it in found
        }

    def wanted(self) -> dict[str, str]:
        """What there should be, by what the folder has."""
        folder = a_file(self.context).parent
        links = {}
        for path in folder.glob("*.png"):
            name = ImageName.parse(path.name)
            target = f"../../../processed/{name.folder}/{name}"
            links[f"by_subject/{name.subject.value}/{name}"] = target
            links[f"by_location/{name.location.value}/{name}"] = target
        return links

    def publish(self) -> None:
        publish(self.context, self.slug)

    def dangling(self) -> list[str]:
        return [path.name for path in dangling(self.context)]


@pytest.fixture
def views(collected: StageContext) -> Views:
    (slug,) = collected.catalog.slugs()
    found = Views(context=collected, slug=slug)
    found.publish()
    return found


def test_each_picture_is_linked_from_both_views_wherever_the_tree_lies(
    views: Views, tmp_path: Path
) -> None:
    assert views.links() == views.wanted()

    moved = shutil.copytree(views.context.layout.root, tmp_path / "m", symlinks=True)

    links = list((moved / "property_images/views").glob("*/*/*.png"))
    assert len(links) == len(views.wanted())
    assert {it.resolve().parents[2] for it in links} == {moved / "property_images"}


def test_links_follow_what_a_picture_is_said_to_show(views: Views) -> None:
    assert execute(
        views.context,
        "update category set subject='dining', confidence=12 where subject='kitchen'",
    )

    views.publish()

    assert views.links() == views.wanted()
    assert any("dining_12" in path for path in views.links())
    assert not any("kitchen" in path for path in views.links())


def make_file(path: Path) -> None:
    """What copying a tree by its content makes of a link."""
    body = path.read_bytes()
    path.unlink()
    path.write_bytes(body)


def lead_astray(path: Path) -> None:
    path.unlink()
    path.symlink_to("/nowhere")


@pytest.mark.parametrize("break_it", [make_file, lead_astray, Path.unlink])
def test_what_has_the_name_of_a_link_is_made_one_again(
    views: Views, break_it: Callable[[Path], object]
) -> None:
    break_it(views.context.layout.views / min(views.links()))

    views.publish()

    assert views.links() == views.wanted()


def test_what_somebody_else_put_there_stays(views: Views) -> None:
    root = views.context.layout.views
    mine = root / "by_subject/kitchen/my kitchen.png"
    mine.symlink_to("/nowhere")
    (root / "by_subject/kitchen/notes.txt").write_bytes(b"too dark")

    views.publish()
    rebuild_links(views.context)

    assert views.links().keys() - views.wanted().keys() == {
        "by_subject/kitchen/my kitchen.png",
        "by_subject/kitchen/notes.txt",
    }
    assert views.dangling() == []


def test_links_to_nowhere_are_counted_and_removed(views: Views) -> None:
    lead_nowhere(views.context)

    (problem,) = verify_views(views.context)
    (repaired,) = repair_views(views.context)

    assert (problem.fault, repaired.end) == (Fault.LINK, End.DONE)
    assert problem.text.startswith("1 link of the folder views leads nowhere")
    assert views.links() == views.wanted()
    assert verify_views(views.context) == []


def test_deleted_views_are_made_again_from_the_rows(views: Views) -> None:
    shutil.rmtree(views.context.layout.views)

    (problem,) = verify_views(views.context)
    (repaired,) = repair_views(views.context)

    count = len(views.wanted())
    assert f"{count} links of the folder views are missing" in problem.text
    assert (problem.fault, repaired.end) == (Fault.LINK, End.DONE)
    assert views.links() == views.wanted()
    assert rebuild_links(views.context) == 0


def test_a_file_in_the_place_of_a_folder_is_moved_aside(views: Views) -> None:
    kind = views.context.layout.views / "by_location"
    shutil.rmtree(kind)
    kind.write_bytes(b"mine")

    views.publish()

    assert views.wanted().items() <= views.links().items()
    (aside,) = kind.parent.glob("by_location.aside-*")
    assert aside.read_bytes() == b"mine"


@pytest.mark.parametrize("part", [1, 2])
def test_nothing_behind_a_folder_that_is_a_link_is_touched(
    part: int, views: Views, caplog: pytest.LogCaptureFixture
) -> None:
    folder, layout = a_folder(views), views.context.layout
    linked = layout.views / Path(*Path(min(views.links())).parts[:part])
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    shutil.rmtree(linked)
    behind = folder if part > 1 else layout.processed
    linked.symlink_to(behind)

    views.publish()
    rebuild_links(views.context)
    remove(views.context, views.slug)

    told = {it.message for it in caplog.records if "is a link itself" in it.message}
    assert told == {f"{linked} is a link itself, so no links are put there: remove it"}
    assert before == {
        path.name: b"" if path.is_symlink() else path.read_bytes()
        for path in folder.iterdir()
    }
    assert [it.name for it in layout.processed.iterdir()] == [folder.name]


def test_a_removed_house_is_in_no_view_and_leaves_no_link_when_it_is_purged(
    views: Views,
) -> None:
    remove(views.context, views.slug)
    assert views.links() == {}
    assert a_folder(views).is_dir()

    purge(views.context, known_property(views.context, views.slug).house)

    assert (views.links(), views.dangling()) == ({}, [])


def a_folder(views: Views) -> Path:
    (found,) = views.context.layout.processed.iterdir()
    return found


def refusing(number: int) -> Callable[..., None]:
    def refuse(_target: str, path: Path) -> None:
        raise OSError(number, os.strerror(number), str(path))

    return refuse


def test_where_no_links_can_be_made_one_line_says_so_and_all_else_is_done(
    views: Views, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.rmtree(views.context.layout.views)
    shutil.rmtree(a_folder(views))
    monkeypatch.setattr(os, "symlink", refusing(errno.EPERM))

    views.publish()

    (told,) = (it.message for it in caplog.records if "no links are kept" in it.message)
    assert "not permitted" in told
    assert (views.links(), len(list(a_folder(views).glob("*.json")))) == ({}, 3)
    assert verify_views(views.context) == []


def test_a_disk_that_fills_up_fails_the_publication_and_the_next_one_goes_on(
    views: Views, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(views.context.layout.views)
    with monkeypatch.context() as full:
        full.setattr(os, "symlink", refusing(errno.ENOSPC))
        with pytest.raises(DiskError, match="the disk is full"):
            views.publish()
    assert not views.context.tally(views.slug).is_published

    views.publish()

    assert views.links() == views.wanted()
    assert views.context.tally(views.slug).is_published
