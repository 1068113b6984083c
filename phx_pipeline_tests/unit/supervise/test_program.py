"""How a service is started."""

import gc
import sys
from pathlib import Path

import pytest

from phx_pipeline.supervise.program import main


def test_what_is_named_first_imports_without_the_collector_and_runs_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "made_service.py").write_text(
        "import gc, sys\n"
        "told = [gc.isenabled()]\n"
        "def main(): told.extend([gc.isenabled(), *sys.argv])\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "argv", ["program", "made_service", "--port", "1"])

    main()

    module = sys.modules.pop("made_service")
    assert module.told == [False, True, "made_service", "--port", "1"]
    assert gc.isenabled()
