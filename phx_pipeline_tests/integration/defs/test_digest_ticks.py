"""The schedule notes a digest, the sensor has a process send it, to a real server."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from multiprocessing import active_children
from pathlib import Path

import dagster as dg
import pytest

from phx_pipeline.definitions import build_definitions
from phx_pipeline.defs.schedules.daily_digest import daily_digest
from phx_pipeline.defs.sensors.alerts import alerts
from phx_pipeline.defs.stores import Stores
from phx_pipeline.model.message import MailSecurity
from phx_pipeline.settings import Settings
from phx_pipeline_tests.dagster_runs import sensor_context
from phx_pipeline_tests.deployment import Deployment
from phx_pipeline_tests.mail_server import MailServer, mail_server

NAME = "daily_digest"
SEVEN = datetime(2026, 11, 28, 14, tzinfo=UTC)


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as made:
        yield made


@pytest.fixture
def settings(tmp_path: Path, server: MailServer) -> Iterator[Settings]:
    with Deployment(tmp_path, {}) as made:
        yield replace(
            made.settings,
            smtp_host="127.0.0.1",
            smtp_port=server.port,
            smtp_security=MailSecurity.NONE,
            smtp_from="phx@example.com",
            smtp_to=("me@example.com",),
        )


def test_a_mail_leaves_once_a_day_and_none_without_a_channel(
    settings: Settings, server: MailServer
) -> None:
    def morning(day: int, settings: Settings) -> tuple[str | None, str | None]:
        at = SEVEN + timedelta(days=day)
        others = set(active_children())
        stores = Stores(settings=lambda: settings, clock=lambda: at)
        given = dg.build_schedule_context(
            scheduled_execution_time=at, resources={"stores": stores}
        )
        with given, dg.DagsterInstance.ephemeral() as instance:
            booked = daily_digest("0 7 * * *")(given)
            with sensor_context(instance, stores=stores) as context:
                said = alerts(context)
        assert isinstance(booked, dg.SkipReason)
        assert isinstance(said, dg.SkipReason)
        for sender in set(active_children()) - others:
            sender.join(60)
        return booked.skip_message, said.skip_message

    silent = "nobody is told: PHX_SMTP_HOST and PHX_WEBHOOK_URL are not set"
    assert morning(0, replace(settings, smtp_host=None)) == (silent, silent)
    assert morning(0, settings) == (
        "the digest of 2026-11-28 is due by smtp; `alerts` sends it",
        "1 thing to tell",
    )
    assert morning(0, settings) == (
        "the digest of 2026-11-28 was noted before: nothing is left to do",
        "all was told",
    )
    assert [it["Subject"] for it in server.mails] == ["phx 2026-11-28: nothing changed"]


@pytest.mark.parametrize(("cron", "names"), [("off", []), ("0 5 * * *", [NAME])])
def test_the_schedule_is_there_unless_it_is_switched_off(
    cron: str, names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHX_DIGEST_CRON", cron)

    found = build_definitions().get_repository_def().schedule_defs
    mine = [it for it in found if it.name == NAME]
    assert [it.name for it in mine] == names
    assert [it.cron_schedule for it in mine] == [cron] * len(names)
