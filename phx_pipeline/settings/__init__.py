"""The only reader of the environment: every `PHX_*` name, its type and default.

Each room of settings is a module with its fields and how they are read; `joined` makes
one `Settings` of them. What reads it knows this package alone, not the rooms.
"""

from phx_pipeline.settings.daily import look_cron, search_cron
from phx_pipeline.settings.handed_on import (
    complete_environment,
    environment,
    export,
    exported,
    told_to_shells,
    use_one_thread,
)
from phx_pipeline.settings.joined import (
    Settings,
    load_settings,
    setting_names,
    stored_in,
)
from phx_pipeline.settings.notify import ALERTS, digest_cron
from phx_pipeline.settings.processes import STANDINS, SUPERVISOR_ID
from phx_pipeline.settings.service import code_url, served_at
from phx_pipeline.settings.sources import parse_sources
from phx_pipeline.settings.storage import require_place
from phx_pipeline.settings.variables import OFF, resolved

__all__ = [
    "ALERTS",
    "OFF",
    "STANDINS",
    "SUPERVISOR_ID",
    "Settings",
    "code_url",
    "complete_environment",
    "digest_cron",
    "environment",
    "export",
    "exported",
    "load_settings",
    "look_cron",
    "parse_sources",
    "require_place",
    "resolved",
    "search_cron",
    "served_at",
    "setting_names",
    "stored_in",
    "told_to_shells",
    "use_one_thread",
]
