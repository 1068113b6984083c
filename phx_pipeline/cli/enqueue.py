"""Handing a job in, and what is shown of it afterwards."""

import json
from collections import Counter
from collections.abc import Sequence
from enum import Enum, auto

import click

from phx_pipeline.cli.console import console
from phx_pipeline.cli.follow import follow, warn_unserved, watching
from phx_pipeline.cli.main import Exit
from phx_pipeline.cli.result import job_result
from phx_pipeline.client.base import Client
from phx_pipeline.client.order import Order
from phx_pipeline.model.counted import counted
from phx_pipeline.model.job import Job, Submitted


class How(Enum):
    """What is shown of a job: nothing more, its end alone, or how it goes on."""

    LEAVE = auto()
    WAIT = auto()
    FOLLOW = auto()


def enqueue(
    client: Client, order: Order, *, how: How = How.FOLLOW, as_json: bool = False
) -> Exit:
    """Hand in *order*, and go on with its job as `take_up` does."""
    submitted = client.enqueue(order)
    if not as_json:
        _tell(client, submitted, count=len(order.houses))
    return take_up(client, submitted.job_id, how=how, as_json=as_json)


def take_up(
    client: Client, job_id: str, *, how: How = How.FOLLOW, as_json: bool = False
) -> Exit:
    """Follow a job, wait for it, or leave it; return the code that tells its result.

    Ctrl-C while following or waiting leaves the job running and counts as complete.
    """
    with watching(job_id):
        now = client.job(job_id)
        if not now.state.is_final:
            warn_unserved(client)
        if how is How.LEAVE:
            _print_if(as_json, now)
            return Exit.COMPLETE
        wait = follow if how is How.FOLLOW else _waited
        ended = wait(client, job_id)
        _print_if(as_json, ended)
        return job_result(client, ended, is_silent=how is How.WAIT)


def _waited(client: Client, job_id: str) -> Job:
    return client.wait(job_id)


def _tell(client: Client, submitted: Submitted, *, count: int) -> None:
    job_id = submitted.job_id
    houses = counted(count or len(client.job(job_id).items), "property")
    console.print(f"job {job_id}: {houses} enqueued")
    for older, shared in Counter(submitted.joined.values()).items():
        waits = "waits" if shared == 1 else "wait"
        console.print(
            f"  {shared} of them {waits} in job {older} already: both jobs share that "
            "run",
            soft_wrap=True,
        )


def _print_if(as_json: bool, job: Job) -> None:  # noqa: FBT001 - reads as it is
    if as_json:
        print_documents(job)


def print_documents(found: Job | Sequence[Job]) -> None:
    """Print a job, or a list of them, as JSON for programs."""
    from phx_pipeline.reads.documents import job_document

    told = (
        job_document(found)
        if isinstance(found, Job)
        else list(map(job_document, found))
    )
    click.echo(json.dumps(told, indent=2))
