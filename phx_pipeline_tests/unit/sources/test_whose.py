"""What a page says of its own address: one house, or two."""

import pytest

from phx_pipeline.model.address import Address
from phx_pipeline.sources.head import Described
from phx_pipeline.sources.whose import (
    another_described,
    contradicts,
    link_contradicts,
)


def at(line: str) -> Address:
    return Address.parse(f"{line}, Phoenix, AZ 85042")


@pytest.mark.parametrize(
    ("own", "other", "differ"),
    [
        ("1418 E Quail Whistle Ln", "1418 East Quail Whistle Lane", False),
        ("1418 E Quail Whistle Ln Unit 2", "1418 E Quail Whistle Ln", False),
        ("1418 E Quail Whistle Ln", "1418 E Quail Whistle Ln Unit 2", True),
        ("1418 E Quail Whistle Ln Unit 2", "1418 E Quail Whistle Ln Unit 12", True),
        ("1418 E Quail Whistle Ln", "1422 E Quail Whistle Ln", True),
        ("1418 E Quail Whistle Ln", "1418 W Quail Whistle Ln", True),
        ("1418 E Quail Whistle Ln", "1418 Quail Whistle Ln", False),
        ("1418 E Quail Whistle Ln", "1418 E Quail Whistle", False),
        ("1418 Quail Whistle Ln", "1418 E Quail Whistle Ln", True),
        ("1418 E Quail Whistle Ln", "1418 E Quail Thistle Ln", True),
        ("1418 E Quail Whistle Ln Unit 2", "1418 Quail Whistle Ln Unit 3", True),
        ("1 23rd Ave", "12 3rd Ave", True),
    ],
)
def test_two_statements_are_of_one_house_or_not(
    own: str, other: str, *, differ: bool
) -> None:
    assert contradicts(at(own), at(other)) is differ


@pytest.mark.parametrize(
    ("own", "words", "differ"),
    [
        ("1418 E Quail Whistle Ln", "1418-E-Quail-Whistle-Ln-Phoenix-AZ-85042", False),
        ("1418 E Quail Whistle Ln", "1418-e-quail-whistle-ln-laveen-az-85042", False),
        ("1418 E Quail Whistle Ln", "1418-E-Quail-Whistle-Ln-Phoenix-AZ-85041", True),
        ("1418 E Quail Whistle Ln", "1422-E-Quail-Whistle-Ln-Laveen-AZ-85042", True),
        ("1418 E Quail Whistle Ln", "1418-E-Quail-Whistle-Ln-APT-2-Laveen-AZ-85042",
         True),
        ("100 N O'Connor St", "100-N-OConnor-St-Phoenix-AZ-85042", False),
        ("5021-5023 N 16th Ave", "5021-5023-N-16th-Ave-Phoenix-AZ-85042", False),
        ("5021-5023 N 16th Ave", "5021-5025-N-16th-Ave-Phoenix-AZ-85042", True),
        ("655 N Cactus Wren Ave #B-12", "655-N-Cactus-Wren-Ave-B-12-Phoenix-AZ-85042",
         False),
        ("655 N Cactus Wren Ave #B-12", "655-N-Cactus-Wren-Ave-B-13-Phoenix-AZ-85042",
         True),
        ("655 N Cactus Wren Ave #12", "655-N-Cactus-Wren-Ave-Phoenix-AZ-85042", False),
        ("1418 E Quail Whistle Ln", "90100418_zpid", False),
        ("1418 E Quail Whistle Ln", "", False),
        ("1418 E Quail Whistle Ln", "-".join(["x"] * 900) + "-AZ-85042", False),
    ],
)  # fmt: skip
def test_the_words_of_a_link_name_the_house_or_another(
    own: str, words: str, *, differ: bool
) -> None:
    assert link_contradicts(words, at(own)) is differ


HOME = "1418 E Quail Whistle Ln"
NEXT = "1422 E Quail Whistle Ln"


@pytest.mark.parametrize(
    ("told", "other"),
    [
        ([], ""),
        ([("own", HOME, "85042")], ""),
        ([("other", "", "")], "other"),
        ([("", NEXT, "")], NEXT),
        ([("", HOME, "85041")], HOME),
        ([("", f"{NEXT}, Phoenix, AZ 85042", "")], f"{NEXT}, Phoenix, AZ 85042"),
        ([("other", HOME, "")], "other"),
        ([("other", "", ""), ("own", "", "")], ""),
        ([("", "Made-up words", ""), ("elsewhere", "", "")], ""),
    ],
)
def test_structured_data_is_of_this_house_or_of_another(
    told: list[tuple[str, str, str]], other: str
) -> None:
    houses = [
        Described(url=url, street=street, zip_code=zip_code)
        for url, street, zip_code in told
    ]
    differs = {"own": False, "other": True}.get

    assert another_described(houses, at(HOME), link_differs=differs) == other
