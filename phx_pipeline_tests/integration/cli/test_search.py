"""`phx search` on stand-ins of both sites, from saving a search to its end."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from phx_pipeline.demo.houses import HOUSES, NEWCOMERS
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.demo.zillow_site import zillow_sites
from phx_pipeline.model.source import Source
from phx_pipeline.reads.schemas import schema_of
from phx_pipeline.sources.zillow.standin import PAGE_HOST
from phx_pipeline_tests.commands import Ended, Phx
from phx_pipeline_tests.deployment import Deployment, slug_of

SLUG = slug_of(NEWCOMERS[0])
FOLLOWED = next(it for it in HOUSES if it.zip_code == NEWCOMERS[0].zip_code)
BOTH = (Source.REDFIN, Source.ZILLOW)


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Deployment]:
    sites = {**redfin_sites(), **zillow_sites()}
    with Deployment(tmp_path, sites, sources=BOTH) as deployment:
        deployment.add_houses([FOLLOWED])
        yield deployment


def accept_again(made: Deployment, phx_on: Phx) -> None:
    """What is followed is told, and stays as it is."""
    again = phx_on(made, "search", "accept", SLUG)
    assert (again.code, again.out.splitlines()) == (
        0,
        [f"{SLUG} is followed already", "0 houses accepted"],
    )
    kept = phx_on(made, "search", "reject", SLUG)
    assert (kept.code, f"phx properties remove {SLUG}" in kept.err) == (2, True)


def find_alike(search: Callable[..., Ended]) -> None:
    """Ask what another search that fits the same house has: only that it fits."""
    search("add", "alike", "--zip", "85306")
    assert "search west (also fits alike)" in search("proposed").out
    search("add", "pool", "--zip", "85306", "--pool")
    told = " ".join(search("proposed").out.split())
    assert "alike; pool, if it has a pool of its own, which is not told)" in told
    search("remove", "pool")
    first = search("proposed", "--search", "alike").out
    assert "1 house that another search found first (west) would fit alike" in first
    assert "none waits to be" in search("accept", "--all", "--search", "alike").out
    search("remove", "alike")


def follow_again(made: Deployment, phx_on: Phx) -> object:
    """Remove the house that was accepted, and accept it once more."""
    assert phx_on(made, "properties", "remove", SLUG, "--yes").code == 0
    (gone,) = phx_on(made, "search", "proposed", "--state", "removed", "--json").json
    Draft202012Validator(schema_of("proposal")).validate(gone)
    assert phx_on(made, "search", "accept", SLUG).code == 0
    assert len(phx_on(made, "jobs", "--json").json) == 2
    states = ("--state", "accepted", "--json")
    (followed,) = phx_on(made, "search", "proposed", *states).json
    return followed


def test_a_search_is_saved_run_and_decided_about(made: Deployment, phx_on: Phx) -> None:
    def search(*words: str) -> Ended:
        return phx_on(made, "search", *words)

    for words in ("list", "proposed"):
        assert "no search is saved" in search(words).out
    added = search("add", "west", "--zip", "85306", "--max-price", "490000")
    assert added.code == 0, added.err
    again = search("add", "west", "--zip", "85306")
    assert (again.code, "already" in again.err) == (2, True)

    told = search("run", "west", "--rows")
    assert told.code == 0, told.err
    assert "new: 5127 W Sage Pipit Ave" in told.out
    assert "followed already" in told.out
    assert "in another place" in told.out  # of Zillow's second list
    (proposal,) = search("proposed", "--json").json
    assert (proposal["key"], proposal["facts"]["list_price"]) == (SLUG, 438_000)
    assert SLUG in search("proposed", "--search", "west").out
    find_alike(search)
    unknown = search("proposed", "--search", "wets")
    assert (unknown.code, "did you mean west?" in unknown.err) == (2, True)
    assert proposal["url"] in search("proposed").out

    turns = search("run", "--json").json
    assert {turn["source"]: turn["proposed"] for turn in turns} == {
        "zillow": 1,
        "redfin": 0,
    }
    assert search("reject", SLUG).code == 0
    assert search("proposed", "--json").json == []
    assert "`phx search proposed --state all` shows" in search("proposed").out
    assert "was rejected before" in search("reject", SLUG).err
    assert search("accept", NEWCOMERS[0].address).code == 0
    accept_again(made, phx_on)
    (proposal,) = search("proposed", "--state", "all", "--json").json
    assert (proposal["state"], proposal["property"]) == ("accepted", SLUG)
    assert SLUG in phx_on(made, "properties", "list").out
    (job,) = phx_on(made, "jobs", "--json").json
    assert (job["status"], job["origin"]) == ("pending", "search")

    assert search("pause", "west").code == 0
    (saved,) = search("list", "--json").json
    told_in_json = {"proposal": proposal, "search": saved, "search_turn": turns[0]}
    for name, document in told_in_json.items():
        Draft202012Validator(schema_of(name)).validate(document)
    assert (saved["paused"], saved["criteria"]["zip_codes"]) == (True, ["85306"])
    paused = search("run")
    assert (paused.code, "all of them are paused" in paused.out) == (4, True)
    assert "is paused, and is run now" in search("run", "west").out
    proposal = follow_again(made, phx_on)
    for source in BOTH:
        assert phx_on(made, "sources", "disable", source.value).code == 0
    off = search("run", "west")
    assert (off.code, off.err.count("\n")) == (4, 1)
    assert (off.out + off.err).count("phx sources enable zillow") == 1
    assert search("resume", "west").code == search("remove", "west").code == 0
    assert search("proposed", "--state", "accepted", "--json").json == [proposal]
    stored = b"".join(it.read_bytes() for it in made.settings.data_dir.glob("phx.db*"))
    assert b"An Agent" not in stored
    assert b"A Broker" not in stored


def test_a_file_of_houses_that_waits_for_its_reader_is_told(
    tmp_path: Path, phx_on: Phx
) -> None:
    with Deployment(tmp_path, {}) as made:
        assert "file:" not in phx_on(made, "status").out
        (made.settings.data_dir / "properties.csv").write_text("address\n")
        told = phx_on(made, "status").out
    assert "file: properties.csv: `phx up` follows the houses of its rows" in told


def test_a_site_that_refuses_is_not_asked_for_the_next_search(
    tmp_path: Path, phx_on: Phx
) -> None:
    sites = {**redfin_sites(), **zillow_sites(blocked=frozenset({PAGE_HOST}))}
    with Deployment(tmp_path, sites, sources=BOTH) as made:
        for name in ("east", "west"):
            phx_on(made, "search", "add", name, "--zip", "85306", "--city", "Mesa")
        told = phx_on(made, "search", "run", "--json")
        asked = [it.target for it in made.standin.asked if it.host == PAGE_HOST]

    assert told.code == 3
    outcomes = {(it["search"], it["source"]): it["outcome"] for it in told.json}
    assert outcomes == {
        ("east", "redfin"): "listed",
        ("west", "redfin"): "listed",
        ("east", "zillow"): "blocked",
        ("west", "zillow"): "circuit_open",
    }
    assert len(asked) == 1
    pages = [it["pages"] for it in told.json if it["source"] == "redfin"]
    assert pages == [3, 3]  # a city is looked up first


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("add", "west"), "--zip or --city"),
        (("add", "West", "--zip", "85306"), "no name of a search"),
        (("run", "west"), "there is no search 'west'"),
        (("remove", "west"), "phx search list"),
        (("accept",), "--all"),
        (("accept", "--all", "--search", "west"), "no search 'west' was ever saved"),
        (("add", "west", "--zip", "85306", "--sources", "phoenix_mls"), "choose from"),
        (("add", "west", "--zip", "85306", "--min-beds", "3+"), "one such as 3"),
        (("add", "west", "--zip", "85306", "--max-price", "45,00"), "such as 450000"),
        (("reject", "12-nowhere"), "phx search proposed"),
    ],
)
def test_what_is_wrong_is_told_with_the_remedy(
    tmp_path: Path, phx_on: Phx, words: tuple[str, ...], told: str
) -> None:
    with Deployment(tmp_path, {}) as made:
        done = phx_on(made, "search", *words)
    assert (done.code, told in done.err) == (2, True), done.err
