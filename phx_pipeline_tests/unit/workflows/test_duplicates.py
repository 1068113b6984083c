"""Which photos are one picture and why, and what people say of it."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from PIL import Image

from phx_pipeline.cli.copy_texts import tie_text
from phx_pipeline.dedup import judge
from phx_pipeline.errors import InputError
from phx_pipeline.model.address import Address
from phx_pipeline.model.judgement import Alike, Why, pair_of
from phx_pipeline.model.outcome import Verdict
from phx_pipeline.model.photo import Photo
from phx_pipeline.model.property import Property
from phx_pipeline.model.ruling import About, couple_in, couple_key
from phx_pipeline.settings import Settings
from phx_pipeline.stages import partners
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.dedupe import dedupe
from phx_pipeline.stages.partners import settle_called
from phx_pipeline.stages.publish import publish
from phx_pipeline.stages.ruled_copies import photos_ruled_on, ruled_copies
from phx_pipeline.workflows import lifecycle
from phx_pipeline.workflows.duplicates import (
    Bond,
    Copies,
    Copy,
    copies_of,
    copies_with,
    find_photo,
    photo_id,
)
from phx_pipeline.workflows.rulings import ruling_lines, take_rulings
from phx_pipeline.workflows.split_join import join, split, undo
from phx_pipeline.workflows.verify import verify_property
from phx_pipeline_tests.commands import Phx, UseSettings


@pytest.fixture
def slug(collected: StageContext) -> str:
    (slug,) = collected.catalog.slugs()
    return slug


@pytest.fixture
def pair(collected: StageContext, slug: str) -> list[Photo]:
    """A kept photo and its copy."""
    return copied(collected, slug)


def copied(context: StageContext, slug: str) -> list[Photo]:
    (found,) = (it for it in copies_of(context, slug) if len(it.members) > 1)
    return [it.photo for it in found.members]


def single(context: StageContext, slug: str) -> Photo:
    """The photo of another picture."""
    found = next(it for it in copies_of(context, slug) if len(it.members) == 1)
    return found.members[0].photo


def names(context: StageContext, slug: str) -> dict[frozenset[str], str | None]:
    """The file of each picture, by the keys of its photos."""
    return {keys(it): it.file_name for it in copies_of(context, slug)}


def keys(copies: Copies) -> frozenset[str]:
    return frozenset(it.photo.ref.photo_key for it in copies.members)


def are_one(context: StageContext, slug: str, photos: Sequence[Photo]) -> bool:
    found = copies_of(context, slug)
    return len({id(copies_with(found, photo)) for photo in photos}) == 1


def problems(context: StageContext, slug: str) -> list[str]:
    return [problem.text for problem in verify_property(context, slug)]


def test_a_copy_is_listed_behind_the_kept_one_with_what_makes_it_one(
    collected: StageContext, slug: str
) -> None:
    (found,) = (it for it in copies_of(collected, slug) if len(it.members) > 1)
    kept, copy = found.members

    assert (kept.kept, kept.tie, copy.kept) == (True, None, False)
    assert copy.tie is not None
    assert (copy.tie.to, copy.tie.bond) == (kept.name, Bond.JUDGEMENT)
    assert copy.tie.judgement is not None
    assert copy.tie.judgement.verdict is Alike.SAME
    assert found.file_name in {
        row.file_name for row in collected.catalog.publications(slug)
    }


def test_parted_photos_are_two_pictures_until_that_is_taken_back(
    collected: StageContext, slug: str, pair: list[Photo]
) -> None:
    before = names(collected, slug)
    kept, copy = ({it.ref.photo_key} for it in pair)

    done = split(collected, slug, pair[1:], why="two rooms")

    parted = names(collected, slug)
    assert (len(done.rulings), done.already, done.waits) == (1, False, "")
    assert parted[frozenset(kept)] == before[frozenset(kept | copy)]
    assert parted[frozenset(copy)] not in {None, *before.values()}
    assert problems(collected, slug) == []
    dedupe(collected, slug)
    publish(collected, slug)
    assert names(collected, slug) == parted

    undo(collected, slug, pair)

    assert names(collected, slug) == before
    assert problems(collected, slug) == []
    split(collected, slug, pair)
    assert names(collected, slug) == parted


def test_joined_photos_bring_their_copies_and_one_number_rests(
    collected: StageContext, slug: str, pair: list[Photo]
) -> None:
    before = names(collected, slug)
    other = single(collected, slug)

    join(collected, slug, [pair[1], other])

    after = names(collected, slug)
    joined = frozenset(it.ref.photo_key for it in (*pair, other))
    assert after[joined] in before.values()
    assert len(after) == len(before) - 1
    assert problems(collected, slug) == []
    (found,) = (it for it in copies_of(collected, slug) if keys(it) == joined)
    bonds = {it.tie.bond for it in found.members if it.tie}
    assert bonds == {Bond.RULING, Bond.JUDGEMENT}

    (overruled,) = split(collected, slug, [other]).overruled

    assert photos_ruled_on(overruled) == couple_in(couple_key(pair[1].key, other.key))
    parted = names(collected, slug)
    alone = frozenset({other.ref.photo_key})
    assert parted.keys() == before.keys()
    assert parted[alone] == before[alone]
    assert problems(collected, slug) == []


@pytest.mark.parametrize("way", [1, -1])  # a ruling names its two in one order
def test_the_last_word_counts_also_through_other_copies(
    collected: StageContext, slug: str, pair: list[Photo], way: int
) -> None:
    other = single(collected, slug)
    split(collected, slug, pair)
    join(collected, slug, [pair[0], other])
    assert not are_one(collected, slug, pair)

    done = join(collected, slug, [pair[1], other][::way])

    assert [ruling.value for ruling in done.rulings] == ["open", "same"]
    assert [ruling.value for ruling in done.overruled] == ["other"]
    assert are_one(collected, slug, [*pair, other])


def test_what_is_so_already_is_kept_so_and_ruled_once(
    collected: StageContext, slug: str, pair: list[Photo]
) -> None:
    first = join(collected, slug, pair)
    again = join(collected, slug, pair[::-1])

    assert (len(first.rulings), first.already) == (1, True)
    assert (again.rulings, again.already) == ((), True)
    assert split(collected, slug, [single(collected, slug)]).rulings == ()
    assert undo(collected, slug, [single(collected, slug)]).already


def test_a_ruling_outlives_a_better_copy_and_another_address(
    collected: StageContext, slug: str, pair: list[Photo]
) -> None:
    split(collected, slug, pair)
    better_copy(collected, pair[1])
    moved = Address.parse("77 E Elsewhere Rd, Glendale, AZ 85306")

    house = lifecycle.rename(collected, slug, moved)
    dedupe(collected, house.slug)

    for photo in pair:
        found = find_photo(collected, house.slug, photo_id(slug, photo))
        assert found.key == photo.key

    after = {photo.key: photo for photo in collected.catalog.photos(house.slug)}
    assert after[pair[1].key].sha256 != pair[1].sha256
    assert not are_one(collected, house.slug, [after[it.key] for it in pair])


def test_a_house_that_newer_rules_judge_keeps_its_numbers(
    collected: StageContext, slug: str
) -> None:
    before, known = names(collected, slug), collected.catalog.judgements
    older = [replace(it, version="0") for it in known.of_house(slug).values()]
    with collected.holding(slug) as lease:
        known.record(lease, older)

    dedupe(collected, slug)
    publish(collected, slug)

    judged = known.of_house(slug).values()
    assert {it.version for it in judged} == {judge.VERSION}
    assert names(collected, slug) == before


def better_copy(context: StageContext, photo: Photo) -> None:
    """Let the site show the photo in other bytes, as a collect would note them."""
    old = context.catalog.blobs(photo.property_slug)[str(photo.sha256)]
    body = context.blobs.read_raw(old.sha256) + b"\0"
    blob = replace(old, sha256=context.blobs.put_raw(body), size_bytes=len(body))
    with context.holding(photo.property_slug) as lease:
        context.catalog.record_download(
            lease, photo, blob, fetched_url=photo.ref.url, stamp=context.stamp()
        )


def test_of_rulings_on_the_same_bytes_the_newest_counts(
    collected: StageContext, slug: str, pair: list[Photo]
) -> None:
    one, other = pair
    twin = replace(other, ref=replace(other.ref, photo_key="twin"))
    split(collected, slug, [one, other])
    split(collected, slug, [one, twin])
    join(collected, slug, [one, other])
    newest = collected.catalog.rulings.newest(slug, About.COPIES)
    both = pair_of(str(one.sha256), str(other.sha256))

    ruled = ruled_copies([one, other, twin], newest)
    without = ruled_copies([one, twin], newest)
    alone = ruled_copies([one, replace(other, sha256=one.sha256)], newest)

    assert (ruled.apart, ruled.together) == (frozenset(), frozenset({both}))
    assert (without.apart, without.together) == (frozenset({both}), frozenset())
    assert (alone.apart, alone.together) == (frozenset(), frozenset())


def test_rulings_brought_from_elsewhere_are_acted_on(
    collected: StageContext, slug: str, pair: list[Photo]
) -> None:
    split(collected, slug, pair)
    (line,) = ruling_lines(collected.catalog.rulings.all())
    undo(collected, slug, pair)
    later = {"id": str(uuid4()), "at": soon(collected)}

    taken = take_rulings(collected, [json.dumps(json.loads(line) | later)])
    wrong = take_rulings(collected, [json.dumps(json.loads(line) | {"key": "a b"})])

    assert (taken.problems, taken.settled) == ((), (slug,))
    assert not are_one(collected, slug, pair)
    assert "does not name two photos" in wrong.problems[0]


def soon(context: StageContext) -> str:
    newest = max(it.at for it in context.catalog.rulings.all())
    return (newest + timedelta(seconds=1)).isoformat()


@pytest.fixture
def here(healthy: Settings, use_settings: UseSettings, tmp_path: Path) -> None:
    """Commands work on the collected house."""
    use_settings(replace(healthy, data_dir=tmp_path / "data"))


@pytest.mark.usefixtures("here")
def test_a_house_that_a_run_holds_is_ruled_on_at_once(
    collected: StageContext,
    slug: str,
    pair: list[Photo],
    phx: Phx,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(partners, "_PATIENCE_S", 0.0)

    with collected.for_run("night").holding(slug):
        parted = phx("duplicates", "split", slug, photo_id(slug, pair[1]))
        assert are_one(collected, slug, pair)

    told = parted.out.splitlines()[-1]
    assert (parted.code, parted.err) == (0, "")
    assert "what you say is kept" in told
    assert told.endswith(":night")
    assert collected.catalog.jobs.called_on([slug]) == {slug}
    assert settle_called(collected, []).done == (slug,)
    assert not are_one(collected, slug, pair)


def test_a_house_that_was_removed_meanwhile_is_not_ruled_on(
    collected: StageContext, slug: str, pair: list[Photo]
) -> None:
    lifecycle.remove(collected, slug)

    with pytest.raises(InputError, match="was removed on"):
        split(collected, slug, pair)

    assert collected.catalog.rulings.all() == []


@pytest.mark.parametrize(
    "form", ["id", "start", "file", "stem", "key", "shown", "spaced"]
)
def test_a_photo_is_named_in_several_ways(
    form: str, collected: StageContext, slug: str, pair: list[Photo]
) -> None:
    photo = pair[0]
    source, key = photo.key
    file_name = str(names(collected, slug)[frozenset(it.ref.photo_key for it in pair)])
    text = {
        "id": photo_id(slug, photo),
        "start": photo_id(slug, photo)[:4].upper(),
        "file": file_name,
        "stem": file_name.removesuffix(".png"),
        "key": key,
        "shown": f"{source}/{key}",
        "spaced": f"{source} {key}",
    }[form]

    assert find_photo(collected, slug, text) == photo


def test_a_photo_that_is_not_there_is_told_and_whose_it_is(
    collected: StageContext, slug: str, pair: list[Photo]
) -> None:
    elsewhere = Property.at(Address.parse("1 E Other Rd, Mesa, AZ 85201"))
    collected.catalog.add_properties([elsewhere], at=collected.stamp().at)
    file_name = str(names(collected, slug)[frozenset(it.ref.photo_key for it in pair)])

    with pytest.raises(InputError, match="see `phx duplicates list"):
        find_photo(collected, slug, "nonsense")
    with pytest.raises(InputError, match="give at least four digits"):
        find_photo(collected, slug, photo_id(slug, pair[0])[:3])
    for text in (photo_id(slug, pair[0]), file_name):
        with pytest.raises(InputError, match=f"is a photo of {slug}, not of 1-e-other"):
            find_photo(collected, elsewhere.slug, text)


def test_what_cannot_be_ruled_is_refused(
    collected: StageContext, slug: str, pair: list[Photo]
) -> None:
    twin = replace(pair[1], sha256=pair[0].sha256)
    foreign = replace(pair[1], verdict=Verdict.FOREIGN)
    absent = replace(pair[1], sha256=None)

    for act, photos, told in (
        (split, [pair[0], twin], "have the same bytes"),
        (join, [pair[0], pair[0]], "is named twice"),
        (join, [pair[0], foreign], "is no copy of a picture"),
        (split, [absent], "is not downloaded"),
    ):
        with pytest.raises(InputError, match=told):
            act(collected, slug, photos)
    assert collected.catalog.rulings.all() == []


@pytest.mark.parametrize(
    ("why", "of_copy", "of_kept"),
    [
        (
            Why.WHOLE,
            "; it lacks a large part or its colours",
            "; beside it the kept one lacks a large part or its colours",
        ),
        (
            Why.CLEAN,
            "; the kept one has no text, mark, blurred part or bars",
            "; beside the kept one it has no text, mark, blurred part or bars",
        ),
    ],
)
def test_the_worse_one_is_told_by_its_fault_and_the_better_one_by_its_merit(
    why: Why, of_copy: str, of_kept: str, collected: StageContext, slug: str
) -> None:
    found = next(it for it in copies_of(collected, slug) if it.is_shared)
    kept, copy = found.members
    assert copy.tie is not None
    assert copy.tie.judgement is not None

    def told(better: Copy) -> str:
        assert copy.tie is not None
        assert copy.tie.judgement is not None
        judged = replace(copy.tie.judgement, why=why, better=better.blob.sha256)
        return tie_text(copy, replace(copy.tie, judgement=judged), found)

    assert told(kept).endswith(of_copy)
    assert told(copy).endswith(of_kept)


@pytest.mark.usefixtures("here")
def test_joined_rooms_and_a_house_without_pictures_are_told(
    collected: StageContext, slug: str, pair: list[Photo], phx: Phx
) -> None:
    elsewhere = Property.at(Address.parse("1 E Other Rd, Mesa, AZ 85201"))
    collected.catalog.add_properties([elsewhere], at=collected.stamp().at)
    join(collected, slug, [pair[0], single(collected, slug)])

    told = phx("duplicates", "list", slug).out
    bare = [
        phx("duplicates", "list", elsewhere.slug, *it).out for it in ([], ["--all"])
    ]

    joined = next(it for it in told.splitlines() if "joined to" in it)
    assert "; the kept one has more" in joined
    assert bare == [f"{elsewhere.slug} has no pictures yet\n"] * 2


@pytest.mark.usefixtures("here")
def test_a_person_sees_parts_and_joins_them(
    slug: str, pair: list[Photo], phx: Phx, tmp_path: Path
) -> None:
    one, other = (photo_id(slug, photo) for photo in pair)
    sheet = tmp_path / "sheet.jpg"

    listed = phx("duplicates", "list", slug, other[:5], "--sheet", str(sheet)).out
    parted = phx("duplicates", "split", slug, other, "--why", "two rooms").out
    apart = phx("duplicates", "list", slug).out
    shown = json.loads(phx("duplicates", "list", slug, "--all", "--json").out)
    joined = phx("duplicates", "join", slug, one, other).out
    told = phx("duplicates", "list", slug).out
    alone = phx("duplicates", "join", slug, one)
    undone = json.loads(phx("duplicates", "undo", slug, one, other, "--json").out)

    assert all(len(line) <= 80 for line in listed.splitlines()[1:])
    assert listed.startswith(f"the sheet is written to {sheet}\n")
    assert f"{one}  kept" in listed
    assert "of it agrees with the kept one" in listed
    with Image.open(sheet) as image:
        assert image.width > 2 * image.height
    assert parted.startswith("parted (1 ruling noted)\n")
    assert f"parted from {one} by " in apart
    assert "(two rooms)" in apart
    assert {len(it["photos"]) for it in shown} == {1}
    assert sum(len(it["parted"]) for of in shown for it in of["photos"]) == 2
    assert "(two rooms): that counts no more" in joined
    assert (alone.code, "name two" in alone.err) == (2, True)
    assert joined.count(", 2 photos") == 2
    assert "joined to the kept one by" in told
    assert [it["value"] for it in undone["rulings"]] == ["open"]
    nothing = phx("duplicates", "undo", slug, one).out
    assert nothing.startswith("nothing changed: nobody has ruled on this photo")
    assert phx("duplicates", "split", slug, one, other, one).code == 2
