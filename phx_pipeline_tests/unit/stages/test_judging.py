"""What a run keeps of judging pairs when it cannot read an original, or is killed."""

import logging
from collections.abc import Iterator
from dataclasses import replace

import pytest

from phx_pipeline.dedup.judge import VERSION
from phx_pipeline.errors import StorageError
from phx_pipeline.model.judgement import Judgement
from phx_pipeline.stages import context as stages_context
from phx_pipeline.stages import judging as stage
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.dedupe import dedupe
from phx_pipeline.stages.judging import Judging


@pytest.fixture
def slug(collected: StageContext) -> str:
    (slug,) = collected.catalog.slugs()
    return slug


def of_older_rules(context: StageContext, slug: str) -> list[Judgement]:
    """Let all judgements of the house be those of older rules; return them."""
    book = context.catalog.judgements
    older = [replace(it, version="0") for it in book.of_house(slug).values()]
    with context.holding(slug) as lease:
        book.record(lease, older)
    return older


def test_answers_outlive_originals_that_cannot_be_read(
    collected: StageContext, slug: str
) -> None:
    older = of_older_rules(collected, slug)
    before = collected.catalog.photos(slug)
    for sha in collected.catalog.blobs(slug):
        collected.layout.raw(sha).unlink()

    dedupe(collected, slug)

    same = {it.pair: it for it in older if it.better is not None}
    known = collected.catalog.judgements.of_house(slug)
    assert same
    assert same.items() <= known.items()
    assert collected.catalog.photos(slug) == before


def test_of_an_original_that_cannot_be_read_one_line_tells(
    collected: StageContext, slug: str, caplog: pytest.LogCaptureFixture
) -> None:
    sha = next(iter(collected.catalog.blobs(slug)))
    collected.layout.raw(sha).unlink()

    with caplog.at_level(logging.WARNING), collected.holding(slug) as lease:
        judging = Judging(collected, lease, slug)
        assert [judging.view(sha), judging.view(sha)] == [None, None]
        judging.tell_unreadable({sha: StorageError("once more")})

    assert len(caplog.records) == 1


def test_a_killed_run_keeps_what_it_has_judged(
    collected: StageContext, slug: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = of_older_rules(collected, slug)
    monkeypatch.setattr(stage, "_MANY", 1)
    monkeypatch.setattr(stage, "judged", lambda *_, **__: killed_after(older[0]))

    with pytest.raises(KeyboardInterrupt):
        dedupe(collected, slug)

    known = collected.catalog.judgements.of_house(slug)
    assert [it.pair for it in known.values() if it.version == VERSION] == [
        older[0].pair
    ]


def killed_after(judgement: Judgement) -> Iterator[Judgement]:
    yield replace(judgement, version=VERSION)
    raise KeyboardInterrupt


def test_a_run_with_nothing_new_looks_at_nothing_and_does_without_opencv(
    collected: StageContext, slug: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    dedupe(collected, slug)
    before = collected.catalog.judgements.of_house(slug)

    def refuse(*_: object) -> None:
        raise AssertionError("nothing is to be loaded")

    monkeypatch.setattr(stages_context, "load_opencv", refuse)
    monkeypatch.setattr(Judging, "view", refuse)
    report = dedupe(collected, slug)

    assert (report.decided, report.encoded) == (0, 0)
    assert before == collected.catalog.judgements.of_house(slug) != {}
