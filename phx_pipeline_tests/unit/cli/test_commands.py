"""What the commands print on a healthy store, and on a broken one."""

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import click
import pytest
from click.testing import CliRunner
from PIL import Image

from phx_pipeline.cli.console import console
from phx_pipeline.cli.main import phx
from phx_pipeline.cli.nearest import FIRST_TYPED
from phx_pipeline.cli.times import phoenix_text
from phx_pipeline.model.address import Address
from phx_pipeline.model.naming import ImageName
from phx_pipeline.settings import Settings
from phx_pipeline_tests.commands import Phx, UseSettings
from phx_pipeline_tests.deployment import (
    SMALLEST,
    Deployment,
    collected_whole,
    slug_of,
    with_shots,
)

HOUSE = with_shots(SMALLEST, 0, 1, 2, 3)
SLUG = slug_of(HOUSE)


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A store of one house with four pictures."""
    root = collected_whole(tmp_path_factory.mktemp("healthy"), HOUSE)
    with Deployment(root, {}) as made:
        return made.settings


@pytest.fixture
def run(phx: Phx, healthy: Settings, tmp_path: Path, use_settings: UseSettings) -> Phx:
    """Run a command line on a copy of the store."""
    shutil.copytree(healthy.data_dir, tmp_path / "data")
    use_settings(
        replace(healthy, data_dir=tmp_path / "data", dagster_dir=tmp_path / "dagster")
    )
    return phx


@pytest.fixture
def folder(run: Phx, tmp_path: Path) -> Path:
    """The published folder of the house, in the copy."""
    del run
    (found,) = (tmp_path / "data" / "property_images" / "processed").iterdir()
    return found


# --- help -----------------------------------------------------------------------------


def _commands(
    group: click.Group, *, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from _commands(command, path=(*path, name))
        else:
            yield (*path, name), command


@pytest.mark.parametrize("path", [path for path, _ in _commands(phx)], ids=" ".join)
def test_the_help_of_every_command_shows_an_example(path: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(phx, [*path, "--help"], prog_name="phx")

    assert shown.exit_code == 0
    _, _, example = shown.output.partition("Example")
    assert f"phx {' '.join(path)}" in example


def test_words_of_other_programs_lead_to_commands_and_are_none() -> None:
    known = {path[:length] for path, _ in _commands(phx) for length in (1, 2)}
    meant = {tuple(path.split()) for paths in FIRST_TYPED.values() for path in paths}

    assert (meant - known, {(word,) for word in FIRST_TYPED} & known) == (set(), set())


@pytest.mark.parametrize(
    ("server", "who"),
    [(None, ""), ("https://phx.example", "the key of an operator or an admin")],
)
def test_where_there_are_no_jobs_only_who_may_is_told_to_hand_one_in(
    phx: Phx, monkeypatch: pytest.MonkeyPatch, server: str | None, who: str
) -> None:
    idle = SimpleNamespace(jobs=lambda **_: [])
    monkeypatch.setattr("phx_pipeline.cli.jobs.connected", lambda _: nullcontext(idle))
    if server:
        monkeypatch.setenv("PHX_SERVER", server)

    told = phx("jobs").out

    assert told.startswith(f"there are no jobs: {who}")
    assert "`phx extract --all --async`" in told


def test_every_option_is_explained_by_a_whole_sentence() -> None:
    told = {
        f"{' '.join(path)} {option.opts[0]}": option.help or ""
        for path, command in _commands(phx)
        for option in command.params
        if isinstance(option, click.Option)
    }

    assert len(told) > 40
    assert [
        name
        for name, text in told.items()
        if not re.fullmatch(r"[A-Z].*[a-z].* .*\.", text)
    ] == []


def test_the_first_help_names_every_command_and_the_exit_codes() -> None:
    shown = CliRunner().invoke(phx, ["-h"])

    assert shown.exit_code == 0
    assert {path[0] for path, _ in _commands(phx)} <= set(shown.output.split())
    assert "Exit codes: 0 complete, 1 error, 2 usage, 3 partial" in shown.output


@pytest.mark.parametrize("group", ["", "properties", "review", "rulings", "quarantine"])
def test_no_line_of_a_list_of_commands_is_cut_at_80_columns(group: str) -> None:
    shown = CliRunner().invoke(phx, [*group.split(), "--help"], terminal_width=80)

    _, _, listed = shown.output.partition("Commands:")
    assert len(listed.splitlines()) > 2
    assert "..." not in listed


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("phx prop", "properties"),
        ("phx properties ren", "rename"),
        ("phx images --not", "--not-kept"),
    ],
)
def test_a_shell_completes_commands_of_groups_and_options(
    phx: Phx, monkeypatch: pytest.MonkeyPatch, typed: str, offered: str
) -> None:
    monkeypatch.setenv("_PHX_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", typed)
    monkeypatch.setenv("COMP_CWORD", str(typed.count(" ")))

    assert phx().out.split() == [f"plain,{offered}"]


# --- properties -----------------------------------------------------------------------


def test_adding_a_house_again_changes_nothing(run: Phx) -> None:
    other = "100 N Adams St, Phoenix, AZ 85003"

    first = run("properties", "add", other)
    again = run("properties", "add", "100 north adams street, phoenix, az 85003-1111")

    assert (first.code, again.code) == (0, 0)
    assert "added 100-n-adams-st-phoenix-az-85003" in first.out
    assert "1 added" in first.out
    assert "nothing new, 1 known already" in again.out


def test_a_house_that_differs_in_the_zip_alone_is_added_and_pointed_out(
    run: Phx,
) -> None:
    run("properties", "add", "100 N Adams St, Phoenix, AZ 85003")
    typo = run("properties", "add", "100 N Adams St, Phoenix, AZ 85030")
    apart = run("properties", "add", "102 N Adams St, Phoenix, AZ 85003")

    key = "100-n-adams-st-phoenix-az-85030"
    assert (typo.code, apart.code) == (0, 0)
    assert "1 added" in typo.out
    assert f"{key} differs from 100-n-adams-st-phoenix-az-85003" in typo.err
    assert f"`phx properties remove {key}`" in typo.err
    assert apart.err == ""


@pytest.mark.parametrize(
    ("known", "typed"),
    [
        ("12 Thomas Trl", "12 Thomas Trails"),
        ("100 N Adams St", "100 Adams St"),
        ("100 N Adams St Unit 4", "100 N Adams St"),
        ("12 Adams St Unit A", "12A Adams St"),
    ],
)
def test_a_house_written_almost_like_another_is_pointed_out_until_they_are_one(
    run: Phx, known: str, typed: str
) -> None:
    run("properties", "add", f"{known}, Phoenix, AZ 85003")
    there = Address.parse(f"{known}, Phoenix, AZ 85003").slug

    added = run("properties", "add", f"{typed}, Phoenix, AZ 85003")

    new = Address.parse(f"{typed}, Phoenix, AZ 85003").slug
    assert added.code == 0
    assert f"look: {new} may be {there}," in added.err
    assert run("properties", "merge", there, new).code == 0
    assert f"`phx properties merge {there} {new}`" in added.err


def test_of_other_flats_of_a_building_nobody_is_told_that_they_may_be_one(
    run: Phx, tmp_path: Path
) -> None:
    flats = [f'"100 N Adams St Unit {n}, Phoenix, AZ 85003"' for n in range(100, 200)]
    file = tmp_path / "flats.csv"
    file.write_text("\n".join(["address", *flats]))

    assert "100 added" in run("properties", "add", str(file)).out
    assert run("properties", "add", str(file)).err == ""


def test_when_a_house_was_removed_is_told_in_the_time_of_phoenix(run: Phx) -> None:
    run("properties", "remove", SLUG)

    table = run("properties", "list", "--removed").out
    (row,) = run("properties", "list", "--removed", "--json").json

    assert phoenix_text(row["removed_at"]) in table
    assert "removed_at" not in table


def test_adding_a_grown_file_adds_what_is_new(run: Phx, tmp_path: Path) -> None:
    file = tmp_path / "houses.csv"
    file.write_text(f'address\n"{HOUSE.address}"\n"100 N Adams St, Mesa, AZ 85201"\n')

    ended = run("properties", "add", str(file))

    assert ended.code == 0
    assert "1 added, 1 known already" in ended.out


def test_properties_are_listed_for_people_and_for_programs(
    run: Phx, folder: Path
) -> None:
    table, plain = run("properties", "list"), run("properties", "list", "--json")

    assert SLUG in table.out
    assert "1 property" in table.out
    (row,) = plain.json
    assert (row["key"], row["folder"]) == (SLUG, folder.name)
    assert set(row) == {"key", "folder", "address"}


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("properties list --removed", "no property was removed"),
        ("quarantine list", "no photo waits for you (--all lists"),
        (f"quarantine list --all --property {SLUG}", f"no photo of {SLUG} was ever"),
        ("rulings list", "no rulings yet: `phx quarantine`"),
        (f"images {SLUG} --subject sewer", "no such picture, but 4 others"),
    ],
)
def test_a_list_of_nothing_is_a_sentence_that_goes_on(
    run: Phx, line: str, told: str
) -> None:
    ended, plain = run(*line.split()), run(*line.split(), "--json")

    assert (ended.code, plain.json) == (0, [])
    assert told in ended.out
    assert "┃" not in ended.out


def test_without_proxies_it_is_said_that_all_is_asked_for_directly(
    run: Phx, healthy: Settings, tmp_path: Path, use_settings: UseSettings
) -> None:
    use_settings(replace(healthy, data_dir=tmp_path / "data", proxy=None))

    ended, plain = run("proxies"), run("proxies", "--json")

    assert (ended.code, plain.json) == (0, [])
    assert "no proxies: all is asked for directly (PHX_PROXY" in ended.out


def test_without_houses_every_list_of_them_says_how_to_add_one(run: Phx) -> None:
    run("properties", "add", "100 N Adams St, Phoenix, AZ 85003")
    shown = run("properties", "show", "100 N Adams St, Phoenix, AZ 85003").out
    pictures = run("images", "100-n-adams-st-phoenix-az-85003").out
    for house in (SLUG, "100-n-adams-st-phoenix-az-85003"):
        run("properties", "remove", house, "--purge", "--yes")

    lists = ("properties list", "status", "verify", "changes")
    empty = [run(*it.split()) for it in lists]

    goes_on = "`phx extract --address 100-n-adams-st-phoenix-az-85003`"
    assert f"no pictures kept yet: {goes_on}" in shown
    assert f"no pictures yet; {goes_on}" in pictures
    assert [it.code for it in empty] == [0, 0, 0, 0]
    for it in empty:
        assert "no properties yet: `phx properties add" in it.out
        assert "┃" not in it.out


# --- status, images -------------------------------------------------------------------


def test_the_status_of_a_complete_house(run: Phx) -> None:
    table, plain = run("status"), run("status", "--json")

    assert "1 of 1 property complete" in table.out
    assert "open:" not in table.out
    assert plain.json == [
        {
            "property": SLUG,
            "complete": True,
            "discovered": 4,
            "pending": 0,
            "kept": 4,
            "duplicate": 0,
            "rejected": 0,
            "failed": 0,
            "outdated": 0,
            "suspects": 0,
            "conflicts": [],
            "sources": {
                "redfin": {
                    "outcome": "listed",
                    "detail": "4 photos; status Active",
                    "wanting": 0,
                    "faulted": 0,
                    "discovered": 4,
                    "drift": [],
                    "kept": 4,
                }
            },
        }
    ]


def test_a_house_never_asked_for_is_open_and_has_no_outcome(run: Phx) -> None:
    run("properties", "add", "100 N Adams St, Phoenix, AZ 85003")

    plain = run("status", "--json").json

    assert [row["complete"] for row in plain] == [False, True]
    assert plain[0]["sources"] == {
        "redfin": {
            "outcome": None,
            "detail": "",
            "wanting": 0,
            "faulted": 0,
            "discovered": 0,
            "drift": [],
        }
    }


def test_of_very_many_houses_those_that_need_nothing_are_only_counted(
    run: Phx, tmp_path: Path
) -> None:
    houses = tmp_path / "houses.csv"
    rows = [f'"{number} N Adams St, Phoenix, AZ 85003"' for number in range(100, 220)]
    houses.write_text("\n".join(["full_address", *rows]), encoding="utf-8")
    run("properties", "add", str(houses))

    short, whole = run("status").out, run("status", "--all").out

    assert "1 of 121 properties complete" in short
    assert "71 more properties counted, not shown" in short
    assert short.count("n-adams-st") == 50
    assert SLUG not in short
    assert whole.count("n-adams-st") == 120
    assert SLUG in whole
    for out in (short, whole):
        assert re.search(r"sum\W+4\W+0\W+4\W+0\W+0\W+0", out)


@pytest.mark.parametrize("named", ["key", "folder", "address"])
def test_images_are_listed_whatever_names_the_house(
    run: Phx, folder: Path, named: str
) -> None:
    house = {"key": SLUG, "folder": folder.name, "address": HOUSE.address}[named]

    ended = run("images", house, "--json")

    assert ended.code == 0
    assert {row["file"] for row in ended.json} == {str(p) for p in folder.glob("*.png")}
    for row in ended.json:
        assert row["url"].startswith("https://ssl.cdn-redfin.com/")
        name = ImageName.parse(Path(row["file"]).name)
        with Image.open(row["file"]) as picture:
            size = picture.size
        assert list(row.items())[2:] == [
            ("location", name.location),
            ("subject", name.subject),
            ("confidence", name.confidence),
            ("width", size[0]),
            ("height", size[1]),
            ("date", f"{name.date:%Y-%m-%d}"),
            ("source", "redfin"),
            ("property", SLUG),
            ("first_seen_on", row["first_seen_on"]),
            ("probability", row["probability"]),
            ("sidecar", str(Path(row["file"]).with_suffix(".json"))),
            ("photo", f"/photos/{folder.name}/{name}"),
            ("shown_now", True),
            ("last_seen_on", row["last_seen_on"]),
        ]
        assert json.loads(Path(row["sidecar"]).read_text())["file"] == str(name)


def test_a_house_of_which_every_photo_is_kept_says_so(run: Phx) -> None:
    ended, plain = (
        run("images", SLUG, "--not-kept"),
        run("images", SLUG, "--not-kept", "--json"),
    )
    both = run("images", SLUG, "--not-kept", "--subject", "kitchen")

    assert (ended.code, plain.json) == (0, [])
    assert "all photos found so far are kept" in ended.out
    assert (both.code, "leave the other options out" in both.err) == (2, True)


def test_images_can_be_chosen_by_subject_and_confidence(run: Phx) -> None:
    everything = run("images", SLUG, "--json").json
    kitchens = run("images", SLUG, "--subject", "kitchen", "--json").json
    surest = run("images", SLUG, "--min-confidence", "99", "--json").json

    seen_on = everything[0]["first_seen_on"]
    seen = [f"--since={seen_on}", "--since=2d"]

    assert len(everything) == 4
    assert [len(run("images", it, "--json").json) for it in seen] == [4, 4]
    assert run("images", "--paths").out.splitlines() == [r["file"] for r in everything]
    assert run("images").out.endswith("4 pictures of 1 property\n")
    assert run("images", "--source", "redfin", "--json").json == everything
    assert run("images", "--source=zillow", "--json").json == []
    assert "did you mean redfin?" in run("images", "--source", "redfn").err
    assert len(kitchens) == 1
    assert "_int_kitchen_" in kitchens[0]["file"]
    assert len(surest) < 4
    assert "1 picture\n" in run("images", SLUG, "--subject", "kitchen").out
    assert (
        "no such picture, but 4 others" in run("images", SLUG, "--subject", "sewer").out
    )


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("images --min-confidence 0.9", "a whole number of percent, 0 to 99"),
        (f"categorize run {SLUG} --all", "name houses or give --all, not both"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_form(
    run: Phx, line: str, told: str
) -> None:
    ended = run(*line.split())

    assert ended.code == 2
    assert told in " ".join(ended.err.split())


def test_a_subject_that_is_none_is_refused_with_those_there_are(run: Phx) -> None:
    ended = run("images", SLUG, "--subject", "kitchne")

    assert ended.code == 2
    assert "no 'kitchne' (did you mean kitchen?): choose from kitchen, " in ended.err


@pytest.mark.parametrize("width", [40, 80, 200])
def test_no_width_of_a_terminal_cuts_a_name(
    run: Phx, folder: Path, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    run("sources", "disable", "redfin")
    monkeypatch.setattr(console, "_width", width)

    status, images = run("status").out, run("images", SLUG).out
    listed, shown = run("properties", "list").out, run("properties", "show", SLUG).out
    asked, stats = run("sources").out, run("stats").out

    assert ("found ┃" in status) == (width == 200)
    assert ("4 found, 4 kept" in status) == (width < 200)
    assert ("state: switched off" in asked) == (width < 200)
    assert "discovered: 4" in stats or "discovered ┃" in stats
    assert "…" not in status + images + listed + shown + asked + stats
    for name in (SLUG, str(folder.name), HOUSE.address):
        assert name in listed
        assert name in shown
    for file in folder.glob("*.png"):
        assert file.name in images
    assert SLUG in status
    assert "(`phx sources enable redfin/photos`)" in asked


# --- verify ---------------------------------------------------------------------------


def test_verify_is_content_with_a_healthy_store(run: Phx) -> None:
    text, plain = run("verify"), run("verify", "--json")

    assert text.code == 0
    assert "1 property checked, no problem found" in text.out
    assert plain.json == {"properties": 1, "problems": []}


def test_verify_names_what_is_broken_and_ends_with_1(run: Phx, folder: Path) -> None:
    stray = folder / "[red]:key:.png"
    stray.write_bytes(b"not ours")

    text, plain = run("verify"), run("verify", "--json")

    assert (text.code, plain.code) == (1, 1)
    assert f"{stray.name} is not listed but in processed/{folder.name}\n" in text.out
    assert "1 problem found" in text.out
    assert plain.json["problems"] == [
        {
            "rule": "manifest_equals_folder",
            "problem": f"{stray.name} is not listed but in processed/{folder.name}",
        }
    ]


def test_a_long_line_about_a_problem_is_not_broken(run: Phx, folder: Path) -> None:
    stray = folder / f"{'x' * 240}.png"
    stray.write_bytes(b"not ours")

    ended = run("verify")

    assert f"manifest_equals_folder: {stray.name} is not listed" in ended.out


def test_the_digest_is_all_that_is_printed(run: Phx) -> None:
    first, again = run("verify", "--digest"), run("verify", "--digest")

    assert first.out == again.out
    assert len(first.out) == 65
    assert int(first.out, 16)


# --- init -----------------------------------------------------------------------------


def test_init_may_be_repeated(run: Phx) -> None:
    digest = run("verify", "--digest").out

    first, again = run("init"), run("init")

    assert (first.code, again.code) == (0, 0)
    assert "ready" in again.out
    assert run("verify", "--digest").out == digest
