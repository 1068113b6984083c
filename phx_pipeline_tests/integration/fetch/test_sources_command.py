"""`phx sources`, as a user runs it."""

import json
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from phx_pipeline.catalog.engine import open_engine
from phx_pipeline.catalog.migrate import upgrade
from phx_pipeline.catalog.policies import CatalogPolicies
from phx_pipeline.cli.sources import sources
from phx_pipeline.errors import InputError, RevisionError
from phx_pipeline.model.source_state import SourceState

Phx = Callable[..., str]


@pytest.fixture
def phx(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Phx:
    """Run `phx sources` on stores of its own; errors come out as they are."""
    monkeypatch.setenv("PHX_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("PHX_SOURCES", "redfin")
    monkeypatch.delenv("PHX_CATALOG_URL", raising=False)

    def run(*arguments: str) -> str:
        done = CliRunner().invoke(
            sources, arguments, catch_exceptions=False, standalone_mode=False
        )
        return done.output

    return run


@pytest.fixture
def put(tmp_path: Path) -> Callable[..., None]:
    """Change fields of a row; times are seconds from now."""
    engine = open_engine(f"sqlite:///{tmp_path / 'phx.db'}")
    upgrade(engine)
    engine.dispose()

    def change(name: str, **changes: Any) -> None:
        def decide(state: SourceState, now_s: float) -> tuple[SourceState, None]:
            moved: dict[str, Any] = {
                field: now_s + value if isinstance(value, float) else value
                for field, value in changes.items()
            }
            return replace(state, **moved), None

        CatalogPolicies(engine).change(name, decide)
        engine.dispose()

    return change


def told(phx: Phx) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in json.loads(phx("--json"))}


def states_of_redfin(phx: Phx) -> dict[str, str]:
    rows = told(phx).items()
    return {name: row["state"] for name, row in rows if name.startswith("redfin")}


def test_a_source_never_asked_is_shown_as_it_will_be_asked(
    phx: Phx, put: Callable[..., None]
) -> None:
    del put

    rows = told(phx)

    assert {name: it for name, it in rows.items() if it["asked"]} == {
        "redfin": {
            "name": "redfin",
            "state": "closed",
            "requests_per_s": 2.0,
            "failures": 0,
            "open_since": None,
            "last_block_at": None,
            "last_block": None,
            "next_try_at": None,
            "asked": True,
            "why_not": None,
            "lacks": None,
            "uncaptured": None,
        },
        "redfin/photos": {
            "name": "redfin/photos",
            "state": "closed",
            "requests_per_s": None,
            "failures": 0,
            "open_since": None,
            "last_block_at": None,
            "last_block": None,
            "next_try_at": None,
            "asked": True,
            "why_not": None,
            "lacks": None,
            "uncaptured": None,
        },
    }


@pytest.mark.parametrize(
    ("changes", "word", "has_next_try"),
    [
        ({"disabled": True}, "disabled", False),
        ({"disabled": True, "open_until": 300.0}, "disabled", False),
        ({"not_before": 300.0}, "waiting", True),
        ({"not_before": -1.0}, "closed", False),
        ({"open_until": 300.0}, "open", True),
        ({"open_until": 300.0, "not_before": 600.0}, "open", True),
        ({"open_until": -1.0}, "half-open", False),
        ({"open_until": -1.0, "probe": "x", "probe_until": 60.0}, "half-open", True),
    ],
)
def test_the_state_is_told_in_one_word(
    phx: Phx,
    put: Callable[..., None],
    changes: dict[str, Any],
    word: str,
    *,
    has_next_try: bool,
) -> None:
    put("redfin", **changes)

    row = told(phx)["redfin"]

    assert row["state"] == word
    assert (row["next_try_at"] is not None) is has_next_try


def test_the_table_shows_the_last_block_and_the_next_try_in_phoenix_time(
    phx: Phx, put: Callable[..., None]
) -> None:
    put("redfin", block="are you a robot", period_s=4, failures=2)
    now_s = time.time()
    put("redfin", blocked_at=1_741_584_600.0 - now_s, open_until=1.0 - now_s)

    shown = phx()

    assert "0.25 per s" in shown
    assert "2025-03-09 22:3" in shown
    assert "are you a robot" in shown
    assert "not paced" in shown
    assert "trying again" in shown


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, "ready"),
        ({"failures": 2}, "ready"),
        ({"not_before": -1.0}, "ready"),
        ({"open_until": 300.0, "opened_at": -60.0}, "resting until TIME"),
        ({"open_until": 9e3, "opened_at": 0.0, "blocked_at": -9e4}, "resting until"),
        (
            {"open_until": 9e3, "opened_at": -9.0, "blocked_at": -9.0},
            "stopped until TIME, it refused us",
        ),
        (
            {"open_until": 9e3, "opened_at": -60.0, "blocked_at": -9.0},
            "stopped until TIME, it refused us",
        ),
        ({"not_before": 300.0}, "waiting until TIME, as it asked"),
        ({"open_until": -1.0, "opened_at": -301.0}, "trying again, one request at a"),
        ({"disabled": True}, "switched off (`phx sources enable redfin`)"),
    ],
)
def test_people_are_told_in_their_words_and_until_when_with_the_zone(
    phx: Phx, put: Callable[..., None], changes: dict[str, Any], told: str
) -> None:
    put("redfin", **changes)

    shown = " ".join(re.sub(r"[│┃]", " ", phx()).split())

    said = re.sub(r"(\d{4}-\d\d-\d\d )?\d\d:\d\d MST", "TIME", shown)
    assert f"redfin {told}" in said
    assert not {"closed", "open", "half-open", "circuit"} & set(shown.split())


def test_a_time_of_another_day_has_its_date(phx: Phx, put: Callable[..., None]) -> None:
    put("redfin", not_before=20 * 3600.0)

    assert re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d MST", phx())


def test_a_source_is_switched_off_with_its_photos_and_on_again(
    phx: Phx, put: Callable[..., None]
) -> None:
    put("redfin", open_until=300.0)

    off = phx("disable", "redfin")
    disabled = states_of_redfin(phx)
    phx("enable", "redfin/photos")

    assert "phx sources enable redfin" in off
    assert disabled == {"redfin": "disabled", "redfin/photos": "disabled"}
    assert told(phx)["redfin"]["state"] == "disabled"
    assert told(phx)["redfin/photos"]["state"] == "closed"
    phx("enable", "redfin")
    assert told(phx)["redfin"]["state"] == "open"


def test_a_reset_closes_the_circuit_of_what_is_named_only(
    phx: Phx, put: Callable[..., None]
) -> None:
    put("redfin", open_until=300.0)
    put("redfin/photos", open_until=300.0)

    phx("reset", "redfin/photos")

    states = states_of_redfin(phx)
    assert states == {"redfin": "open", "redfin/photos": "closed"}


@pytest.mark.parametrize(
    ("browser", "told"),
    [
        (
            "auto",
            "zillow stopped until TIME, it refused us; the browser is asked instead",
        ),
        (
            "off",
            "or set it to auto `phx ingest` reads pages",
        ),
    ],
)
def test_plain_http_that_rests_leads_to_the_browser_where_there_is_one(
    phx: Phx,
    put: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    browser: str,
    told: str,
) -> None:
    chromium = shutil.which("true")
    assert chromium
    monkeypatch.setenv("PHX_CHROMIUM", chromium)  # never started
    monkeypatch.setenv("PHX_BROWSER", browser)
    monkeypatch.setenv("PHX_SOURCES", "zillow")
    put("zillow", open_until=300.0, opened_at=-60.0, blocked_at=-60.0)

    shown = " ".join(re.sub(r"[│┃]", " ", phx()).split())

    assert told in re.sub(r"(\d{4}-\d\d-\d\d )?\d\d:\d\d MST", "TIME", shown)


def test_where_the_browser_is_refused_as_well_the_way_on_is_told(
    phx: Phx, put: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    chromium = shutil.which("true")
    assert chromium
    monkeypatch.setenv("PHX_CHROMIUM", chromium)  # never started
    monkeypatch.setenv("PHX_SOURCES", "zillow")
    for name in ("zillow", "zillow/browser"):
        put(name, open_until=300.0, opened_at=-60.0, blocked_at=-60.0)

    shown = " ".join(phx().split())

    assert "the browser is asked instead" not in shown
    assert shown.endswith("`phx ingest` reads pages that you save in your own browser")


def test_a_browsers_circuit_is_paced_as_its_group(
    phx: Phx, put: Callable[..., None]
) -> None:
    put("redfin/browser", open_until=300.0)

    assert "paced as redfin" in phx()


def test_a_reset_closes_the_circuit_of_a_browser_as_well(
    phx: Phx, put: Callable[..., None]
) -> None:
    put("redfin", open_until=300.0)
    put("redfin/browser", open_until=300.0)

    phx("reset", "redfin")

    states = states_of_redfin(phx)
    assert states == dict.fromkeys(
        ("redfin", "redfin/browser", "redfin/photos"), "closed"
    )


@pytest.mark.parametrize("name", ["realtor", "redfin/", "unknown", "redfin/pages", ""])
@pytest.mark.parametrize("command", ["reset", "disable", "enable"])
def test_an_unknown_name_is_refused_with_those_there_are(
    phx: Phx, put: Callable[..., None], command: str, name: str
) -> None:
    del put

    with pytest.raises(InputError, match="choose from zillow, redfin, maricopa"):
        phx(command, name)

    assert {row["state"] for row in told(phx).values()} == {"closed"}


def test_a_catalogue_that_is_not_there_is_told_with_the_remedy(phx: Phx) -> None:
    with pytest.raises(RevisionError, match="phx init"):
        phx()


@pytest.mark.parametrize(
    ("settings", "name", "why_not", "word"),
    [
        ({"PHX_SOURCES": "redfin"}, "zillow", "PHX_SOURCES", "not asked: not named in"),
        ({"PHX_SOURCES": "redfin"}, "zillow/photos", "PHX_SOURCES", "not asked: not"),
        ({}, "zillow", "unset PHX_BROWSER", "not asked: it lacks something"),
        ({}, "maricopa_assessor", None, "asked without a token"),
        ({"PHX_MARICOPA_TOKEN": "x"}, "maricopa_assessor", None, "ready"),
        ({}, "realtor", "cannot read it", "not asked: this version"),
        ({}, "redfin", None, "ready"),
    ],
)
def test_what_no_run_asks_is_told_so_with_the_reason(
    phx: Phx,
    put: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    settings: dict[str, str],
    name: str,
    why_not: str | None,
    word: str,
) -> None:
    put("realtor", failures=1)
    for setting, value in (
        {"PHX_SOURCES": "", "PHX_BROWSER": "off"} | settings
    ).items():
        monkeypatch.setenv(setting, value)

    row = told(phx)[name]

    assert (row["asked"], bool(row["why_not"])) == (
        why_not is None,
        why_not is not None,
    )
    assert (why_not or "") in (row["why_not"] or "")
    assert f"{name} {word}" in " ".join(re.sub(r"[│┃]", " ", phx()).split())


def test_what_a_source_lacks_is_told_below_the_table(
    phx: Phx, put: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    del put
    monkeypatch.setenv("PHX_SOURCES", "")
    monkeypatch.setenv("PHX_BROWSER", "off")

    shown = phx()

    assert "zillow: the browser is switched off (PHX_BROWSER); unset" in shown
    assert "maricopa_assessor: asked without a token: only its public map" in shown
    assert "phoenix_mls: it is asked by its public site" in shown
