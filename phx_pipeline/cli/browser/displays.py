"""`phx browser displays`: where a window can be on this machine."""

import json
from typing import TYPE_CHECKING

import click
from rich.table import Table

from phx_pipeline.cli.console import console
from phx_pipeline.cli.main import Exit
from phx_pipeline.cli.options import json_option
from phx_pipeline.errors import BrowserError
from phx_pipeline.model.counted import counted
from phx_pipeline.settings import Settings, load_settings

if TYPE_CHECKING:
    from phx_pipeline.fetch.clients.browser.isolation import Machine

GET_CHROMIUM = (
    "not found: install Chromium (package chromium) or Google's Chrome, or name the "
    "executable by PHX_CHROMIUM; a snap will not do"
)
_LEGEND = (
    "* is PHX_ISOLATION. What cannot be had is replaced by the first of virtual and "
    "off_screen that can, and the log tells why."
)


@click.command()
@json_option
@click.pass_context
def displays(ctx: click.Context, *, as_json: bool) -> None:
    """Show where a window can be on this machine.

    Each isolation mode is shown, and what it lacks where it cannot be had.
    Nothing is started but `chromium --version`. Exits with 1 if there is no Chromium,
    or no mode in which it could run.

    \b
    Examples:
      phx browser displays
      phx browser displays --json
    """
    from phx_pipeline.fetch.clients.browser import isolation
    from phx_pipeline.wiring.browser import lacking_browser

    settings = load_settings()
    lacking = lacking_browser(settings)
    machine = isolation.this_machine()
    modes = isolation.displays(machine)
    chromium = _chromium(settings)
    if as_json:
        told = {
            "isolation": settings.isolation.value,
            "chromium": chromium,
            "display": _display(machine),
            "modes": modes,
            "lacking": lacking or None,
        }
        click.echo(json.dumps(told, indent=2))
    else:
        console.print(_table(settings, chromium, machine, modes))
        console.print(_LEGEND)
        if lacking and chromium["version"]:
            console.print(f"Runs ask no browser here: {lacking}.")
    can_run = chromium["version"] and any(row["available"] for row in modes)
    ctx.exit(Exit.COMPLETE if can_run else Exit.ERROR)


def _chromium(settings: Settings) -> dict[str, str | None]:
    from phx_pipeline.fetch.clients.browser.executable import find_chromium
    from phx_pipeline.fetch.clients.browser.version import version_of

    try:
        path = find_chromium(settings.chromium)
        version = version_of(path) if path else None
    except BrowserError as error:
        return {"path": None, "version": None, "problem": str(error)}
    problem = None if path else GET_CHROMIUM
    return {"path": str(path) if path else None, "version": version, "problem": problem}


def _display(machine: "Machine") -> dict[str, object]:
    if (display := machine.display) is None:
        lacking = dict.fromkeys(("name", "screens", "monitors", "window_manager"))
        return lacking | {"problem": machine.no_display}
    return {
        "name": display.name,
        "screens": [f"{width}x{height}" for width, height in display.screens],
        "monitors": len(display.monitors),
        "window_manager": display.managed,
        "problem": None,
    }


def _table(
    settings: Settings,
    chromium: dict[str, str | None],
    machine: "Machine",
    modes: list[dict[str, object]],
) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_row("chromium", "", chromium["problem"] or _named(chromium))
    table.add_row("display", "", _shape(machine))
    for row in modes:
        chosen = " *" if row["mode"] == settings.isolation else ""
        remedy = f"; {row['remedy']}" if row["remedy"] else ""
        can = "yes" if row["available"] else "no"
        table.add_row(f"{row['mode']}{chosen}", can, f"{row['how']}{remedy}")
    return table


def _named(chromium: dict[str, str | None]) -> str:
    return f"{chromium['path']}, version {chromium['version']}"


def _shape(machine: "Machine") -> str:
    if (display := machine.display) is None:
        return machine.no_display
    screens = " and ".join(f"{width}x{height}" for width, height in display.screens)
    monitors = counted(len(display.monitors), "monitor")
    manager = "a" if display.managed else "no"
    return f"{display.name}: {screens}, {monitors}, {manager} window manager"
