"""`phx sources check` and `replay`, as a user runs them, through the mapping proxy."""

import asyncio
import json
import re
import socket
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import trustme

from phx_pipeline.demo.houses import HOUSES, House
from phx_pipeline.demo.loopback import Answer, Asked, Handler
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.demo.standins import STANDINS, all_sites
from phx_pipeline.demo.zillow_site import zillow_sites
from phx_pipeline.errors import LeaseHeldError
from phx_pipeline.fetch.base import Fetched, Request
from phx_pipeline.model.source import Source
from phx_pipeline.settings import Settings
from phx_pipeline.stages.source_check import KEPT_BUNDLES, check
from phx_pipeline_tests.commands import Ended, Phx
from phx_pipeline_tests.deployment import Deployment, slug_of, with_shots

HOUSE = with_shots(HOUSES[0], 0, 1, 2)
AGENT, MAIL, PHONE, TOKEN = (
    "Jane Q. Roe",
    "jane.roe@good-homes.example",
    "602-555-0147",
    "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7",
)
BOTH = (Source.REDFIN, Source.ZILLOW)
PAGE, ZILLOW_PAGE = "www.redfin.com", "www.zillow.com"

Check = Callable[..., Ended]


def sites(**changed: Handler) -> dict[str, Handler]:
    return {**redfin_sites([HOUSE]), **zillow_sites([HOUSE]), **changed}


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Both stand-ins, and a house that both have."""
    root = tmp_path_factory.mktemp("check")
    with Deployment(root, sites(), sources=BOTH) as made:
        made.add_houses([HOUSE])
        yield made


def rows(made: Deployment) -> dict[str, list[Any]]:
    """All rows of the catalogue but those of pace and circuits."""
    engine = sa.create_engine(f"sqlite:///{made.settings.data_dir / 'phx.db'}")
    with engine.connect() as connection:
        tables = sa.inspect(engine).get_table_names()
        found = {
            table: list(connection.execute(sa.text(f"select * from {table}")))  # noqa: S608 - names of its own tables
            for table in tables
            if table != "source_state"
        }
    engine.dispose()
    return found


def steps(ended: Ended, *, of: str = "redfin") -> dict[str, dict[str, Any]]:
    """The steps of a source by name, the last of each."""
    (checked,) = (it for it in ended.json if it["source"] == of)
    return {it["step"]: it for it in checked["steps"]}


def states(told: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    return {name: step["state"] for name, step in told.items() if name != "captions"}


def bundle_of(ended: Ended, *, of: str = "redfin") -> Path:
    (checked,) = (it for it in ended.json if it["source"] == of)
    return Path(checked["bundle"])


def text_in(bundle: Path) -> str:
    with zipfile.ZipFile(bundle) as archive:
        parts = [archive.read(name) for name in archive.namelist()]
    return b"\n".join(parts).decode(errors="replace")


def test_without_a_house_a_check_says_to_add_one(tmp_path: Path, phx_on: Phx) -> None:
    with Deployment(tmp_path, sites(), sources=BOTH) as made:
        ended = phx_on(made, "sources", "check")

        assert ended.code == 2
        assert "phx properties add" in ended.err
        assert made.standin.asked == []


def test_all_sources_are_asked_once_and_nothing_is_written_but_bundles(
    deployment: Deployment, phx_on: Phx
) -> None:
    before, asked = rows(deployment), len(deployment.standin.asked)

    ended = phx_on(deployment, "sources", "check", "--json")

    assert ended.code == 0
    for source in ("redfin", "zillow"):
        told = steps(ended, of=source)
        assert set(states(told).values()) == {"ok"}
        assert "3000-01-01, through the proxy" in told["tls"]["told"]
        assert told["name"]["told"].endswith("resolved by the proxy")
        assert told["photos"]["told"].endswith(", the whole gallery")
        assert told["facts"]["told"].startswith("13 of ")
        assert told["photo"]["told"].endswith("from the photo host")
        assert told["bundle"]["told"] == "reads all that was read then"
        assert bundle_of(ended, of=source).stat().st_mode & 0o077 == 0
    hosts = [it.host for it in deployment.standin.asked[asked:]]
    assert hosts.count(PAGE) == 2
    assert len(hosts) == 5
    assert rows(deployment) == before
    assert not (deployment.settings.data_dir / "property_images").exists()


def test_every_stand_in_can_be_checked_and_its_bundle_reads_the_same(
    tmp_path: Path, phx_on: Phx, phx: Phx
) -> None:
    with Deployment(tmp_path, all_sites(), sources=tuple(STANDINS)) as made:
        made.add_houses(HOUSES[:1])
        ended = phx_on(made, "sources", "check", "--json")

    assert {it["source"] for it in ended.json} == set(STANDINS)
    for checked in ended.json:
        told = {it["step"]: it for it in checked["steps"]}
        assert checked["was_asked"]
        assert told["bundle"]["told"] == "reads all that was read then"
        again = phx("sources", "replay", checked["bundle"], "--json").json
        assert again["steps"][-1]["told"] == "reads all that was read then"
        assert again["is_fine"] == checked["is_fine"]


def test_a_replay_tells_the_same_on_a_computer_without_stores_and_network(
    deployment: Deployment,
    phx_on: Phx,
    phx: Phx,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    live = phx_on(deployment, "sources", "check", "redfin", "--json")
    bundle = bundle_of(live)
    monkeypatch.setenv("PHX_DATA_DIR", str(elsewhere := tmp_path / "none"))
    monkeypatch.setattr(socket.socket, "connect", _no_network)

    ended = phx("sources", "replay", str(bundle), "--json")

    (checked,) = [ended.json]
    again = {it["step"]: it for it in checked["steps"]}
    assert ended.code == 0
    assert again.pop("replay")["told"] == "reads all that was read then"
    assert "2" in again.pop("asked")["told"]
    assert again == {n: it for n, it in steps(live).items() if n != "bundle"}
    assert not elsewhere.exists()


def _no_network(*_arguments: object) -> None:
    raise AssertionError("a replay asks nobody")


def test_people_read_a_line_for_each_step(deployment: Deployment, phx_on: Phx) -> None:
    ended = phx_on(deployment, "sources", "check", "redfin", "--house", HOUSE.address)

    lines = ended.out.splitlines()
    assert lines[0] == f"redfin, asked for {slug_of(HOUSE)}"
    assert all(line.split()[0] in {"ok", "warn", "kept:"} for line in lines[1:])
    assert "/data/checks/redfin/" in lines[-1]


def test_an_unknown_source_is_told_with_those_there_are(
    deployment: Deployment, phx_on: Phx
) -> None:
    ended = phx_on(deployment, "sources", "check", "redfinn")

    assert (ended.code, "choose from" in ended.err) == (2, True)


# --- not asked


@pytest.mark.parametrize(
    ("held_up", "told", "remedy"),
    [
        ("off", "switched off", "phx sources enable redfin"),
        ("resting", "rests until", "phx sources reset redfin"),
        ("lacking", "the browser is switched off", ""),
    ],
)
def test_a_source_that_is_held_up_is_not_asked_and_told_why(
    tmp_path: Path, phx_on: Phx, held_up: str, told: str, remedy: str
) -> None:
    blocked = frozenset({PAGE}) if held_up == "resting" else frozenset()
    name = "zillow" if held_up == "lacking" else "redfin"
    with Deployment(
        tmp_path, redfin_sites([HOUSE], blocked=blocked), sources=()
    ) as made:
        made.add_houses([HOUSE])
        if held_up == "off":
            phx_on(made, "sources", "disable", "redfin")
        if held_up == "resting":
            phx_on(made, "sources", "check", "redfin")
        asked = len(made.standin.asked)

        ended = phx_on(made, "sources", "check", name, "--json")

        (checked,) = ended.json
        (step,) = checked["steps"]
        assert (ended.code, checked["was_asked"], step["state"]) == (4, False, "failed")
        assert told in step["told"]
        assert remedy in (step["remedy"] or "")
        assert len(made.standin.asked) == asked
        assert (made.settings.data_dir / "checks" / name).exists() is (
            held_up == "resting"
        )


class _Busy:
    """A fetcher whose browser another run has."""

    async def get(self, request: Request) -> Fetched:
        raise LeaseHeldError(f"browser/{request.source} is held by another run")

    async def aclose(self) -> None:
        """There is nothing to close."""


def test_a_source_whose_browser_is_in_use_is_not_asked(deployment: Deployment) -> None:
    with deployment.context() as context:
        busy = replace(context, open_fetcher=lambda _slug: _Busy())
        house = context.house(slug_of(HOUSE))

        checked = asyncio.run(check(busy, context.sources[Source.REDFIN], house))

    (step,) = checked.steps
    assert (checked.was_asked, checked.bundle) == (False, None)
    assert "held by another run" in step.told


# --- faults


def instead(answer: Answer, *, at: str = "") -> Handler:
    """The stand-in for Redfin with another answer, to all or where a path begins so."""
    usual = redfin_sites([HOUSE])[PAGE]

    def handle(asked: Asked) -> Answer:
        return answer if asked.target.startswith(at) else usual(asked)

    return handle


def _renamed(asked: Asked) -> Answer:
    """The page with a member that is needed under another name."""
    answer = redfin_sites([HOUSE])[PAGE](asked)
    return replace(answer, body=answer.body.replace(b"addressSectionInfo", b"section"))


def _of_another(asked: Asked) -> Answer:
    """The page of another house, where a house is asked for."""
    answer = redfin_sites([HOUSE])[PAGE](asked)
    if not asked.target.startswith("/AZ/"):
        return answer
    other = replace(HOUSE, number="4873", street="Otherstone")
    whole = redfin_sites([other])[PAGE]
    return whole(replace(asked, target=other.path))


_REFUSAL = Answer(
    status=HTTPStatus.FORBIDDEN,
    body=b"<title>Are you a robot?</title><h1>Are you a robot?</h1>",
    headers={"content-type": "text/html"},
)
FAULTS: dict[str, tuple[dict[str, Handler], dict[str, str], str]] = {
    "a challenge": (
        {PAGE: instead(_REFUSAL)},
        {"answer": "warn", "page": "failed", "outcome": "failed"},
        "blocked",
    ),
    "a challenge in place of the page": (
        {PAGE: instead(_REFUSAL, at="/AZ/")},
        {"answer": "warn", "page": "failed", "outcome": "failed"},
        "blocked",
    ),
    "a page that changed": (
        {PAGE: _renamed},
        {"answer": "ok", "page": "ok", "outcome": "failed"},
        "page_changed",
    ),
    "another house": (
        {PAGE: _of_another},
        {"answer": "ok", "page": "ok", "house": "failed", "outcome": "failed"},
        "wrong_property",
    ),
    "an outage": (
        {PAGE: instead(Answer(status=500))},
        {"answer": "failed", "outcome": "failed"},
        "failed",
    ),
    "a photo that is a page": (
        {"ssl.cdn-redfin.com": lambda _: Answer(body=b"<p>no photo here</p>")},
        {"outcome": "ok", "photos": "ok", "photo": "failed"},
        "listed",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told_at_its_step_and_again_by_the_replay(
    tmp_path: Path, phx_on: Phx, phx: Phx, fault: str
) -> None:
    changed, expected, outcome = FAULTS[fault]
    with Deployment(tmp_path, {**redfin_sites([HOUSE]), **changed}, attempts=1) as made:
        made.add_houses([HOUSE])
        ended = phx_on(made, "sources", "check", "redfin", "--json")

    told = steps(ended)
    assert ended.code == 4
    assert {name: it["state"] for name, it in told.items() if name in expected} == (
        expected
    )
    assert told["outcome"]["told"].startswith(outcome)
    assert told["bundle"]["state"] == "ok"
    failed = [it for it in told.values() if it["state"] == "failed"]
    assert all(it["remedy"] or "`phx " in it["told"] for it in failed)
    again = phx("sources", "replay", str(bundle_of(ended)), "--json")
    replayed = {it["step"]: it for it in again.json["steps"]}
    assert again.code == 4
    assert states(replayed).items() >= expected.items()


def test_one_of_two_that_fails_is_a_partial_end(tmp_path: Path, phx_on: Phx) -> None:
    changed = {ZILLOW_PAGE: lambda _: _REFUSAL}
    with Deployment(tmp_path, sites(**changed), sources=BOTH) as made:
        made.add_houses([HOUSE])

        assert phx_on(made, "sources", "check").code == 3


def test_tls_that_cannot_be_verified_is_told_with_what_to_look_at(
    deployment: Deployment, phx_on: Phx, tmp_path: Path
) -> None:
    trustme.CA().cert_pem.write_to_path(str(other := tmp_path / "other.pem"))

    ended = phx_on(_with(deployment, ca_file=other), "sources", "check", "redfin")

    (line,) = [it for it in ended.out.splitlines() if it.split()[1] == "tls"]
    assert line.split()[0] == "failed"
    assert "clock" in line


def test_a_name_that_does_not_resolve_is_told(
    deployment: Deployment, phx_on: Phx, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unknown(host: str) -> list[str]:
        raise OSError(f"no such name: {host}")

    monkeypatch.setattr("phx_pipeline.fetch.hosts.system_resolve", unknown)

    ended = phx_on(
        _with(deployment, proxy=None), "sources", "check", "redfin", "--json"
    )

    told = steps(ended)
    assert (told["name"]["state"], told["outcome"]["state"]) == ("failed", "failed")
    assert "online" in told["name"]["remedy"]


def test_fewer_photos_than_stated_are_told(tmp_path: Path, phx_on: Phx) -> None:
    def fewer(asked: Asked) -> Answer:
        answer = zillow_sites([HOUSE])[ZILLOW_PAGE](asked)
        stated = re.sub(rb"(photoCount\W+)\d+", rb"\g<1>9", answer.body)
        return replace(answer, body=stated)

    with Deployment(tmp_path, sites(**{ZILLOW_PAGE: fewer}), sources=BOTH) as made:
        made.add_houses([HOUSE])
        ended = phx_on(made, "sources", "check", "zillow", "--json")

    photos = steps(ended, of="zillow")["photos"]
    assert photos["state"] == "warn"
    assert photos["told"].endswith(", not the whole gallery")


class _Changed:
    """A deployment with other settings, for its commands."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings


def _with(made: Deployment, **changed: Any) -> Any:
    return _Changed(replace(made.settings, attempts=1, **changed))


# --- what is kept


def _telling(site: str, house: House) -> Handler:
    """A stand-in whose every page is full of persons and tokens."""
    usual = sites()[site]
    del house
    drawn = {
        "listingAgents": [{"memberFullName": AGENT, "phone": PHONE}],
        "owner": {"name": AGENT, "email": MAIL},
        "sessionToken": TOKEN,
        "note": f"Call {PHONE} or {MAIL} from 192.0.2.77, {TOKEN}",
    }
    script = f"<script>window.told={json.dumps(drawn)}</script>".encode()
    markup = f'<p class="agent-card">{AGENT} {PHONE}</p>'.encode()

    def handle(asked: Asked) -> Answer:
        answer = usual(asked)
        whole = answer.body.replace(b"</head>", b"</head>" + script + markup)
        cookies = {"Set-Cookie": f"visitor={TOKEN}"}
        return replace(answer, body=whole, headers={**answer.headers, **cookies})

    return handle


@pytest.mark.parametrize("source", ["redfin", "zillow"])
def test_a_bundle_names_nobody_and_opens_no_door(
    tmp_path: Path, phx_on: Phx, source: str
) -> None:
    page = {"redfin": PAGE, "zillow": ZILLOW_PAGE}[source]
    with Deployment(
        tmp_path, sites(**{page: _telling(page, HOUSE)}), sources=BOTH
    ) as made:
        made.add_houses([HOUSE])
        ended = phx_on(made, "sources", "check", source, "--json")

    text = text_in(bundle_of(ended, of=source))
    for telling in (AGENT, "Roe", MAIL, PHONE, TOKEN, "192.0.2.77", "127.0.0.1"):
        assert telling not in text
    assert "window.told" in text
    assert steps(ended, of=source)["bundle"]["state"] == "ok"


def test_the_newest_bundles_stay(deployment: Deployment, phx_on: Phx) -> None:
    folder = deployment.settings.data_dir / "checks" / "redfin"
    folder.mkdir(parents=True, exist_ok=True)
    old = [folder / f"20200101T00000{n:01}000000Z_{n:012}.zip" for n in range(9)]
    for path in [*old, folder / "20200101T000010000000Z_0.zip"]:
        path.write_bytes(b"")

    ended = phx_on(deployment, "sources", "check", "redfin", "--json")

    left = sorted(folder.glob("*.zip"))
    assert len(left) == KEPT_BUNDLES
    assert bundle_of(ended) == left[-1]
