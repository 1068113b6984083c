"""What `phx status` says of `phx up`: since when, where, and which parts answer."""

import json
import time
from typing import TYPE_CHECKING

from phx_pipeline.cli.times import phoenix_text
from phx_pipeline.settings import Settings

if TYPE_CHECKING:
    from phx_pipeline.supervise.state import State

_DAEMON = "daemon"


def service_line(settings: Settings, *, thorough: bool) -> str:
    """One line for people; *thorough* asks for the daemon's heartbeat too."""
    found = _state(settings, thorough=thorough)
    if found is None:
        return "Dagster is not running: `phx up`"
    it = found.running
    since = phoenix_text(it.started_at)
    told = [f"Dagster: {it.url}", f"up since {since}", f"pid {it.pid}"]
    if not it.is_here:
        return ", ".join([*told, f"on {it.host}"])
    silent = [name for name, answers in found.answers.items() if not answers]
    told.append(
        f"no answer from {' and '.join(silent)} (logs: "
        f"{settings.dagster_dir / 'service_logs'})"
        if silent
        else f"{', '.join(found.answers) or 'nothing yet'}: all answer"
    )
    return ", ".join(told)


def service_json(settings: Settings) -> str:
    """The same for programs, the heartbeat included."""
    found = _state(settings, thorough=True)
    if found is None:
        return json.dumps({"running": False})
    it = found.running
    return json.dumps(
        {
            "running": True,
            "url": it.url,
            "started_at": it.started_at,
            "pid": it.pid,
            "host": it.host,
            "answers": dict(found.answers),
        }
    )


def _state(settings: Settings, *, thorough: bool) -> "State | None":
    from phx_pipeline.supervise.state import State, state

    found = state(settings)
    if found is None or not thorough or not found.answers.get(_DAEMON):
        return found
    beats = _daemon_beats(settings)
    return State(running=found.running, answers={**found.answers, _DAEMON: beats})


def _daemon_beats(settings: Settings) -> bool:
    from phx_pipeline.defs.set_back import ahead
    from phx_pipeline.defs.submit import daemon_is_running, open_instance

    instance = open_instance(settings)
    try:
        rests = any(ahead(instance, now_s=time.time()))
        return daemon_is_running(instance) and not rests
    finally:
        instance.dispose()
