"""How a ruling names two photos."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phx_pipeline.model.photo import PhotoKey
from phx_pipeline.model.ruling import couple_in, couple_key
from phx_pipeline.model.source import Source

PHOTOS = st.tuples(
    st.sampled_from([Source.REDFIN, Source.ZILLOW]), st.text(min_size=1, max_size=9)
)


@given(PHOTOS, PHOTOS)
def test_two_photos_are_named_alike_whichever_comes_first(
    one: PhotoKey, other: PhotoKey
) -> None:
    key = couple_key(one, other)

    assert couple_key(other, one) == key
    assert key.isprintable()
    if one != other:
        assert couple_in(key) == tuple(sorted((one, other)))
        assert couple_in(" ".join(key.split(" ")[::-1])) == couple_in(key)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "redfin/a",
        "redfin/a redfin/a",
        "R/a z/b",
        "redfin/a b c",
    ],
)
def test_anything_else_names_no_two_photos(text: str) -> None:
    with pytest.raises(ValueError, match="name"):
        couple_in(text)
