import json
from collections.abc import Mapping
from pathlib import Path
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from phx_pipeline.exports.address_lookup import FolderEntry, render_address_lookup

DAVIS = FolderEntry(
    address="4732 W Davis Rd, Glendale, AZ 85306", folder="686067a4", image_count=98
)
GARY = FolderEntry(
    address="2011 E Gary Cir, Mesa, AZ 85213", folder="fc5e428e", image_count=0
)

EXPECTED = """\
{
  "version": "1.0.0",
  "description": "Where the published photos of each address are",
  "mappings": {
    "2011 E Gary Cir, Mesa, AZ 85213": {
      "folder": "fc5e428e",
      "image_count": 0,
      "path": "data/property_images/processed/fc5e428e/"
    },
    "4732 W Davis Rd, Glendale, AZ 85306": {
      "folder": "686067a4",
      "image_count": 98,
      "path": "data/property_images/processed/686067a4/"
    }
  }
}
"""

entries = st.lists(
    st.builds(
        FolderEntry,
        address=st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
        folder=st.text("0123456789abcdef", min_size=8, max_size=8),
        image_count=st.integers(0, 2**40),
    ),
    max_size=8,
    unique_by=lambda entry: entry.address,
)


def _shape(row: Mapping[str, object]) -> list[tuple[str, type]]:
    return [(key, type(value)) for key, value in row.items()]


def test_two_folders_make_exactly_this_file() -> None:
    text = render_address_lookup(iter([DAVIS, GARY]))

    assert text == EXPECTED


def test_the_shape_is_that_of_the_real_file(shared_dir: Path) -> None:
    path = shared_dir / "samples/predecessor/address_folder_lookup_790850e6.json"
    real = json.loads(path.read_text(encoding="utf-8"))
    optional = {"last_updated", "recovered_at", "recovery_note"}

    ours = json.loads(render_address_lookup([DAVIS]))

    assert _shape(ours) == _shape(real)
    assert ours["version"] == real["version"]
    assert ours["mappings"][DAVIS.address] == real["mappings"][DAVIS.address]
    for mapping in real["mappings"].values():
        required = {key: mapping[key] for key in mapping if key not in optional}
        assert _shape(required) == _shape(ours["mappings"][DAVIS.address])


@given(entries)
def test_every_entry_reads_back_as_itself(folders: list[FolderEntry]) -> None:
    mappings = json.loads(render_address_lookup(folders))["mappings"]

    assert [
        FolderEntry(
            address=address, folder=row["folder"], image_count=row["image_count"]
        )
        for address, row in mappings.items()
    ] == sorted(folders, key=lambda entry: entry.address)


@given(entries, st.randoms(use_true_random=False))
def test_the_order_of_properties_does_not_matter(
    folders: list[FolderEntry], random: Random
) -> None:
    shuffled = random.sample(folders, len(folders))

    assert render_address_lookup(shuffled) == render_address_lookup(folders)
