"""How much a document of GraphQL may ask for: Dagster itself sets no bounds.

Written for the arguments of Dagster 1.13: those whose name ends in `limit` tell how
many of something are wanted, and `until` how far the ticks of a schedule are told.
"""

import math
import time
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from graphql import (
    ArgumentNode,
    Node,
    ValueNode,
    VariableDefinitionNode,
    parse,
    value_from_ast_untyped,
)

from phx_pipeline.errors import InputError

MOST: Final = 1_000
"""Of one argument; the pages of the UI ask for as many at most."""
MOST_IN_ALL: Final = 20_000
MOST_DAYS: Final = 400

_LIMIT, _UNTIL = "limit", "until"
_DAY_S: Final = 86_400
_REMEMBERED: Final = 256


def refuse_too_much(query: str, variables: Mapping[str, Any]) -> None:
    """Refuse to answer more than a page of the UI asks for.

    Args:
        query: a document that can be read; all of it counts, fragments too.
        variables: that are given with it.

    Raises:
        InputError: tells the argument and what is allowed.
    """
    amounts, defaults = _amounts(query)
    values, in_all = {**defaults, **variables}, 0.0
    for name, node in amounts:
        value = _number(node, values)
        if name == _UNTIL:
            _refuse_later(value)
        elif value > MOST:
            raise InputError(
                f"`{name}` is {value:g}: ask for at most {MOST} at once, and go on "
                "with the cursor of the answer"
            )
        else:
            in_all += max(value, 0)
    if in_all > MOST_IN_ALL:
        raise InputError(
            f"the limits of this query come to {in_all:.0f}, at most {MOST_IN_ALL} are "
            "answered: ask in several requests"
        )


def _refuse_later(until: float) -> None:
    if until > time.time() + MOST_DAYS * _DAY_S:
        raise InputError(
            f"`{_UNTIL}` is {until:g}: give seconds since 1970, of the next "
            f"{MOST_DAYS} days"
        )


def _number(node: ValueNode, values: dict[str, Any]) -> float:
    """What an argument says; 0 for what is no number, which Dagster refuses."""
    value = value_from_ast_untyped(node, values)
    if not isinstance(value, int | float):
        return 0.0
    try:
        found = float(value)
    except OverflowError:
        return math.inf
    return math.inf if math.isnan(found) else found  # as of thousands of digits


@lru_cache(_REMEMBERED)
def _amounts(query: str) -> tuple[tuple[tuple[str, ValueNode], ...], dict[str, Any]]:
    """The arguments that tell how much is wanted, and the defaults of variables."""
    nodes = list(_nodes(parse(query, no_location=True)))
    amounts = tuple(
        (each.name.value, each.value)
        for each in nodes
        if isinstance(each, ArgumentNode) and _tells_amount(each.name.value)
    )
    defaults = {
        each.variable.name.value: value_from_ast_untyped(each.default_value)
        for each in nodes
        if isinstance(each, VariableDefinitionNode) and each.default_value
    }
    return amounts, defaults


def _tells_amount(name: str) -> bool:
    return name == _UNTIL or name.lower().endswith(_LIMIT)


def _nodes(document: Node) -> Iterator[Node]:
    """All parts of a document, in no order."""
    waiting = [document]
    while waiting:
        node = waiting.pop()
        yield node
        for key in node.keys:
            inner = getattr(node, key, None)
            found = inner if isinstance(inner, list | tuple) else (inner,)
            waiting += [each for each in found if isinstance(each, Node)]
