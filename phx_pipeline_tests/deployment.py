"""A whole installation in a temporary folder, with stand-in sites instead of a network.

Nothing in it is faked but the sites: commands run as processes of their own, requests
carry production URLs through the loopback proxy.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

from phx_pipeline.demo.houses import HOUSES, House
from phx_pipeline.demo.loopback import Handler, Loopback
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.model.address import Address
from phx_pipeline.model.outcome import Verdict
from phx_pipeline.model.source import Source
from phx_pipeline.settings import Settings, exported, load_settings
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.extract import extract
from phx_pipeline.stages.views import refresh_views
from phx_pipeline.storage.layout import Layout
from phx_pipeline.wiring.runs import build_context
from phx_pipeline.wiring.stores import initialise
from phx_pipeline.workflows.intake import add_properties
from phx_pipeline_tests.commands import environment_put_back
from phx_pipeline_tests.forked import run_phx

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
PHOTO_HOST = "ssl.cdn-redfin.com"

# Views that tell of runs: each run changes them, also one that finds nothing new.
_OF_RUNS = (
    "metadata/extraction_state.json",
    "metadata/job_status.json",
    "metadata/jobs/",
    "metadata/pipeline_runs.json",
    "metadata/run_history/",
    "metadata/url_tracker.json",
)

SMALLEST = min(HOUSES, key=lambda house: len(house.record.shots))


class Deployment:
    """Stores of its own, and the sites its requests reach."""

    def __init__(
        self, root: Path, sites: Mapping[str, Handler], **changed: object
    ) -> None:
        self.root = root
        self.standin = Loopback(sites, folder=root / "standin")
        self._changed = changed
        self._environment = environment_put_back()

    def __enter__(self) -> Self:
        self.root.mkdir(parents=True, exist_ok=True)
        self._environment.__enter__()
        self.standin.__enter__()
        self.settings = self._settings()
        file = Layout(self.settings.data_dir).catalogue
        if self.settings.catalog_url is None and not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(_new_catalogue())
        initialise(self.settings)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.standin.__exit__(kind, error, trace)
        self._environment.__exit__(kind, error, trace)

    def _settings(self) -> Settings:
        settings = replace(
            load_settings({}),
            data_dir=self.root / "data",
            dagster_dir=self.root / "dagster",
            sources=(Source.REDFIN,),
            proxy=self.standin.proxy_url,
            ca_file=self.standin.ca_file,
            pace_percent=0,
            browser="off",  # those that want one say so
            categorizers=("listing_text",),  # and those that want more backends
            final_after_days=1,  # what the stand-ins say is gone is gone
        )
        changed = replace(settings, **self._changed)  # type: ignore[arg-type]  # named by each test
        return load_settings(exported(changed))  # as its commands will find them

    @property
    def env(self) -> dict[str, str]:
        """The environment of the commands."""
        kept = {
            name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ
        }
        return kept | exported(self.settings) | {"PYTHONUNBUFFERED": "1"}

    def command(self, *arguments: str) -> list[str]:
        """The command line of `phx` with *arguments*."""
        return [str(BIN / "phx"), *arguments]

    def phx(
        self, *arguments: str, patience_s: float = 300
    ) -> subprocess.CompletedProcess[str]:
        """Run `phx` to its end."""
        return run_phx(*arguments, env=self.env, cwd=ROOT, patience_s=patience_s)

    @contextmanager
    def context(self, run_id: str = "test") -> Iterator[StageContext]:
        """A stage context on the same stores, in this process."""
        context = build_context(self.settings, run_id=run_id)
        try:
            yield context
        finally:
            context.catalog.close()

    def add(self, addresses: Sequence[str]) -> list[str]:
        """Add properties; return all keys."""
        with self.context() as context:
            add_properties(context, [Address.parse(address) for address in addresses])
            return context.catalog.slugs()

    def add_houses(self, houses: Sequence[House]) -> list[str]:
        """Add demo houses; return all keys."""
        return self.add([house.address for house in houses])

    def photos_asked(self) -> list[str]:
        """The photo requests so far, in order of arrival."""
        return [a.target for a in self.standin.asked if a.host == PHOTO_HOST]

    def files(self) -> dict[str, bytes]:
        """All published files, and the views of what is published, by relative path."""
        images = self.root / "data" / "property_images"
        return {
            name: path.read_bytes()
            for part in ("metadata", "processed")
            for path in sorted((images / part).rglob("*"))
            if path.is_file()
            and not (name := str(path.relative_to(images))).startswith(_OF_RUNS)
        }

    def views(self) -> dict[str, str]:
        """The text of all JSON views, by name below their folder."""
        folder = self.root / "data" / "property_images" / "metadata"
        return {
            path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
            for path in sorted(folder.rglob("*.json"))
        }


@cache
def _new_catalogue() -> bytes:
    """An SQLite catalogue without rows; a copy is made faster than by migrations."""
    with TemporaryDirectory() as folder:
        settings = replace(load_settings({}), data_dir=Path(folder))
        initialise(settings)
        return Layout(settings.data_dir).catalogue.read_bytes()


def slug_of(house: House) -> str:
    """The key of a demo house."""
    return Address.parse(house.address).slug


def collected_whole(root: Path, house: House) -> Path:
    """Make an installation with one house that is complete; return its folder."""
    with Deployment(root, redfin_sites([house])) as made:
        (slug,) = made.add_houses([house])
        with made.context("first") as context:
            asyncio.run(extract(context, slug))
            refresh_views(context)
    return root


def verdicts_of(context: StageContext, house: House) -> dict[str, Verdict]:
    """What became of each photo of a house, by the photo's key."""
    photos = context.catalog.photos(slug_of(house))
    return {photo.ref.photo_key: photo.verdict for photo in photos}


def with_shots(house: House, *numbers: int) -> House:
    """The house with only these of its pictures."""
    shots = tuple(house.record.shots[number] for number in numbers)
    return replace(house, record=replace(house.record, shots=shots))
