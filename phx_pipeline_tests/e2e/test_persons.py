"""Whoever owns, sells or lets a house is named nowhere in what is kept of its pages.

Captured pages are collected through Dagster, then changed ones are, then each source is
checked; then every file below the installation is searched, the databases among them.
"""

import json
import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zipfile import ZipFile

from phx_pipeline.definitions import build_definitions
from phx_pipeline.defs.submit import open_instance
from phx_pipeline.demo.loopback import Answer, Asked, Handler
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.source import Source
from phx_pipeline.sources.maricopa.standin import PAGE_HOST as COUNTY
from phx_pipeline.sources.maricopa.standin import SEARCH_PATH
from phx_pipeline_tests.captured import CAPTURED_ADDRESS as ON_REDFIN
from phx_pipeline_tests.captured import captured_redfin_sites
from phx_pipeline_tests.captured_zillow import CAPTURED_ADDRESS as ON_ZILLOW
from phx_pipeline_tests.captured_zillow import captured_zillow_sites
from phx_pipeline_tests.deployment import Deployment

PARCEL = "15847 W Port Royale Ln, Surprise, AZ 85379"
HOUSES = (ON_REDFIN, ON_ZILLOW, PARCEL)
SOURCES = (Source.REDFIN, Source.ZILLOW, Source.MARICOPA)
TOKEN = "a-token-of-the-tests"  # noqa: S105 - opens nothing
_PHOTO_HOSTS = ("ssl.cdn-redfin.com", "photos.zillowstatic.com")
# Members of any site that tell of people; not the lists that the readers go by.
_OF_PERSONS = re.compile(
    r"\"\w*(?:agent|broker|owner|office|contact|display_?name|business_?name)\w*\\*\""
    r"\s*:\s*\\*\"([A-Z][^\"\\]{3,60})",
    re.IGNORECASE,
)
_TWO_WORDS = re.compile(r"(?!For Sale by)[^\W\d]+\.? [^\W\d]+")
# One member of each page that its reader cannot do without.
_CHANGED = {
    b"mediaBrowserInfo": b"mediaBrowserInfX",
    b"streetAddress": b"streetAddresX",
}


def marked(parcel: Any) -> tuple[bytes, set[str]]:
    """The captured answer with made-up persons, and what they are called."""
    numbers, said = count(), set()

    def mark(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: mark(it) for name, it in value.items()}
        if not isinstance(value, str) and value is not None:
            return value
        said.add(text := f"Kettlemere Q{next(numbers)} Roe")
        return text

    for member in ("Owner", "RentalInformation"):
        parcel[member] = mark(parcel[member])
    return json.dumps(parcel).encode(), said


def county(parcel: bytes, *, row: Mapping[str, str]) -> Handler:
    rows = json.dumps({"TOTAL": 1, "Results": [row]}).encode()

    def answer(asked: Asked) -> Answer:
        is_search = urlsplit(asked.target).path == SEARCH_PATH
        return Answer(body=rows if is_search else parcel)

    return answer


def changed(handler: Handler) -> Handler:
    """The same site, whose pages have another name for what readers need."""

    def answer(asked: Asked) -> Answer:
        given = handler(asked)
        body = given.body
        for name, other in _CHANGED.items():
            body = body.replace(name, other)
        return Answer(status=given.status, headers=given.headers, body=body)

    return answer


def kept_texts(root: Path) -> Iterator[tuple[str, bytes]]:
    """Every file of an installation by its name, and what zips have in them."""
    for path in sorted(root.rglob("*")):
        if not path.is_file():
            continue
        yield str(path.relative_to(root)), path.read_bytes()
        if path.suffix == ".zip":
            with ZipFile(path) as bundle:
                for name in bundle.namelist():
                    yield f"{path.name}/{name}", bundle.read(name)


def run_through_dagster(made: Deployment) -> list[ListingOutcome | None]:
    """Materialize every house by Dagster; return how each source ended for any."""
    with made.context() as context, open_instance(made.settings) as instance:
        instance.add_dynamic_partitions("property", context.catalog.slugs())
        defs = build_definitions(resources={"pipeline": context})
        job = defs.resolve_job_def("extract_property")
        for slug in context.catalog.slugs():
            job.execute_in_process(
                partition_key=slug, instance=instance, raise_on_error=False
            )
        tallies = context.tallies()
    return [it.outcome for tally in tallies for it in tally.sources]


def test_nobody_is_named_in_anything_that_is_kept(
    shared_dir: Path, tmp_path: Path
) -> None:
    samples = shared_dir / "samples"
    captured = {
        **captured_redfin_sites(shared_dir),
        **captured_zillow_sites(shared_dir),
    }
    captured |= dict.fromkeys(
        _PHOTO_HOSTS, lambda _asked: Answer(status=HTTPStatus.NOT_FOUND)
    )
    file = samples / "maricopa/parcel_501-79-577.json"
    parcel, persons = marked(json.loads(file.read_text()))
    row = {
        "APN": "501-79-577",
        "Ownership": "Kettlemere Q Roe",
        "SitusAddress": "15847 W PORT ROYALE LN",
        "SitusCity": "SURPRISE",
        "SitusZip": "85379",
    }
    persons |= {"Kettlemere", TOKEN}
    for page in [
        *samples.glob("redfin/*.html"),
        *samples.glob("zillow/property*.json"),
    ]:
        found = _OF_PERSONS.findall(page.read_text(errors="replace"))
        persons |= {name for name in found if _TWO_WORDS.match(name)}
    assert len(persons) > 60
    sites = captured | {COUNTY: county(parcel, row=row)}

    root = tmp_path / "made"
    with Deployment(root, sites, sources=SOURCES, maricopa_token=TOKEN) as made:
        made.add(HOUSES)
        outcomes = run_through_dagster(made)
        assert outcomes.count(ListingOutcome.LISTED) == 2
        assert outcomes.count(ListingOutcome.LISTED_EMPTY) == 1
    pages = {host: changed(site) for host, site in sites.items()}
    with Deployment(root, pages, sources=SOURCES, maricopa_token=TOKEN) as made:
        outcomes = run_through_dagster(made)
        assert outcomes.count(ListingOutcome.PAGE_CHANGED) >= 2
        for source, house in zip(SOURCES, HOUSES, strict=True):
            made.phx("sources", "check", source.value, "--house", house)

        kept = dict(kept_texts(root))
    names = " ".join(kept)
    assert "quarantine" in names
    assert names.count(".zip/manifest.json") == len(SOURCES)
    said = {
        person: [name for name, body in kept.items() if person.encode() in body]
        for person in persons
    }
    assert {person: where for person, where in said.items() if where} == {}
