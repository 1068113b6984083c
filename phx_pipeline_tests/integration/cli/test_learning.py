"""`phx categorize train`, `eval`, `models`, `forget` on houses that were reviewed."""

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from PIL import Image

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import writing
from phx_pipeline.catalog.trained import TrainedRow
from phx_pipeline.categorize import drawing
from phx_pipeline.categorize.fusion import FUSED
from phx_pipeline.categorize.network.session import FEATURES, NETWORK
from phx_pipeline.categorize.trained import Curve, Head, TrainedModel
from phx_pipeline.model.outcome import Verdict
from phx_pipeline.model.photo import Decision
from phx_pipeline.model.ruling import About
from phx_pipeline.model.source import Source
from phx_pipeline.model.taxonomy import Subject
from phx_pipeline.stages.trained_models import model_in_use
from phx_pipeline_tests.commands import Phx, UseSettings
from phx_pipeline_tests.deployment import Deployment
from phx_pipeline_tests.integration.conftest import Scene, ruling_on

BOTH = ("listing_text", "embedded")
_SUBJECTS = {"laundry": "int/laundry", "garage": "int/garage"}


@pytest.fixture(scope="module")
def reviewed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Twenty houses with a laundry and a garage each, and what people said of them."""
    with Deployment(tmp_path_factory.mktemp("reviewed"), {}) as made:
        with made.context() as context:
            for number in range(20):
                _review(Scene.of(context.catalog, number=100 + number), number)
        yield made


def _review(scene: Scene, number: int) -> None:
    scene.list_photos(*_SUBJECTS)
    blobs = {key: scene.download(key, f"{key} {number}") for key in _SUBJECTS}
    kept = {
        (Source.REDFIN, key): Decision(
            verdict=Verdict.KEPT, cluster_id=f"{key}{number}"
        )
        for key in _SUBJECTS
    }
    scene.catalog.record_decisions(scene.lease, scene.slug, kept, stamp=scene.stamp)
    vectors = {}
    for place, (key, value) in enumerate(_SUBJECTS.items()):
        ruling = ruling_on(scene, key, value, about=About.CATEGORY)
        scene.catalog.rulings.record(scene.lease, ruling)
        vector = 0.5 * np.random.default_rng([number, place]).normal(size=FEATURES)
        vector[place] += 3
        vectors[blobs[key].sha256] = vector.astype(np.float16).tobytes()
    scene.catalog.features.put(NETWORK, vectors)
    even = dict.fromkeys(vectors, np.float16(0.1).tobytes())
    scene.catalog.features.put(drawing.MEASURE, even)
    scene.catalog.leases.release(scene.lease)


@pytest.fixture(autouse=True)
def nothing_learnt(reviewed: Deployment) -> None:
    with reviewed.context() as context, writing(context.catalog._engine) as connection:
        connection.execute(sa.delete(tables.trained_model))


@pytest.fixture
def phx(phx: Phx, reviewed: Deployment, use_settings: UseSettings) -> Phx:
    use_settings(replace(reviewed.settings, categorizers=BOTH))
    return phx


def states(phx: Phx) -> list[str]:
    return [it["state"] for it in phx("categorize", "models", "--json").json]


def test_a_model_is_learnt_used_damaged_and_forgotten(
    phx: Phx, reviewed: Deployment, caplog: pytest.LogCaptureFixture
) -> None:
    learnt = phx("categorize", "train", "--json").json
    assert {it["subject"]: it["taken"] for it in learnt["heads"]} == {
        "garage": True,
        "laundry": True,
    }
    assert (learnt["unseen"], learnt["stored"]) == (0, True)
    with reviewed.context() as context:
        used = model_in_use(context.catalog)
        assert used is not None
        assert used.model.id == learnt["model"]
        assert context.calibration is not None
    assert "nothing is kept of this training" in phx("categorize", "train").out
    assert states(phx) == ["in use"]

    table = tables.trained_model
    with reviewed.context() as context:
        (row,) = context.catalog.trained.in_use()
        with writing(context.catalog._engine) as connection:
            this = sa.update(table).where(table.c.id == row.id)
            connection.execute(this.values(body=damaged(row.body)))
    with reviewed.context() as context:
        assert context.calibration is None
    assert f"phx categorize forget {row.id}" in caplog.text
    assert "damaged" in states(phx)

    told = phx("categorize", "forget", row.id[:6])
    assert "nothing that was learnt is used" in told.out
    assert "forgotten" in states(phx)


def damaged(body: bytes) -> bytes:
    """Return the model with a bit flipped where NumPy tells its faults otherwise."""
    at = body.index(b"'descr'")
    return body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]


@pytest.mark.parametrize(("network", "width"), [("another", FEATURES), (NETWORK, 640)])
def test_a_model_of_another_network_counts_with_neither_heads_nor_curves(
    phx: Phx, reviewed: Deployment, network: str, width: int
) -> None:
    head = Head(weights=np.ones(width, np.float32), bias=0.0)
    curve = Curve(stated=(0.5,), seen=(0.1,))
    model = TrainedModel(
        network=network, heads={Subject.POOL: head}, curves={FUSED: curve}
    )
    with reviewed.context() as context:
        now = context.stamp().at
        context.catalog.trained.add(
            TrainedRow(
                id=model.id,
                at=now,
                who="Ann",
                body=model.to_bytes(),
                report={},
                accepted=True,
            )
        )
    with reviewed.context() as context:
        assert context.calibration is None
    (told,) = (
        it for it in phx("categorize", "models", "--json").json if it["id"] == model.id
    )
    assert told["state"] == "unfit"
    assert str(width) in told["why"] or network in told["why"]
    assert phx("categorize", "forget", model.id).code == 0


def test_reviews_are_counted_with_their_intervals(phx: Phx, tmp_path: Path) -> None:
    file = tmp_path / "matrix.png"
    found = phx("categorize", "eval", "--json", "--matrix", str(file)).json
    assert (found["pictures"], found["houses"]) == (40, 20)
    right = found["backends"]["fused"]["right"]
    assert right["of"] == 40
    assert right["low"] <= right["share"] <= right["high"]
    with Image.open(io.BytesIO(file.read_bytes())) as image:
        assert image.format == "PNG"
        assert image.width > 100


def test_labelled_files_are_judged_without_the_catalogue(
    phx: Phx, tmp_path: Path
) -> None:
    picture = tmp_path / "a.png"
    Image.new("RGB", (300, 300), "white").save(picture)
    labels = tmp_path / "labels.csv"
    labels.write_text("file,subject,caption\na.png,int/kitchen,Kitchen\n")
    found = phx("categorize", "eval", "--labels", str(labels), str(tmp_path), "--json")
    assert found.json["backends"]["listing_text"]["right"]["count"] == 1
    for wrong in ([str(labels)], [str(tmp_path), str(labels)]):
        refused = phx("categorize", "eval", "--labels", *wrong)
        assert refused.code == 2
        assert "`--labels labels.csv photos`" in refused.err


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "must name the columns file and subject"),
        ("file,subject\n", "no picture is labelled"),
        ("file,subject\na.png,kitchn\n", "line 2: there is no subject 'kitchn'"),
        ("file,subject\nb.png,kitchen\n", "there is no file"),
        ("file,subject\n,kitchen\n", "names no file"),
        ("file,subject\na.png,kitchen\n", "a.png: "),
    ],
)
def test_labels_that_cannot_be_used_are_told(
    phx: Phx, tmp_path: Path, text: str, told: str
) -> None:
    (tmp_path / "a.png").write_bytes(b"no picture")
    labels = tmp_path / "labels.csv"
    labels.write_text(text)
    ended = phx("categorize", "eval", "--labels", str(labels), str(tmp_path))
    assert (ended.code, ended.out) == (2, "")
    assert told in ended.err


def test_features_that_are_no_numbers_teach_nothing(
    phx: Phx, reviewed: Deployment
) -> None:
    sha = sha256(b"laundry 3").hexdigest()
    table = tables.feature
    broken = np.full(FEATURES, np.nan, np.float16).tobytes()
    with reviewed.context() as context:
        old = context.catalog.features.get([sha], NETWORK)[sha]
        is_it = (table.c.sha256 == sha, table.c.network == NETWORK)
        this = sa.update(table).where(*is_it)
        with writing(context.catalog._engine) as connection:
            connection.execute(this.values(vector=broken))
    told = json.loads(phx("categorize", "train", "--dry-run", "--json").out)
    assert told["unseen"] == 1
    assert "1 more reviewed picture" in told["lacking"]["laundry"]
    with (
        reviewed.context() as context,
        writing(context.catalog._engine) as connection,
    ):
        connection.execute(this.values(vector=old))


def test_nothing_is_learnt_for_a_backend_that_is_not_in_use(
    phx: Phx, reviewed: Deployment, use_settings: UseSettings
) -> None:
    use_settings(reviewed.settings)
    told = phx("categorize", "train", "--dry-run", "--json").json
    assert (told["heads"], told["unseen"]) == ([], 40)


def test_without_reviews_it_is_told_how_to_make_some(
    phx: Phx, use_settings: UseSettings, tmp_path: Path
) -> None:
    with Deployment(tmp_path, {}) as empty:
        use_settings(empty.settings)
        for command in ("train", "eval"):
            ended = phx("categorize", command)
            assert ended.code == 2
            assert "phx review set" in ended.err
        unknown = phx("categorize", "forget", "abcd")
        assert "(none)" in unknown.err
