"""Each rule finds what was broken on purpose, and nothing on a healthy store."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from phx_pipeline.settings import Settings
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.views import render_views
from phx_pipeline.wiring.runs import build_context
from phx_pipeline.wiring.stores import initialise
from phx_pipeline.workflows.verify import (
    Problem,
    Rule,
    content_digest,
    verify_property,
    verify_views,
)
from phx_pipeline_tests.damage import (
    Break,
    add_stray,
    alter_file,
    alter_png,
    corrupt_original,
    count_wrongly,
    delete_file,
    delete_original,
    delete_png,
    delete_view,
    edit_manifest,
    execute,
    forget_category,
    keep_none_of_a_cluster,
    keep_two_of_a_cluster,
    truncate_original,
    unpublish,
)


@pytest.fixture
def context(collected: StageContext) -> StageContext:
    return collected


def problems(context: StageContext) -> list[Problem]:
    (slug,) = context.catalog.slugs()
    return [*verify_property(context, slug), *verify_views(context)]


def test_a_healthy_store_has_no_problem(context: StageContext) -> None:
    (slug,) = context.catalog.slugs()
    verdicts = {photo.verdict.value for photo in context.catalog.photos(slug)}

    assert verdicts == {"kept", "duplicate"}
    assert problems(context) == []


@pytest.mark.parametrize(
    ("break_it", "rules", "told"),
    [
        (delete_file, {Rule.FILES, Rule.MANIFEST}, "is missing"),
        (alter_file, {Rule.FILES}, "has other bytes"),
        (add_stray, {Rule.MANIFEST}, "[stray].png is not listed but in"),
        (edit_manifest, {Rule.MANIFEST}, "image_manifest.json differs"),
        (delete_view, {Rule.MANIFEST}, "hash_index.json differs"),
        (keep_two_of_a_cluster, {Rule.CONSERVATION}, "has 2 kept photos"),
        (count_wrongly, {Rule.CONSERVATION}, "counted"),
        (
            keep_none_of_a_cluster,
            {Rule.CONSERVATION},
            "has 0 kept photos",
        ),
        (unpublish, {Rule.CONSERVATION, Rule.MANIFEST}, "published"),
        (corrupt_original, {Rule.FILES}, "does not match its name"),
        (
            forget_category,
            {Rule.CONSERVATION, Rule.MANIFEST},
            "not named as its category says",
        ),
        (delete_original, {Rule.FILES}, "blob is missing"),
        (truncate_original, {Rule.FILES}, "does not match its name"),
        (delete_png, {Rule.FILES}, ".png is missing"),
        (alter_png, {Rule.FILES}, ".png has other bytes"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_what_was_broken_is_found_under_its_rule(
    context: StageContext, break_it: Break, rules: set[Rule], told: str
) -> None:
    break_it(context)

    found = problems(context)

    assert {problem.rule for problem in found} == rules
    assert any(told in problem.text for problem in found)


@pytest.mark.parametrize(
    "break_it", [delete_file, alter_file, add_stray, edit_manifest, corrupt_original]
)
def test_what_is_broken_on_disk_does_not_change_the_digest(
    context: StageContext, break_it: Break
) -> None:
    before = content_digest(context)

    break_it(context)

    assert content_digest(context) == before


def test_another_verdict_is_another_digest(context: StageContext) -> None:
    before = content_digest(context)

    keep_two_of_a_cluster(context)

    assert content_digest(context) != before


def test_a_time_is_not_part_of_the_digest(context: StageContext) -> None:
    before = content_digest(context)

    assert execute(context, "update photo set downloaded_at='2001-01-01', run_id='x'")

    assert content_digest(context) == before


def test_before_anything_was_published_no_view_is_missing(
    tmp_path: Path, healthy: Settings
) -> None:
    settings = replace(healthy, data_dir=tmp_path / "fresh")
    initialise(settings)
    context = build_context(settings, run_id="test")

    assert verify_views(context) == []
    context.catalog.close()


def test_deleted_views_are_missed_once_something_was_published(
    context: StageContext,
) -> None:
    shutil.rmtree(context.layout.metadata)

    assert len(verify_views(context)) == len(list(render_views(context)))
