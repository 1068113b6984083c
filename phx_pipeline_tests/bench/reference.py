"""Writes the means of labelled photos that heads are learnt against.

    python -m phx_pipeline_tests.bench.reference

The photos are those that the shipped heads are trained on; each class is parted into
groups of alike photos, and the mean of each group is written.
"""

from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from phx_pipeline.categorize.learning.lessons import Other
from phx_pipeline.categorize.learning.reference import FILE, to_bytes
from phx_pipeline.categorize.network.session import NETWORK
from phx_pipeline_tests.bench.houses import SUBJECTS, Photos, labelled

GROUPS = 20
_ROUNDS = 20


Features = NDArray[np.float32]


def means(features: Features, *, groups: int = GROUPS) -> Features:
    """Return the means of k-means, begun with evenly spread photos."""
    centres = features[np.linspace(0, len(features) - 1, groups).astype(int)]
    for _ in range(_ROUNDS):
        near = (centres**2).sum(axis=1) - 2 * features @ centres.T
        own = near.argmin(axis=1)
        centres = np.stack(
            [
                features[own == it].mean(axis=0) if (own == it).any() else centres[it]
                for it in range(groups)
            ]
        )
    return np.asarray(centres, np.float32)


def reference(photos: Photos, known: range | list[int]) -> list[Other]:
    """Return what would be shipped of *photos* of the classes *known*."""
    return [
        Other(
            house=f"shipped {label} {row}",
            subject=SUBJECTS[label],
            features=mean,
            shipped=True,
        )
        for label in known
        for row, mean in enumerate(means(photos.features[photos.labels == label]))
    ]


@click.command()
@click.option("--to", type=click.Path(path_type=Path), default=FILE, help="The file.")
def main(*, to: Path) -> None:
    """Make the means and write them."""
    photos = labelled()
    found = reference(photos.only(~photos.aside), range(len(SUBJECTS)))
    table = np.stack([it.features for it in found])
    body = to_bytes(table, tuple(it.subject for it in found), network=NETWORK)
    to.write_bytes(body)
    click.echo(f"{len(found)} means, {len(body)} bytes to {to}")


if __name__ == "__main__":
    main()
