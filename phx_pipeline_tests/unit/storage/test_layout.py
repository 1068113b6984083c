from pathlib import Path

import pytest

from phx_pipeline.errors import StorageError
from phx_pipeline.storage.layout import Layout

SHA = "ab" + "0" * 62
LAYOUT = Layout(Path("/data"))
IMAGES = Path("/data/property_images")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (LAYOUT.images, IMAGES),
        (LAYOUT.raw(SHA), IMAGES / "raw/ab" / SHA),
        (
            LAYOUT.standardized(SHA, "png1024-v1"),
            IMAGES / f"standardized/png1024-v1/ab/{SHA}.png",
        ),
        (LAYOUT.processed, IMAGES / "processed"),
        (LAYOUT.folder("686067a4"), IMAGES / "processed/686067a4"),
        (LAYOUT.metadata, IMAGES / "metadata"),
        (LAYOUT.catalogue, Path("/data/phx.db")),
    ],
)
def test_every_path_has_its_place(path: Path, expected: Path) -> None:
    assert path == expected


def test_exports_get_posix_paths_below_the_images() -> None:
    path = LAYOUT.folder("686067a4") / "one.png"

    assert LAYOUT.relative(path) == "processed/686067a4/one.png"


def test_a_path_elsewhere_has_no_relative_form() -> None:
    with pytest.raises(StorageError, match="not below"):
        LAYOUT.relative(LAYOUT.catalogue)


@pytest.mark.parametrize("sha256", ["", "ab", SHA.upper(), SHA + "\n", "../" + SHA[3:]])
def test_a_malformed_hash_is_refused(sha256: str) -> None:
    with pytest.raises(StorageError):
        LAYOUT.raw(sha256)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/etc", ".hidden", "a\n"])
def test_a_name_that_leaves_its_folder_is_refused(name: str) -> None:
    with pytest.raises(StorageError):
        LAYOUT.folder(name)

    with pytest.raises(StorageError):
        LAYOUT.standardized(SHA, name)
