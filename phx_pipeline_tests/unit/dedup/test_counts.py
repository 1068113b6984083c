"""Counts of parts of a corpus add up, and survive being written down."""

import json
from dataclasses import replace

from phx_pipeline.dedup.evaluate import NOTHING
from phx_pipeline_tests.corpus.counts import Chosen, Judged, judged_of, summed
from phx_pipeline_tests.corpus.judged import Photo, parts

ONE = Judged(
    site=replace(NOTHING, pairs=6, merged=5),
    operations={"logo": replace(NOTHING, pairs=1)},
    others={"panned": replace(NOTHING, photos=2)},
    choices={"logo": Chosen(right=1, apart=2)},
)
OTHER = Judged(
    marked=replace(NOTHING, lost=1),
    operations={"logo": replace(NOTHING, pairs=2), "strip": NOTHING},
    choices={"logo": Chosen(wrong=1)},
)


def test_counts_of_parts_add_up_in_any_order() -> None:
    total = summed([ONE, OTHER])

    assert total == summed([OTHER, ONE])
    assert total.operations["logo"].pairs == 3
    assert total.choices["logo"] == Chosen(right=1, wrong=1, apart=2)
    assert (total.site, total.marked) == (ONE.site, OTHER.marked)


def test_what_was_written_down_is_what_was_counted() -> None:
    assert judged_of(json.loads(json.dumps(ONE.plain()))) == ONE


def test_a_corpus_is_cut_into_a_few_houses_with_one_seed_each() -> None:
    photos = [Photo(house=str(at), name=f"{at}_x", body=b"") for at in range(101, 110)]

    found = parts(photos, seeds=[1, 2])

    assert [(it.seed, len(it.houses)) for it in found] == [
        *((1, 4), (1, 4), (1, 1)),
        *((2, 4), (2, 4), (2, 1)),
    ]
    assert sorted(place for it in found[:3] for place in it.places) == [*range(9)]
    assert [it.pages for it in found[:3]] == [range(8), range(8, 16), range(16, 18)]
