"""Whatever stands in an answer of the county: an outcome, and nothing of neighbours."""

import json
import re
from itertools import count
from pathlib import Path

import pytest

from phx_pipeline.fetch.base import Fetched
from phx_pipeline.model.drift import fields_read
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.property import Property
from phx_pipeline.sources import maricopa
from phx_pipeline.sources.maricopa import MaricopaAssessor
from phx_pipeline.sources.maricopa.standin import TOKEN, persons_of
from phx_pipeline_tests.unit.sources.maricopa.county import (
    HERE,
    OTHERS,
    PARCEL,
    asked,
    on_map,
    parcel,
    search,
    whole,
)

VALUES: tuple[object, ...] = (
    None,
    True,
    7,
    -1.5,
    "",
    "x",
    "20090118",
    [],
    {},
    [{}],
    {"value": [1]},
)
NEIGHBOURS = {
    value
    for other in OTHERS
    for value in (other.apn, other.sqft, other.lot_sqft, other.year_built)
} - {HERE.apn, HERE.sqft, HERE.lot_sqft, HERE.year_built}


def places(tree: object) -> list[tuple[object, ...]]:
    """The way to each member of a tree, however deep; of a list the first two."""
    found: list[tuple[object, ...]] = []
    if isinstance(tree, dict):
        inner: list[tuple[object, object]] = list(tree.items())
    else:
        inner = list(enumerate(tree[:2])) if isinstance(tree, list) else []
    for name, value in inner:
        found += [(name,), *((name, *rest) for rest in places(value))]
    return found


def with_member(body: bytes, place: tuple[object, ...], value: object) -> bytes:
    tree = json.loads(body)
    *way, last = place
    holder = tree
    for name in way:
        holder = holder[name]
    holder[last] = value
    return json.dumps(tree).encode()


def without_member(body: bytes, place: tuple[object, ...]) -> bytes:
    tree = json.loads(body)
    *way, last = place
    holder = tree
    for name in way:
        holder = holder[name]
    if isinstance(holder, dict):
        holder[f"{last}2"] = holder.pop(last)
    return json.dumps(tree).encode()


BODIES = {"search": search(HERE, OTHERS[0]), "parcel": parcel(), "map": on_map()}


@pytest.mark.parametrize("at", BODIES)
async def test_whatever_a_member_is_it_is_an_outcome_and_never_the_neighbours(
    at: str,
) -> None:
    body = BODIES[at]
    token = "" if at == "map" else TOKEN
    for place in places(json.loads(body)):
        for value in VALUES:
            listing = await asked(
                whole(**{at: with_member(body, place, value)}), token=token
            )

            assert "could not be read" not in listing.detail, (place, value)
            stated = listing.facts.stated.values() if listing.facts else ()
            assert not NEIGHBOURS & set(stated), (place, value)
            assert all(it.photo_key.startswith(PARCEL) for it in listing.photos)


def said_by_year(listing: Listing) -> set[tuple[object, ...]]:
    return {
        (one.tax_year, name, value)
        for one in listing.valuations
        for name, value in one.stated.items()
    }


@pytest.mark.parametrize("at", BODIES)
async def test_a_renamed_member_changes_no_fact_and_what_is_needed_is_named(
    at: str,
) -> None:
    token = "" if at == "map" else TOKEN
    good = await asked(whole(**{at: BODIES[at]}), token=token)
    assert good.facts is not None
    named = set()
    for place in places(json.loads(BODIES[at])):
        body = without_member(BODIES[at], place)
        listing = await asked(whole(**{at: body}), token=token)

        stated = listing.facts.stated if listing.facts else {}
        assert stated.items() <= good.facts.stated.items()
        assert said_by_year(listing) <= said_by_year(good)
        assert listing.inline.items() <= good.inline.items()
        if listing.outcome is not good.outcome or listing.complete != good.complete:
            assert str(place[-1]) in listing.detail
            named.add(place[-1])
    assert (
        named
        == {
            "search": {"Results", "APN", "SitusAddress", "SitusCity", "SitusZip"},
            "parcel": {
                *("PropertyAddress", "TreasurersTransitionUrl", "Sketches"),
                *("TotalPages", "Pages", "Sketch", "APN"),
            },
            "map": set(),
        }[at]
    )


NAMED = re.compile(r'"([A-Z]\w+)"')
PACKAGE = Path(maricopa.__file__).parent
NOT_CAPTURED = {"Stories", "NumberOfStories"}


def renamed(tree: object, name: str) -> object:
    """A tree whose members of one name have another, wherever they are."""
    if isinstance(tree, list):
        return [renamed(it, name) for it in tree]
    if not isinstance(tree, dict):
        return tree
    return {
        f"{own}2" if own == name else own: renamed(it, name) for own, it in tree.items()
    }


async def test_each_member_that_is_read_of_a_parcel_is_missed_by_counting() -> None:
    modules = ("facts", "parcel", "sketches")
    code = "".join((PACKAGE / f"{name}.py").read_text() for name in modules)
    tree = json.loads(parcel())
    read = set(NAMED.findall(code)) - NOT_CAPTURED - {"FloorPlan", "Phoenix"}
    good = await asked(whole())

    assert len(read) > 20
    assert read <= {place[-1] for place in places(tree)}
    for name in read:
        body = json.dumps(renamed(tree, name)).encode()
        listing = await asked(whole(parcel=body))

        changed = (listing.outcome, listing.complete) != (good.outcome, good.complete)
        assert changed or fields_read(listing) != fields_read(good), name


# --- persons --------------------------------------------------------------------------


@pytest.mark.parametrize("at", BODIES)
def test_what_is_kept_of_an_answer_names_no_owner(at: str) -> None:
    kept = MaricopaAssessor().scrubbed(BODIES[at].decode())

    for house in (HERE, *OTHERS):
        for said in persons_of(house).values():
            assert said not in kept
    assert "KETTLEMERE" not in kept
    assert HERE.apn.replace("-", "") in kept.replace("-", "")


CAPTURED = ("501-79-577", "501-93-515", "509-11-455")


@pytest.mark.parametrize("number", CAPTURED)
def test_who_stands_in_a_captured_answer_is_in_nothing_of_ours(
    number: str, shared_dir: Path
) -> None:
    file = shared_dir / f"samples/maricopa/parcel_{number}.json"
    if not file.is_file():
        pytest.skip(f"no captured answer of the assessor ({file.name})")
    names = (f"Drawn Person {at}" for at in count())
    text = re.sub("REDACTED", lambda _: next(names), file.read_text())
    page = Fetched(url="", status=200, headers={}, body=text.encode())
    source = MaricopaAssessor()

    listing = source.read_saved(page, house=Property.at(source.address_of(page)))

    assert text.count("Drawn Person") > 5
    assert listing.facts is not None
    assert "Drawn Person" not in source.scrubbed(text)
    assert "Drawn Person" not in repr(listing)
