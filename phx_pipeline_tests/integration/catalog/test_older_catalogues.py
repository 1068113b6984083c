"""What rows of older versions become."""

from collections.abc import Callable, Iterator
from datetime import date

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import reading, writing
from phx_pipeline.catalog.leases import Leases
from phx_pipeline.catalog.migrate import upgrade
from phx_pipeline.catalog.store import Catalog
from phx_pipeline.model.facts import ListingFacts
from phx_pipeline.model.job import JobState
from phx_pipeline.model.outcome import Verdict, VerdictKind
from phx_pipeline.model.ruling import About, PhotoRuling
from phx_pipeline.model.run import RunOutcome
from phx_pipeline.model.taxonomy import Location
from phx_pipeline_tests.integration.conftest import TTL_S, Databases, is_due

_HOUSE = (
    "insert into property (slug, folder, address, street_number, street, city, state,"
    " zip_code, added_at) values ('h', 'f', 'a', '1', 's', 'c', 'AZ', '85001',"
    " '2025-01-01 00:00:00')"
)
_LEASE = (
    "insert into lease (name, owner, epoch, heartbeat_at, expires_at)"
    " values ('property:h', '', 7, 0, 0)"
)
_BLOB = (
    "insert into blob (sha256, size_bytes, media_type, width, height, phash, dhash,"
    " trimmed_phash, trimmed_dhash) values ('x', 1, 'image/jpeg', 1, 1, 1, 1, 1, 1)"
)
_PHOTO = (
    "insert into photo (slug, source, photo_key, url, fallback_urls, position, caption,"
    " tags, first_seen_on, present, verdict, detail, asked_url, sha256, run_id) values"
    " ('h', 'redfin', '{key}', 'u', '[]', 0, '', '[]', '2025-01-01', true, '{verdict}',"
    " '{detail}', 'u', {sha256}, 'run-1')"
)
_CATEGORY = (
    "insert into category (slug, source, photo_key, location, subject, confidence,"
    " votes) values ('h', 'redfin', '{key}', '{location}', '{subject}', {sure}, '[]')"
)
_PUBLISHED = (
    "insert into publication (slug, location, subject, sequence, active, source,"
    " photo_key, file_name, sha256, recipe, processed_at, run_id) values ('h',"
    " '{location}', '{subject}', {sequence}, {active}, 'redfin', '{key}',"
    " '{key}.png', 'x', 'r', '2025-01-02 03:04:05', 'run-1')"
)
_HELD = (
    "insert into quarantine (slug, source, photo_key, reason, detail, ruling,"
    " first_seen_at, ruled_at) values ('h', 'redfin', '{key}', '{reason}', 'why',"
    " '{ruling}', '2025-01-02 00:00:00', {ruled_at})"
)

_RUN = (
    "insert into run (run_id, slug, job_id, mode, started_at, ended_at, outcome, error,"
    " result) values ('{run}', 'h', '{job}', 'fresh', '2025-01-02 03:04:05',"
    " '2025-01-02 03:05:05', '{outcome}', '', '{{}}')"
)

_JOB = (
    "insert into job (id, created_at, sources, mode) values ('{job}',"
    " '2025-01-01 00:00:00', '[]', 'fresh')"
)
_ITEM = (
    "insert into job_item (job_id, slug, position, attempt, dispatched_at) values"
    " ('{job}', 'h', 0, 1, {dispatched})"
)

_HOUSES = (
    "insert into property (slug, folder, address, street_number, street, city, state,"
    " zip_code, added_at, match_key) values ('{slug}', '{slug}', 'a', '1', 's', 'c',"
    " 'AZ', '85001', '2025-01-01 00:00:00', '{slug}')"
)
_LISTING = (
    "insert into listing (slug, source, outcome, detail, complete, challenged,"
    " checked_at, run_id) values ('{slug}', 'redfin', '{outcome}', '', true, false,"
    " '2025-01-10 20:00:00', 'run-1')"
)
_STATED = (
    "insert into listing_fact (slug, source, seen_on, standard_status) values"
    " ('{slug}', 'redfin', '2025-01-{day}', '{status}')"
)
_WORDS_OF_0026 = (
    "update listing set market = case outcome when 'listed' then 'Listed'"
    " when 'listed_empty' then 'Listed' when 'off_market' then 'Off Market'"
    " when 'not_found' then 'Not Found' end"
)
_FACTS_OF_DAY = (
    "insert into listing_fact (slug, source, seen_on, list_price, bathrooms_total,"
    " pool_private, days_on_market, roof) values ('h', '{}', '2025-01-{}', {}, {}, {},"
    " {}, 'Tile')"
)
_OLD_FACTS = sa.text(
    "select source, seen_on, list_price, bathrooms_total, pool_private, days_on_market,"
    " roof from listing_fact order by source, seen_on"
).columns(seen_on=sa.Date(), pool_private=sa.Boolean())

Old = Callable[..., sa.Engine]


@pytest.fixture
def old(databases: Databases, kind: str, opened: Callable[[str], sa.Engine]) -> Old:
    """Make a database of an older version with one house and some rows."""

    def make(revision: str, *statements: str) -> sa.Engine:
        engine = opened(databases.empty(kind))
        config = Config()
        config.set_main_option("script_location", "phx_pipeline.catalog:migrations")
        with writing(engine) as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
        with writing(engine) as connection:
            for statement in (_HOUSE, *statements):
                connection.execute(sa.text(statement))
        return engine

    return make


def upgraded(engine: sa.Engine) -> Catalog:
    upgrade(engine)
    return Catalog(engine, leases=Leases(engine, ttl_s=TTL_S))


def test_what_people_ruled_is_kept(old: Old) -> None:
    ruled_at = "'2025-01-03 00:00:00'"
    rows = [
        {"key": "a", "reason": "photo_key", "ruling": "released", "ruled_at": ruled_at},
        {"key": "b", "reason": "person", "ruling": "dropped", "ruled_at": ruled_at},
        {"key": "c", "reason": "listing_id", "ruling": "open", "ruled_at": "null"},
    ]

    catalog = upgraded(old("0011", *(_HELD.format(**row) for row in rows)))

    rulings = catalog.rulings.newest("h", About.PHOTO)
    assert {key: (it.value, it.who) for (_, key), it in rulings.items()} == {
        "a": ("released", "unknown"),
        "b": ("dropped", "unknown"),
    }
    assert {it.at.date().isoformat() for it in rulings.values()} == {"2025-01-03"}
    assert {it.photo.photo_key: it.ruling for it in catalog.quarantine.held()} == {
        "a": PhotoRuling.RELEASED,
        "b": PhotoRuling.DROPPED,
        "c": PhotoRuling.OPEN,
    }


def test_the_photos_that_are_there_are_counted(old: Old) -> None:
    states: list[tuple[str, str, str]] = [
        ("a", Verdict.KEPT, "'x'"),
        ("b", Verdict.KEPT, "'x'"),
        ("c", Verdict.GONE, "null"),
        ("d", Verdict.PENDING, "null"),
    ]
    rows = [
        _PHOTO.format(key=key, verdict=verdict, detail="", sha256=sha256)
        for key, verdict, sha256 in states
    ]

    catalog = upgraded(old("0013", _BLOB, *rows))

    (redfin,) = catalog.tallies([])[0].sources
    assert redfin.counts == {
        VerdictKind.KEPT: 2,
        VerdictKind.FAILED: 1,
        VerdictKind.PENDING: 1,
    }
    assert (redfin.wanting, redfin.faulted) == (2, 1)
    assert catalog.door.miscounts("h") == []


def test_what_was_lost_to_a_bad_minute_is_asked_for_again(old: Old) -> None:
    """`detail` of a kept photo tells of a better variant that did not come."""
    bytes_held = {"sha256": "'x'"}
    states: dict[str, dict[str, str]] = {
        "gone": {"verdict": Verdict.GONE, "detail": "404"},
        "damaged": {"verdict": Verdict.DAMAGED, "detail": "cut off"},
        "upgrade": {"verdict": Verdict.KEPT, "detail": "404", **bytes_held},
        "kept": {"verdict": Verdict.KEPT, **bytes_held},
        "foreign": {"verdict": Verdict.FOREIGN, "detail": "404"},
        "refused": {"verdict": Verdict.REFUSED, "detail": "not on the list"},
    }
    rows = [
        _PHOTO.format(**{"key": key, "detail": "", "sha256": "null"} | state)
        for key, state in states.items()
    ]

    catalog = upgraded(old("0013", _BLOB, *rows))

    photos = {photo.ref.photo_key: photo for photo in catalog.photos("h")}
    assert {key for key, photo in photos.items() if is_due(photo)} == {
        "gone",
        "damaged",
        "upgrade",
    }
    assert {p.fault_days for p in photos.values() if is_due(p)} == {1}
    assert {p.faulted_on for p in photos.values()} == {None}


def published(engine: sa.Engine) -> set[tuple[object, ...]]:
    names = ("location", "subject", "sequence", "file_name", "active")
    columns = [tables.publication.c[name] for name in names]
    with reading(engine) as connection:
        return {tuple(row) for row in connection.execute(sa.select(*columns))}


def pictures_of_0017() -> Iterator[str]:
    """A kitchen, and of those nobody named: two that a tag calls inside, one by its
    copy; two of which nothing is told, the second of them not shown any more.
    """
    kinds = {
        "kitchen": "kitchen",
        **dict.fromkeys(("hall", "den", "garden"), "unknown"),
    }
    yield _BLOB
    yield _LEASE
    yield "update property set published_epoch = 7"
    for key in (*kinds, "gone", "copy"):
        yield _PHOTO.format(key=key, verdict=Verdict.KEPT, detail="", sha256="'x'")
    yield "update photo set cluster_id = photo_key"
    yield "update photo set cluster_id = 'den' where photo_key = 'copy'"
    tags = """'["All", "Interior"]' where photo_key in ('hall', 'copy')"""
    yield f"update photo set tags = {tags}"  # noqa: S608 - a constant
    for key, subject in kinds.items():
        yield _CATEGORY.format(key=key, location="int", subject=subject, sure=0)
    for sequence, key in enumerate(("hall", "den", "garden", "gone"), start=1):
        shown = {"sequence": sequence, "active": key != "gone"}
        yield _PUBLISHED.format(key=key, location="int", subject="unknown", **shown)
    shown = {"sequence": 1, "active": True}
    yield _PUBLISHED.format(key="kitchen", location="int", subject="kitchen", **shown)


def test_what_nobody_named_is_inside_only_where_its_listing_says_so(old: Old) -> None:
    engine = old("0017", *pictures_of_0017())

    catalog = upgraded(engine)

    found = catalog.categories("h")
    assert {key: (it.location, it.confidence) for (_, key), it in found.items()} == {
        "kitchen": (Location.INTERIOR, 0),
        "hall": (Location.INTERIOR, 0),
        "den": (Location.INTERIOR, 0),
        "garden": (Location.FEATURE, 0),
    }
    assert published(engine) == {
        ("int", "kitchen", 1, "kitchen.png", True),
        ("int", "unknown", 1, "hall.png", True),
        ("int", "unknown", 2, "den.png", True),
        ("int", "unknown", 3, "garden.png", False),
        ("int", "unknown", 4, "gone.png", False),
        ("feat", "unknown", 3, "garden.png", True),
        ("feat", "unknown", 4, "gone.png", False),
    }
    assert not catalog.tallies([])[0].is_published


@pytest.mark.parametrize("shows", [True, False])
def test_a_house_that_shows_pictures_is_published_once_more(
    old: Old, *, shows: bool
) -> None:
    shown = _PUBLISHED.format(
        key="k", location="int", subject="kitchen", sequence=1, active=shows
    )
    told = "update property set published_epoch = 7"

    catalog = upgraded(old("0022", _LEASE, told, _BLOB, shown))

    assert catalog.tallies([])[0].is_published is not shows


def test_a_name_of_0020_is_as_probable_as_it_was_sure(old: Old) -> None:
    kinds = {"kitchen": 92, "unknown": 0}
    rows = [
        _CATEGORY.format(key=kind, location="int", subject=kind, sure=sure)
        for kind, sure in kinds.items()
    ]
    cast = """'[{"backend": "listing_text", "confidence": 0.92}]'"""

    catalog = upgraded(old("0020", *rows, f"update category set votes = {cast}"))  # noqa: S608 - a constant

    named = catalog.votes.named("h")
    assert {key: it.probability for (_, key), it in named.items()} == {
        "kitchen": pytest.approx(0.92),
        "unknown": 0.0,
    }
    assert {key: it.category.confidence for (_, key), it in named.items()} == kinds
    assert {it.votes for it in named.values()} == {()}  # they come again


def test_facts_of_0018_are_read_beside_those_an_assessor_adds(old: Old) -> None:
    fact = (
        "insert into listing_fact (slug, source, seen_on, list_price, pool_private)"
        " values ('h', 'redfin', '2025-01-01', 434900, true)"
    )

    catalog = upgraded(old("0018", fact))

    (seen,) = catalog.facts.history("h")
    assert seen.facts == ListingFacts(list_price=434_900, pool_private=True)
    assert catalog.facts.valuations("h") == {}


def test_jobs_of_0023_have_owners_and_ends_as_their_newest_runs_tell(old: Old) -> None:
    """A run that goes on, and one that left no record, may be in Dagster's queue."""
    ends = {
        "complete": JobState.COMPLETED,
        "nothing": JobState.FAILED,
        "canceled": JobState.CANCELLED,
        "running": None,
        "queued": None,
        "waiting": None,
    }
    rows = []
    for outcome in ends:
        dispatched = "null" if outcome == "waiting" else "'2025-01-02 03:04:00'"
        rows += [
            _JOB.format(job=outcome),
            _ITEM.format(job=outcome, dispatched=dispatched),
        ]
        if outcome not in {"queued", "waiting"}:
            rows.append(_RUN.format(run=outcome, job=outcome, outcome=outcome))
    again = _RUN.format(run="again", job="complete", outcome="failed")
    before = again.replace("03:04:05", "03:04:01")
    endless = "update run set ended_at = null where outcome = 'running'"

    catalog = upgraded(old("0023", *rows, before, endless))

    items = {job: catalog.jobs.items(job)[0] for job in ends}
    assert {job: item.state for job, item in items.items()} == ends
    assert {item.user for item in items.values()} == {"unknown"}
    assert items["nothing"].run_key == "nothing:1:h"
    assert items["nothing"].requested_at.date() == date(2025, 1, 1)
    assert [item.job_id for item in catalog.jobs.waiting(limit=9)] == ["waiting"]
    assert {run.run_id: run.outcome for run in catalog.runs.newest(limit=9)} == {
        "canceled": RunOutcome.CANCELLED,
        "complete": RunOutcome.COMPLETE,
        "nothing": RunOutcome.NOTHING,
        "running": RunOutcome.RUNNING,
        "again": RunOutcome.FAILED,
    }


@pytest.mark.parametrize("revision", ["0025", "0029"])
def test_the_status_that_was_stated_before_0026_is_no_news(
    old: Old, revision: str
) -> None:
    """Stated with the last answer, on the tenth in Phoenix, or days before it."""
    became = {
        ("off_market", "Closed", "10"): "Closed",
        ("off_market", "Closed", "01"): "Closed",
        ("off_market", "Pending", "10"): "Pending",
        ("off_market", "Pending", "01"): "Off Market",
        ("off_market", "Active", "10"): "Off Market",
        ("not_found", "Withdrawn", "01"): "Withdrawn",
        ("listed", "Closed", "10"): "Closed",
        ("listed", "Closed", "01"): "Listed",
        ("listed", "Off Market", "01"): "Listed",
        ("listed_empty", "Pending", "01"): "Pending",
        ("blocked", "Pending", "01"): None,
    }
    rows = []
    for number, (outcome, status, day) in enumerate(became):
        own = {
            "slug": f"h{number:02}",
            "outcome": outcome,
            "status": status,
            "day": day,
        }
        rows += [it.format(**own) for it in (_HOUSES, _LISTING, _STATED)]
    if revision == "0029":
        rows.append(_WORDS_OF_0026)

    upgrade(engine := old(revision, *rows))

    listing = tables.listing.c
    with reading(engine) as connection:
        query = sa.select(listing.market).order_by(listing.slug)
        assert list(connection.execute(query).scalars()) == list(became.values())


def test_facts_that_0030_held_for_each_day_are_read_as_they_were(old: Old) -> None:
    """Each row is a day; a day that repeats the one before needs no more facts."""
    days = {
        ("redfin", "01"): (9, 1, "true", 40),
        ("redfin", "02"): (9, 1, "true", 41),
        ("redfin", "03"): (9, 1, "null", 42),
        ("redfin", "04"): (9, 1, "true", "null"),
        ("redfin", "08"): (9, 1, "true", 47),
        ("redfin", "09"): (8, 1.5, "true", 48),
        ("zillow", "09"): (8, 1.5, "true", 48),
        ("zillow", "10"): ("null", "null", "null", 1),
    }
    rows = [_FACTS_OF_DAY.format(*key, *values) for key, values in days.items()]

    engine = old("0030", *rows)
    with reading(engine) as connection:
        before = [dict(it._mapping) for it in connection.execute(_OLD_FACTS)]
    catalog = upgraded(engine)

    history = sorted(catalog.facts.history("h"), key=lambda it: it.source)
    assert [
        {"source": it.source, "seen_on": it.seen_on, **it.facts.stated}
        for it in history
    ] == [{name: it for name, it in row.items() if it is not None} for row in before]
    with reading(engine) as connection:
        assert len(connection.execute(sa.select(tables.listing_fact)).all()) == 6
    with writing(engine) as connection:
        table = sa.insert(tables.listing_fact).values(list_price=1)
        connection.execute(table)  # its id is nobody else's
