"""Options and arguments that name what is written, and the line that says it was."""

import os
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from phx_pipeline.cli.console import console, errors
from phx_pipeline.cli.folding import unbroken
from phx_pipeline.cli.options import Filled
from phx_pipeline.errors import InputError
from phx_pipeline.storage.outputs import require_output, require_output_folder


class _Output(Filled):
    """What cannot be written is refused before any work is done."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Any:
        """Return *value* as a path, or raise `InputError`."""
        text = os.fspath(super().convert(value, param, ctx))
        if ctx is None or not ctx.resilient_parsing:  # a shell completes the line
            self._require(text)
        return Path(text)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Leave it to the shell, which knows files and folders."""
        del ctx, param
        kind = "file" if self.name == "file" else "dir"
        return [CompletionItem(incomplete, type=kind)]

    def _require(self, text: str) -> None:
        raise NotImplementedError


class OutputFile(_Output):
    """A file to write.

    Args:
        endings: Those of what is written, such as `.csv`.
        or_standard: Whether `-` stands for standard output.
    """

    name = "file"

    def __init__(self, *endings: str, or_standard: bool = False) -> None:
        self._endings = endings
        self._or_standard = or_standard

    def _require(self, text: str) -> None:
        if self._or_standard and text == "-":
            return
        if text.endswith(os.sep):
            raise InputError(f"{text} is a folder: name a file")
        require_output(Path(text), endings=self._endings)


class OutputFolder(_Output):
    """A folder to write files in; it is made in a folder that is there."""

    name = "directory"

    def _require(self, text: str) -> None:
        require_output_folder(Path(text))


def tell_written(what: str, path: Path, *, as_json: bool = False) -> None:
    """Say that *what* is in the file; beside the JSON that goes to standard output."""
    told = unbroken(f"{what} written to {path}")
    (errors if as_json else console).print(told, soft_wrap=True)
