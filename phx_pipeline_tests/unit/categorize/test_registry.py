from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from phx_pipeline.categorize.registry import (
    BACKENDS,
    Equipment,
    chosen,
    equip,
)
from phx_pipeline.errors import InputError


class NoFeatures:
    def get(self, shas: Collection[str], network: str) -> dict[str, bytes]:
        del shas, network
        return {}

    def put(self, network: str, vectors: Mapping[str, bytes]) -> None: ...


EQUIPMENT = Equipment(cache_dir=Path("nowhere"), features=NoFeatures())


def test_all_backends_are_asked_unless_some_are_chosen() -> None:
    names = [backend.name for backend in BACKENDS]

    assert [it.name for it in chosen([])] == names
    assert [it.name for it in chosen(["listing_text"])] == ["listing_text"]
    assert [it.name for it in chosen(names[::-1])] == names


def test_a_wrong_name_is_told_with_the_right_ones() -> None:
    with pytest.raises(InputError, match="'listing_txt' \\(did you mean listing_text"):
        chosen(["listing_txt"])


def test_what_a_backend_is_listed_with_is_what_it_is() -> None:
    for backend in BACKENDS:
        made = backend.build(EQUIPMENT)
        assert (made.name, made.knows) == (backend.name, backend.knows())
        assert 0 < len(made.version) <= 100


def test_one_that_is_missing_stops_none_of_the_others() -> None:
    lost = replace(BACKENDS[0], name="lost", lacking=lambda: "no wheel")

    equipped = equip([lost, BACKENDS[0]], EQUIPMENT)

    assert [it.name for it in equipped.categorizers] == ["listing_text"]
    assert equipped.missing == {"lost": "no wheel"}
