"""A deployment with its code server, daemon and webserver, as `phx up` starts them."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import dagster as dg

from phx_pipeline.cli.supervisor import Supervisor, free_port, services
from phx_pipeline.defs.submit import daemon_is_running, open_instance
from phx_pipeline.demo.houses import House
from phx_pipeline.demo.loopback import Handler
from phx_pipeline_tests.deployment import Deployment

PATIENCE_S = 300.0

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What runs, and Dagster's instance of it in this process."""

    deployment: Deployment
    instance: dg.DagsterInstance

    @property
    def url(self) -> str:
        """Where the UI is."""
        return f"http://127.0.0.1:{self.deployment.settings.webserver_port}"


@contextmanager
def served(
    root: Path, sites: Mapping[str, Handler], *, houses: Sequence[House]
) -> Iterator[Served]:
    """Serve a deployment below *root* that knows *houses*, also as partitions."""
    with Deployment(root, sites, webserver_port=free_port()) as deployment:
        deployment.add_houses(houses)
        with serving(deployment) as running:
            yield running


@contextmanager
def serving(deployment: Deployment) -> Iterator[Served]:
    """Serve *deployment*; its daemon is at work and knows all its properties."""
    with deployment.context() as context:
        slugs = set(context.catalog.slugs())
    instance = open_instance(deployment.settings)
    wanted = services(deployment.settings, code_port=free_port())
    try:
        with Supervisor(wanted, settings=deployment.settings):
            wait_for(lambda: daemon_is_running(instance) or None)
            wait_for(
                lambda: (
                    slugs <= set(instance.get_dynamic_partitions("property")) or None
                )
            )
            yield Served(deployment=deployment, instance=instance)
    finally:
        instance.dispose()


def wait_for(
    question: Callable[[], Found | None], *, patience_s: float = PATIENCE_S
) -> Found:
    """Ask until there is an answer; a hang ends it, slowness does not."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        if (answer := question()) is not None:
            return answer
        time.sleep(0.2)
    raise TimeoutError(f"no answer in {patience_s:.0f} s")
