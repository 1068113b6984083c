"""`phx up`: Dagster's webserver, daemon and code server, kept alive."""

import signal
import threading
from contextlib import suppress
from dataclasses import replace
from functools import partial

import click

from phx_pipeline.cli.console import console, log_to_stderr
from phx_pipeline.cli.options import FILLED
from phx_pipeline.errors import InputError
from phx_pipeline.model.web_place import plain_ip
from phx_pipeline.settings import Settings, load_settings


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    metavar="PORT",
    show_default="PHX_WEBSERVER_PORT",
    help="Serve the UI on this port, 0 to 65535; 0 takes any free one.",
)
@click.option(
    "--host",
    type=FILLED,
    metavar="ADDRESS",
    show_default="PHX_HOST",
    help="Serve it on this address; beyond this computer it takes a key and TLS.",
)
def up(*, port: int | None, host: str | None) -> None:
    """Start Dagster and keep it running until Ctrl-C.

    It starts code server, daemon and webserver, starts again what ends, and stops all
    on Ctrl-C, SIGTERM or when the terminal closes. There is one for each data folder: a
    second one is refused. It brings the catalogue to this version first, as `phx init`.

    \b
    Examples:
      phx up
      phx up --port 3001
      phx up --port 0       take any free port, and say which
      phx up --host 0.0.0.0
    """
    from phx_pipeline.model.refusal import on_disk
    from phx_pipeline.supervise.addresses import free_port
    from phx_pipeline.supervise.services import services
    from phx_pipeline.supervise.supervisor import Supervisor, holding

    log_to_stderr()
    settings = load_settings()
    if port is not None:
        settings = replace(settings, webserver_port=port or free_port())
    if host is not None:
        settings = replace(settings, host=_address(host))
    with on_disk(settings.data_dir), holding(settings) as held:
        stop = _stop_signals()
        _prepare(settings)
        _require_safe(settings)
        _say("starting code server, daemon and webserver …")
        wanted = services(held.settings)
        with Supervisor(
            wanted,
            held=held,
            until=stop.is_set,
            before_runs_end=lambda: _spare_retries(settings),
        ) as supervisor:
            if not stop.is_set():
                _say(f"Dagster is up: {held.running.url}")
                _say("stop with Ctrl-C or `phx down`")
            supervisor.keep_alive()
            _say("stopping …")


def _prepare(settings: Settings) -> None:
    from phx_pipeline.defs.submit import open_instance
    from phx_pipeline.wiring.stores import initialise

    initialise(settings)
    open_instance(settings).dispose()


def _require_safe(settings: Settings) -> None:
    """Refuse here, in one line, what the webserver would refuse in its log."""
    from phx_pipeline.service.entrance import reach_of, require_safe
    from phx_pipeline.service.listening import tls_files
    from phx_pipeline.wiring.catalog import build_catalog
    from phx_pipeline.wiring.clock import utc_now

    reach = reach_of(settings, host=settings.host, port=settings.webserver_port)
    opening = partial(build_catalog, settings)
    require_safe(reach, open_catalog=opening, clock=utc_now)
    tls_files(settings.tls_cert, settings.tls_key)


def _address(text: str) -> str:
    found = plain_ip(text)
    if found is None:
        raise InputError(f"--host {text!r}: give an address, such as 192.168.1.2")
    return found


def _spare_retries(settings: Settings) -> None:
    from phx_pipeline.defs.interrupted import allow_another_retry
    from phx_pipeline.defs.submit import open_instance

    instance = open_instance(settings)
    try:
        allow_another_retry(instance)
    finally:
        instance.dispose()


def _stop_signals() -> threading.Event:
    """An event that Ctrl-C, SIGTERM and the closing of the terminal set.

    `nohup` has the closing ignored, and it stays so.
    """
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
            continue
        signal.signal(number, lambda *_: stop.set())
    return stop


def _say(text: str) -> None:
    with suppress(OSError):  # the terminal may be gone
        console.print(text)
