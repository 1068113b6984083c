"""Laws and cases of the published file name."""

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phx_pipeline.model.naming import BadNameError, ImageName, confidence_percent
from phx_pipeline.model.source import LETTERED, Source
from phx_pipeline.model.taxonomy import Location, Subject

KITCHEN = ImageName(
    folder="686067a4",
    location=Location.INTERIOR,
    subject=Subject.KITCHEN,
    confidence=95,
    source=Source.ZILLOW,
    date=dt.date(2024, 12, 1),
)

names = st.builds(
    ImageName,
    folder=st.text("0123456789abcdef", min_size=8, max_size=8),
    location=st.sampled_from(Location),
    subject=st.sampled_from(Subject),
    confidence=st.integers(0, 99),
    source=st.sampled_from(LETTERED),
    date=st.dates(min_value=dt.date(1900, 1, 1)),
    sequence=st.integers(1, 10**6),
)


@given(names)
def test_a_name_reads_back_as_it_was_built(name: ImageName) -> None:
    assert ImageName.parse(str(name)) == name


_almost_names = st.builds(
    "{}_{}_{}_{}_{}_{}{}{}".format,
    st.sampled_from(["686067a4", "686067A4", "686067a", "x/686067a4", "٦86067a4"]),
    st.sampled_from(["ext", "int", "sys", "feat", "xyz", ""]),
    st.sampled_from(["kitchen", "master", "master_bath", "unknown", "nook", ""]),
    st.from_regex("[0-9]{1,3}", fullmatch=True),
    st.sampled_from([*"zrmpu", "x", ""]),
    st.from_regex("(1[89]|20)[0-9]{2}(0[1-9]|1[0-3])[0-3][0-9]", fullmatch=True),
    st.from_regex("(_[0-9]{1,4})?", fullmatch=True),
    st.sampled_from([".png", ".PNG", ".jpg", ".png\n", ""]),
)
_likely_names = st.builds(
    "686067a4_int_kitchen_{}_z_{}{}.png".format,
    st.from_regex("[0-9]{2}", fullmatch=True),
    st.from_regex("20[0-9]{2}(0[1-9]|1[0-3])[0-3][0-9]", fullmatch=True),
    st.from_regex("(_[0-9]{1,4})?", fullmatch=True),
)


@given(st.one_of(_likely_names, _almost_names, st.text()))
def test_a_text_that_reads_as_a_name_is_exactly_what_is_written(text: str) -> None:
    try:
        name = ImageName.parse(text)
    except BadNameError:
        return

    assert str(name) == text


@pytest.mark.parametrize(
    ("sequence", "text"),
    [
        (1, "686067a4_int_kitchen_95_z_20241201.png"),
        (2, "686067a4_int_kitchen_95_z_20241201_02.png"),
        (99, "686067a4_int_kitchen_95_z_20241201_99.png"),
        (100, "686067a4_int_kitchen_95_z_20241201_100.png"),
        (1234, "686067a4_int_kitchen_95_z_20241201_1234.png"),
    ],
)
def test_the_second_of_its_kind_is_the_first_with_a_number(
    sequence: int, text: str
) -> None:
    name = replace(KITCHEN, sequence=sequence)

    assert str(name) == text


def test_a_low_confidence_keeps_two_digits() -> None:
    name = replace(KITCHEN, confidence=7, source=Source.PHOENIX_MLS)

    assert str(name) == "686067a4_int_kitchen_07_p_20241201.png"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "686067a4_int_kitchen_95_z.png",
        "686067a4_int_kitchen_95_z_20241201",
        "686067a4_int_kitchen_95_z_20241201.jpg",
        "686067a4_int_kitchen_95_z_20241201.png\n",
        " 686067a4_int_kitchen_95_z_20241201.png",
        "processed/686067a4_int_kitchen_95_z_20241201.png",
        "processed\\686067a4_int_kitchen_95_z_20241201.png",
        "686067A4_int_kitchen_95_z_20241201.png",
        "686067a_int_kitchen_95_z_20241201.png",
        "686067g4_int_kitchen_95_z_20241201.png",
        "686067a4_xyz_kitchen_95_z_20241201.png",
        "686067a4_int_nook_95_z_20241201.png",
        "686067a4_int__95_z_20241201.png",
        "686067a4_int_master_bath_95_z_20241201.png",
        "686067a4_int_kitchen_5_z_20241201.png",
        "686067a4_int_kitchen_100_z_20241201.png",
        "686067a4_int_kitchen_٩٥_z_20241201.png",
        "686067a4_int_kitchen_95_x_20241201.png",
        "686067a4_int_kitchen_95_z_20241399.png",
        "686067a4_int_kitchen_95_z_20230229.png",
        "686067a4_int_kitchen_95_z_18991231.png",
        "686067a4_int_kitchen_95_z_2024121.png",
        "686067a4_int_kitchen_95_z_20241201_.png",
        "686067a4_int_kitchen_95_z_20241201_00.png",
        "686067a4_int_kitchen_95_z_20241201_01.png",
        "686067a4_int_kitchen_95_z_20241201_2.png",
        "686067a4_int_kitchen_95_z_20241201_002.png",
        "686067a4_int_kitchen_95_z_20241201_0100.png",
        "686067a4_int_kitchen_95_z_20241201_02_03.png",
        f"686067a4_int_kitchen_95_z_20241201_{'9' * 5000}.png",
    ],
)
def test_a_name_the_pipeline_would_not_write_is_refused(text: str) -> None:
    with pytest.raises(BadNameError):
        ImageName.parse(text)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"folder": "686067A4"}, "folder"),
        ({"folder": "686067a4\n"}, "folder"),
        ({"folder": "686067a"}, "folder"),
        ({"confidence": -1}, "confidence"),
        ({"confidence": 100}, "confidence"),
        ({"date": dt.date(1899, 12, 31)}, "1900"),
        ({"date": dt.datetime(2024, 12, 1, tzinfo=dt.UTC)}, "time of day"),
        ({"sequence": 0}, "sequence"),
    ],
)
def test_fields_that_could_not_be_read_back_are_refused(
    change: dict[str, str | int | dt.date], reason: str
) -> None:
    with pytest.raises(BadNameError, match=reason):
        replace(KITCHEN, **change)  # type: ignore[arg-type]  # one field of each type


@pytest.mark.parametrize(
    ("p", "percent"),
    [
        (0.0, 0),
        (0.004, 0),
        (0.01, 1),
        (0.29, 29),
        (0.28999999165534973, 29),  # 0.29 in single precision
        (0.289, 28),
        (0.57, 57),
        (0.95, 95),
        (0.989, 98),
        (0.999, 99),
        (1.0, 99),
        (float("inf"), 99),
    ],
)
def test_confidence_is_rounded_down_to_at_most_99(p: float, percent: int) -> None:
    assert confidence_percent(p) == percent


@given(st.integers(0, 99))
def test_a_confidence_in_whole_percent_is_kept(percent: int) -> None:
    assert confidence_percent(percent / 100) == percent


@pytest.mark.parametrize("p", [float("nan"), -0.2, -1e-9, float("-inf")])
def test_what_is_no_probability_is_refused(p: float) -> None:
    with pytest.raises(ValueError, match="not a probability"):
        confidence_percent(p)
