"""How much a document of GraphQL may ask for."""

import time
from itertools import count
from typing import Any

import pytest

from phx_pipeline.errors import InputError
from phx_pipeline.service.amounts import MOST_DAYS, refuse_too_much

_TICKS = "query($l: Int, $u: Float) { a { futureTicks(limit: $l, until: $u) { x } } }"
_DEFAULT = "query($l: Int = 3000000) { ...F } fragment F on Q { a(limit: $l) { x } }"
_MANY = f"{{ {' '.join(f'a{n}: runs(limit: 1000) {{ x }}' for n in range(21))} }}"
_LESS = "{ none: runs(limit: -1000000) { x } "  # makes no room for others


@pytest.mark.parametrize(
    ("query", "variables", "told"),
    [
        ("{ runs(limit: 1001) { x } }", {}, "`limit` is 1001: ask for at most 1000"),
        ("{ a { b(upperLimit: 1e9) { x } } }", {}, "`upperLimit` is 1e[+]09"),
        (f"{{ a(limit: 1{'0' * 5_000}) {{ x }} }}", {}, "`limit` is inf"),
        (_TICKS, {"l": 3_000_000}, "`limit` is 3e[+]06"),
        (_TICKS, {"u": 1e18}, f"of the next {MOST_DAYS} days"),
        (_DEFAULT, {}, "`limit` is 3e[+]06"),
        (_MANY, {}, "come to 21000, at most 20000 are answered"),
        (_LESS + _MANY[1:], {}, "come to 21000, at most 20000 are answered"),
    ],
    ids=count(),
)
def test_more_than_a_page_asks_for_is_refused(
    query: str, variables: dict[str, Any], told: str
) -> None:
    with pytest.raises(InputError, match=told):
        refuse_too_much(query, variables)


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("{ runs(limit: 1000, since: 1700000000) { x } }", {}),
        (_TICKS, {"l": None, "u": time.time() + 86_400}),
        (_TICKS, {}),
        (_DEFAULT, {"l": 5}),
        ('{ runs(limit: "many") { x } }', {}),
    ],
    ids=count(),
)
def test_what_a_page_asks_for_is_answered(
    query: str, variables: dict[str, Any]
) -> None:
    refuse_too_much(query, variables)
