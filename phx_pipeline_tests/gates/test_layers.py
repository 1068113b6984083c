from collections.abc import Callable

import pytest


@pytest.mark.gate
def test_imports_only_go_down(run_tool: Callable[..., str]) -> None:
    complaints = run_tool("lint-imports")

    if complaints:
        pytest.fail(complaints, pytrace=False)
