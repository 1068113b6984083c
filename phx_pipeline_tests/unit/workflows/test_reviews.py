"""What people say that pictures show outlives everything but their own next word."""

import csv
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from PIL import Image

from phx_pipeline.categorize.base import Evidence
from phx_pipeline.errors import InputError
from phx_pipeline.model.address import Address
from phx_pipeline.model.photo import Photo
from phx_pipeline.model.property import Property
from phx_pipeline.model.ruling import TAKEN_BACK
from phx_pipeline.model.taxonomy import Category, Location, Subject
from phx_pipeline.model.vote import Abstention, Vote
from phx_pipeline.settings import Settings
from phx_pipeline.stages import partners
from phx_pipeline.stages.categorize import categorize
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.dedupe import dedupe
from phx_pipeline.stages.partners import settle_called
from phx_pipeline.stages.publish import publish
from phx_pipeline.workflows import lifecycle, reviews
from phx_pipeline.workflows.duplicates import copies_of, copies_with, photo_id
from phx_pipeline.workflows.review_files import file_body, take_file
from phx_pipeline.workflows.review_queue import Standing, review_queue
from phx_pipeline.workflows.reviews import PictureFinder, Review, named_category, review
from phx_pipeline.workflows.rulings import ruling_lines, take_rulings
from phx_pipeline.workflows.split_join import join, split
from phx_pipeline.workflows.verify import verify_property
from phx_pipeline_tests.commands import Phx, UseSettings

POOL = Category(location=Location.EXTERIOR, subject=Subject.POOL, confidence=99)
SEWER = Category(location=Location.SYSTEM, subject=Subject.SEWER, confidence=99)


@pytest.fixture
def slug(collected: StageContext) -> str:
    (slug,) = collected.catalog.slugs()
    return slug


@pytest.fixture
def pair(collected: StageContext, slug: str) -> list[Photo]:
    """A kept photo and its copy."""
    (found,) = (it for it in copies_of(collected, slug) if len(it.members) > 1)
    return [it.photo for it in found.members]


@pytest.fixture
def here(healthy: Settings, use_settings: UseSettings, tmp_path: Path) -> None:
    """Commands work on the collected house."""
    use_settings(replace(healthy, data_dir=tmp_path / "data"))


def say(context: StageContext, photo: Photo, subject: str) -> reviews.ReviewsDone:
    value = TAKEN_BACK if subject == TAKEN_BACK else named_category(subject)
    slug = photo.property_slug
    return review(context, [Review(slug=slug, photo=photo, value=value)])


def run_again(context: StageContext, slug: str) -> None:
    dedupe(context, slug)
    categorize(context, slug)
    publish(context, slug)


def shown(context: StageContext, photo: Photo) -> Category:
    """The category of the picture that a photo is of now, as its file tells it."""
    copies = copies_with(copies_of(context, photo.property_slug), photo)
    assert copies is not None
    row = context.catalog.categories(photo.property_slug)[copies.members[0].name]
    fields = (row.location.value, row.subject.value, f"{row.confidence:02d}")
    assert f"_{'_'.join(fields)}_" in str(copies.file_name)
    return row


def files(context: StageContext, slug: str) -> set[str]:
    folder = context.layout.folder(context.house(slug).folder)
    return {path.name for path in folder.glob("*.png")}


def single(context: StageContext, slug: str) -> Photo:
    found = next(it for it in copies_of(context, slug) if len(it.members) == 1)
    return found.members[0].photo


def problems(context: StageContext, slug: str) -> list[str]:
    return [problem.text for problem in verify_property(context, slug)]


def better_copy(context: StageContext, photo: Photo) -> None:
    """Let the site show the photo in other bytes, as a collect would note them."""
    old = context.catalog.blobs(photo.property_slug)[str(photo.sha256)]
    body = context.blobs.read_raw(old.sha256) + b"\0"
    blob = replace(old, sha256=context.blobs.put_raw(body), size_bytes=len(body))
    with context.holding(photo.property_slug) as lease:
        context.catalog.record_download(
            lease, photo, blob, fetched_url=photo.ref.url, stamp=context.stamp()
        )


@dataclass(kw_only=True)
class Sayer:
    """A backend that is sure of one subject, whatever it is shown."""

    name: str
    says: Subject
    version: str = "2"
    knows: frozenset[Subject] = frozenset(Subject)

    def reads(self, evidence: Evidence) -> str:
        del evidence
        return ""

    def categorize(self, pictures: list[Evidence]) -> list[Vote | Abstention]:
        vote = Vote(
            backend=self.name, version=self.version, probabilities={self.says: 0.9}
        )
        return [vote] * len(pictures)


KITCHENS = Sayer(name="kitchens", says=Subject.KITCHEN)
BATHS = Sayer(name="baths", says=Subject.BATHROOM)


def retrained(context: StageContext, photo: Photo) -> StageContext:
    """The same with backends that were not there before."""
    del photo
    return replace(context, categorizers=(KITCHENS,))


def renamed(context: StageContext, photo: Photo) -> StageContext:
    moved = Address.parse("77 E Elsewhere Rd, Glendale, AZ 85306")
    lifecycle.rename(context, photo.property_slug, moved)
    return context


def merged(context: StageContext, photo: Photo) -> StageContext:
    keep = Property.at(Address.parse("77 E Elsewhere Rd, Glendale, AZ 85306"))
    context.catalog.add_properties([keep], at=context.stamp().at)
    lifecycle.merge(context, keep, context.house(photo.property_slug))
    return context


def upgraded(context: StageContext, photo: Photo) -> StageContext:
    better_copy(context, photo)
    return context


@pytest.mark.parametrize("happens", [retrained, renamed, merged, upgraded])
def test_a_review_outlives(
    happens: Callable[[StageContext, Photo], StageContext],
    collected: StageContext,
    pair: list[Photo],
) -> None:
    kept, copy = pair
    say(collected, copy, "pool")
    later = happens(collected, kept)
    (slug,) = later.catalog.slugs()

    run_again(later, slug)

    assert shown(later, replace(copy, property_slug=slug)) == POOL
    assert problems(later, slug) == []


def test_votes_stand_beside_what_people_said_and_their_disputes_are_listed(
    collected: StageContext, slug: str, pair: list[Photo]
) -> None:
    context = replace(collected, categorizers=(KITCHENS, BATHS), who="ann")
    run_again(context, slug)
    queue = review_queue(context)
    assert {it.standing for it in queue.entries} == {Standing.DISPUTED}

    (ruling,) = say(context, pair[0], "ext/garage").rulings

    after = review_queue(context)
    assert after.total == queue.total - 1
    named = context.catalog.votes.named(slug)[pair[0].key]
    assert [vote.backend for vote in named.votes] == ["kitchens", "baths", "manual"]
    manual = named.votes[-1]
    assert manual.version == f"ann {ruling.at.isoformat(timespec='seconds')}"
    assert manual.probabilities == {Subject.GARAGE: 1}
    assert manual.places == {Subject.GARAGE: Location.EXTERIOR}
    assert (named.category.confidence, named.probability) == (99, 1)


def test_the_file_has_one_name_and_the_old_number_comes_back(
    collected: StageContext, slug: str, pair: list[Photo]
) -> None:
    before = files(collected, slug)

    done = say(collected, pair[0], "pool")

    (told,) = done.reviewed
    assert (told.changed, done.waits) == (True, {})
    assert before - files(collected, slug) == {told.before}
    assert files(collected, slug) - before == {told.after}
    assert shown(collected, pair[0]) == POOL
    assert not say(collected, pair[0], "pool").rulings
    assert problems(collected, slug) == []

    say(collected, pair[1], TAKEN_BACK)

    assert files(collected, slug) == before
    assert not say(collected, pair[1], TAKEN_BACK).reviewed[0].changed


def test_parted_photos_have_each_what_was_said_of_it_and_joined_ones_the_newest(
    collected: StageContext, slug: str, pair: list[Photo]
) -> None:
    one, other = pair
    first = shown(collected, one)
    say(collected, one, "pool")

    split(collected, slug, pair)
    assert [shown(collected, it) for it in pair] == [POOL, first]

    say(collected, other, "sewer")
    join(collected, slug, pair)
    assert [shown(collected, it) for it in pair] == [SEWER, SEWER]
    (entry,) = review_queue(collected).entries[:1]
    assert entry.standing is Standing.RULED_APART
    assert entry.ruled is not None
    assert [it.key for it in entry.ruled.overruled] == [one.ref.photo_key]

    say(collected, one, "pool")
    assert [shown(collected, it) for it in pair] == [POOL, POOL]
    assert review_queue(collected, everything=True).entries[-1].ruled
    split(collected, slug, pair)
    assert [shown(collected, it) for it in pair] == [POOL, POOL]


def test_reviews_are_carried_to_another_catalogue(
    collected: StageContext, slug: str, pair: list[Photo]
) -> None:
    say(collected, pair[0], "ext/pool")
    (line,) = ruling_lines(collected.catalog.rulings.all())
    say(collected, pair[0], TAKEN_BACK)
    newest = max(it.at for it in collected.catalog.rulings.all())
    later = {"id": str(uuid4()), "at": (newest + timedelta(seconds=1)).isoformat()}
    carried = json.loads(line) | later

    taken = take_rulings(collected, [json.dumps(carried)])
    wrong = [carried | {"value": "ext/pol"}, carried | {"source": ""}]
    refused = take_rulings(collected, map(json.dumps, wrong))

    assert (taken.problems, taken.settled) == ((), (slug,))
    assert shown(collected, pair[0]) == POOL
    assert "give open, or ext or" in refused.problems[0]
    assert "about a category needs its source" in refused.problems[1]


def test_what_a_killed_command_left_is_done_by_the_next(
    collected: StageContext,
    slug: str,
    pair: list[Photo],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def killed(*_: object) -> str:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(reviews, "settle_reviews", killed)
        with pytest.raises(KeyboardInterrupt):
            say(collected, pair[0], "pool")

    assert not collected.tally(slug).is_published  # so `phx extract --all` works on it
    assert not say(collected, pair[0], "pool").rulings
    assert shown(collected, pair[0]) == POOL


@pytest.mark.usefixtures("here")
def test_a_house_that_a_run_holds_is_reviewed_at_once(
    collected: StageContext,
    slug: str,
    pair: list[Photo],
    phx: Phx,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(partners, "_PATIENCE_S", 0.0)

    with collected.for_run("night").holding(slug):
        said = phx("review", "set", photo_id(slug, pair[0]), "pool")

    assert said.code == 0
    assert "what you say" in said.err
    assert said.err.strip().endswith(":night")
    assert settle_called(collected, []).done == (slug,)
    assert shown(collected, pair[0]) == POOL


@pytest.mark.parametrize(
    ("subject", "location", "value"),
    [
        ("Pool", "", "ext/pool"),
        ("garage", "ext", "ext/garage"),
        ("ext/garage", "", "ext/garage"),
        ("ext/garage", "int", "name the location only once"),
        ("garage", "out", "there is no location 'out': give one of ext, int"),
        ("kitchen", "sys", "a picture of kitchen is at ext or int, never at sys"),
        ("bedrom", "", r"did you mean bedroom\?\): give one of kitchen, .* document"),
        ("unknown", "", "nobody says that a picture is unknown"),
    ],
)
def test_a_category_is_named_by_words(subject: str, location: str, value: str) -> None:
    if "/" in value:
        assert named_category(subject, location) == value
        return
    with pytest.raises(InputError, match=value):
        named_category(subject, location)


def test_a_picture_is_found_by_every_name_it_has_or_had(
    collected: StageContext, slug: str, pair: list[Photo]
) -> None:
    kept = pair[0]
    (told,) = say(collected, kept, "pool").reviewed
    folder = collected.house(slug).folder
    finder = PictureFinder(collected, None)
    number = photo_id(slug, kept)

    for text in (told.before, told.after, f"x/{told.after}", number, number[:6]):
        found_in, found = finder.find(str(text))
        assert (found_in, found.key) == (slug, kept.key)
    at_home = PictureFinder(collected, slug).find(kept.ref.photo_key)
    assert at_home[1].key == kept.key
    for text, problem in (
        (f"{folder}_int_kitchen_99_r_20250101_77.png", "has no picture"),
        ("0" * 10, "neither the name of a picture's file nor the id"),
        ("00000000_int_kitchen_99_r_20250101.png", "unknown property"),
    ):
        with pytest.raises(InputError, match=problem):
            finder.find(text)


def filled(
    body: bytes, said: Sequence[str], *, name: str, **also: str
) -> tuple[bytes, str]:
    """Return a file with the first rows' subjects filled in, and its name."""
    if name.endswith(".json"):
        rows = json.loads(body)
    else:
        rows = list(csv.DictReader(io.StringIO(body.decode())))
    for row, subject in zip(rows, said, strict=False):
        row |= {"subject": subject, **also}
    if name.endswith(".json"):
        return json.dumps(rows).encode(), name
    text = io.StringIO(newline="")
    table = csv.DictWriter(text, fieldnames=list(rows[0]))
    table.writeheader()
    table.writerows(rows)
    return text.getvalue().encode(), name


@pytest.mark.parametrize("name", ["queue.csv", "queue.json"])
def test_a_filled_file_is_taken_and_taking_it_again_changes_nothing(
    name: str, collected: StageContext
) -> None:
    entries = review_queue(collected, everything=True).entries
    body = file_body(collected, entries, name=name)
    said, _ = filled(body, ["pool", "sewr", ""], name=name, location="", why="=seen")
    line = 2 if name.endswith(".csv") else 1

    taken = take_file(collected, said, name=name)
    again = take_file(collected, said, name=name)

    assert (len(taken.done.rulings), taken.known) == (1, 0)
    assert taken.empty == len(entries) - 2
    (problem,) = taken.problems
    assert problem.startswith(
        f"row {line + 1}: there is no subject 'sewr' (did you mean sewer?)"
    )
    assert (again.done.rulings, again.known) == ((), 1)
    after = review_queue(collected, everything=True).entries
    assert [it.picture.category for it in after if it.ruled] == [POOL]
    body = file_body(collected, after, name=name)
    assert take_file(collected, body, name=name).known == 1


@pytest.mark.parametrize("last", ["sewer", TAKEN_BACK])
def test_a_file_that_nobody_changed_overrules_nobody(
    last: str, collected: StageContext, pair: list[Photo]
) -> None:
    say(collected, pair[1], "pool")
    entries = review_queue(collected, everything=True).entries
    body = file_body(collected, entries, name="all.csv")
    say(collected, pair[0], last)
    now = shown(collected, pair[0])

    taken = take_file(collected, body, name="all.csv")

    assert (taken.older, taken.known, taken.done.rulings) == (1, 0, ())
    assert shown(collected, pair[0]) == now


def test_rows_that_cannot_be_used_are_told_and_the_others_taken(
    collected: StageContext, slug: str, pair: list[Photo]
) -> None:
    kept, copy = (f"redfin/{it.ref.photo_key}" for it in pair)
    other = f"redfin/{single(collected, slug).ref.photo_key}"
    rows = [
        ("house", "photo", "file", "subject", "location"),
        (slug, kept, "", "pool", ""),
        (slug, copy, "", "sewer", ""),
        (slug, other, "", "sewer", ""),
        ("nowhere", kept, "", "pool", ""),
        (slug, "redfin/none", "", "pool", ""),
        ("", "", "", "pool", ""),
        (slug, kept, "", "", "ext"),
    ]
    text = "\n".join(map(";".join, rows))

    taken = take_file(collected, text.encode(), name="mine.csv")

    assert [it.key for it in taken.done.rulings] == [other.removeprefix("redfin/")]
    told = [problem.partition(": ") for problem in taken.problems]
    assert [row for row, _, _ in told] == [f"row {n}" for n in (2, 3, 5, 6, 7, 8)]
    assert "rows 2 and 3 are of one picture and differ" in told[0][2]
    assert "unknown property 'nowhere'" in told[2][2]
    assert "no photo of" in told[3][2]
    assert "it names no picture" in told[4][2]
    assert "a location and no subject" in told[5][2]
    for body, problem in (
        (b"subject,house,Subject\n", "has subject twice in row 1"),
        (b'[{"Subject": "pool", "subject": ""}]', "has subject twice in row 1"),
        (b'[{"subjct": "pool"}]', "has no column subject"),
        (b" ", "is empty"),
        (b"{", "is no JSON"),
        (b"{}", "is no list of objects"),
        (b"house,photo\na,b\n", "has no column subject"),
        (b"%PDF-1.7\n", "a PDF: copy its rows"),
    ):
        with pytest.raises(InputError, match=problem):
            take_file(collected, body, name="mine.csv")
    with pytest.raises(InputError, match=r"neither \.csv nor \.json"):
        file_body(collected, [], name="queue.txt")


@pytest.mark.usefixtures("here")
def test_a_person_goes_through_the_queue(
    collected: StageContext, slug: str, phx: Phx, tmp_path: Path
) -> None:
    sheet, file = tmp_path / "sheet.jpg", tmp_path / "queue.csv"
    everything = json.loads(phx("review", "list", "--all", "--json").out)
    subjects = [it["subject"] for it in everything]
    one, *_ = everything

    listed = phx("review", "list", "--house", slug, "--all", "--sheet", str(sheet))
    said = phx("review", "set", one["file"], "pool", "--why", "it is wet")
    batch = phx("review", "set", "--house", slug, "--was", subjects[-1], "sewer")
    exported = phx("review", "export", str(file), "--all")
    rows = list(csv.DictReader(io.StringIO(file.read_text())))
    assert sorted({it["why"] for it in rows}) == ["", "it is wet"]
    taken = phx("review", "import", str(file))
    undone = json.loads(phx("review", "undo", one["id"], "--json").out)

    assert Path(one["file"]).parent == collected.layout.folder(
        collected.house(slug).folder
    )
    assert one["id"] in listed.out
    assert f"the sheet is written to {sheet}\n" in listed.out
    with Image.open(sheet) as image:
        assert image.width > 0
    assert f"{Path(one['file']).name} -> " in said.out
    assert batch.out.count(" -> ") == subjects[1:].count(subjects[-1])
    assert (exported.code, taken.code) == (0, 0)
    assert f"{1 + batch.out.count(' -> ')} known already" in taken.out
    assert [it["value"] for it in undone["rulings"]] == [TAKEN_BACK]
    assert "nobody has said anything" in phx("review", "undo", one["id"]).out
    file.write_text("subject\n" + "pol\n" * 23)
    many = phx("review", "import", str(file)).err.splitlines()
    assert many[20:] == ["3 more rows left out: --json tells why of all"]
    for arguments, problem in (
        (["set", "pool"], "name pictures, or all that"),
        (["set", one["file"]], "the subject comes last, after the pictures"),
        (["set", "pool", one["id"]], "the subject comes last, after the pictures"),
        (["set", "--house", slug, "pool", "sewer"], "did you mean `--was pool`?"),
        (["set", one["id"], "unknown"], "`phx review undo` takes back"),
        (["export", "queue.xlsx"], "ends in neither .csv nor .json"),
        (["set", one["id"], "pol"], "did you mean pool?"),
        (["set", "--was", "pool", "sewer"], "name it with --house"),
        (["list", "--subject", "pol"], "did you mean pool?"),
    ):
        refused = phx("review", *arguments)
        assert refused.code == 2
        assert problem in refused.err
