"""The table of subjects in the documents is the one of the code, row by row."""

from pathlib import Path

import pytest

from phx_pipeline.model.taxonomy import TAXONOMY, Location

pytestmark = pytest.mark.gate


def _rows() -> list[str]:
    return [
        f"| `{subject}` | `{row.location}` | {_named(row.elsewhere)} | {row.shows} |"
        for subject, row in TAXONOMY.items()
    ]


def _named(locations: frozenset[Location]) -> str:
    return " ".join(f"`{it}`" for it in Location if it in locations) or "none"


def test_the_documents_tell_every_subject_as_the_code_has_it(repo_dir: Path) -> None:
    lines = (repo_dir / "docs/data.md").read_text(encoding="utf-8").splitlines()
    start = lines.index("| subject | location | elsewhere | the picture shows |") + 2

    assert lines[start : lines.index("", start)] == _rows()
