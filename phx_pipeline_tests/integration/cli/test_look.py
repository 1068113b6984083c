"""`phx look` on stand-in sites: what is due, what is named, and what is told of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.reads.schemas import schema_of
from phx_pipeline_tests.commands import Phx
from phx_pipeline_tests.deployment import SMALLEST, Deployment, slug_of

SLUG = slug_of(SMALLEST)


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Deployment]:
    with Deployment(tmp_path, redfin_sites([SMALLEST])) as one:
        one.add_houses([SMALLEST])
        yield one


def test_a_look_by_hand_tells_what_it_found_and_is_done_for_today(
    made: Deployment, phx_on: Phx
) -> None:
    assert "daily look: there was none yet" in phx_on(made, "status").out

    first = phx_on(made, "look")
    again = phx_on(made, "look")

    assert f"[1] {SLUG}: changed (redfin listed); a run of its own" in first.out
    assert "1 house looked at: 1 changed; all that was due was looked at" in first.out
    assert again.out == "0 houses looked at; all that was due was looked at\n"
    assert (first.code, again.code) == (0, 0)
    assert made.photos_asked() == []
    told = phx_on(made, "status").out
    assert "1 house looked at, 1 of them changed; none waits" in told


@pytest.mark.parametrize("named", [SLUG, SMALLEST.address, "--all"])
def test_houses_that_are_named_are_looked_at_whether_due_or_not(
    made: Deployment, phx_on: Phx, named: str
) -> None:
    phx_on(made, "look")
    told = phx_on(made, "look", named, "--json").json

    assert list(Draft202012Validator(schema_of("look")).iter_errors(told)) == []
    assert (told["looked"], told["houses"][0]["asked"]) == (1, ["redfin"])


def test_a_command_line_that_contradicts_itself_is_refused(
    made: Deployment, phx_on: Phx
) -> None:
    told = phx_on(made, "look", "--all", SLUG)

    assert told.code == 2
    assert "not both" in told.err
