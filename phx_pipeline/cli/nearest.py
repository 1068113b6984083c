"""Groups of commands that name the nearest one when there is none of a name."""

from collections.abc import Iterator

import click

from phx_pipeline.model.nearest import LEAST_LIKENESS, likeness

_MOST_NAMED = 3


class NearestGroup(click.Group):
    """Looks for a misspelt command among its own, then among those of all groups."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, but for the message about a name that is none."""
        word = args[0]
        is_name = not word.startswith("-") and not ctx.resilient_parsing
        if is_name and self.get_command(ctx, word) is None:
            told = f"No such command {word!r}."
            if near := _nearest(word, group=self, ctx=ctx):
                told += f" Did you mean {' or '.join(f'`{path}`' for path in near)}?"
            ctx.fail(told)
        return super().resolve_command(ctx, args)


def _nearest(word: str, *, group: click.Group, ctx: click.Context) -> list[str]:
    """The full names of the commands whose last word is most like *word*."""
    root = ctx.find_root()
    own = [f"{ctx.command_path} {name}" for name in group.list_commands(ctx)]
    known = [*own, *_below(root.command, ctx=root, path=root.command_path)]
    alike = {path: likeness(word, path.rpartition(" ")[2]) for path in known}
    best = max(alike.values())
    near = [path for path in alike if alike[path] == best >= LEAST_LIKENESS]
    return [path for path in near if path in own][:1] or near[:_MOST_NAMED]


def _below(command: click.Command, *, ctx: click.Context, path: str) -> Iterator[str]:
    if not isinstance(command, click.Group):
        return
    for name in command.list_commands(ctx):
        found = command.get_command(ctx, name)
        if found is not None:
            yield f"{path} {name}"
            yield from _below(found, ctx=ctx, path=f"{path} {name}")
