"""A trained model: its bytes, and what it makes of the probabilities before it."""

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phx_pipeline.categorize.fusion import FUSED
from phx_pipeline.categorize.trained import Curve, Head, TrainedModel
from phx_pipeline.model.taxonomy import Subject

S = Subject
POOL = Head(weights=np.array([2.0, 0.0, -1.0], np.float32), bias=-0.5)
KITCHEN = Head(weights=np.array([0.0, 3.0, 0.0], np.float32), bias=0.25)
CURVE = Curve(
    stated=(0.4, 0.6, 0.9), seen=(0.3, 0.6, 0.97), raises=frozenset({S.KITCHEN})
)
MODEL = TrainedModel(
    network="n",
    heads={S.POOL: POOL, S.KITCHEN: KITCHEN},
    judged=frozenset({S.POOL}),
    curves={FUSED: CURVE, "embedded": CURVE},
)

shares = st.dictionaries(st.sampled_from(S), st.floats(0, 1), max_size=5).map(
    lambda it: {s: p / max(1.0, sum(it.values())) for s, p in it.items()}
)


def test_its_bytes_hold_all_of_it_and_name_it() -> None:
    read = TrainedModel.from_bytes(MODEL.to_bytes())
    assert read.id == MODEL.id
    assert (read.network, read.judged, dict(read.curves)) == (
        MODEL.network,
        MODEL.judged,
        dict(MODEL.curves),
    )
    rows = np.array([[1.0, 2.0, 3.0], [0.5, 0.0, 0.0]])
    assert read.chances(rows) == MODEL.chances(rows)
    assert MODEL.chances(rows)[1][S.POOL] == pytest.approx(1 / (1 + np.exp(-0.5)))
    bare = TrainedModel(network="n")
    assert TrainedModel.from_bytes(bare.to_bytes()).chances(rows) == [{}, {}]
    assert bare.id != MODEL.id


@pytest.mark.parametrize("cut", [0, 1, 60, 400, -30])
def test_damaged_bytes_are_told(cut: int) -> None:
    body = MODEL.to_bytes()
    with pytest.raises(ValueError, match="no trained model can be read"):
        TrainedModel.from_bytes(body[:cut])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"format": 1', b'"format": 9'),
        (b'"pool"', b'"loop"'),
        (np.float32(2.0).tobytes(), np.float32(np.nan).tobytes()),
    ],
)
def test_bytes_of_something_else_are_told(old: bytes, new: bytes) -> None:
    body = MODEL.to_bytes()
    assert old in body
    with pytest.raises(ValueError, match="no trained model can be read"):
        TrainedModel.from_bytes(body.replace(old, new))


def test_no_fault_of_a_byte_is_told_otherwise() -> None:
    body = MODEL.to_bytes()
    for at in range(0, len(body), 3):
        bits = bytearray(body)
        bits[at] ^= 1 << at % 8
        with suppress(ValueError):
            TrainedModel.from_bytes(bytes(bits))


def test_heads_of_what_is_no_subject_are_no_model() -> None:
    unknown = TrainedModel(network="n", heads={S.UNKNOWN: POOL})
    with pytest.raises(ValueError, match="not of different subjects"):
        TrainedModel.from_bytes(unknown.to_bytes())


def test_it_tells_why_it_does_not_fit() -> None:
    assert MODEL.misfit(network="n", width=3) == ""
    assert "the network n, not m" in MODEL.misfit(network="m", width=3)
    assert "3 weights for 4 features" in MODEL.misfit(network="n", width=4)


def test_features_of_another_width_are_refused() -> None:
    with pytest.raises(ValueError, match="width 2 for heads of 3"):
        MODEL.chances(np.zeros((1, 2)))


@given(before=shares, pool=st.floats(0, 1), kitchen=st.floats(0, 1))
def test_a_head_has_the_word_on_its_subject_and_no_other_gains(
    before: dict[Subject, float], pool: float, kitchen: float
) -> None:
    after = MODEL.revised(before, {S.POOL: pool, S.KITCHEN: kitchen})
    assert sum(after.values()) <= 1 + 1e-9
    if pool + kitchen <= 1:
        assert (after[S.POOL], after[S.KITCHEN]) == (pool, kitchen)
    for subject, p in before.items():
        if subject not in MODEL.heads:
            assert after[subject] <= p


@given(before=shares)
def test_a_calibrated_backend_keeps_its_order_and_its_sum(
    before: dict[Subject, float],
) -> None:
    after = MODEL.calibrated("embedded", before)
    assert sum(after.values()) <= 1 + 1e-9
    best = max(before.values(), default=0.0)
    for subject, p in after.items():
        if subject is not S.KITCHEN and before[subject] == best:
            assert p <= before[subject]
    assert all(
        after[one] <= after[other] + 1e-12
        for one in before
        for other in before
        if before[one] <= before[other]
    )
    assert MODEL.calibrated("listing_text", before) == before


def test_only_a_subject_that_was_reviewed_is_believed_more() -> None:
    assert CURVE.of(S.KITCHEN, 0.9) == pytest.approx(0.97)
    assert CURVE.of(S.POOL, 0.9) == 0.9
    assert CURVE.of(S.POOL, 0.4) == 0.3


@pytest.mark.parametrize(
    ("stated", "seen"),
    [
        ((), ()),
        ((0.5,), (0.5, 0.6)),
        ((0.5, 0.5), (0.5, 0.6)),
        ((0.4, 0.5), (0.6, 0.5)),
        ((0.4,), (1.2,)),
        ((float("nan"),), (0.5,)),
    ],
)
def test_a_curve_that_is_none_is_refused(
    stated: tuple[float, ...], seen: tuple[float, ...]
) -> None:
    with pytest.raises(ValueError, match="curve"):
        Curve(stated=stated, seen=seen)
