#!/usr/bin/env python
"""Takes the pictures of Dagster's UI that the documents show.

    .venv/bin/python -m phx_pipeline_tests.bench.screenshots docs/images

A whole installation on made-up houses: the backfill that is shown is really run. The
picture of the page "Automation" comes from `soak/test_automation.py`.
"""

import tempfile
from pathlib import Path

import click
from PIL import Image

from phx_pipeline.demo.houses import HOUSES
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline_tests.chromium import chromium_page, find_chromium
from phx_pipeline_tests.dagster_ui import SHOTS, backfill_by_hand
from phx_pipeline_tests.deployment import slug_of
from phx_pipeline_tests.served import served

_COLOURS = 256
_HOUSES = sorted(HOUSES, key=lambda house: -len(house.record.shots))[:4]


@click.command()
@click.argument("target", type=click.Path(exists=True, file_okay=False, path_type=Path))
def main(target: Path) -> None:
    """Put the pictures into the folder TARGET; those of before are replaced."""
    executable = find_chromium()
    if executable is None:
        raise click.ClickException("no Chromium is installed")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        with (
            served(folder / "stores", redfin_sites(), houses=_HOUSES) as running,
            chromium_page(executable, profile=folder / "profile") as page,
        ):
            slugs = [slug_of(house) for house in _HOUSES]
            backfill_by_hand(page, url=running.url, partitions=slugs, shots=target)
    for name in SHOTS:
        shrink(target / name)
        click.echo(f"{target / name}: {(target / name).stat().st_size // 1000} kB")


def shrink(path: Path) -> None:
    """Save a picture of a screen again with fewer colours: it has few anyway."""
    with Image.open(path) as shot:
        few = shot.convert("RGB").quantize(_COLOURS)
    few.save(path, optimize=True)


if __name__ == "__main__":
    main()
