"""Assets link to where they are written: on this computer, or at a given address."""

from pathlib import Path

import dagster as dg
import pytest

from phx_pipeline.definitions import build_definitions
from phx_pipeline.defs.code_links import CODE_REFERENCES

_URL = "https://code.example/phx/blob/main"


def links_of(defs: dg.Definitions) -> dict[str, object]:
    """The one link of each asset."""
    found = {}
    for spec in defs.resolve_all_asset_specs():
        (link,) = spec.metadata[CODE_REFERENCES].code_references
        found[spec.key.to_user_string()] = link
    return found


def test_an_asset_opens_its_module_at_its_first_line() -> None:
    for asset, link in links_of(build_definitions()).items():
        assert isinstance(link, dg.LocalFileCodeReference)
        assert link.line_number is not None
        lines = Path(link.file_path).read_text(encoding="utf-8").splitlines()
        assert Path(link.file_path).stem == asset
        assert lines[link.line_number - 1] == "@dg.asset("


def test_with_an_address_it_links_to_the_file_there(repo_dir: Path) -> None:
    for asset, link in links_of(build_definitions(code_url=_URL)).items():
        assert isinstance(link, dg.UrlCodeReference)
        file, _, line = link.url.removeprefix(f"{_URL}/").partition("#L")
        assert file == f"phx_pipeline/defs/assets/{asset}.py"
        text = (repo_dir / file).read_text(encoding="utf-8")
        assert text.splitlines()[int(line) - 1] == "@dg.asset("


@pytest.mark.parametrize("code_url", [None, _URL])
def test_links_change_nothing_else_of_an_asset(code_url: str | None) -> None:
    defs = build_definitions(code_url=code_url)

    specs = {spec.key.to_user_string(): spec for spec in defs.resolve_all_asset_specs()}

    assert len(specs) == 7
    for name, spec in specs.items():
        assert set(spec.metadata) == {CODE_REFERENCES}, name
        assert spec.description, name
        assert spec.owners, name
        assert spec.kinds, name
