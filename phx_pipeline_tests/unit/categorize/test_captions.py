import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phx_pipeline.categorize.captions import read_caption
from phx_pipeline.categorize.unusable import unusable_reason
from phx_pipeline.model.taxonomy import Location, Subject
from phx_pipeline_tests.phrases import (
    FOUND,
    UNSEEN,
    WRITTEN,
    Phrase,
    outcomes,
    phrases,
)


@pytest.mark.parametrize(
    ("judged", "share"),
    [
        ([it for it in phrases(WRITTEN) if not it.is_set_aside], 0.95),
        ([it for it in phrases(WRITTEN) if it.is_set_aside], 0.95),
        (phrases(FOUND), 0.95),
        (phrases(UNSEEN), 0.90),
    ],
    ids=["written", "set aside", "found", "unseen"],
)
def test_captions_are_read_as_people_read_them(
    judged: list[Phrase], share: float
) -> None:
    assert [it.text for it in judged if it.is_surely_wrong] == []
    assert outcomes(judged)["right"] >= share * len(judged)


@pytest.mark.parametrize(
    "caption",
    [
        "Room.Living",
        "Empty room with bathroom access",
        "Empty room with windows",
        "Open doorway, wooden flooring",
        "A single story on 1 ac",
        "3 bed 2 bath home",
        "Spa-like setting",
        "Ristorante",
    ],
)
def test_a_caption_without_a_subject_is_not_guessed(caption: str) -> None:
    assert read_caption(caption) is None


@pytest.mark.parametrize(
    ("caption", "confidence"),
    [
        ("Dining Room 2", 0.92),
        ("Bright kitchen with marble island", 0.85),
        ("Spacious primary suite with en suite bath", 0.65),
        ("Kitchen open to living room", 0.65),
        ("Sliding doors to patio", 0.65),
        ("View", 0.60),
        ("View from Great Room to Dining", 0.65),
        ("Kitchen Magic", 0.65),
        ("Primary bedroom balcony", 0.92),
    ],
)
def test_confidence_falls_with_doubt(caption: str, confidence: float) -> None:
    reading = read_caption(caption)

    assert reading is not None
    assert reading.confidence == confidence


@pytest.mark.parametrize(
    ("caption", "location"),
    [
        ("Garage", Location.INTERIOR),
        ("Attached Garage", Location.EXTERIOR),
        ("Garage door", Location.EXTERIOR),
        ("Garage door opener", Location.INTERIOR),
        ("Pool", Location.EXTERIOR),
        ("Furnace", Location.SYSTEM),
        ("Skylight", Location.FEATURE),
    ],
)
def test_the_location_follows_from_the_words(caption: str, location: Location) -> None:
    reading = read_caption(caption)

    assert reading is not None
    assert reading.location is location


@pytest.mark.parametrize(
    "caption",
    [
        "",
        "  ",
        "4732 W Davis Rd",
        "123 Main St, Phoenix, AZ 85001",
        "5 N Kitchen Rd",
        "Photo 12",
        "IMG_4432",
        "DSC00017.JPG",
        "12",
        "kitchen " * 30,
        "Hall Ranch Estates",
        "Window Rock, AZ",
        "Presented by Kitchen & Bath Realty",
    ],
)
def test_what_is_no_caption_is_not_read(caption: str) -> None:
    assert unusable_reason(caption)


@pytest.mark.parametrize(
    "caption", ["Kitchen", "2 car garage", "2400 sq. ft. Great Room", "Bedroom 2"]
)
def test_a_caption_with_a_number_is_still_a_caption(caption: str) -> None:
    assert unusable_reason(caption) is None


@given(st.text(max_size=200))
def test_any_text_can_be_read(text: str) -> None:
    reading = read_caption(text)

    assert reading is None or 0.6 <= reading.confidence <= 0.92
    assert unusable_reason(text) != ""


@given(st.sampled_from(["Kitchen", "Primary Bath", "Backyard with pool"]), st.data())
def test_letter_case_does_not_matter(caption: str, data: st.DataObject) -> None:
    changed = data.draw(st.sampled_from([str.upper, str.lower, str.title]))(caption)

    assert read_caption(changed) == read_caption(caption)


REAL_NAMES = {
    "Front": Subject.EXTERIOR,
    "Driveway & Entrance": Subject.EXTERIOR,
    "Attached Garage": Subject.GARAGE,
    "View": Subject.EXTERIOR,
    "Inside entrance and library": Subject.HALLWAY,
    "2400 sq. ft. Great Room": Subject.LIVING,
    "Laundry Room": Subject.LAUNDRY,
    "Half Bathroom": Subject.BATHROOM,
    "Managers Master Suite": Subject.MASTER,
    "Guest Suite 3": Subject.BEDROOM,
    "Guest Suite Bathroom": Subject.BATHROOM,
    "Elevator": Subject.OTHER,
    "Theater Room": Subject.LIVING,
}


def test_the_names_of_a_real_mls_listing_are_all_read(shared_dir: Path) -> None:
    text = (shared_dir / "samples/phoenix_mls/spark_photos_index.json").read_text()
    names = [photo["Name"] for photo in json.loads(text)["D"]["Results"]]

    readings = {name: read_caption(name) for name in names}

    subjects = {name: read.subject for name, read in readings.items() if read}
    assert len(names) == 33
    assert set(subjects) == set(names)
    assert {name: subjects[name] for name in REAL_NAMES} == REAL_NAMES
