"""Options that several commands share, so that they read alike everywhere."""

from collections.abc import Callable
from typing import Any

import click

from phx_pipeline.model.isolation import IsolationMode


class Filled(click.ParamType[str]):
    """A text that is not empty: an empty one is a variable that was never set."""

    name = "text"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Any:
        """Return *value*; click tells which option is empty."""
        if not str(value).strip():
            self.fail("it is empty: give it a value, or leave it out", param, ctx)
        return value


FILLED = Filled()

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON for programs, not text."
)
house_option = click.option(
    "--property",
    "house",
    type=FILLED,
    metavar="HOUSE",
    help="Show one house only; by default all are shown.",
)
why_option = click.option(
    "--why", default="", metavar="REASON", help="Keep a reason with the ruling."
)


def isolation_option(help_text: str) -> Callable[[Any], Any]:
    """Return the option `--isolation`; the modes are named behind *help_text*."""
    modes = [mode.value for mode in IsolationMode]
    return click.option(
        "--isolation",
        type=click.Choice(modes),
        metavar="MODE",
        help=f"{help_text}{', '.join(modes[:-1])} or {modes[-1]}.",
    )
