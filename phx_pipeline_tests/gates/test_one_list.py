"""CI, a commit and a person run one list of checks, and one set of Pythons is named.

The list is this folder: `make check` runs it alone, `make test` with all other tests. A
check is added here, and nowhere else.
"""

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.gate

_GATES = ".venv/bin/pytest phx_pipeline_tests/gates"
_ALL = ".venv/bin/pytest -n auto --dist loadgroup"
_KEY = re.compile(r"^ +(\w+): (.+)$", re.MULTILINE)
_VERSION = re.compile(r"\b3\.\d\d\b")

Read = Callable[[str], str]


@pytest.fixture
def read(repo_dir: Path) -> Read:
    return lambda name: (repo_dir / name).read_text(encoding="utf-8")


@pytest.fixture
def project(read: Read) -> dict[str, Any]:
    return tomllib.loads(read("pyproject.toml"))


def recipe(makefile: str, *, target: str) -> list[str]:
    """Return the commands of a target, but for variables that are set for one."""
    found = re.search(rf"^{target}:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
    lines = found[1].splitlines() if found else []
    plain = [re.sub(r"^\t@?(?:\w+= )?", "", it) for it in lines]
    return [it for it in plain if not it.startswith("#")]


def commands(script: str) -> list[str]:
    """Return what a shell script runs, but for where and how."""
    lines = [it.strip() for it in script.splitlines()]
    return [it for it in lines if it and not it.startswith(("#", "set ", "cd "))]


def hooks(config: str) -> list[str]:
    """Return what pre-commit runs; a hook of somebody else's by its id."""
    told = (dict(_KEY.findall(it)) for it in config.split("- id: ")[1:])
    ids = re.findall(r"- id: (.+)", config)
    return [it.get("entry", name) for it, name in zip(told, ids, strict=True)]


def test_the_list_is_run_before_a_commit_and_by_ci(
    read: Read, project: dict[str, Any]
) -> None:
    makefile = read("Makefile")

    assert hooks(read(".pre-commit-config.yaml")) == ["make check"]
    assert recipe(makefile, target="check") == [_GATES]
    assert commands(read(".ci/run")) == ["make test"]
    assert recipe(makefile, target="test") == ["deploy/system-packages.sh", _ALL]
    assert project["tool"]["pytest"]["testpaths"] == ["phx_pipeline_tests"]


def test_a_check_beside_the_list_is_found() -> None:
    makefile = "check: x ## y\n\t@# why\n\t.venv/bin/pytest a\n\t@A= ruff\n\nb: x\n"
    script = "#!/bin/sh\nset -e\ncd x\n mypy\nmake test\n"
    config = "- repo: far\n  hooks:\n    - id: black\n    - id: x\n      entry: mypy\n"

    assert recipe(makefile, target="check") == [".venv/bin/pytest a", "ruff"]
    assert commands(script) == ["mypy", "make test"]
    assert hooks(config) == ["black", "mypy"]


def test_the_same_pythons_are_named_everywhere(
    read: Read, project: dict[str, Any]
) -> None:
    told = "\n".join(project["project"]["classifiers"])
    pythons = _VERSION.findall(told)
    lowest, beyond = _VERSION.findall(project["project"]["requires-python"])
    (tried,) = re.findall(r"^PYTHON \?= (.*?) *#", read("Makefile"), re.MULTILINE)

    assert pythons == sorted(set(pythons))
    assert (pythons[0], int(pythons[-1][2:]) + 1) == (lowest, int(beyond[2:]))
    assert tried.split() == [*(f"python{it}" for it in pythons), "python3"]
    assert project["tool"]["mypy"]["python_version"] == lowest
    assert project["tool"]["ruff"]["target-version"] == f"py{lowest.replace('.', '')}"
    line = f"{', '.join(pythons[:-1])} or {pythons[-1]}"
    for page in ("README.md", "docs/tutorial.md", "Makefile"):
        assert f"Python {line}" in read(page), page
