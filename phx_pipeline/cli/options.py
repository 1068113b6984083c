"""Options that several commands share, so that they read alike everywhere."""

import os
import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import click
from click.types import StringParamType

from phx_pipeline.model.isolation import IsolationMode
from phx_pipeline.model.job import Priority
from phx_pipeline.model.nearest import did_you_mean


class Text(StringParamType):
    """A text of the command line; bytes that are none are refused."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Any:
        """Return *value*; click tells which argument is no text."""
        if wrong := _why_no_text(str(value)):
            self.fail(f"{value!r} is {wrong}", param, ctx)
        return super().convert(value, param, ctx)


class FileOrText(Text):
    """The name of a file, whose bytes may be any, or a text."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Any:
        """Return *value*; click tells which argument is neither."""
        is_file = os.path.lexists(value)
        return value if is_file else super().convert(value, param, ctx)


class Filled(click.ParamType[str]):
    """A text that is not empty: an empty one is a variable that was never set."""

    name = "text"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Any:
        """Return *value*; click tells which option is empty."""
        if not str(value).strip():
            self.fail("it is empty: give it a value, or leave it out", param, ctx)
        if wrong := _why_no_text(str(value)):
            self.fail(f"{value!r} is {wrong}", param, ctx)
        return value


def _why_no_text(value: str) -> str | None:
    """Tell what an argument is whose bytes Python could not read; None if it could."""
    try:
        value.encode()
    except UnicodeEncodeError:
        pass
    else:
        return None
    try:
        os.fsencode(value).decode("utf-8")
    except UnicodeError:
        return "no text in UTF-8"
    return "in UTF-8, which Python is told not to use: set PYTHONUTF8=1"


TEXT = Text()
FILE_OR_TEXT = FileOrText()
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
server_option = click.option(
    "--server",
    type=FILLED,
    metavar="URL",
    help="Ask the service there, with the key in PHX_KEY; by default that of "
    "PHX_SERVER, or the stores of this machine.",
)
priority_option = click.option(
    "--priority",
    type=click.Choice([it.value for it in Priority]),
    default=Priority.NORMAL.value,
    metavar="WHEN",
    help="Whether the job comes before others: low, normal (the default) or high.",
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


def one_of_two(
    _ctx: click.Context, param: click.Parameter, given: tuple[bool, ...]
) -> bool | None:
    """Take one of two opposite flags, and refuse both; None for neither.

    The option is to be `multiple`: click alone takes the last one.
    """
    if len(set(given)) > 1:
        both = " or ".join((*param.opts[:1], *param.secondary_opts[:1]))
        raise click.UsageError(f"give {both}, not both")
    return given[0] if given else None


class OneOf(click.Choice[str]):
    """A choice that names what is nearest to a word that is none."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """Return *value*; what is none is told with those there are."""
        if value not in self.choices:
            known = ", ".join(self.choices)
            near = did_you_mean(str(value), self.choices)
            self.fail(f"there is no {value!r}{near}: choose from {known}", param, ctx)
        return str(value)


class DayOrSpan(click.ParamType[date | timedelta]):
    """A day, or how many days or hours back, or ahead: `2026-01-15`, `7d`, `2h`."""

    name = "day"

    def __init__(self, *, is_ahead: bool = False) -> None:
        self._is_ahead = is_ahead

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> date | timedelta:
        """Return the day or the days; click tells which option has neither."""
        if isinstance(value, date | timedelta):
            return value
        if span := _SPAN.fullmatch(value.strip()):
            if self._is_ahead and not int(span[1]):
                self.fail(f"{value!r} is now: give at least 1h", param, ctx)
            unit = "days" if span[2].lower() == "d" else "hours"
            return timedelta(**{unit: int(span[1])})
        try:
            return date.fromisoformat(value.strip())
        except ValueError:
            way = "from now" if self._is_ahead else "back"
            self.fail(
                f"{value!r} is neither a day, such as 2026-01-15, nor a number of days "
                f"or hours {way}, such as 7d or 12h",
                param,
                ctx,
            )


class Percent(click.ParamType[int]):
    """A confidence, as it stands in file names: 0 to 99."""

    name = "percent"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Return *value*; a share such as 0.9 is told to be no percentage."""
        text = str(value).strip()
        if not _PERCENT.fullmatch(text):
            told = (
                f"{value!r} is no confidence: give a whole number of percent, 0 to 99"
            )
            self.fail(told, param, ctx)
        return int(text)


_PERCENT = re.compile(r"[0-9]{1,2}")
PERCENT = Percent()


_SPAN = re.compile(r"([0-9]{1,5})([dh])", re.IGNORECASE)
DAY_OR_SPAN = DayOrSpan()
DAY_OR_SPAN_AHEAD = DayOrSpan(is_ahead=True)
