"""Groups of commands that name the nearest one when there is none of a name."""

from collections.abc import Iterator, Sequence

import click

from phx_pipeline.cli.options import TEXT
from phx_pipeline.model.nearest import LEAST_LIKENESS, likeness

_MOST_NAMED = 3
_OFTEN_TYPED = {"rm": "remove", "del": "remove", "delete": "remove", "ls": "list"}
FIRST_TYPED = {
    "clean": ("prune",),
    "collect": ("extract",),
    "config": ("env",),
    "dedup": ("duplicates",),
    "download": ("extract",),
    "fetch": ("extract",),
    "fix": ("repair",),
    "history": ("changes",),
    "houses": ("properties",),
    "install": ("init",),
    "list": ("properties list",),
    "ls": ("properties list",),
    "photos": ("images",),
    "pictures": ("images",),
    "run": ("up", "extract"),
    "serve": ("up",),
    "settings": ("env",),
    "setup": ("init",),
    "start": ("up",),
    "stop": ("down",),
}
"""What words of other programs mean right behind `phx`."""

_VERY_LIKE = 0.85  # of options, of which many are alike


class NearestGroup(click.Group):
    """Looks for a misspelt command among its own, and that of `phx` in all groups.

    What its commands take without saying of what kind is text.
    """

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command of this name."""
        found = super().get_command(ctx, cmd_name)
        return found and of_texts(found)

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


def of_texts(command: click.Command) -> click.Command:
    """Have a command refuse bytes that are no text wherever it takes one."""
    for param in command.params:
        if param.type is click.STRING:
            param.type = TEXT
    return command


def _nearest(word: str, *, group: click.Group, ctx: click.Context) -> list[str]:
    """The full names of the commands whose last word is most like *word*.

    Within a group that is one of its own, else one of `phx` of just this name.
    """
    root = ctx.find_root()
    own = [f"{ctx.command_path} {name}" for name in group.list_commands(ctx)]
    meant = _OFTEN_TYPED.get(word, word)
    if ctx is not root:
        beside = f"{root.command_path} {word}"
        at_root = [beside] if _has_command(root, word) else []
        return _most_alike(meant, own)[:1] or at_root
    if word in FIRST_TYPED:
        return [f"{root.command_path} {path}" for path in FIRST_TYPED[word]]
    below = _below(root.command, ctx=root, path=root.command_path)
    near = _most_alike(meant, [*own, *(path for path, _ in below)])
    return [path for path in near if path in own][:1] or near[:_MOST_NAMED]


def _most_alike(word: str, paths: Sequence[str]) -> list[str]:
    """Those of *paths* whose last word is most like *word*; none if not enough."""
    alike = {path: likeness(word, path.rpartition(" ")[2]) for path in paths}
    best = max(alike.values())
    return [path for path in alike if alike[path] == best >= LEAST_LIKENESS]


def _has_command(ctx: click.Context, name: str) -> bool:
    group = ctx.command
    return isinstance(group, click.Group) and name in group.list_commands(ctx)


def near_option(option: str, *, ctx: click.Context) -> str:
    """Return which option is like one that is none, for behind a message.

    One of the same command, else the only one of all others; empty if there is none.
    """
    own = _options_of(ctx.command)
    root = ctx.find_root()
    below = _below(root.command, ctx=root, path=root.command_path)
    others = [(path, name) for path, it in below for name in _options_of(it)]
    near = [name for name in own if _is_like(option, name)][:1]
    near = near or [f"{path} {name}" for path, name in others if _is_like(option, name)]
    return f", did you mean `{near[0]}`?" if len(near) == 1 else ""


def _is_like(option: str, name: str) -> bool:
    return likeness(option, name) >= _VERY_LIKE


def _options_of(command: click.Command) -> list[str]:
    """The long options of a command."""
    options = (it for it in command.params if isinstance(it, click.Option))
    return [name for it in options for name in it.opts if name.startswith("--")]


def _below(
    command: click.Command, *, ctx: click.Context, path: str
) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        return
    for name in command.list_commands(ctx):
        found = command.get_command(ctx, name)
        if found is not None:
            yield f"{path} {name}", found
            yield from _below(found, ctx=ctx, path=f"{path} {name}")
