from collections.abc import Callable

import pytest


@pytest.mark.gate
@pytest.mark.parametrize(
    "command",
    [
        ("ruff", "check", "--quiet"),
        ("ruff", "format", "--check"),
        ("mypy", "--no-error-summary"),
    ],
    ids=["lint", "format", "types"],
)
def test_the_code_is_clean(
    command: tuple[str, ...], run_tool: Callable[..., str]
) -> None:
    complaints = run_tool(*command)

    if complaints:
        pytest.fail(complaints, pytrace=False)
