"""`phx init` and `phx env`."""

import shlex

import click

from phx_pipeline.cli.console import console
from phx_pipeline.settings import exported, load_settings


@click.command()
def init() -> None:
    """Make the stores, or bring them to this version. Safe to repeat.

    \b
    Example:
      phx init
    """
    from phx_pipeline.catalog.migrate import HEAD
    from phx_pipeline.defs.submit import open_instance
    from phx_pipeline.wiring import initialise

    settings = load_settings()
    before = initialise(settings)
    open_instance(settings).dispose()
    where = (settings.catalog_url and "PHX_CATALOG_URL") or settings.data_dir
    store = (settings.dagster_pg_url and "PHX_DAGSTER_PG_URL") or settings.dagster_dir
    console.print(f"catalogue in {where}: revision {before} → {HEAD}")
    console.print(f"Dagster's store in {store}: ready")


@click.command()
def env() -> None:
    """Print what the stock `dagster` commands need to find the same stores.

    It holds the passwords of the settings: meant for `eval`, not for a file or a log.

    \b
    Example:
      eval "$(phx env)"
      dagster job launch -w workspace.yaml -j extract_property \\
        --tags '{"dagster/partition": "4732-w-davis-rd-glendale-az-85306"}'
    """
    for name, value in exported(load_settings()).items():
        click.echo(f"export {name}={shlex.quote(value)}")
