"""Days of searching: real schedule, sensors and assets, a clock of the test's own."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from phx_pipeline.catalog.store import Catalog
from phx_pipeline.definitions import build_definitions
from phx_pipeline.defs.jobs import extract_property, search_listings
from phx_pipeline.defs.partitions import PROPERTIES
from phx_pipeline.defs.schedules.daily_search import daily_search
from phx_pipeline.defs.sensors.dispatcher import dispatch_jobs
from phx_pipeline.defs.sensors.own_process import TooLongError
from phx_pipeline.defs.sensors.properties import reconcile_properties
from phx_pipeline.defs.sensors.properties_file import properties_file
from phx_pipeline.defs.sensors.proposals import propose_houses
from phx_pipeline.defs.stores import Stores
from phx_pipeline.demo.houses import NEWCOMERS
from phx_pipeline.demo.loopback import Handler
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.model.job import USER_TAG
from phx_pipeline.model.outcome import Verdict
from phx_pipeline.model.search import Criteria, ProposalState, SavedSearch
from phx_pipeline.reads.digest import Feeds, read_digest
from phx_pipeline.reads.houses_file import file_lines
from phx_pipeline.sources.standins import House
from phx_pipeline.wiring.reads import build_reads
from phx_pipeline.workflows.lifecycle import remove
from phx_pipeline_tests.dagster_runs import sensor_context
from phx_pipeline_tests.deployment import Deployment, slug_of

NO_NEWS = Feeds(events=lambda **_days: (), matches=lambda _since, _day: ())
DAY_1 = datetime(2026, 3, 9, 12, 30, tzinfo=UTC)  # 5:30 in Phoenix


def small(house: House) -> House:
    """The house with few pictures, in small."""
    shots = tuple(replace(it, size=(480, 320)) for it in house.record.shots[:3])
    return replace(house, record=replace(house.record, shots=shots))


FOUND = small(NEWCOMERS[0])
SLUG = slug_of(FOUND)
FOLLOWED = replace(
    FOUND, number="5131", home_id=190481108, listing_id=218890534, unit=""
)


@dataclass(slots=True, kw_only=True)
class Days:
    """A store, a market that changes, a clock, and Dagster's part of it."""

    deployment: Deployment
    instance: dg.DagsterInstance
    now: datetime = DAY_1

    @property
    def stores(self) -> Stores:
        return Stores(settings=lambda: self.deployment.settings, clock=lambda: self.now)

    @contextmanager
    def catalog(self) -> Iterator[Catalog]:
        with self.stores.catalog() as catalog:
            yield catalog

    def tick(
        self, sensor: dg.SensorDefinition, *, cursor: str | None = None
    ) -> tuple[dg.SensorResult | dg.SkipReason, str]:
        """One evaluation; returns what was said, and the cursor after it."""
        with sensor_context(
            self.instance, stores=self.stores, cursor=cursor
        ) as context:
            said = sensor(context)
            assert isinstance(said, dg.SensorResult | dg.SkipReason)
            return said, context.cursor or ""

    def search(self) -> dict[str, object]:
        """What the schedule asks for at this time, run; the counts it reports."""
        with dg.build_schedule_context(
            instance=self.instance,
            scheduled_execution_time=self.now,
            resources={"stores": self.stores},
        ) as context:
            asked = daily_search("30 5 * * *")(context)
        assert isinstance(asked, dg.RunRequest)
        done = self.run(search_listings.name)
        (made,) = done.asset_materializations_for_node("new_listings")
        return {name: it.value for name, it in made.metadata.items()}

    def run(self, job: str, **run: object) -> dg.ExecuteInProcessResult:
        defs = build_definitions(resources={"stores": self.stores})
        given = {"instance": self.instance, **run}
        return defs.resolve_job_def(job).execute_in_process(**given)  # type: ignore[arg-type]  # the tests' own


@pytest.fixture
def market() -> dict[str, Handler]:
    """What is on the market now, by host; tests put other sites in place."""
    return dict(redfin_sites([FOLLOWED], newcomers=()))


@pytest.fixture
def days(tmp_path: Path, market: dict[str, Handler]) -> Iterator[Days]:
    sites: dict[str, Handler] = {
        host: lambda asked, host=host: market[host](asked)  # type: ignore[misc]
        for host in market
    }
    with (
        Deployment(tmp_path, sites, downloads=1) as deployment,
        dg.DagsterInstance.ephemeral() as instance,
    ):
        deployment.add_houses([FOLLOWED])
        yield Days(deployment=deployment, instance=instance)


def test_a_listing_found_on_day_five_is_filed_on_day_six_without_a_command(
    days: Days, market: dict[str, Handler]
) -> None:
    criteria = Criteria(zip_codes=("85306",), max_price=450_000, min_beds=3)
    saved = SavedSearch(
        name="west", criteria=criteria, created_at=days.now, accept_per_day=1
    )
    with days.catalog() as catalog:
        assert catalog.searches.add(saved)

    assert days.search()["proposed"] == 0
    assert isinstance(days.tick(propose_houses)[0], dg.SkipReason)
    days.now += timedelta(days=4)
    market.update(redfin_sites([FOLLOWED], newcomers=[FOUND]))
    told = days.search()
    assert (told["proposed"], told["rows"], told["pages"]) == (1, 2, 1)

    days.now += timedelta(days=1)
    days.tick(propose_houses)
    partitions, _ = days.tick(reconcile_properties)
    assert isinstance(partitions, dg.SensorResult)
    (more,) = partitions.dynamic_partitions_requests or ()
    assert SLUG in more.partition_keys
    days.instance.add_dynamic_partitions(str(PROPERTIES.name), more.partition_keys)
    launches, _ = days.tick(dispatch_jobs)
    assert isinstance(launches, dg.SensorResult)
    (launch,) = launches.run_requests or ()
    assert (launch.partition_key, launch.tags[USER_TAG]) == (SLUG, "phx")
    done = days.run(extract_property.name, partition_key=SLUG, tags=launch.tags)
    assert done.success

    with days.catalog() as catalog:
        kept = [it for it in catalog.photos(SLUG) if it.verdict is Verdict.KEPT]
        (proposal,) = catalog.searches.proposals(limit=9)
        (deed,) = catalog.audit.entries(limit=9, action="search.accept")
    assert (deed.user, deed.target) == ("phx", SLUG)
    assert len(kept) == len(FOUND.record.shots)
    assert (proposal.state, proposal.slug) == (ProposalState.ACCEPTED, SLUG)
    assert sum("processed" in name for name in days.deployment.files()) >= len(kept)
    assert days.search()["proposed"] == 0


def test_the_schedule_rests_without_a_search_that_runs(days: Days) -> None:
    saved = SavedSearch(
        name="west",
        criteria=Criteria(zip_codes=("85306",)),
        created_at=days.now,
        is_paused=True,
    )
    with days.catalog() as catalog:
        catalog.searches.add(saved)
    with dg.build_schedule_context(
        instance=days.instance,
        scheduled_execution_time=days.now,
        resources={"stores": days.stores},
    ) as context:
        assert isinstance(daily_search("30 5 * * *")(context), dg.SkipReason)
    assert days.run(search_listings.name).success
    assert days.deployment.standin.asked == []


def test_new_rows_of_the_file_are_followed_and_bad_ones_told_once(days: Days) -> None:
    file = days.deployment.settings.data_dir / "properties.csv"
    good, bad = FOUND.address, "12 Nowhere"

    def write(*rows: str) -> None:
        file.write_text("\n".join(f'"{row}"' for row in ("address", *rows)) + "\n")
        days.now += timedelta(minutes=1)
        saved_at = days.now.timestamp() - 30
        os.utime(file, (saved_at, saved_at))

    def told() -> list[str]:
        with days.catalog() as catalog:
            deeds = catalog.audit.entries(limit=9, action="file.row")
            return [it.detail for it in deeds]

    def lines() -> list[str]:
        with days.catalog() as catalog:
            return list(
                file_lines(build_reads(days.deployment.settings, catalog=catalog))
            )

    assert days.tick(properties_file)[1] == ""
    write(FOLLOWED.address, bad)
    _, cursor = days.tick(properties_file)
    (line,) = told()
    assert line.startswith("row 3: ")
    (left_out,) = lines()
    assert left_out.startswith("file: properties.csv: 1 row left out: `phx audit ")
    assert days.tick(properties_file, cursor=cursor)[1] == cursor

    write("", FOLLOWED.address, bad, good)
    content = file.read_bytes()
    _, cursor = days.tick(properties_file, cursor=cursor)
    assert told() == [line]
    assert file.read_bytes() == content
    launches, _ = days.tick(dispatch_jobs)
    assert isinstance(launches, dg.SensorResult)
    asked = [it.partition_key for it in launches.run_requests or ()]
    assert asked == [slug_of(FOLLOWED), SLUG]  # neither had a run before

    with days.catalog() as catalog, days.deployment.context() as context:
        (deed,) = catalog.audit.entries(limit=9, action="house.add")
        assert (deed.user, deed.target) == ("phx", SLUG)
        remove(context, SLUG)
        assert lines() == [left_out]
        write(FOLLOWED.address, good)
        days.tick(properties_file, cursor=cursor)
        assert lines() == []
        assert SLUG not in catalog.slugs()  # it was removed on purpose

    days.now = datetime.fromtimestamp(file.stat().st_mtime + 1, tz=UTC)
    assert days.tick(properties_file)[1] == ""  # it may still be written
    days.now = datetime.now(UTC)
    os.utime(file, times=(days.now.timestamp() + 60,) * 2)
    assert days.tick(properties_file)[1] == ""  # so it may, whatever it says itself


def test_what_is_wrong_with_the_file_as_a_whole_is_told_until_it_is_mended(
    days: Days,
) -> None:
    file = days.deployment.settings.data_dir / "properties.csv"

    def tick(cursor: str) -> tuple[str, list[str]]:
        days.now = datetime.now(UTC) + timedelta(minutes=1)
        said, after = days.tick(properties_file, cursor=cursor)
        with days.catalog() as catalog:
            reads = build_reads(days.deployment.settings, catalog=catalog)
            lines = list(file_lines(reads))
            told = read_digest(
                reads, NO_NEWS, since=DAY_1.date(), day=DAY_1.date()
            ).open
            assert [it for it in told if it.startswith("file: ")] == lines
        assert isinstance(said, dg.SkipReason)
        return after, [str(said.skip_message), *lines]

    file.mkdir()
    cursor, told = tick("")
    assert told[1] == (
        "file: properties.csv: it is a folder: put a file with one house a row there"
    )
    assert tick(cursor) == (
        cursor,
        [
            "properties.csv: it is a folder: put a file with one house a row there",
            told[1],
        ],
    )
    file.rmdir()
    file.write_bytes(b"\x00\x01\xff\xfe" * 50)
    cursor, told = tick(cursor)
    assert told[1].startswith("file: properties.csv: it is not text")
    assert tick(cursor)[0] == cursor
    file.write_text(f"{FOUND.address}\n")
    cursor, told = tick(cursor)
    assert told == ["1 house added"]
    with days.catalog() as catalog:
        deeds = [it.action for it in catalog.audit.entries(limit=9, action="file")]
    assert deeds == ["file.read", "file.refused", "file.refused"]


@pytest.mark.parametrize(
    ("error", "tells", "tries"),
    [
        (TooLongError, "takes more than 10 s of the processor", [1, 1, 1, 1]),
        (TimeoutError, "each tick tries again", [1, 2, 3, 4]),
    ],
)
def test_a_file_that_takes_too_long_is_left_alone_until_it_changes(
    days: Days,
    monkeypatch: pytest.MonkeyPatch,
    error: type[Exception],
    tells: str,
    tries: list[int],
) -> None:
    """But not one that a busy machine did not read in time."""
    asked = []

    def too_long(*args: object, **_limits: float) -> None:
        asked.append(args)
        raise error

    reader = "phx_pipeline.defs.sensors.properties_file.in_own_process"
    monkeypatch.setattr(reader, too_long)
    file = days.deployment.settings.data_dir / "properties.csv"
    days.now = datetime.now(UTC) + timedelta(minutes=1)
    file.write_text(f"{FOUND.address}\n" * 2_000)
    cursor = ""
    for number in tries:
        _, cursor = days.tick(properties_file, cursor=cursor)
        assert len(asked) == number
    with days.catalog() as catalog:
        reads = build_reads(days.deployment.settings, catalog=catalog)
        (line,) = file_lines(reads)
        assert len(catalog.audit.entries(limit=9, action="file")) == 1
    assert tells in line

    file.write_text(f"{FOUND.address}\n")
    assert "1 house added" in str(days.tick(properties_file, cursor=cursor)[0])
