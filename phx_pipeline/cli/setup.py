"""`phx init` and `phx env`."""

import shlex
from pathlib import Path

import click

from phx_pipeline.cli.console import console
from phx_pipeline.cli.folding import unbroken
from phx_pipeline.settings import load_settings, told_to_shells


@click.command()
def init() -> None:
    """Make the stores, or bring them to this version. Safe to repeat.

    Run it first, and again after an update; `phx up` and `phx demo` do the same. Every
    other command stops with one line where the catalogue is missing or of another
    version.

    In a folder with dagster.yaml and workspace.yaml, as a checkout has them, it also
    writes .env, so that the stock `dagster` commands find the same stores there.

    \b
    Example:
      phx init
    """
    from phx_pipeline.catalog.migrate import HEAD
    from phx_pipeline.cli.dotenv import write_dotenv
    from phx_pipeline.cli.session import opened_catalog
    from phx_pipeline.defs.partitions import reconcile
    from phx_pipeline.defs.submit import open_instance
    from phx_pipeline.model.refusal import on_disk
    from phx_pipeline.wiring.stores import initialise

    settings = load_settings()
    before = initialise(settings)
    instance = open_instance(settings)
    with opened_catalog(settings) as catalog:
        reconcile(instance, wanted=catalog.slugs)
    instance.dispose()
    where = (settings.catalog_url and "PHX_CATALOG_URL") or settings.data_dir
    store = (settings.dagster_pg_url and "PHX_DAGSTER_PG_URL") or settings.dagster_dir
    told = f"catalogue in {where}: revision {before} → {HEAD}"
    console.print(unbroken(told), soft_wrap=True)
    console.print(unbroken(f"Dagster's store in {store}: ready"), soft_wrap=True)
    with on_disk(Path("the working directory")):
        here = Path.cwd()
    with on_disk(here):
        console.print(unbroken(write_dotenv(settings, here)), soft_wrap=True)


@click.command()
def env() -> None:
    """Print what the stock `dagster` commands need to know.

    Printed are all settings, as lines `export NAME=VALUE`. They hold passwords: give
    them to `eval`, and keep them out of files and logs. Left out is what mail and
    webhooks need alone: no stock command sends any.

    \b
    Example:
      eval "$(phx env)"
      dagster job launch -w workspace.yaml -j extract_property \\
        --tags '{"dagster/partition": "4732-w-davis-rd-glendale-az-85306"}'
    """
    for name, value in told_to_shells(load_settings()).items():
        click.echo(f"export {name}={shlex.quote(value)}")
