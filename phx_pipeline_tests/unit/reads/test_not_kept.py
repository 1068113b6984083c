"""Of each photo that is not shown: why, and when it is asked for again."""

from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from phx_pipeline.model.outcome import Verdict
from phx_pipeline.reads.not_kept import NotKept, not_kept
from phx_pipeline.settings import Settings
from phx_pipeline.stages.context import StageContext
from phx_pipeline.wiring.runs import reads_of
from phx_pipeline_tests.commands import Phx, UseSettings
from phx_pipeline_tests.damage import execute


def of_house(context: StageContext) -> list[NotKept]:
    (slug,) = context.catalog.slugs()
    return not_kept(reads_of(context), slug)


def spoil(context: StageContext, verdict: str, **columns: object) -> NotKept:
    """Have the only copy of the house end as *verdict*, and return it."""
    changes = {"verdict": verdict, "detail": "HTTP 404", "sha256": None} | columns
    told = ", ".join(
        f"{name} = {'NULL' if value is None else repr(str(value))}"
        for name, value in changes.items()
    )
    change = "UPDATE photo SET {} WHERE verdict = 'duplicate'"
    assert execute(context, change.format(told)) == 1
    (found,) = of_house(context)
    return found


def test_a_copy_names_the_file_that_shows_the_same(collected: StageContext) -> None:
    (copy,) = of_house(collected)

    (slug,) = collected.catalog.slugs()
    files = {
        image.local_path.rpartition("/")[2]
        for image in collected.catalog.published_images(slug)
    }
    assert copy.verdict is Verdict.DUPLICATE
    assert copy.copy_of in files
    assert copy.next_asked_on is None
    assert copy.url.startswith("https://")


@pytest.mark.parametrize(
    ("verdict", "fault_days", "since", "waits"),
    [
        ("failed:gone", 1, 0, 1),  # asked today: the next day that counts is tomorrow
        ("failed:gone", 1, 5, 0),
        ("rejected:damaged", 2, 0, 1),
        ("failed:gone", 3, 0, None),  # on three days: final
        ("failed:timeout", 0, None, 0),
        ("pending", 0, None, 0),
        ("rejected:foreign", 0, None, None),
    ],
)
def test_a_photo_is_asked_for_again_when_it_is_due(
    collected: StageContext,
    clock: Callable[[], datetime],
    verdict: str,
    fault_days: int,
    since: int | None,
    waits: int | None,
) -> None:
    standing = replace(collected, clock=clock)
    today = standing.stamp().today
    faulted_on = None if since is None else today - timedelta(days=since)

    found = spoil(standing, verdict, fault_days=fault_days, faulted_on=faulted_on)

    expected = None if waits is None else today + timedelta(days=waits)
    assert (found.verdict, found.next_asked_on) == (verdict, expected)
    assert (found.detail, found.copy_of) == ("HTTP 404", None)


def test_the_command_tells_people_and_programs_the_same(
    collected: StageContext,
    healthy: Settings,
    tmp_path: Path,
    phx: Phx,
    use_settings: UseSettings,
) -> None:
    today = collected.stamp().today
    found = spoil(collected, "failed:gone", fault_days=1, faulted_on=today)
    (slug,) = collected.catalog.slugs()
    use_settings(replace(healthy, data_dir=tmp_path / "data"))

    shown = phx("images", slug, "--not-kept")
    plain = phx("images", slug, "--not-kept", "--json")

    day = (today + timedelta(days=1)).isoformat()
    for told in (found.url, "failed:gone", "HTTP 404", f"from {day} on"):
        assert told in shown.out
    (row,) = plain.json
    assert row == {
        key: asdict(found)[key]
        for key in ("url", "source", "photo_key", "verdict", "detail", "copy_of")
    } | {"next_asked_on": day}
