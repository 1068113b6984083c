"""A machine without a network: nobody is to blame, and one line says so."""

import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from phx_pipeline.demo.houses import HOUSES
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.fetch import hosts
from phx_pipeline.fetch.hosts import has_route
from phx_pipeline.model.outcome import ListingOutcome, Verdict
from phx_pipeline.model.source import Source
from phx_pipeline.sources.redfin.standin import listing_page
from phx_pipeline_tests.commands import Phx
from phx_pipeline_tests.damage import delete_original
from phx_pipeline_tests.deployment import (
    Deployment,
    collected_whole,
    slug_of,
    with_shots,
)

HOUSE, OTHER = with_shots(HOUSES[0], 0, 1, 2), with_shots(HOUSES[1], 0, 1, 2)
SLUG = slug_of(HOUSE)
pytestmark = pytest.mark.usefixtures("quick_retries")
BOTH = (Source.REDFIN, Source.ZILLOW)


class Names:
    """The name servers: away, or knowing some names on this machine alone."""

    def __init__(self) -> None:
        self.known: frozenset[str] = frozenset()
        self.asked: list[str] = []

    async def resolve(self, host: str) -> Sequence[str]:
        self.asked.append(host)
        if host not in self.known:
            raise socket.gaierror(-3, "Temporary failure in name resolution")
        return ["192.0.2.1"]  # for documentation: not public, so never asked


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    away = Names()
    monkeypatch.setattr(hosts, "system_resolve", away.resolve)
    return away


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Deployment]:
    """Two houses, and no proxy between this machine and the sites."""
    changed = {"proxy": None, "ca_file": None, "attempts": 2, "sources": BOTH}
    with Deployment(tmp_path, {}, **changed) as made:
        made.add_houses([HOUSE, OTHER])
        yield made


def offline_lines(out: str) -> list[str]:
    return [line for line in out.splitlines() if line.startswith("offline: ")]


def test_without_a_network_one_line_says_so_and_no_circuit_opens(
    made: Deployment, names: Names, phx_on: Phx
) -> None:
    ended = phx_on(made, "extract", "--all", "--sync")

    assert ended.code != 0
    assert len(offline_lines(ended.out)) == 1
    assert ended.out.splitlines()[-1].startswith("offline: ")
    assert names.asked
    with made.context() as context:
        _, states = context.catalog.policies.source_states()
        outcomes = {s.outcome for t in context.tallies() for s in t.sources}
    assert outcomes == {ListingOutcome.FAILED}
    assert {(state.open_until, state.failures) for state in states} == {(None, 0)}


def test_a_dry_run_without_a_network_says_so_too(
    made: Deployment, names: Names, phx_on: Phx
) -> None:
    ended = phx_on(made, "extract", "--all", "--dry-run")

    assert names.asked
    assert len(offline_lines(ended.out)) == 1


def test_one_site_whose_name_is_gone_is_not_a_machine_without_a_network(
    made: Deployment, names: Names, phx_on: Phx
) -> None:
    names.known = frozenset({"www.zillow.com"})

    ended = phx_on(made, "extract", "--all", "--sync")

    assert "cannot resolve www.redfin.com" in ended.out
    assert offline_lines(ended.out) == []


def test_a_network_lost_before_the_photos_costs_them_nothing(
    tmp_path: Path, names: Names, phx_on: Phx
) -> None:
    with Deployment(tmp_path, redfin_sites([HOUSE])) as online:
        online.add_houses([HOUSE])
        page = online.root / "page.html"
        page.write_bytes(listing_page(HOUSE, others=()))
        phx_on(online, "ingest", str(page), "--property", SLUG, "--source", "redfin")
    with Deployment(tmp_path, {}, proxy=None, ca_file=None, attempts=1) as made:
        ended = phx_on(made, "extract", "--all", "--sync", "--resume")

        with made.context() as context:
            photos = context.catalog.photos(SLUG)
            _, states = context.catalog.policies.source_states()

    assert len(offline_lines(ended.out)) == 1
    assert [it for it in names.asked if "redfin" in it] == names.asked
    assert {photo.verdict for photo in photos} == {Verdict.NETWORK, Verdict.PENDING}
    assert {photo.fault_days for photo in photos} == {0}
    assert {state.open_until for state in states} <= {None}


def test_a_repair_without_a_network_says_so_too(
    tmp_path: Path, names: Names, phx_on: Phx
) -> None:
    root = collected_whole(tmp_path / "whole", HOUSE)
    with Deployment(root, {}, proxy=None, ca_file=None, attempts=1) as made:
        with made.context() as context:
            delete_original(context)

        ended = phx_on(made, "repair")

    assert names.asked
    assert ended.code == 3
    assert "this machine reaches no source" in ended.out
    assert len(offline_lines(ended.out)) == 1


def test_a_route_is_known_without_asking_anybody() -> None:
    assert has_route("127.0.0.1")


@pytest.mark.skipif(not shutil.which("unshare"), reason="unshare is not installed")
def test_in_a_room_without_a_network_no_route_leads_anywhere() -> None:
    alone = ("unshare", "--map-root-user", "--net")
    if subprocess.run((*alone, "true"), check=False).returncode:  # noqa: S603 - ours
        pytest.skip("this user may not make a network namespace")
    ask = "from phx_pipeline.fetch.hosts import has_route as r; "
    ask += "print(r('93.184.216.34'), r('2606:2800:220:1::1'))"

    done = subprocess.run(  # noqa: S603 - ours
        (*alone, sys.executable, "-c", ask), capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == ["False", "False"]
