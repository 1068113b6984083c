"""The pixels that libvips and ImageMagick give for a file, by their command lines."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

from PIL import Image, ImageCms

PEERS: Final = ("libvips", "ImageMagick")
_TOOLS: Final = {"libvips": "vipsthumbnail", "ImageMagick": "convert-im6.q16"}
_PATIENCE_S: Final = 20
_NO: Final = re.compile(rb"ignoring nclx")  # no complaint: of nearly each AVIF
_PROFILE: Final = re.compile(rb"ICC_PROFILE|iCCP|ICCP|colrprof")


def missing_peers() -> list[str]:
    """Return the programs that are not installed here."""
    return [tool for tool in _TOOLS.values() if shutil.which(tool) is None]


def pixels_by(peer: str, file: Path, *, media_type: str, folder: Path) -> bytes | None:
    """Return RGB, upright, in sRGB, transparency on white; None if it complains.

    Args:
        peer: one of `PEERS`.
        file: of one picture, or several of which the first counts.
        media_type: what it is.
        folder: for what is made on the way.
    """
    made = folder / "peer.ppm"
    made.unlink(missing_ok=True)
    if peer == "libvips":
        command = _by_vips(file, made)
    else:
        command = _by_magick(file, made, media_type=media_type, folder=folder)
    try:
        done = subprocess.run(  # noqa: S603 - tools named above
            command,
            capture_output=True,
            timeout=_PATIENCE_S,
            check=False,
            env=os.environ | {"MAGICK_THREAD_LIMIT": "1", "VIPS_CONCURRENCY": "1"},
        )
    except subprocess.TimeoutExpired:
        return None
    complaints = [it for it in done.stderr.splitlines() if it and not _NO.search(it)]
    if done.returncode or complaints or not made.is_file():
        return None
    with Image.open(made) as image:
        return image.convert("RGB").tobytes()


def _by_vips(file: Path, made: Path) -> list[str]:
    options = ["--size", "100000x100000>"]
    if _PROFILE.search(file.read_bytes()):  # else it takes another one for granted
        options += ["--export-profile", "srgb"]
    return [_TOOLS["libvips"], str(file), *options, "-o", f"{made}[background=255]"]


def _by_magick(file: Path, made: Path, *, media_type: str, folder: Path) -> list[str]:
    profile = folder / "srgb.icc"
    if not profile.exists():
        srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
        profile.write_bytes(srgb.tobytes())
    named = f"{media_type.removeprefix('image/')}:{file}[0]"
    white = ["-background", "white", "-alpha", "remove", "-alpha", "off"]
    tool = _TOOLS["ImageMagick"]
    colours = ["-profile", str(profile), "-colorspace", "sRGB", "-depth", "8"]
    return [tool, named, "-auto-orient", *white, *colours, f"ppm:{made}"]
