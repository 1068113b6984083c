"""`phx properties rename` on real stores."""

import asyncio
import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from phx_pipeline.catalog.leases import process_owner
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.errors import InputError, StaleEpochError
from phx_pipeline.model.identity import property_lease
from phx_pipeline.model.outcome import Verdict
from phx_pipeline.stages.dedupe import dedupe
from phx_pipeline.stages.extract import extract
from phx_pipeline.workflows.lifecycle import rename
from phx_pipeline_tests.commands import Phx
from phx_pipeline_tests.deployment import Deployment
from phx_pipeline_tests.integration.cli.lifecycle.conftest import (
    FIRST,
    OTHER,
    RIGHT,
    WRONG,
    content,
    problems,
    published,
)

pytestmark = pytest.mark.xdist_group("lifecycle")  # all copy the same store

STREET = f"{RIGHT.street_number} {RIGHT.street}"


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
    assert "1 property left out: complete" in first.out
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
    assert "nothing new, 1 known already" in added.out
    assert "nothing new, 1 known already, 1 row repeated" in listed.out
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
