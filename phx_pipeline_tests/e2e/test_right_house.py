"""Two houses whose pages carry each other's cards, and a photo in the wrong gallery."""

import asyncio
import json
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import dagster as dg
import pytest
from click.testing import CliRunner

from phx_pipeline.catalog.leases import process_owner
from phx_pipeline.cli.quarantine import quarantine as quarantine_command
from phx_pipeline.defs.checks import results
from phx_pipeline.demo.houses import HOUSES, House
from phx_pipeline.demo.loopback import Answer, Asked, Handler
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.errors import InputError
from phx_pipeline.model.identity import property_lease
from phx_pipeline.model.job import Mode
from phx_pipeline.model.outcome import Verdict, VerdictKind
from phx_pipeline.model.quarantine import Likeness
from phx_pipeline.model.ruling import PhotoRuling
from phx_pipeline.reads.quarantine import CaseKind, cases
from phx_pipeline.sources.redfin.standin import PAGE_HOST
from phx_pipeline.sources.redfin.standin_photos import PHOTO_HOST
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.discover import discover
from phx_pipeline.stages.extract import extract
from phx_pipeline.stages.guard import guard
from phx_pipeline.stages.partners import settle_called
from phx_pipeline.stages.views import refresh_views
from phx_pipeline.workflows.quarantine import drop, release
from phx_pipeline.workflows.verify import content_digest, verify_property, verify_views
from phx_pipeline_tests.commands import Phx, UseSettings
from phx_pipeline_tests.deployment import (
    Deployment,
    slug_of,
    verdicts_of,
    with_shots,
)
from phx_pipeline_tests.expected import expected_verdicts

pytestmark = pytest.mark.xdist_group("right_house")  # all copy the same store

(_THERE,) = (house for house in HOUSES if house.number == "7316")
(_HOME,) = (house for house in HOUSES if house.number == "15238")
# Ordinary photos; of THERE one that is no picture, of HOME a damaged one.
THERE = with_shots(_THERE, 0, 1, 2, 3, 4, 7)
HOME = with_shots(_HOME, 0, 1, 2, 3, 5, 6, 9)
PAIR = (THERE, HOME)
# The third photo of HOME has a smaller copy at the last place.
PLACE, STRAY, COPY = 3, 2, 6
STRAY_KEY = HOME.record.photo_key(STRAY)


def with_other_photo(page: bytes, *, of: House, place: int, shown: str) -> bytes:
    """Return a listing page that shows another photo at one place of its gallery."""
    own = f"{of.record.folder}/{{}}{of.record.file_name(place)}"
    for prefix in ("", "genMid.", "genBcs.", "genTmb."):
        for slash in ("/", "\\u002F"):
            old = own.format(prefix).replace("/", slash).encode()
            new = shown.format(prefix).replace("/", slash).encode()
            page = page.replace(old, new)
    return page


def url_part(house: House, place: int) -> str:
    return f"{house.record.folder}/{{}}{house.record.file_name(place)}"


def sites_with(*changed: tuple[House, int, str]) -> dict[str, Handler]:
    """Return the two houses' sites; each change puts another photo at a place."""
    sites = redfin_sites(PAIR)
    pages = sites[PAGE_HOST]

    def answer(asked: Asked) -> Answer:
        given = pages(asked)
        for house, place, shown in changed:
            if asked.target == house.path:
                body = with_other_photo(given.body, of=house, place=place, shown=shown)
                given = replace(given, body=body)
        return given

    return sites | {PAGE_HOST: answer}


def stray_sites() -> dict[str, Handler]:
    """The gallery of THERE shows a photo of HOME, which shows it too."""
    return sites_with((THERE, PLACE, url_part(HOME, STRAY)))


def run(context: StageContext, houses: Sequence[House]) -> None:
    for house in houses:
        asyncio.run(extract(context, slug_of(house)))
    settle_called(context, [slug_of(house) for house in houses])
    refresh_views(context)


def problems(context: StageContext) -> list[str]:
    found = [
        problem
        for slug in context.catalog.slugs()
        for problem in verify_property(context, slug)
    ]
    return [problem.text for problem in [*found, *verify_views(context)]]


def expected_there() -> dict[str, Verdict]:
    own = expected_verdicts(THERE)
    own.pop(THERE.record.photo_key(PLACE))
    return own | {STRAY_KEY: Verdict.FOREIGN}


def expected_home() -> dict[str, Verdict]:
    changed = {
        STRAY_KEY: Verdict.FOREIGN,
        HOME.record.photo_key(COPY): Verdict.KEPT,
    }
    return expected_verdicts(HOME) | changed


@pytest.fixture
def stray(tmp_path: Path) -> Iterator[Deployment]:
    """Both houses, at sites that show a photo in both galleries."""
    with Deployment(tmp_path / "stray", stray_sites()) as made:
        made.add_houses(PAIR)
        yield made


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """What a run of both houses on those sites leaves."""

    root: Path
    digest: str
    files: set[str]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    root = tmp_path_factory.mktemp("whole")
    with Deployment(root, stray_sites()) as made:
        made.add_houses(PAIR)
        with made.context() as context:
            run(context, PAIR)
            digest = content_digest(context)
        return Whole(root=root, digest=digest, files=set(made.files()))


@pytest.fixture
def collected(whole: Whole, tmp_path: Path) -> Iterator[Deployment]:
    """A copy of what that run left, at the same sites."""
    root = shutil.copytree(whole.root, tmp_path / "collected")
    with Deployment(root, stray_sites()) as made:
        yield made


def test_cards_of_the_other_house_give_no_photo_and_no_alarm(tmp_path: Path) -> None:
    with Deployment(tmp_path, redfin_sites(PAIR)) as made:
        made.add_houses(PAIR)
        with made.context() as context:
            run(context, PAIR)

            for house in PAIR:
                assert verdicts_of(context, house) == expected_verdicts(house)
            assert cases(context.catalog) == []


def test_a_photo_in_two_galleries_is_published_in_neither(
    collected: Deployment,
) -> None:
    with collected.context() as context:
        assert verdicts_of(context, THERE) == expected_there()
        assert verdicts_of(context, HOME) == expected_home()
        urls = {image.source_url for image in context.catalog.published_images()}
        assert not any(HOME.record.file_name(STRAY) in url for url in urls)
        assert problems(context) == []


def test_the_order_of_the_houses_does_not_change_the_result(
    stray: Deployment, whole: Whole
) -> None:
    with stray.context() as context:
        run(context, PAIR[::-1])

        assert verdicts_of(context, THERE) == expected_there()
        assert verdicts_of(context, HOME) == expected_home()
        assert content_digest(context) == whole.digest
        assert problems(context) == []
    assert set(stray.files()) == whole.files


def test_running_together_does_not_change_the_result(
    stray: Deployment, whole: Whole
) -> None:
    runs = [
        subprocess.Popen(  # noqa: S603 - the tests' own command
            stray.command("extract", "--sync", "--address", slug_of(house)),
            env=stray.env,
            stdout=subprocess.DEVNULL,
        )
        for house in PAIR
    ]

    codes = [process.wait(timeout=300) for process in runs]

    assert codes == [0, 0]
    with stray.context() as context:
        assert content_digest(context) == whole.digest
        assert problems(context) == []
    assert set(stray.files()) == whole.files


def test_the_partner_is_left_alone_and_gets_one_run_of_its_own(
    stray: Deployment, whole: Whole
) -> None:
    with stray.context() as context:
        run(context, [HOME])
        for _again in range(2):
            asyncio.run(extract(context, slug_of(THERE)))

        (item,) = context.catalog.jobs.waiting(limit=9)
        asked = len(stray.standin.asked)
        assert (item.slug, item.mode) == (slug_of(HOME), Mode.RESUME)
        assert verdicts_of(context, HOME) == expected_verdicts(HOME)
        assert verdicts_of(context, THERE) == expected_there()

        asyncio.run(extract(context, slug_of(HOME), mode=item.mode))
        refresh_views(context)

        assert len(stray.standin.asked) == asked
        assert verdicts_of(context, HOME) == expected_home()
        assert content_digest(context) == whole.digest
        assert problems(context) == []


def test_a_partner_somebody_works_on_waits_and_is_settled_by_the_next_command(
    stray: Deployment, whole: Whole, phx_on: Phx
) -> None:
    slug, impatient = slug_of(HOME), replace(stray.settings, lease_wait_s=0)
    phx_on(stray, "extract", "--sync", "--address", slug)
    patient, stray.settings = stray.settings, impatient
    with stray.context("somebody") as context:
        name, owner = property_lease(slug), process_owner("somebody")
        with context.catalog.leases.hold(name, owner=owner):
            first = phx_on(stray, "extract", "--sync", "--address", slug_of(THERE))
        (item,) = context.catalog.jobs.waiting(limit=9)
        stray.settings = patient
        asked = len(stray.standin.asked)
        second = phx_on(stray, "extract", "--sync", "--address", slug)

        assert (first.code, second.code, item.slug) == (0, 0, slug)
        assert f"{slug} is being worked on" in first.err
        assert "left out" not in second.out
        assert len(stray.standin.asked) == asked
        assert context.catalog.jobs.waiting(limit=9) == []
        assert content_digest(context) == whole.digest
        assert problems(context) == []


def test_a_command_settles_the_partner_before_it_ends(
    stray: Deployment, whole: Whole, phx_on: Phx
) -> None:
    slugs = [slug_of(house) for house in PAIR[::-1]]
    ended = [phx_on(stray, "extract", "--sync", "--address", slug) for slug in slugs]

    assert [end.code for end in ended] == [0, 0]
    assert ended[1].err.startswith(f"{slugs[0]} is published anew")
    with stray.context() as context:
        assert context.catalog.jobs.waiting(limit=9) == []
        assert content_digest(context) == whole.digest
        assert problems(context) == []
        records = context.catalog.runs.newest(limit=9)
    assert [record.run_id.partition("-")[0] for record in records] == [
        "settle",
        "cli",
        "cli",
    ]


def test_the_counts_add_up_with_held_photos(collected: Deployment) -> None:
    with collected.context() as context:
        for house, held in ((THERE, 1), (HOME, 1)):
            tally = context.tally(slug_of(house))
            photos = context.catalog.photos(slug_of(house))
            foreign = sum(photo.verdict is Verdict.FOREIGN for photo in photos)
            assert tally.discovered == len(photos)
            assert sum(tally.count(kind) for kind in VerdictKind) == len(photos)
            assert foreign == held


def test_a_second_run_changes_nothing_and_asks_for_no_photo(
    collected: Deployment, whole: Whole
) -> None:
    files = collected.files()
    with collected.context() as context:
        run(context, PAIR)

        assert content_digest(context) == whole.digest
    assert collected.files() == files
    assert collected.photos_asked() == []


@pytest.mark.parametrize("later", PAIR, ids=["there", "home"])
def test_a_run_killed_before_it_published_the_partner_is_made_good(
    stray: Deployment, whole: Whole, later: House
) -> None:
    with stray.context() as context:
        run(context, [HOME])
        asyncio.run(discover(context, slug_of(THERE)))
        settle_called(context, [slug_of(THERE)])
        # As a kill leaves it: held again, nothing decided and published since.
        (case,) = cases(context.catalog, slug_of(HOME))
        release(context, case.id)
        with context.holding(slug_of(HOME)) as lease:
            (released,) = context.catalog.rulings.all()
            back = replace(released, id=str(uuid4()), value=PhotoRuling.OPEN.value)
            context.catalog.rulings.record(lease, back)
            guard(context, lease, slug_of(HOME))
        assert context.catalog.publications(slug_of(HOME)) == []

        run(context, [later])
        repaired = problems(context) if later is HOME else []
        run(context, PAIR)

        assert repaired == []
        assert content_digest(context) == whole.digest
        assert problems(context) == []


def test_photos_swapped_between_two_listings_are_held_on_both(tmp_path: Path) -> None:
    swap = sites_with(
        (THERE, PLACE, url_part(HOME, PLACE)), (HOME, PLACE, url_part(THERE, PLACE))
    )
    with Deployment(tmp_path, swap) as made:
        made.add_houses(PAIR)
        with made.context() as context:
            run(context, PAIR)

            for house, other in (PAIR, PAIR[::-1]):
                foreign = other.record.photo_key(PLACE)
                found = verdicts_of(context, house)
                assert found[foreign] is Verdict.FOREIGN
                assert house.record.photo_key(PLACE) not in found
            whys = [case.why for case in cases(context.catalog)]
            assert all("filed under listing" in why for why in whys)
            assert len(whys) == 2
            assert problems(context) == []


def test_the_same_picture_under_two_keys_is_kept_and_alarmed(
    tmp_path: Path, phx_on: Phx
) -> None:
    sites = redfin_sites(PAIR)
    photos = sites[PHOTO_HOST]
    own, other = (house.record.file_name(PLACE) for house in PAIR)

    def answer(asked: Asked) -> Answer:
        if asked.target.endswith(own):
            mine, theirs = (f"/{house.record.folder}/" for house in PAIR)
            target = asked.target.replace(own, other).replace(mine, theirs)
            asked = replace(asked, target=target)
        return photos(asked)

    with Deployment(tmp_path, sites | {PHOTO_HOST: answer}) as made:
        made.add_houses(PAIR)
        with made.context() as context:
            run(context, PAIR)
            found = cases(context.catalog)
            ended = phx_on(made, "extract", "--all", "--sync")
            rows = phx_on(made, "quarantine", "list", "--json").json
            assert ended.code == 0
            for house in PAIR:
                slug = slug_of(house)
                assert f"look: {slug}: 1 photo may be of another house" in ended.out
                assert f"`phx quarantine list --property {slug}`" in ended.out
            assert len({Path(row["file"]).read_bytes() for row in rows}) == 1
            (seen,) = context.catalog.quarantine.lookalikes()
            checks = {
                check.check_name: check for check in results(context, slug_of(THERE))
            }

            assert {case.kind for case in found} == {CaseKind.ALIKE}
            assert {case.photo.slug for case in found} == set(map(slug_of, PAIR))
            assert seen.pair.likeness is Likeness.SAME_BYTES
            for house in PAIR:
                assert verdicts_of(context, house) == expected_verdicts(house)
    check = checks["right_house"]
    table = check.metadata["photos"].value
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert isinstance(table, str)
    assert "7316 E Copper Thrush Ave" in table
    assert "15238 N Quail Lantern Dr" in table
    assert "data:image/jpeg;base64," in table
    assert len(table) <= 12_000


def test_a_released_photo_is_kept_for_ever_and_a_dropped_one_never(
    collected: Deployment,
) -> None:
    with collected.context() as context:
        by_slug = {case.photo.slug: case for case in cases(context.catalog)}
        home, there = by_slug[slug_of(HOME)], by_slug[slug_of(THERE)]

        release(context, home.id)
        drop(context, there.id)
        run(context, PAIR)

        assert verdicts_of(context, HOME) == expected_verdicts(HOME)
        assert verdicts_of(context, THERE) == expected_there()
        assert cases(context.catalog) == []
        rulings = {
            case.photo.slug: case.ruling
            for case in cases(context.catalog, settled=True)
        }
        assert rulings == {
            slug_of(HOME): PhotoRuling.RELEASED,
            slug_of(THERE): PhotoRuling.DROPPED,
        }
        assert problems(context) == []


def test_dropping_one_side_frees_the_other(collected: Deployment) -> None:
    with collected.context() as context:
        (there,) = cases(context.catalog, slug_of(THERE))

        drop(context, there.id)
        settle_called(context, [slug_of(THERE)])
        refresh_views(context)

        assert verdicts_of(context, HOME)[STRAY_KEY] is Verdict.KEPT
        assert verdicts_of(context, THERE)[STRAY_KEY] is Verdict.FOREIGN
        assert cases(context.catalog) == []
        assert problems(context) == []


def test_a_ruling_given_twice_changes_nothing(collected: Deployment) -> None:
    with collected.context() as context:
        (home,) = cases(context.catalog, slug_of(HOME))
        first = release(context, home.id)
        digest = content_digest(context)

        again = release(context, home.id[:6].upper())
        refresh_views(context)

        assert (first.changed, again.changed) == (True, False)
        assert content_digest(context) == digest
        assert problems(context) == []


@pytest.mark.parametrize("unknown", ["", "0", "zzzz", "0123456789"])
def test_an_unknown_id_is_refused_with_the_remedy(
    stray: Deployment, unknown: str
) -> None:
    with (
        stray.context() as context,
        pytest.raises(InputError, match="phx quarantine list"),
    ):
        release(context, unknown)


def test_the_commands_list_release_and_drop(
    collected: Deployment, use_settings: UseSettings
) -> None:
    use_settings(collected.settings)
    cli = CliRunner()
    listed = cli.invoke(quarantine_command, ["list", "--json"])
    assert listed.exit_code == 0, listed.exception
    rows = {row["property"]: row for row in json.loads(listed.output)}
    home, there = rows[slug_of(HOME)], rows[slug_of(THERE)]

    done = [
        cli.invoke(quarantine_command, ["release", home["id"]]),
        cli.invoke(quarantine_command, ["drop", there["id"], "--json"]),
        cli.invoke(quarantine_command, ["list"]),
    ]

    assert [result.exit_code for result in done] == [0, 0, 0]
    assert home["state"] == there["state"] == "held"
    assert home["others"][0]["address"].startswith("7316 E Copper Thrush Ave")
    assert home["url"].startswith("https://")
    assert there["url"] == home["url"]
    assert there["file"] == home["file"]
    assert Path(home["file"]).is_file()
    assert done[0].output.startswith("released: 15238-n-quail")
    assert [row["ruling"] for row in json.loads(done[1].output)] == ["dropped"]
    assert "no photo waits" in done[2].output
