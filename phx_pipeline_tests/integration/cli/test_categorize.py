"""`phx categorize`: naming anew what is here, and who says it."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from phx_pipeline.categorize import registry
from phx_pipeline.categorize.registry import BACKENDS
from phx_pipeline.demo.houses import HOUSES
from phx_pipeline.demo.rooms import RoomKind
from phx_pipeline.model.identity import property_lease
from phx_pipeline.stages import recategorize
from phx_pipeline.stages.rebuild import rebuild
from phx_pipeline_tests.commands import Phx
from phx_pipeline_tests.damage import execute
from phx_pipeline_tests.deployment import Deployment
from phx_pipeline_tests.drawn_house import drawn_house

KINDS = {"den": RoomKind.LIVING, "pool": RoomKind.POOL}


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A house with two pictures of which nothing was told."""
    with drawn_house(tmp_path_factory.mktemp("categorize"), KINDS) as made:
        with made.context() as context:
            rebuild(context, *context.catalog.slugs())
        yield made


@pytest.fixture
def made(filled: Deployment) -> Deployment:
    """The same, with a caption on one of them since."""
    with filled.context() as context:
        assert execute(context, "update photo set caption = ''")
        recategorize.recategorize(context, context.catalog.slugs()[0])
        said = "update photo set caption = 'Pool' where photo_key = 'pool'"
        assert execute(context, said)
    return filled


def kinds(made: Deployment) -> dict[str, str]:
    """The subject in the name of each file, by photo; the folder holds just these."""
    with made.context() as context:
        (slug,) = context.catalog.slugs()
        shown = [it for it in context.catalog.publications(slug) if it.active]
        folder = context.layout.folder(context.house(slug).folder)
        there = {it.stem for it in folder.iterdir()}
        assert there == {Path(it.file_name).stem for it in shown}
        return {it.photo_key: it.subject.value for it in shown}


def pngs(made: Deployment) -> dict[str, tuple[int, int]]:
    root = made.settings.data_dir / "property_images" / "standardized"
    return {
        it.name: (it.stat().st_ino, it.stat().st_mtime_ns) for it in root.rglob("*.png")
    }


def test_pictures_are_named_anew_without_asking_and_encoding(
    made: Deployment, phx_on: Phx
) -> None:
    asked, encoded = len(made.standin.asked), pngs(made)

    first = phx_on(made, "categorize", "run", "--all")
    second = phx_on(made, "categorize", "run", HOUSES[0].address)

    told = "1 of 2 pictures of 1 property named, 1 unknown; {} renamed\n"
    assert (first.code, first.out) == (0, told.format("1 file"))
    assert (second.code, second.out) == (0, told.format("0 files"))
    assert kinds(made) == {"den": "unknown", "pool": "pool"}
    assert (len(made.standin.asked), pngs(made)) == (asked, encoded)
    assert phx_on(made, "verify").code == 0


def test_a_house_whose_names_stay_is_left_alone(made: Deployment, phx_on: Phx) -> None:
    def begun() -> int:
        with made.context() as context:
            (slug,) = context.catalog.slugs()
            state = context.catalog.leases.state(property_lease(slug))
            assert state
            return state.epoch

    phx_on(made, "categorize", "run", "--all")
    before = begun()
    ended = phx_on(made, "categorize", "run", "--all", "--json")

    assert begun() == before
    assert json.loads(ended.out) == {
        "properties": 1,
        "pictures": 2,
        "named": 1,
        "unknown": 1,
        "disputed": 0,
        "renamed": 0,
    }


def test_after_a_kill_the_next_one_publishes_the_names(
    made: Deployment, phx_on: Phx, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying, made.context() as context:
        dying.setattr(recategorize, "publish", killed)
        with pytest.raises(KeyboardInterrupt):
            recategorize.recategorize(context, context.catalog.slugs()[0])
    before = kinds(made)

    ended = phx_on(made, "categorize", "run", "--all")

    assert before == {"den": "unknown", "pool": "unknown"}
    assert kinds(made) == {"den": "unknown", "pool": "pool"}
    assert ended.out.endswith("1 file renamed\n")


@pytest.mark.parametrize(
    ("named", "told"),
    [((), "some houses, or --all"), (("686067a4", "--all"), "or give --all, not both")],
    ids=["none", "both"],
)
def test_one_says_which_houses(
    made: Deployment, phx_on: Phx, named: tuple[str, ...], told: str
) -> None:
    ended = phx_on(made, "categorize", "run", *named)

    assert (ended.code, ended.out) == (2, "")
    assert told in ended.err


def test_who_is_asked_is_shown(made: Deployment, phx_on: Phx) -> None:
    shown = phx_on(made, "categorize", "backends")
    listed = json.loads(phx_on(made, "categorize", "backends", "--json").out)

    assert [it["backend"] for it in listed] == [it.name for it in BACKENDS]
    assert {it["backend"] for it in listed if it["asked"]} == {"listing_text"}
    assert listed[0]["version"] in shown.out
    assert "kitchen" in listed[0]["knows"]


def test_what_is_missing_is_told_in_one_line(
    made: Deployment, phx_on: Phx, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = replace(BACKENDS[0], name="lost", lacking=lambda: "no wheel")
    monkeypatch.setattr(registry, "BACKENDS", (BACKENDS[0], lost))
    everybody = replace(made.settings, categorizers=())
    monkeypatch.setattr(made, "settings", everybody)

    named = phx_on(made, "categorize", "run", "--all")
    status = phx_on(made, "status")

    line = "pictures are named without lost: no wheel"
    assert (named.code, named.err) == (0, f"{line}\n")
    assert line in status.out.splitlines()


def test_a_backend_that_is_none_is_told_with_those_that_are(
    made: Deployment, phx_on: Phx, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = replace(made.settings, categorizers=("listing_txt",))
    monkeypatch.setattr(made, "settings", wrong)

    ended = phx_on(made, "status")

    assert ended.code == 2
    assert "PHX_CATEGORIZERS: unknown backend 'listing_txt'" in ended.err
    assert "choose from listing_text" in ended.err


def test_nothing_is_named_where_there_is_no_house(
    phx_on: Phx, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with Deployment(tmp_path_factory.mktemp("empty"), {}) as empty:
        ended = phx_on(empty, "categorize", "run", "--all")

    assert ended.code == 0
    assert "there are no properties yet" in ended.out
