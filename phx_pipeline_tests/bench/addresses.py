#!/usr/bin/env python
"""How surely addresses are told apart and told the same, beside kept libraries.

    python -m phx_pipeline_tests.bench.addresses --samples ../shared/samples

Half of 1,000 addresses are made up around Phoenix, half come from captured search
pages. Each is written ten times in other ways (all must be the same door) and compared
with other doors close by (none may be). `usaddress` and `usaddress-scourgify` are
measured too where they are installed; nothing here needs them.
"""

import importlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import click

from phx_pipeline.errors import InputError
from phx_pipeline.model.address import Address
from phx_pipeline_tests.spellings import made_addresses, neighbours, respelled
from phx_pipeline_tests.unit.model.test_address_matching import DIFFERENT, SAME

_EACH = 500  # addresses made up, and of pages
_RESPELLINGS = 10
_NUMBERED = re.compile(r"\d[\w-]* \w[^,()]+, [A-Za-z .]+, [A-Z]{2} \d{5}")
_WINDOW = 900  # characters around a street line in which its city and ZIP stand

Key = Callable[[str], str | None]  # None: refused


@dataclass(kw_only=True)
class Score:
    """How often one reader was right, and what it did with the rest."""

    reader: str
    counts: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        """Return a row of a Markdown table."""
        names = ("pairs", "wrong merges", "missed merges", "refused")
        table = ("table wrong", "table missed")
        cells = [f"{self.counts[name]:,}" for name in (*names, *table)]
        return f"| {' | '.join([self.reader, *cells])} |"


@click.command()
@click.option("--samples", type=click.Path(exists=True, path_type=Path), required=True)
def main(samples: Path) -> None:
    """Compare the readers on addresses of SAMPLES and on made-up ones."""
    found = [text for text in sample_addresses(samples) if _ours(text)]
    chosen = Random(_EACH).sample(sorted(found), min(_EACH, len(found)))  # noqa: S311 - no secret
    addresses = [*made_addresses(_EACH, seed=1), *chosen]
    click.echo(f"{len(addresses)} addresses, {len(chosen)} of them from pages\n")
    click.echo("| reader | pairs | wrong | missed | refused | table wrong | missed |")
    click.echo("|---|---|---|---|---|---|---|")
    for reader, key in readers():
        click.echo(str(measure(reader, key, addresses)))


def measure(reader: str, key: Key, addresses: list[str]) -> Score:
    """Read every address in all its spellings, and the doors around it."""
    score = Score(reader=reader)
    for address in addresses:
        own = key(address)
        for seed in range(_RESPELLINGS):
            _count(score, own, key(respelled(address, seed=seed)), same=True)
        for other in neighbours(address):
            _count(score, own, key(other), same=False)
    where = ", Phoenix, AZ 85003"
    for group, same in ((SAME, True), (DIFFERENT, False)):
        for lines in group:
            whole = [t if re.search(r"\d{5}$", t) else t + where for t in lines]
            first, *others = map(key, whole)
            for read in others:
                _count(score, first, read, same=same, prefix="table ")
    return score


def _count(
    score: Score, own: str | None, other: str | None, *, same: bool, prefix: str = ""
) -> None:
    score.counts["pairs"] += not prefix
    alike = own is not None and own == other
    if not prefix and (own is None or other is None):
        score.counts["refused"] += 1
    if same and not alike:
        score.counts[f"{prefix}missed" if prefix else "missed merges"] += 1
    if alike and not same:
        score.counts[f"{prefix}wrong" if prefix else "wrong merges"] += 1


# --- readers --------------------------------------------------------------------------


def readers() -> Iterator[tuple[str, Key]]:
    """Yield ours, and the kept libraries that are installed."""
    yield "ours", _ours
    for name, make in (("usaddress", _usaddress), ("usaddress-scourgify", _scourgify)):
        try:
            yield name, make()
        except ImportError:
            click.echo(f"{name}: left out, it is not installed", err=True)


def _ours(text: str) -> str | None:
    try:
        return Address.parse(text).match_key
    except InputError:
        return None


def _usaddress() -> Key:
    """Its labels without the city, the unit's word and dots, in small letters."""
    usaddress = importlib.import_module("usaddress")
    passed_over = {"PlaceName", "StateName", "OccupancyType", "CountryName"}

    def key(text: str) -> str | None:
        try:
            labels, _ = usaddress.tag(text)
        except usaddress.RepeatedLabelError:
            return None
        told = {k: v.lower().strip("#. ") for k, v in labels.items()}
        told["ZipCode"] = told.get("ZipCode", "")[:5]
        return json.dumps({k: v for k, v in told.items() if k not in passed_over})

    return key


def _scourgify() -> Key:
    """Its lines without the unit's word, and the ZIP."""
    module = importlib.import_module("scourgify")
    errors = importlib.import_module("scourgify.exceptions")

    def key(text: str) -> str | None:
        try:
            told = module.normalize_address_record(text)
        except (errors.AddressNormalizationError, ValueError):
            return None
        unit = re.sub(r"^\w+ (?=\S)", "", told["address_line_2"] or "")
        code = (told["postal_code"] or "")[:5]
        return json.dumps([told["address_line_1"], unit, code])

    return key


# --- addresses of pages ---------------------------------------------------------------


def sample_addresses(samples: Path) -> set[str]:
    """Return the addresses captured search pages show, as their sites write them."""
    files = sorted(samples.glob("zillow/search_*")) + sorted(
        samples.glob("redfin/search_*")
    )
    texts = [
        file.read_text("utf-8", errors="replace").replace('\\"', '"') for file in files
    ]
    found = {text for page in texts for text in (*_whole(page), *_put_together(page))}
    return {text for text in found if _NUMBERED.fullmatch(text)}


def _whole(page: str) -> Iterator[str]:
    yield from re.findall(r'"address"\s*:\s*"([^"\\]{8,120})"', page)


def _put_together(page: str) -> Iterator[str]:
    lines = r'"(?:streetAddress"|streetLine":\{[^{}]*?"value")\s*:\s*"([^"\\]+)"'
    for line in re.finditer(lines, page):
        around = page[max(0, line.start() - _WINDOW) : line.end() + _WINDOW]
        parts = [
            re.search(pattern, around)
            for pattern in (
                r'"city"\s*:\s*"([^"\\]+)"',
                r'"state"\s*:\s*"([A-Z]{2})"',
                r'"(?:zipcode|zip|value)"\s*:\s*"(\d{5})"',
            )
        ]
        city, state, code = (part[1] if part else "" for part in parts)
        yield f"{line[1]}, {city}, {state} {code}"


if __name__ == "__main__":
    main()
