"""How long functions are. Counted are the lines of a body without its docstring."""

import ast
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = pytest.mark.gate

DAGSTER_LIMIT = 25
MEDIAN_LIMIT = 10
P90_LIMIT = 30
LIMIT = 60

_DAGSTER = {
    "asset",
    "asset_check",
    "multi_asset",
    "multi_asset_check",
    "sensor",
    "run_status_sensor",
    "run_failure_sensor",
    "schedule",
}

_SOURCE = '''
@dg.asset(
    group_name="collect",
)
def thin(
    context,
):
    """Say what.

    And more.
    """

    first()

    return last()


class Frame:
    @property
    def width(self): return 1

    def stub(self):
        """Only a docstring."""
'''


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    place: str
    lines: int
    in_dagster: bool


def _bodies(source: str, *, name: str) -> Iterator[Body]:
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        documented = ast.get_docstring(node, clean=False) is not None
        if statements := node.body[documented:]:
            end = statements[-1].end_lineno or statements[-1].lineno
            yield Body(
                place=f"{name}:{node.lineno} {node.name}",
                lines=end - statements[0].lineno + 1,
                in_dagster=any(map(_is_dagster, node.decorator_list)),
            )


def _is_dagster(decorator: ast.expr) -> bool:
    name = decorator.func if isinstance(decorator, ast.Call) else decorator
    return ast.unparse(name).rpartition(".")[2] in _DAGSTER


def _bodies_below(folder: Path) -> list[Body]:
    return [
        body
        for path in sorted(folder.rglob("*.py"))
        if "versions" not in path.parts  # a migration lists its tables, however many
        for body in _bodies(
            path.read_text(encoding="utf-8"), name=str(path.relative_to(folder.parent))
        )
    ]


@pytest.fixture(scope="module")
def bodies(repo_dir: Path) -> list[Body]:
    return _bodies_below(repo_dir / "phx_pipeline")


def _longer_than(limit: int, *, among: list[Body]) -> list[str]:
    return [f"{body.place}: {body.lines}" for body in among if body.lines > limit]


def test_dagster_functions_only_delegate(bodies: list[Body]) -> None:
    in_dagster = [body for body in bodies if body.in_dagster]

    assert _longer_than(DAGSTER_LIMIT, among=in_dagster) == []


def test_no_function_is_very_long(bodies: list[Body], repo_dir: Path) -> None:
    tests = _bodies_below(repo_dir / "phx_pipeline_tests")

    assert _longer_than(LIMIT, among=[*bodies, *tests]) == []


def test_most_functions_are_short(bodies: list[Body]) -> None:
    lengths = [body.lines for body in bodies]

    tenths = statistics.quantiles(lengths, n=10, method="inclusive")

    assert tenths[4] <= MEDIAN_LIMIT
    assert tenths[8] <= P90_LIMIT, _longer_than(P90_LIMIT, among=bodies)


def test_a_body_is_measured_without_signature_and_docstring() -> None:
    measured = list(_bodies(_SOURCE, name="made.py"))

    assert measured == [
        Body(place="made.py:5 thin", lines=3, in_dagster=True),
        Body(place="made.py:20 width", lines=1, in_dagster=False),
    ]
