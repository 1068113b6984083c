"""The script that the pipeline took the place of: gallery-dl, imagehash, Pillow.

It gets a list of photo URLs, so it asks no page and finds no photo. It downloads each
with gallery-dl, leaves out those whose perceptual hash another one has, makes PNGs no
larger than ours of the others, and writes a list. It names no room, chooses no better
copy, checks no file, remembers nothing, and starts anew if it is killed.
"""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from phx_pipeline.settings import Settings

PYTHON: Final = click.Path(exists=True, dir_okay=False, path_type=Path)

# The program of the first process; gallery-dl is the second.
_PROGRAM = """
import csv, subprocess, sys
from pathlib import Path

import imagehash
from PIL import Image

folder, proxy, ca_file, side = Path(sys.argv[1]), *sys.argv[2:4], int(sys.argv[4])
told = [sys.executable, "-m", "gallery_dl", "--quiet", "--config-ignore"]
told += ["--proxy", proxy, "-o", f"extractor.verify={ca_file}"]
told += ["-D", str(folder), "-i", str(folder / "urls.txt")]
done = subprocess.run(told)
seen, rows = set(), []
for file in sorted(folder.glob("*.jpg")):
    with Image.open(file) as photo:
        found = str(imagehash.phash(photo))
        if found not in seen:
            photo.thumbnail((side, side), Image.Resampling.LANCZOS)
            photo.convert("RGB").save(file.with_suffix(".png"))
        rows.append([file.name, found, found in seen])
        seen.add(found)
with (folder / "photos.csv").open("w", newline="") as listed:
    csv.writer(listed).writerows(rows)
print(len(rows))
sys.exit(done.returncode)
"""


def collect(
    python: Path, urls: Sequence[str], *, folder: Path, settings: Settings
) -> None:
    """Run the script with *python* on the sites that *settings* reach.

    Raises:
        ClickException: it failed, or some photo was not downloaded.
    """
    folder.mkdir()
    (folder / "urls.txt").write_text("\n".join(urls), encoding="utf-8")
    sites = [str(settings.proxy), str(settings.ca_file), str(settings.max_side)]
    done = subprocess.run(  # noqa: S603 - the Python that the caller named
        [str(python), "-c", _PROGRAM, str(folder), *sites],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode or int(done.stdout) != len(urls):
        told = f"{done.stdout} of {len(urls)} photos; {done.stderr[-500:]}"
        raise click.ClickException(f"gallery-dl: {told}")
