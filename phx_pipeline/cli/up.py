"""`phx up`: Dagster's webserver, daemon and code server, kept alive."""

import signal
import threading
from dataclasses import replace

import click

from phx_pipeline.cli.console import console, log_to_stderr
from phx_pipeline.settings import load_settings


@click.command()
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    help="Port of the UI (PHX_WEBSERVER_PORT, 3000).",
)
def up(*, port: int | None) -> None:
    """Start Dagster and keep it running until Ctrl-C.

    \b
    Example:
      phx up --port 3000
    """
    from phx_pipeline.defs.submit import open_instance
    from phx_pipeline.supervise.supervisor import Supervisor, free_port, services
    from phx_pipeline.wiring import initialise

    log_to_stderr()
    settings = load_settings()
    if port is not None:
        settings = replace(settings, webserver_port=port)
    initialise(settings)
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
