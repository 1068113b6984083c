"""Rulings carried from one installation to another."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from phx_pipeline.model.address import Address, Match
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.outcome import ListingOutcome, Verdict
from phx_pipeline.model.photo import PhotoRef
from phx_pipeline.model.ruling import About, PhotoRuling, Ruling
from phx_pipeline.model.source import Source
from phx_pipeline.stages.context import StageContext
from phx_pipeline.workflows.rulings import ruling_lines, take_rulings
from phx_pipeline_tests.commands import Phx
from phx_pipeline_tests.deployment import Deployment

ADDRESS = "4732 W Davis Rd, Glendale, AZ 85306"
HOUSE = Address.parse(ADDRESS).slug
SOON = (datetime.now(UTC) + timedelta(days=3)).isoformat()


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Deployment]:
    with Deployment(tmp_path, {}, user="ada") as made:
        made.add([ADDRESS])
        yield made


@pytest.fixture
def context(made: Deployment) -> Iterator[StageContext]:
    with made.context() as opened:
        with opened.holding(HOUSE) as lease:
            stamp = opened.stamp()
            listing = gallery("a", "b")
            opened.catalog.record_listing(lease, HOUSE, listing, stamp=stamp)
        yield opened


def gallery(*keys: str) -> Listing:
    photos = tuple(
        PhotoRef(
            source=Source.REDFIN,
            photo_key=key,
            url=f"https://photos.example/{key}.jpg",
            position=position,
        )
        for position, key in enumerate(keys)
    )
    return Listing(
        source=Source.REDFIN,
        outcome=ListingOutcome.LISTED,
        photos=photos,
        complete=True,
    )


def ruling(context: StageContext, **changes: object) -> Ruling:
    made = Ruling(
        id=str(uuid4()),
        at=context.stamp().at,
        who="grace",
        about=About.PHOTO,
        slug=HOUSE,
        source=Source.REDFIN,
        key="a",
        value=PhotoRuling.DROPPED.value,
        why="the neighbours' pool",
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # named by each test


def line(context: StageContext, **changes: object) -> str:
    """A line as `phx rulings export` writes it, with some values changed."""
    (text,) = ruling_lines([ruling(context)])
    return json.dumps(json.loads(text) | changes)


def verdicts(context: StageContext) -> Mapping[str, Verdict]:
    return {p.ref.photo_key: p.verdict for p in context.catalog.photos(HOUSE)}


def test_what_is_written_is_read_back(context: StageContext) -> None:
    given = [
        ruling(context),
        ruling(context, key="b", value="released", why=""),
        ruling(context, about=About.SPELLING, source=None, key="Davis", value="same"),
    ]

    taken = take_rulings(context, ruling_lines(given))

    assert (taken.added, taken.problems) == (tuple(given), ())
    assert set(context.catalog.rulings.all()) == set(given)


def test_rulings_that_arrive_are_acted_on_once(context: StageContext) -> None:
    text = line(context)

    first = take_rulings(context, [text])
    after = verdicts(context)
    again = take_rulings(context, [text])

    assert after == {"a": Verdict.FOREIGN, "b": Verdict.PENDING}
    assert (first.settled, again.settled) == ((HOUSE,), ())
    assert (again.added, again.known) == ((), 1)
    assert verdicts(context) == after


def test_a_former_key_means_the_house(context: StageContext) -> None:
    text = line(context)
    better = Address.parse("4732 W Davis Rd, Phoenix, AZ 85306")
    with context.holding(HOUSE) as lease:
        context.catalog.houses.rename(lease, HOUSE, better, at=context.stamp().at)

    taken = take_rulings(context, [text])

    assert taken.settled == (better.slug,)


def test_a_house_at_work_is_settled_by_its_next_run(context: StageContext) -> None:
    impatient = replace(context, lease_wait_s=0.0)
    with context.holding(HOUSE):
        taken = take_rulings(impatient, [line(context)])

    assert (len(taken.added), taken.settled, taken.waiting) == (1, (), (HOUSE,))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"slug": "1-nowhere-st"}, "unknown property '1-nowhere-st'"),
        ({"about": "weather"}, "about 'weather'"),
        ({"value": "same"}, "value 'same'.*dropped or open or released"),
        ({"source": None}, "needs its source"),
        ({"source": "myspace"}, "source 'myspace'"),
        ({"id": "7"}, "id '7'"),
        ({"at": "2026-11-27T15:00:00"}, "no time with a zone"),
        ({"at": "yesterday"}, "no time with a zone"),
        ({"at": "0001-01-01T00:00:00+14:00"}, "no time with a zone"),
        ({"key": ""}, "key is missing"),
        ({"key": 7}, "key is missing, or is no text"),
        ({"who": "a" * 65}, "who has more than 64"),
        ({"why": "\x1b[2J"}, "why holds characters"),
        ({"key": "\ud800"}, "key holds characters"),
    ],
)
def test_a_bad_row_is_told_and_the_others_are_taken(
    context: StageContext, changes: Mapping[str, object], told: str
) -> None:
    taken = take_rulings(context, [line(context), "", line(context, **changes)])

    assert len(taken.added) == 1
    (problem,) = taken.problems
    assert re.match(f"row 3: .*{told}", problem)


def test_a_ruling_of_the_future_would_count_for_ever_and_is_left_out(
    context: StageContext,
) -> None:
    texts = [line(context, at=at) for at in (SOON, "9999-12-31T23:59:59.999999+00:00")]

    taken = take_rulings(context, texts)

    assert [told.partition(":")[0] for told in taken.problems] == ["row 1", "row 2"]
    assert all("is in the future" in told for told in taken.problems)
    assert context.catalog.rulings.all() == []


def test_an_imported_spelling_cannot_make_two_followed_houses_one(
    made: Deployment, context: StageContext
) -> None:
    other = "4734 W Davis Rd, Glendale, AZ 85306"
    slug = made.add([other])[-1]
    spelling = {"about": "spelling", "source": None, "key": other}

    taken = take_rulings(
        context,
        [line(context, **spelling, value=value) for value in ("same", "other")],
    )

    (told,) = taken.problems
    assert f"phx properties merge {HOUSE} {slug}" in told
    assert [ruling.value for ruling in taken.added] == ["other"]
    house = context.house(HOUSE)
    assert house.means(Address.parse(other)) is Match.OTHER


def test_a_spelling_with_another_number_or_zip_is_no_spelling_in_a_file_either(
    context: StageContext,
) -> None:
    slip = "4723 W Davis Rd, Glendale, AZ 85306"
    row = line(context, about="spelling", source=None, key=slip, value="same")

    taken = take_rulings(context, [row])

    (told,) = taken.problems
    assert (taken.added, context.catalog.rulings.all()) == ((), [])
    assert told.startswith(f"row 1: {slip} is no spelling of {ADDRESS}")


@pytest.mark.parametrize(
    "changes",
    [{"value": "released"}, {"key": "b"}, {"who": "alan"}],
    ids=["value", "key", "who"],
)
def test_rows_with_one_id_that_differ_are_left_out_and_the_id_is_named(
    context: StageContext, changes: Mapping[str, str]
) -> None:
    row = json.loads(line(context))
    one, other = json.dumps(row), json.dumps(row | changes)

    taken = take_rulings(context, [one, line(context, key="b"), other])

    (told,) = taken.problems
    assert told.startswith(f"row 3: id {row['id']} differs from the one of row 1")
    assert "\n" not in told
    assert [ruling.key for ruling in taken.added] == ["b"]
    assert context.catalog.rulings.all() == list(taken.added)


def test_a_row_that_is_there_twice_counts_once(context: StageContext) -> None:
    row = line(context)
    shouted = json.loads(row)
    shouted["id"] = shouted["id"].upper()

    first = take_rulings(context, [row, row, json.dumps(shouted)])
    again = take_rulings(context, [row, row])

    assert (len(first.added), first.known, first.problems) == (1, 0, ())
    assert (len(again.added), again.known, again.problems) == (0, 1, ())


def test_a_ruling_that_is_here_is_not_changed_by_a_row_with_its_id(
    context: StageContext,
) -> None:
    row = json.loads(line(context))
    take_rulings(context, [json.dumps(row)])
    before = context.catalog.rulings.all()

    taken = take_rulings(context, [json.dumps(row | {"value": "released"})])

    (told,) = taken.problems
    assert (taken.added, taken.known) == ((), 0)
    assert f"id {row['id']} differs from a ruling that is here already" in told
    assert context.catalog.rulings.all() == before


@pytest.mark.parametrize("text", ["[]", "{", "[" * 100_000, '"a"', "{}", "\0"])
def test_a_row_that_is_no_ruling_is_told(context: StageContext, text: str) -> None:
    taken = take_rulings(context, [text])

    assert (taken.added, len(taken.problems)) == ((), 1)


def test_rulings_travel_by_the_commands(
    made: Deployment, context: StageContext, phx_on: Phx, tmp_path: Path
) -> None:
    file = tmp_path / "rulings.jsonl"
    take_rulings(context, [line(context)])

    exported = phx_on(made, "rulings", "export", str(file))
    with Deployment(tmp_path / "other", {}) as other:
        other.add([ADDRESS])
        file.write_text(file.read_text() + "{}\n")
        imported = phx_on(other, "rulings", "import", str(file))
        again = phx_on(other, "rulings", "import", str(file), "--json")
        listed = phx_on(other, "rulings", "list", "--property", HOUSE)
        piped = phx_on(other, "rulings", "export")

    assert exported.out == f"1 ruling written to {file}\n"
    assert (exported.code, imported.code, again.code) == (0, 3, 3)
    assert "1 added, 1 row left out" in imported.out
    assert imported.err.startswith("row 2: ")
    assert (again.json["added"], again.json["known"]) == (0, 1)
    assert "the neighbours' pool" in listed.out
    assert piped.out + "{}\n" == file.read_text()


def test_who_ruled_is_the_one_the_settings_name(
    made: Deployment, context: StageContext, phx_on: Phx
) -> None:
    take_rulings(context, [line(context)])
    (case,) = phx_on(made, "quarantine", "list", "--all", "--json").json

    released = phx_on(made, "quarantine", "release", case["id"], "--why", "it is ours")

    assert released.code == 0
    (now,) = phx_on(made, "rulings", "list", "--json").json
    assert (now["who"], now["value"], now["why"]) == ("ada", "released", "it is ours")
    assert len(phx_on(made, "rulings", "list", "--all", "--json").json) == 2


def test_a_file_that_is_not_there_is_told_in_one_line(
    made: Deployment, phx_on: Phx, tmp_path: Path
) -> None:
    ended = phx_on(made, "rulings", "import", str(tmp_path / "no.jsonl"))

    assert ended.code == 2
    assert ended.err.count("\n") == 1
