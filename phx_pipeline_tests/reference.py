"""Writes what `--help` says of every command into the command reference.

    .venv/bin/python -m phx_pipeline_tests.reference docs/commands.md

Below a heading `### phx NAME` stands a block ``text`` with the help of that command, as
a terminal of 80 columns shows it; what follows the block is written by hand.
"""

import re
from collections.abc import Iterator
from copy import copy
from pathlib import Path

import click

from phx_pipeline.cli.main import phx

COLUMNS = 80
_SECTION = re.compile(
    r"^### `?(?P<name>phx[^`\n]*)`?\n(?:\n```text\nUsage: .*?^```\n)?",
    re.MULTILINE | re.DOTALL,
)


def commands_of(
    group: click.Group, *, prefix: str
) -> Iterator[tuple[str, click.Command]]:
    """Yield every command below *group* with its full name, groups included."""
    context = click.Context(group, info_name=prefix)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield f"{prefix} {name}", command
        if isinstance(command, click.Group):
            yield from commands_of(command, prefix=f"{prefix} {name}")


def help_of(name: str, command: click.Command) -> str:
    """What `NAME --help` prints on a terminal of 80 columns."""
    fresh = copy(command)
    # click keeps the first help option it makes, in whatever context that was.
    fresh._help_option = None
    context = click.Context(
        fresh,
        info_name=name,
        terminal_width=COLUMNS - 2,  # click leaves two columns free
        max_content_width=COLUMNS - 2,
        help_option_names=["-h", "--help"],
    )
    lines = fresh.get_help(context).splitlines()
    return "\n".join(line.rstrip() for line in lines)


def with_help(text: str, group: click.Group = phx) -> str:
    """The reference with the help of each command that has a section."""
    commands = dict(commands_of(group, prefix="phx"))

    def section(found: re.Match[str]) -> str:
        name = found["name"]
        if name not in commands:
            return found[0]
        return f"### {name}\n\n```text\n{help_of(name, commands[name])}\n```\n"

    return _SECTION.sub(section, text)


@click.command()
@click.argument("reference", type=click.Path(exists=True, path_type=Path))
def main(reference: Path) -> None:
    """Put the help of every command into REFERENCE."""
    text = reference.read_text(encoding="utf-8")
    reference.write_text(with_help(text), encoding="utf-8")


if __name__ == "__main__":
    main()
