#!/usr/bin/env python
"""How fast jobs are taken over HTTP while runs work; whether one is lost or doubled.

    .venv/bin/python -m phx_pipeline_tests.bench.jobs [--engine postgres] [--json]

Ten clients ask for two hundred jobs, each by its own house, each twice with the same
idempotency key, while three runs work; between two jobs each asks `/healthz`. Then they
launch runs by GraphQL, as the UI does. Before that, on an idle service, jobs are asked
for one by one until their first run has started. What is measured is only printed.
"""

import gc
import json
import math
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import dagster as dg
import httpx

from phx_pipeline.defs.tags import JOB_TAG
from phx_pipeline.demo.houses import HOUSES
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.supervise.addresses import free_port
from phx_pipeline_tests.bench.throughput import FarAway
from phx_pipeline_tests.deployment import Deployment, slug_of
from phx_pipeline_tests.postgres import throwaway_postgres
from phx_pipeline_tests.served import Served, serving, wait_for

CLIENTS = 10
JOBS = 200

_PATH = "/api/extraction/jobs"
_BUSY = HOUSES[:3]
_LATE_S = 3.0  # each answer of the stand-ins, so that three runs go on for long
_IDLE_ROUNDS = 12
_LAUNCHES = 40
_LOCKED = ("database is locked", "deadlock detected", "could not serialize")
_LAUNCH = """
mutation($params: ExecutionParams!) {
  launchRun(executionParams: $params) {
    __typename ... on LaunchRunSuccess { run { runId } } ... on Error { message }
  }
}
"""


@dataclass(slots=True)
class Clients:
    """What ten clients saw; seconds of each request."""

    url: str
    submitted_s: list[float] = field(default_factory=list)
    healthy_s: list[float] = field(default_factory=list)
    launched_s: list[float] = field(default_factory=list)
    asked_twice: list[tuple[str, str]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def submit(self, houses: Sequence[str]) -> None:
        """Ask for a job of each of *houses*, and for each once more."""
        with httpx.Client(base_url=self.url, timeout=60) as client:
            for house in houses:
                self.healthy_s.append(_timed(lambda: client.get("/healthz")))
                order: dict[str, Any] = {
                    "json": {"properties": [house]},
                    "headers": {"idempotency-key": f"bench-{house}"},
                }
                began = time.perf_counter()
                answer = client.post(_PATH, **order)
                self.submitted_s.append(time.perf_counter() - began)
                if answer.status_code != httpx.codes.ACCEPTED:
                    self.refused.append(answer.text)
                    continue
                again = client.post(_PATH, **order).json()["job_id"]
                self.asked_twice.append((answer.json()["job_id"], again))

    def launch(self, houses: Sequence[str]) -> None:
        """Launch a run of each of *houses* by GraphQL, as the UI does."""
        with httpx.Client(base_url=self.url, timeout=120) as client:
            for house in houses:
                body = {"query": _LAUNCH, "variables": {"params": _params(house)}}
                began = time.perf_counter()
                told = client.post("/graphql", json=body).json()
                self.launched_s.append(time.perf_counter() - began)
                kind = told.get("data", {}).get("launchRun", {}).get("__typename")
                if kind != "LaunchRunSuccess":
                    self.refused.append(json.dumps(told)[:300])


def _params(house: str) -> dict[str, Any]:
    return {
        "selector": {
            "repositoryLocationName": "phx_pipeline",
            "repositoryName": "__repository__",
            "jobName": "extract_property",
        },
        "mode": "default",
        "executionMetadata": {"tags": [{"key": "dagster/partition", "value": house}]},
    }


@click.command()
@click.option("--engine", type=click.Choice(["sqlite", "postgres"]), default="sqlite")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def main(*, engine: str, as_json: bool) -> None:
    """Measure once on one engine."""
    with _running(engine) as running:
        idle_s = [_until_started(running, n) for n in range(_IDLE_ROUNDS)]
        figures = {"submit to STARTED when idle, p95, s": _percentile(idle_s, 95)}
        figures |= _under_load(running)
    if as_json:
        click.echo(json.dumps({"engine": engine, **figures}))
        return
    for name, value in figures.items():
        click.echo(f"{name:45}{value:>10.3f}")


@contextmanager
def _running(engine: str) -> Iterator[Served]:
    with tempfile.TemporaryDirectory() as folder:
        if engine == "sqlite":
            with _served(Path(folder)) as running:
                yield running
            return
        with throwaway_postgres() as server:
            more = {
                "catalog_url": server.create("catalogue"),
                "dagster_pg_url": server.create("dagster"),
            }
            with _served(Path(folder), **more) as running:
                yield running


@contextmanager
def _served(folder: Path, **changed: object) -> Iterator[Served]:
    sites = redfin_sites(_BUSY)
    made = Deployment(folder / "made", sites, webserver_port=free_port(), **changed)
    made.standin = FarAway(sites, folder=made.root / "standin", late_s=_LATE_S)
    with made:
        made.add_houses(_BUSY)
        made.add(list(map(_address, range(JOBS + _IDLE_ROUNDS + _LAUNCHES))))
        with serving(made) as running:
            yield running


def _address(number: int) -> str:
    return f"{1000 + number} E Bench St, Mesa, AZ 85204"


def _key(number: int) -> str:
    return f"{1000 + number}-e-bench-st-mesa-az-85204"


def _until_started(running: Served, number: int) -> float:
    """Seconds from asking for a job until its run has started; then it has ended."""
    began = time.time()
    order = {"properties": [_key(JOBS + number)]}
    job_id = httpx.post(f"{running.url}{_PATH}", json=order).json()["job_id"]
    record = wait_for(lambda: _begun(running.instance, job_id))
    wait_for(lambda: running.instance.get_run_by_id(_id(record)).is_finished or None)  # type: ignore[union-attr]  # it was there
    return float(record.start_time or 0.0) - began


def _id(record: dg.RunRecord) -> str:
    return record.dagster_run.run_id


def _begun(instance: dg.DagsterInstance, job_id: str) -> dg.RunRecord | None:
    records = instance.get_run_records(dg.RunsFilter(tags={JOB_TAG: job_id}), limit=1)
    return records[0] if records and records[0].start_time else None


def _under_load(running: Served) -> dict[str, float]:
    httpx.post(
        f"{running.url}{_PATH}",
        json={"properties": [slug_of(it) for it in _BUSY], "priority": "high"},
    )
    wait_for(lambda: _at_work(running.instance) >= len(_BUSY) or None)
    # Else the collector looks through all that is imported here, and stops all clients
    # for as long: what is measured then is this process.
    gc.collect()
    gc.freeze()
    seen = Clients(url=running.url)
    _together(seen.submit, list(map(_key, range(JOBS))))
    still = _at_work(running.instance)
    first = JOBS + _IDLE_ROUNDS
    _together(seen.launch, list(map(_key, range(first, first + _LAUNCHES))))
    with running.deployment.context() as context:
        jobs = context.catalog.jobs
        there = {it for it, _ in seen.asked_twice if jobs.job(it)}
    return {
        "runs at work": still,
        "submit, median, ms": 1000 * _percentile(seen.submitted_s, 50),
        "submit, p99, ms": 1000 * _percentile(seen.submitted_s, 99),
        "/healthz, p99, ms": 1000 * _percentile(seen.healthy_s, 99),
        "launchRun, median, ms": 1000 * _percentile(seen.launched_s, 50),
        "launchRun, p99, ms": 1000 * _percentile(seen.launched_s, 99),
        "refused": len(seen.refused),
        "lost": JOBS - len(there),
        "doubled": sum(a != b for a, b in seen.asked_twice),
        "runs doubled": _doubled(running.instance),
        "lines of locked databases in logs": _locked(running),
    }


def _together(work: Callable[[Sequence[str]], None], houses: Sequence[str]) -> None:
    parts = [houses[number::CLIENTS] for number in range(CLIENTS)]
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(work, parts))


def _at_work(instance: dg.DagsterInstance) -> int:
    return instance.get_runs_count(
        dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])
    )


def _doubled(instance: dg.DagsterInstance) -> int:
    """Runs of one job and house beyond the first."""
    keys = [
        (run.tags[JOB_TAG], run.tags.get("dagster/partition"))
        for run in instance.get_runs()
        if JOB_TAG in run.tags
    ]
    return len(keys) - len(set(keys))


def _locked(running: Served) -> int:
    folder = running.deployment.settings.dagster_dir / "service_logs"
    texts = [it.read_text(errors="replace") for it in folder.glob("*.log")]
    return sum(text.count(word) for text in texts for word in _LOCKED)


def _timed(asking: Callable[[], httpx.Response]) -> float:
    began = time.perf_counter()
    asking().raise_for_status()
    return time.perf_counter() - began


def _percentile(values: Sequence[float], percent: int) -> float:
    ranked = sorted(values)
    at = math.ceil(len(ranked) * percent / 100) - 1
    return ranked[max(0, at)] if ranked else math.nan


if __name__ == "__main__":
    main()
