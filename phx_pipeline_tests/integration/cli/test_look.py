"""`phx look` on stand-in sites: what is due, what is named, and what is told of it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from jsonschema import Draft202012Validator

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import writing
from phx_pipeline.catalog.store import Catalog
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.model.look import Found, why_not_on
from phx_pipeline.reads.looks import daily_look_line
from phx_pipeline.reads.schemas import schema_of
from phx_pipeline.storage.demo_stores import STANDIN
from phx_pipeline.wiring.reads import build_reads
from phx_pipeline_tests.commands import Phx
from phx_pipeline_tests.deployment import SMALLEST, Deployment, slug_of

SLUG = slug_of(SMALLEST)
DAILY = "0 6 * * *"
SIX = datetime(2025, 3, 10, 13, tzinfo=UTC)  # 6:00 in Phoenix


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
    assert "1 look at houses that day, 1 of them found a change; none waits" in told


def test_ctrl_c_in_a_look_tells_what_goes_on(
    made: Deployment, phx_on: Phx, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("phx_pipeline.workflows.look.Look.houses", interrupted)

    ended = phx_on(made, "look", "--all")

    assert ended.code == 130
    assert ended.err.startswith("stopped after 0 houses: what was answered is kept")
    assert "`phx look` goes on" in ended.err


@pytest.mark.parametrize("named", [SLUG, SMALLEST.address, "--all"])
def test_houses_that_are_named_are_looked_at_whether_due_or_not(
    made: Deployment, phx_on: Phx, named: str
) -> None:
    phx_on(made, "look")
    told = phx_on(made, "look", named, "--json").json

    assert list(Draft202012Validator(schema_of("look")).iter_errors(told)) == []
    assert (told["looked"], told["houses"][0]["asked"]) == (1, ["redfin"])


def test_where_no_source_is_asked_a_look_says_so_with_the_remedy(
    made: Deployment, phx_on: Phx
) -> None:
    phx_on(made, "sources", "disable", "redfin")
    due, named = phx_on(made, "look"), phx_on(made, "look", "--all")

    told = "redfin is switched off (`phx sources enable redfin`)"
    assert due.out == f"0 houses looked at; no source is asked: {told}\n"
    assert named.out == (
        f"[1] {SLUG}: passed by (no source is asked)\n"
        f"0 houses looked at: 1 passed by; no source is asked: {told}\n"
    )
    assert (due.code, named.code) == (4, 4)
    assert made.standin.asked == []
    status = phx_on(made, "status").out
    assert "daily look: there was none yet; no house is looked at, since no" in status
    assert "none waits" not in status
    assert "no source is asked: redfin switched off; " in phx_on(made, "digest").out


def test_a_source_that_is_enabled_after_the_look_has_it_go_on_the_same_day(
    made: Deployment, phx_on: Phx
) -> None:
    phx_on(made, "sources", "disable", "redfin")
    phx_on(made, "look")
    phx_on(made, "sources", "enable", "redfin")

    told = phx_on(made, "status").out
    assert "1 house still to be looked at, from " in told
    with made.context() as context:
        day = context.catalog.looks.last_day()
        assert not context.catalog.views.is_stale()  # the command rendered them
    assert day is not None
    assert why_not_on(day, now=datetime.now(UTC), is_at_work=False) == ""
    phx_on(made, "look")
    assert "none waits" in phx_on(made, "status").out


def test_in_a_demo_no_message_leads_to_asking_real_sites(
    made: Deployment, phx_on: Phx
) -> None:
    (made.settings.data_dir / STANDIN).mkdir()
    phx_on(made, "search", "add", "west", "--zip", "85306")
    proposed = phx_on(made, "search", "proposed").out
    assert proposed.startswith("nothing is proposed: ")
    phx_on(made, "sources", "disable", "redfin")
    told = [phx_on(made, *it.split()) for it in ("look", "search run", "sources")]
    told.append(phx_on(made, "status"))

    for shown in (proposed, *(it.out + it.err for it in told)):
        assert "`phx demo --stay` alone asks" in " ".join(shown.split())
        assert "sources enable" not in shown
        assert "phx search run` asks the sites" not in shown


_TOLD = "last on 2025-03-10 06:05:00 MST, 1 look at houses that day"


@pytest.mark.parametrize(
    ("cron", "at", "told"),
    [
        (DAILY, "07:00", "1 house still to be looked at, from 2025-03-10 07:00:00 "),
        (DAILY, "08:00", "none began at 2025-03-10 07:00:00 MST, when it was due"),
        (DAILY, "08:00", "`go_on_looking` switched on"),
        (DAILY, "31:00", "is `phx up` running, and `daily_look` switched on"),
        (DAILY, "54:00", "is `phx up` running, and `daily_look` switched on"),
        (None, "31:00", f"daily look: off (PHX_LOOK_CRON); {_TOLD}"),
    ],
)
def test_the_status_tells_of_the_last_look_and_of_one_that_is_missing(
    made: Deployment, cron: str | None, at: str, told: str
) -> None:
    def now() -> datetime:
        return SIX + timedelta(hours=int(at[:2]) - 6, minutes=int(at[3:]))

    with made.context() as context:
        looks = context.catalog.looks
        _followed_since(context.catalog, SIX)
        looks.begin_run(SIX.date(), at=SIX, next_at=None)
        later = SIX + timedelta(minutes=5), SIX + timedelta(hours=1)
        found = [Found.OPEN]
        looks.end_run(SIX.date(), found, at=later[0], next_at=later[1], waiting=1)
        reads = build_reads(made.settings, catalog=context.catalog, clock=now)

        assert _TOLD in daily_look_line(reads, cron=cron)
        assert told in daily_look_line(reads, cron=cron)


def test_of_a_look_that_was_due_before_there_were_houses_nothing_is_told(
    made: Deployment,
) -> None:
    with made.context() as context:
        context.catalog.looks.note(SIX.date(), [Found.CHANGED], at=SIX)
        _followed_since(context.catalog, SIX + timedelta(minutes=1))
        later = SIX + timedelta(hours=1)
        reads = build_reads(made.settings, catalog=context.catalog, clock=lambda: later)

        told = daily_look_line(reads, cron=DAILY)

    assert told.endswith("1 look at houses that day, 1 of them found a change")


def _followed_since(catalog: Catalog, at: datetime) -> None:
    with writing(catalog._engine) as connection:
        connection.execute(sa.update(tables.house).values(added_at=at))


def test_a_command_line_that_contradicts_itself_is_refused(
    made: Deployment, phx_on: Phx
) -> None:
    told = phx_on(made, "look", "--all", SLUG)

    assert told.code == 2
    assert "not both" in told.err
