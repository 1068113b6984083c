"""The ids of jobs that stand for runs which began elsewhere."""

import re

import pytest

from phx_pipeline.model.job import adopted_id, backfill_of


def test_what_dagster_makes_stands_in_the_id() -> None:
    run_id = "0f4dba53-3c81-43b6-a0a5-3a3c8d9b4f11"

    assert adopted_id(root_run_id="", backfill_id="abcdefgh") == "backfill-abcdefgh"
    assert adopted_id(root_run_id=run_id, backfill_id=None) == "run-0f4dba53"
    assert backfill_of("backfill-abcdefgh") == "abcdefgh"


@pytest.mark.parametrize(
    "text", ["/../../pwned", "../../..", "x" * 28, "a\nb", "\ud800"]
)
def test_what_anybody_wrote_does_not(text: str) -> None:
    ids = {
        adopted_id(root_run_id=text, backfill_id=text),
        adopted_id(root_run_id=text, backfill_id=None),
    }

    assert len(ids) == 2
    assert all(re.fullmatch(r"(run|backfill)-[0-9a-z]{8}", each) for each in ids)
