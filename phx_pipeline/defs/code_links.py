"""Where the body of an asset is written, for the links of the UI to it."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import dagster as dg

CODE_REFERENCES: Final = "dagster/code_references"
"""The name under which Dagster keeps them in an asset's metadata."""

_PROJECT = Path(__file__).resolve().parents[2]  # above the package


def with_code_links(
    assets: Sequence[dg.AssetsDefinition], *, code_url: str | None
) -> list[dg.AssetsDefinition]:
    """Return *assets* with links: to *code_url*, else to the file on this computer.

    Args:
        assets: Each made by a decorated function.
        code_url: What the path of a file in the project is put behind, such as
            `https://github.com/OWNER/NAME/blob/main`.
    """
    # Dagster 1.13 calls all of it beta and warns each time; a test looks at the links.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        located = dg.with_source_code_references(assets)
        return [
            _with_url(asset, code_url) if code_url else asset
            for asset in located
            if isinstance(asset, dg.AssetsDefinition)
        ]


def _with_url(asset: dg.AssetsDefinition, code_url: str) -> dg.AssetsDefinition:
    links = [
        _on_the_web(link, code_url)
        if isinstance(link, dg.LocalFileCodeReference)
        else link
        for link in asset.metadata_by_key[asset.key][CODE_REFERENCES].code_references
    ]
    value = dg.CodeReferencesMetadataValue(code_references=links)
    return asset.map_asset_specs(
        lambda spec: spec.merge_attributes(metadata={CODE_REFERENCES: value})
    )


def _on_the_web(link: dg.LocalFileCodeReference, code_url: str) -> dg.UrlCodeReference:
    path = Path(link.file_path).resolve().relative_to(_PROJECT).as_posix()
    line = f"#L{link.line_number}" if link.line_number else ""
    return dg.UrlCodeReference(url=f"{code_url}/{path}{line}", label=link.label)
