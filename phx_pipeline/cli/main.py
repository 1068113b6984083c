"""The `phx` command group, and how errors become exit codes."""

import sys
from enum import IntEnum

import click

from phx_pipeline.errors import InputError, PhxError


class Exit(IntEnum):
    """Exit codes of every command."""

    COMPLETE = 0
    ERROR = 1
    USAGE = 2
    PARTIAL = 3
    NOTHING = 4


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="phx_pipeline", prog_name="phx")
def phx() -> None:
    """Collect the photos of houses you may buy.

    \b
    Start with:
      phx demo                        the whole pipeline on made-up houses, offline
      phx init                        make the stores
      phx properties add houses.csv   say which houses
      phx up                          start Dagster (UI, daemon, code server)
      phx extract --all               collect, with progress

    Exit codes: 0 complete, 1 error, 2 usage, 3 partial, 4 nothing extracted.
    """


def main() -> None:
    """Run `phx`; what the package raises on purpose is one line on stderr."""
    _register()
    try:
        sys.exit(phx(standalone_mode=False) or Exit.COMPLETE)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except InputError as error:
        click.echo(f"phx: {error}", err=True)
        sys.exit(Exit.USAGE)
    except PhxError as error:
        click.echo(f"phx: {error}", err=True)
        sys.exit(Exit.ERROR)


def _register() -> None:
    from phx_pipeline.cli import (
        demo,
        extract,
        images,
        properties,
        setup,
        status,
        up,
        verify,
    )

    for command in (
        setup.init,
        setup.env,
        properties.properties,
        extract.extract,
        status.status,
        images.images,
        verify.verify,
        up.up,
        demo.demo,
    ):
        phx.add_command(command)


if __name__ == "__main__":
    main()
