"""Trains the heads that come with the package, and writes them where it ships them.

    python -m phx_pipeline_tests.bench.heads

Of the photos in `../shared/photos/small` four fifths of the houses are used. The hash
that is printed belongs into `phx_pipeline/categorize/heads.py`. The same photos and
libraries give the same bytes; other processors may differ in the last digits.
"""

from hashlib import sha256
from pathlib import Path

import click

from phx_pipeline.categorize.heads import FILE
from phx_pipeline_tests.bench.houses import SUBJECTS, fit_heads, labelled


@click.command()
@click.option("--to", type=click.Path(path_type=Path), default=FILE, help="The file.")
def main(*, to: Path) -> None:
    """Train and write."""
    photos = labelled()
    training = photos.only(~photos.aside)
    body = fit_heads(training, range(len(SUBJECTS))).to_bytes()
    to.write_bytes(body)
    click.echo(f"{len(training.labels)} photos, {len(body)} bytes to {to}")
    click.echo(sha256(body).hexdigest())


if __name__ == "__main__":
    main()
