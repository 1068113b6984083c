"""Jobs at the command line: handed in, listed, shown, called off, waited for."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from phx_pipeline.cli import batch
from phx_pipeline.cli.console import console
from phx_pipeline.client.base import Client
from phx_pipeline.client.direct import CatalogClient
from phx_pipeline.demo.houses import HOUSES
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.model.job import Job, Mode
from phx_pipeline.stages.extract import extract
from phx_pipeline_tests.commands import Ended, Phx
from phx_pipeline_tests.deployment import Deployment, slug_of, with_shots

HOUSE, OTHER = (with_shots(house, 0, 1) for house in HOUSES[:2])
_UNSERVED = "no Dagster daemon is running: jobs wait for `phx up`\n"


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Deployment]:
    with Deployment(tmp_path, redfin_sites([HOUSE, OTHER])) as deployment:
        deployment.add_houses([HOUSE, OTHER])
        yield deployment


def id_in(ended: Ended) -> str:
    """What a script takes from `job ID: 2 properties enqueued`."""
    assert ended.code == 0
    return ended.out.split()[1].removesuffix(":")


def test_a_job_is_handed_in_listed_shown_and_called_off(
    made: Deployment, phx_on: Phx, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "width", 80)
    options = ["--priority", "high", "--isolation", "minimize", "--sources", "redfin"]

    handed_in = phx_on(made, "extract", "--all", "--async", *options)
    job = id_in(handed_in)

    assert handed_in.out == f"job {job}: 2 properties enqueued\n"
    assert handed_in.err == _UNSERVED
    shown = phx_on(made, "job", job)
    assert shown.out.startswith(f"job {job}: pending\n  2 properties: 2 pending\n")
    assert "priority high, resume, redfin, isolation minimize" in shown.out
    assert "jobs: 1 open, 2 properties waiting" in phx_on(made, "status").out
    listed = phx_on(made, "jobs")
    (row,) = (line for line in listed.out.splitlines() if job in line)
    assert [cell.strip() for cell in row.split("│")[1:4]] == [job, "pending", "0/2"]
    assert "cli, high" in row
    assert max(map(len, listed.out.splitlines())) <= 80

    cancelled = phx_on(made, "job", job, "--cancel", "--json").json
    assert (cancelled["status"], cancelled["isolation_mode"]) == (
        "cancelled",
        "minimize",
    )
    told = phx_on(made, "job", job, "--cancel")
    assert told.out.startswith(f"job {job} was cancelled already, at ")
    assert phx_on(made, "extract", "--job-id", job, "--wait").code == 5
    again = phx_on(made, "job", job, "--retry")
    assert again.err.endswith("`phx extract` goes on with what was cancelled\n")
    assert "give one of" in phx_on(made, "job", job, "--cancel", "--retry").err
    none = phx_on(made, "jobs", "--state", "pending", "--user", "operater").out
    assert none.startswith("there are no pending jobs of user 'operater'")
    assert none.endswith("; `phx jobs` lists them all\n")
    deeds = phx_on(made, "audit", "--action", "job.cancel", "--json").json
    assert [it["target"] for it in deeds] == [job]
    (listed_again,) = phx_on(made, "jobs", "--json").json
    assert listed_again == cancelled


def test_a_house_that_waits_for_the_same_shares_its_run(
    made: Deployment, phx_on: Phx
) -> None:
    address = ["--address", slug_of(HOUSE)]

    older = id_in(phx_on(made, "extract", "--async", *address))
    both = phx_on(made, "extract", "--async", "--all")
    fresh = phx_on(made, "extract", "--async", "--fresh", *address)

    assert f"  1 of them waits in job {older} already: both" in both.out
    assert fresh.out == f"job {id_in(fresh)}: 1 property enqueued\n"
    (house,) = phx_on(made, "job", older, "--json").json["items"]
    assert f" {house['folder']} " in phx_on(made, "jobs").out


def test_a_job_that_is_followed_ends_with_the_counts_of_its_houses(
    made: Deployment, phx_on: Phx, monkeypatch: pytest.MonkeyPatch
) -> None:
    slug = slug_of(HOUSE)
    asked = Client.wait

    def wait(client: CatalogClient, job_id: str, **options: object) -> Job:
        run = client.context.for_run("run-1", job_id=job_id)  # in place of a worker
        asyncio.run(extract(run, slug, sources=None, mode=Mode.FRESH))
        return asked(client, job_id, **options)  # type: ignore[arg-type]  # passed on

    monkeypatch.setattr(CatalogClient, "wait", wait)
    monkeypatch.setattr(batch, "_FEW", 1)

    ended = phx_on(made, "extract", "--address", slug)

    assert ended.code == 0
    assert f"{slug}: completed 2 of 2 decided\n" in ended.out
    assert "Photos per property and source" in ended.out
    assert "large batch: 2 new pictures" in ended.out
    assert phx_on(made, "job", id_in(ended), "--follow").code == 0


def test_ctrl_c_leaves_the_job_and_tells_how_to_follow_it_again(
    made: Deployment, phx_on: Phx, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> Job:
        raise KeyboardInterrupt

    monkeypatch.setattr(CatalogClient, "wait", interrupted)

    for how in ([], ["--wait"]):
        ended = phx_on(made, "extract", "--all", *how)

        assert f"`phx job {id_in(ended)} --follow` follows it again" in ended.err
        assert ended.code == 0


@pytest.mark.parametrize("call", [["job", "j", "--follow"], ["extract", "--job-id=j"]])
@pytest.mark.parametrize("at", ["__enter__", "job"])
def test_ctrl_c_before_anything_is_shown_ends_the_watching_too(
    phx_on: Phx,
    made: Deployment,
    monkeypatch: pytest.MonkeyPatch,
    call: list[str],
    at: str,
) -> None:
    def interrupted(client: CatalogClient, *_: object) -> Job:
        client.close()  # as the process does that ends
        raise KeyboardInterrupt

    monkeypatch.setattr(CatalogClient, at, interrupted)

    ended = phx_on(made, *call)

    assert ended.code == 0
    assert "stopped following: job j goes on" in ended.err


_REFUSED = {
    ("extract", "--all", "--job-id", "j"): "give one of --all and --job-id",
    ("extract", "--all", "--folow"): "did you mean `phx job --follow`?",
    ("up", "--port", "abc"): "'abc' is no whole number",
    ("extract", "--all", "--sync", "--wait"): "leave out --wait",
    ("extract", "--all", "--dry-run", "--server", "https://a.example"): "leave out",
    ("extract", "--all", "--sync", "--async"): "give one of --sync and --async",
    ("extract", "--all", "--async", "--wait"): "give one of --async and --wait",
    ("extract", "--all", "--sync", "--priority", "low"): "leave out --priority",
    ("extract", "--job-id", "j", "--fresh"): "leave out --resume and --fresh",
    ("extract", "--address", slug_of(HOUSE)[:-1] + "0"): f"mean {slug_of(HOUSE)}?",
    ("extract", "--all", "--json"): "--json prints a job: add --async",
    ("extract", "--all", "--server", "http://a.example"): "--server='http://a.ex",
    ("extract", "--job-id", "5f0c2b7a91de"): "no job '5f0c2b7a91de'",
    ("job", "5f0c2b7a91de", "--follow", "--json"): "leave --json out",
    ("jobs", "--state", "canceled"): "did you mean cancelled?",
}


def test_contradictions_and_unknown_jobs_are_refused_before_anything_is_done(
    made: Deployment, phx_on: Phx
) -> None:
    for command, remedy in _REFUSED.items():
        ended = phx_on(made, *command)

        assert (ended.code, ended.out) == (2, ""), command
        assert remedy in ended.err

    assert phx_on(made, "jobs", "--json").json == []
