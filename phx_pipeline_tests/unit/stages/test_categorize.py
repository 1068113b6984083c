"""What backends are shown of a house, and what is kept of what they say."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

import pytest

from phx_pipeline.catalog.store import Catalog
from phx_pipeline.categorize.base import Abstention, Evidence, Vote
from phx_pipeline.demo.rooms import RoomKind
from phx_pipeline.errors import ImageError, StorageError
from phx_pipeline.model.outcome import Verdict
from phx_pipeline.model.photo import Photo, PhotoRef
from phx_pipeline.model.source import Source
from phx_pipeline.model.taxonomy import Subject
from phx_pipeline.stages.categorize import CategorizeReport, categorize
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.dedupe import dedupe
from phx_pipeline.stages.evidence import Originals, evidence_of
from phx_pipeline_tests.deployment import Deployment
from phx_pipeline_tests.drawn_house import drawn_house

# What each photo shows: two of them are copies.
GALLERY = {
    "again": RoomKind.KITCHEN,
    "kitchen": RoomKind.KITCHEN,
    "pool": RoomKind.POOL,
}
KITCHEN = (Source.REDFIN, "again")  # the first in gallery order of equal copies
POOL = (Source.REDFIN, "pool")

_LISTED = Photo(
    property_slug="4732-w-davis-rd-glendale-az-85306",
    ref=PhotoRef(source=Source.REDFIN, photo_key="", url="", position=0),
    listed_on=None,
    first_seen_on=date(2025, 3, 8),
    present=True,
    verdict=Verdict.KEPT,
)


def photo(
    key: str,
    *,
    cluster: str | None,
    verdict: Verdict = Verdict.KEPT,
    source: Source = Source.REDFIN,
    caption: str = "",
) -> Photo:
    ref = replace(_LISTED.ref, photo_key=key, source=source, caption=caption)
    return replace(_LISTED, ref=ref, verdict=verdict, cluster_id=cluster, sha256=key)


def evidence(context: StageContext, *photos: Photo) -> dict[str, Evidence]:
    found = evidence_of(photos, Originals(context))
    return {key: it for (_, key), it in found.items()}


def told(picture: Evidence) -> list[str]:
    return [said.photo_key for said in picture.said]


@dataclass
class Sayer:
    """A backend that says what it was told to, and remembers what it was shown."""

    says: Mapping[str, float] = field(default_factory=dict)
    name: str = "sayer"
    version: str = "1"
    knows: frozenset[Subject] = frozenset(Subject)
    looks: bool = False
    sees: Subject = Subject.KITCHEN
    fails: bool = False
    shown: list[str] = field(default_factory=list)

    def reads(self, evidence: Evidence) -> str:
        return "" if self.looks else str(len(evidence.said))

    def categorize(self, pictures: list[Evidence]) -> list[Vote | Abstention]:
        return [self._say(picture) for picture in pictures]

    def _say(self, picture: Evidence) -> Vote | Abstention:
        self.shown.append("+".join(told(picture)))
        try:
            if self.looks:
                picture.pixels()
        except (ImageError, StorageError) as error:
            return self._silent(str(error))
        if self.fails:
            return replace(self._silent("the disk is full"), is_passing=True)
        p = self.says.get(picture.said[0].photo_key)
        return self._silent("never seen it") if p is None else self._vote(p)

    def _vote(self, p: float) -> Vote:
        told = {self.sees: p}
        return Vote(backend=self.name, version=self.version, probabilities=told)

    def _silent(self, reason: str) -> Abstention:
        return Abstention(backend=self.name, version=self.version, reason=reason)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A house with two pictures, one of them twice."""
    with drawn_house(tmp_path_factory.mktemp("categorize"), GALLERY) as made:
        with made.context() as context:
            dedupe(context, *context.catalog.slugs())
        yield made


@pytest.fixture
def context(made: Deployment) -> Iterator[StageContext]:
    """Without what earlier tests had said and named."""
    with made.context() as context:
        with context.catalog._engine.begin() as connection:
            connection.exec_driver_sql("delete from vote")
            connection.exec_driver_sql("delete from category")
        yield context


def named_by(context: StageContext, *backends: Sayer) -> CategorizeReport:
    (slug,) = context.catalog.slugs()
    return categorize(replace(context, categorizers=backends), slug)


def probabilities(context: StageContext) -> dict[str, float]:
    (slug,) = context.catalog.slugs()
    named = context.catalog.votes.named(slug)
    return {key: it.probability for (_, key), it in named.items()}


def test_all_copies_of_a_picture_are_one_piece_of_evidence(
    context: StageContext,
) -> None:
    found = evidence(
        context,
        photo("r1", cluster="1", caption="of r1"),
        photo("z1", cluster="1", source=Source.ZILLOW, verdict=Verdict.DUPLICATE),
        photo("waiting", cluster=None, verdict=Verdict.PENDING),
        photo("broken", cluster=None, verdict=Verdict.DAMAGED),
        photo("r2", cluster="2"),
    )

    assert {key: told(it) for key, it in found.items()} == {
        "r1": ["r1", "z1"],
        "r2": ["r2"],
    }
    assert found["r1"].sha256 == "r1"
    assert found["r1"].said[0].caption == "of r1"


def test_captions_repeat_within_one_listing_only(context: StageContext) -> None:
    house = [photo(f"r{n}", cluster=f"{n}", caption="Oak Park") for n in range(3)]
    zillow = photo("z", cluster="9", caption="Oak Park", source=Source.ZILLOW)

    found = evidence(context, *house, zillow)

    assert {key: it.said[0].repeats for key, it in found.items()} == {
        "r0": True,
        "r1": True,
        "r2": True,
        "z": False,
    }


def test_votes_are_asked_for_once_for_all_copies_and_runs(
    context: StageContext,
) -> None:
    sayer = Sayer({"again": 0.8}, looks=True)

    first, second = named_by(context, sayer), named_by(context, sayer)

    assert sorted(sayer.shown) == ["again+kitchen", "pool"]
    assert first == CategorizeReport(
        pictures=2, named=1, unknown=1, disputed=0, changed=2, voted={"sayer": 1}
    )
    assert second == replace(first, changed=0)


def test_only_what_is_new_is_asked_for(context: StageContext) -> None:
    old = Sayer({"again": 0.8})
    named_by(context, old)

    other = Sayer({"again": 0.6}, name="other")
    newer = Sayer({"pool": 0.9}, version="2")
    report = named_by(context, other, newer)

    assert len(other.shown) == len(newer.shown) == 2
    assert report.changed == 2
    assert probabilities(context) == {"again": 0.6, "pool": 0.9}
    named_by(context, old)
    assert len(old.shown) == 4  # its answers gave way to those of version 2


def test_changed_votes_are_stored_even_where_the_category_stays(
    context: StageContext,
) -> None:
    named_by(context, Sayer({"again": 0.811}))

    report = named_by(context, Sayer({"again": 0.812}, version="2"))

    (slug,) = context.catalog.slugs()
    named = context.catalog.votes.named(slug)[KITCHEN]
    assert report.changed == 0
    assert (named.probability, named.votes[0].version) == (0.812, "2")


def test_what_cannot_be_read_is_asked_about_again(
    context: StageContext, caplog: pytest.LogCaptureFixture
) -> None:
    (slug,) = context.catalog.slugs()
    (sha,) = {it.sha256 for it in context.catalog.photos(slug) if it.key == POOL}
    original = context.layout.raw(str(sha))
    sayer = Sayer({"pool": 0.9}, looks=True)
    aside = original.rename(original.with_name("aside"))

    named_by(context, sayer)
    without = probabilities(context)
    aside.rename(original)
    named_by(context, sayer)

    assert without == {"again": 0.0, "pool": 0.0}
    assert probabilities(context) == {"again": 0.0, "pool": 0.9}
    assert sayer.shown.count("pool") == 2
    assert sayer.shown.count("again+kitchen") == 1
    (line,) = caplog.messages
    assert line.startswith(f"original {str(sha)[:12]}: ")


def test_what_a_backend_could_not_do_just_now_is_asked_about_again(
    context: StageContext, caplog: pytest.LogCaptureFixture
) -> None:
    sayer = Sayer({"again": 0.8}, fails=True)
    named_by(context, sayer)

    sayer.fails = False
    named_by(context, sayer)

    assert probabilities(context) == {"again": 0.8, "pool": 0.0}
    assert caplog.messages == ["2 pictures named without sayer: the disk is full"]


def test_what_was_said_before_a_kill_is_not_asked_for_again(
    context: StageContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    sayer = Sayer({"again": 0.8})

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(Catalog, "record_categories", killed)
        with pytest.raises(KeyboardInterrupt):
            named_by(context, sayer)
    assert probabilities(context) == {}

    named_by(context, sayer)

    assert probabilities(context) == {"again": 0.8, "pool": 0.0}
    assert len(sayer.shown) == 2


def test_pixels_are_small_and_square(context: StageContext) -> None:
    (slug,) = context.catalog.slugs()
    found = evidence_of(context.catalog.photos(slug), Originals(context))

    pixels = found[KITCHEN].pixels()

    assert pixels.shape == (224, 224, 3)
    assert pixels.itemsize == 1


def test_without_backends_nothing_is_named(context: StageContext) -> None:
    report = named_by(context)

    assert (report.named, report.unknown, report.voted) == (0, 2, {})


def test_who_objects_makes_a_name_disputed(context: StageContext) -> None:
    objecting = Sayer({"again": 0.7}, name="other", sees=Subject.LAUNDRY)

    report = named_by(context, Sayer({"again": 0.9}), objecting)

    assert (report.disputed, report.voted) == (1, {"sayer": 1, "other": 1})


def test_what_a_missing_one_has_said_goes_on_counting(
    context: StageContext, caplog: pytest.LogCaptureFixture
) -> None:
    (slug,) = context.catalog.slugs()
    named_by(context, Sayer({"again": 0.9}))
    before = context.catalog.votes.named(slug)
    away = Sayer({"pool": 0.9}, version="2")  # what it would say by now
    lacking = replace(
        context,
        away_categorizers=(away,),
        lacks_categorizers={"sayer": "no wheel"},
        run_id="away",
    )

    report = named_by(lacking)

    assert (report.changed, report.voted, away.shown) == (0, {"sayer": 1}, [])
    assert context.catalog.votes.named(slug) == before
    assert caplog.messages == ["new pictures are named without sayer: no wheel"]
    assert named_by(context).changed == 1  # it is no longer chosen


def test_one_that_is_missing_is_told_once_in_a_run(
    context: StageContext, caplog: pytest.LogCaptureFixture
) -> None:
    lacking = replace(context, lacks_categorizers={"lost": "no wheel"}, run_id="new")

    named_by(lacking)
    named_by(lacking)

    assert caplog.messages == ["pictures are named without lost: no wheel"]
