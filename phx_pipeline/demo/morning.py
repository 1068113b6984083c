"""The next morning of the demo: its houses, as the sites show them after one night."""

from collections.abc import Sequence
from dataclasses import replace

from phx_pipeline.demo.houses import HOUSES, House

_CUT = 14_000  # dollars
_OTHER_SEED = 1_000  # none of the drawings of the day before has one so large


def next_morning(houses: Sequence[House] = HOUSES) -> tuple[House, ...]:
    """Return the houses: the first is cheaper, another is under contract.

    The third, the last that changes, has one photo more.
    """
    cut, sold, shown, *others = houses
    return (
        _with(cut, price=cut.record.price - _CUT),
        _with(sold, is_pending=True),
        _with_one_photo_more(shown),
        *others,
    )


def _with_one_photo_more(house: House) -> House:
    shots = house.record.shots
    more = replace(shots[0], seed=shots[0].seed + _OTHER_SEED)
    return _with(house, shots=(*shots, more))


def _with(house: House, **changes: object) -> House:
    return replace(house, record=replace(house.record, **changes))  # type: ignore[arg-type]  # by name
