"""`phx up`: Dagster's webserver, daemon and code server, kept alive."""

import logging
import signal
import threading
from dataclasses import replace

import click

from phx_pipeline.cli.console import console
from phx_pipeline.settings import load_settings


@click.command()
@click.option("--port", type=int, help="Port of the UI (PHX_WEBSERVER_PORT, 3000).")
def up(*, port: int | None) -> None:
    """Start Dagster and keep it running until Ctrl-C.

    \b
    Example:
      phx up --port 3000
    """
    from phx_pipeline.cli.supervisor import Supervisor, free_port, services
    from phx_pipeline.defs.submit import open_instance
    from phx_pipeline.wiring import initialise_catalog

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    settings = load_settings()
    if port is not None:
        settings = replace(settings, webserver_port=port)
    initialise_catalog(settings)
    open_instance(settings).dispose()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    console.print("starting code server, daemon and webserver …")
    wanted = services(settings, code_port=free_port())
    with Supervisor(wanted, settings=settings) as supervisor:
        console.print(f"Dagster is up: http://127.0.0.1:{settings.webserver_port}")
        console.print("stop with Ctrl-C")
        supervisor.keep_alive(until=stop.is_set)
        console.print("stopping …")
