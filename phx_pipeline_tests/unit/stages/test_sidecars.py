"""Beside each published picture lies what is known of it, and nothing of nobody."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from phx_pipeline.model.facts import ListingFacts, SeenFacts, said_since
from phx_pipeline.model.naming import ImageName, is_own_name, sidecar_of
from phx_pipeline.model.outcome import Verdict
from phx_pipeline.model.ruling import (
    About,
    CopyRuling,
    Ruling,
    category_value,
    couple_key,
)
from phx_pipeline.model.source import Source
from phx_pipeline.model.taxonomy import Location, Subject
from phx_pipeline.stages.categorize import categorize
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.missing import lacking_files
from phx_pipeline.stages.partners import converge
from phx_pipeline.stages.publish import publish
from phx_pipeline.workflows.verify import Fault, verify_property
from phx_pipeline_tests.damage import execute
from phx_pipeline_tests.unit.stages.test_withdrawn import House

DAY = date(2026, 1, 15)
KEY = re.compile(r"`([a-z0-9_.\[\]*]+)`")


@pytest.fixture
def house(collected: StageContext) -> House:
    (slug,) = collected.catalog.slugs()
    return House(context=collected, slug=slug)


def folder(house: House) -> Path:
    return house.context.layout.folder(house.context.house(house.slug).folder)


def files(house: House) -> dict[str, tuple[int, bytes]]:
    """The sidecars by name: which file it is, and what it holds."""
    found = sorted(folder(house).glob("*.json"))
    return {it.name: (it.stat().st_ino, it.read_bytes()) for it in found}


def told(house: House) -> list[dict[str, Any]]:
    return [json.loads(body) for _, body in files(house).values()]


def faults(house: House) -> list[Fault]:
    return [it.fault for it in verify_property(house.context, house.slug)]


def paths_in(value: object, path: str = "") -> Iterator[str]:
    """Every key of a document, a list as `[]`; names that are data as `*`."""
    if isinstance(value, list):
        for one in value:
            yield from paths_in(one, f"{path}[]")
    elif isinstance(value, dict):
        for key, inner in value.items():
            is_data = path.endswith(("facts", "backends", "probabilities", "places"))
            own = f"{path}.{'*' if is_data else key}".removeprefix(".")
            yield own
            yield from paths_in(inner, own)


def test_each_picture_has_its_sidecar_of_the_documented_schema(
    house: House, repo_dir: Path
) -> None:
    with house.context.holding(house.slug) as lease:
        best, second = house.copies
        key = couple_key(best.key, second.key)
        house.context.catalog.rulings.record(lease, ruled(house, key))
    publish(house.context, house.slug)

    text = (repo_dir / "docs/data.md").read_text(encoding="utf-8")
    section = text.partition("## Sidecars")[2].partition("\n## ")[0]
    firsts = (it.split("|")[1] for it in section.splitlines() if it.startswith("| `"))
    documented = {key for first in firsts for key in KEY.findall(first)}
    pictures = {sidecar_of(it.name) for it in folder(house).glob("*.png")}

    assert set(files(house)) == pictures
    assert set(paths_in(told(house))) == {f"[].{it}" for it in documented}


def test_a_sidecar_tells_all_copies_and_why_the_picture_has_its_name(
    house: House,
) -> None:
    best, second = house.copies
    (sidecar,) = (it for it in told(house) if len(it["copies"]) == 2)
    name = ImageName.parse(sidecar["file"])

    assert [it["photo_key"] for it in sidecar["copies"]] == [
        best.ref.photo_key,
        second.ref.photo_key,
    ]
    assert [it["shown"] for it in sidecar["copies"]] == [True, False]
    assert [it["sha256"] for it in sidecar["copies"]] == [best.sha256, second.sha256]
    assert sidecar["shows"]["subject"] == name.subject.value
    assert sidecar["shows"]["confidence"] == name.confidence
    assert sidecar["votes"][0]["probabilities"][name.subject.value] > 0.9
    assert sidecar["versions"]["backends"].keys() == {"listing_text"}
    assert sidecar["listings"][0]["facts"]["list_price"]["value"] > 0


def test_with_nothing_new_no_sidecar_is_written(house: House) -> None:
    before = files(house)
    later = house.context.for_run("another")

    assert publish(later, house.slug).sidecars == 0
    assert files(house) == before
    assert not any(
        b"another" in body or b'"first"' in body for _, body in before.values()
    )


def delete(path: Path) -> None:
    path.unlink()


def alter(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"x")


def stray(path: Path) -> None:
    path.rename(path.with_name(path.name.replace("_95_", "_12_")))


@pytest.mark.parametrize("break_it", [delete, alter, stray])
def test_a_sidecar_that_is_not_right_is_found_and_made_right(
    house: House, break_it: Any
) -> None:
    before = {name: body for name, (_, body) in files(house).items()}
    break_it(folder(house) / min(before))

    assert set(faults(house)) == {Fault.SIDECAR}
    publish(house.context, house.slug)
    assert {name: body for name, (_, body) in files(house).items()} == before
    assert faults(house) == []


def test_of_a_house_that_waits_for_its_publication_no_sidecar_is_missed(
    house: House,
) -> None:
    before = set(files(house))
    with house.context.holding(house.slug):
        delete(folder(house) / min(before))

    assert faults(house) == []
    assert lacking_files(house.context, [house.slug]) == {house.slug}
    publish(house.context, house.slug)
    assert set(files(house)) == before


def test_json_of_somebody_else_is_moved_aside(house: House) -> None:
    before = set(files(house))
    (folder(house) / "notes.json").write_bytes(b"mine")

    assert faults(house) == [Fault.STRANGER]
    publish(house.context, house.slug)

    (aside,) = folder(house).glob("notes.json.aside-*")
    assert (aside.read_bytes(), set(files(house))) == (b"mine", before)
    assert faults(house) == []


def test_the_name_of_a_sidecar_is_known_by_the_one_parser() -> None:
    own = "686067a4_int_kitchen_95_r_20250308_02.json"

    assert sidecar_of("686067a4_int_kitchen_95_r_20250308_02.png") == own
    assert is_own_name(own, folder="686067a4")
    assert not is_own_name(own, folder="686067a5")
    assert not is_own_name("notes.json", folder="686067a4")


def test_of_a_withdrawn_photo_nothing_is_left(house: House) -> None:
    best, second = house.copies
    mark = f"only {best.ref.photo_key} says this"
    assert execute(
        house.context,
        f"update photo set caption='{mark}' where photo_key='{best.ref.photo_key}'",  # noqa: S608 - a key
    )
    with house.context.holding(house.slug) as lease:
        key = couple_key(best.key, second.key)
        house.context.catalog.rulings.record(lease, ruled(house, key))
    publish(house.context, house.slug)
    assert any(mark in str(it) and it["rulings"] for it in told(house))
    house.withdraw(best.ref.photo_key)

    converge(house.context, house.slug)

    assert house.photo(best).verdict is Verdict.WITHDRAWN
    bodies = b"".join(body for _, body in files(house).values()).decode()
    assert second.ref.photo_key in bodies
    for gone in (f'"{best.ref.photo_key}"', mark, best.ref.url, str(best.sha256)):
        assert gone not in bodies
    assert faults(house) == []


def test_neither_who_ruled_nor_how_to_reach_somebody_is_told(house: House) -> None:
    best, second = house.copies
    assert execute(
        house.context,
        "update photo set caption='Kitchen, call Ann 602-555-0143, ann@home.example'",
    )
    with house.context.holding(house.slug) as lease:
        for value, other in (
            (CopyRuling.SAME, second),
            (CopyRuling.OPEN, house.photos[-1]),
        ):
            key = couple_key(best.key, other.key)
            ruling = ruled(house, key, value=value)
            house.context.catalog.rulings.record(lease, ruling)

        shows = replace(
            ruled(house, best.ref.photo_key),
            id="of what it shows",
            about=About.CATEGORY,
            source=best.ref.source,
            value=category_value(Location.INTERIOR, Subject.LAUNDRY),
        )
        house.context.catalog.rulings.record(lease, shows)

    categorize(house.context, house.slug)
    publish(house.context, house.slug)

    bodies = b"".join(body for _, body in files(house).values()).decode()
    (sidecar,) = (it for it in told(house) if it["rulings"])
    assert {(it["about"], it["value"]) for it in sidecar["rulings"]} == {
        ("copies", "same"),
        ("category", "int/laundry"),
    }
    said = datetime.fromisoformat(sidecar["versions"]["backends"]["manual"])
    assert said == shows.at.replace(microsecond=0)
    assert "Kitchen, call Ann" in bodies
    for secret in ("602-555", "ann@home", "the agent", "because of"):
        assert secret not in bodies


def ruled(house: House, key: str, *, value: CopyRuling = CopyRuling.SAME) -> Ruling:
    return Ruling(
        id=f"of {key} {value}",
        at=house.context.stamp().at,
        who="the agent",
        about=About.COPIES,
        slug=house.slug,
        source=None,
        key=key,
        value=value,
        why="because of this",
    )


def test_a_fact_is_told_with_the_first_day_it_was_said() -> None:
    def seen(day: int, **facts: Any) -> SeenFacts:
        on = DAY + timedelta(days=day)
        said = ListingFacts(**facts)
        return SeenFacts(source=Source.REDFIN, seen_on=on, facts=said)

    history = [
        seen(0, list_price=500_000, year_built=1970),
        seen(1, list_price=500_000),
        seen(2, list_price=490_000, sewer="city"),
        seen(3, sewer="city"),
    ]

    assert said_since(history) == {
        Source.REDFIN: {
            "year_built": (1970, DAY),
            "sewer": ("city", DAY + timedelta(days=2)),
        }
    }
    assert said_since(history[:2])[Source.REDFIN]["list_price"] == (500_000, DAY)
