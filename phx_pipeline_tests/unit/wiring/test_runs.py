"""Which setting each number of a run is, and what may be missing to tell people."""

from dataclasses import replace
from pathlib import Path

import pytest

from phx_pipeline.errors import InputError
from phx_pipeline.settings import Settings, load_settings
from phx_pipeline.wiring.messages import build_notifiers
from phx_pipeline.wiring.reads import build_reads, max_side
from phx_pipeline.wiring.runs import build_context, reads_of
from phx_pipeline_tests.deployment import Deployment

MAIL = {
    "PHX_SMTP_HOST": "127.0.0.1",
    "PHX_SMTP_FROM": "a@example.com",
    "PHX_SMTP_TO": "b@example.com",
}
OF_A_RUN = {
    "downloads": 2,
    "final_after_days": 5,
    "lease_wait_s": 7,
    "max_side": 640,
    "stale_days": 3,
    "user": "ann",
}


def test_each_number_of_a_run_is_that_of_its_setting(tmp_path: Path) -> None:
    with Deployment(tmp_path, {}, **OF_A_RUN) as made:
        context = build_context(made.settings, run_id="test")
        reads = reads_of(context)
        others = build_reads(made.settings, catalog=context.catalog)
        context.catalog.close()

    found = {name: getattr(context, name) for name in OF_A_RUN.keys() - {"user"}}
    assert found | {"user": context.who} == OF_A_RUN
    assert [it.final_after_days for it in (reads, others)] == [5, 5]
    assert [it.recipe for it in (reads, others)] == [context.recipe] * 2


@pytest.mark.parametrize(("image_format", "side"), [("original", None), ("png", 640)])
def test_originals_are_published_at_their_own_size(
    image_format: str, side: int | None
) -> None:
    settings = replace(load_settings({}), image_format=image_format, max_side=640)

    assert max_side(settings) == side


def test_a_user_without_a_password_is_refused_before_mail_is_sent() -> None:
    def given(**more: str) -> Settings:
        return load_settings(MAIL | more)

    with pytest.raises(InputError, match="PHX_SMTP_USER needs PHX_SMTP_PASSWORD"):
        build_notifiers(given(PHX_SMTP_USER="me"))
    for right in (given(), given(PHX_SMTP_USER="me", PHX_SMTP_PASSWORD="x")):  # noqa: S106
        assert len(build_notifiers(right)) == 1
