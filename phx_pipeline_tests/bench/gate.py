#!/usr/bin/env python
"""What the browser's gate costs for each megabyte, and for each connection.

    .venv/bin/python -m phx_pipeline_tests.bench.gate [--megabytes 200] [--rounds 5]

A stand-in site and a client run in processes of their own, the gate in this one: its
CPU time is that of this process. The client fetches the same over TLS directly, through
the gate, and through the gate that ends TLS (`PHX_CA_FILE`), in turns. Memory is the
most this process ever had.
"""

import asyncio
import json
import resource
import socket
import ssl
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import click
import trustme

from phx_pipeline.fetch.clients.browser import upstream
from phx_pipeline.fetch.clients.browser.gate import Gate
from phx_pipeline.fetch.hosts import PublicAddresses

_HOST = "www.zillow.com"
_MEGABYTE = 1_000_000
_CONNECTIONS = 100
_GREETING = f"CONNECT {_HOST}:443 HTTP/1.1\r\n\r\n".encode()

Figures = dict[str, list[float]]


@click.command()
@click.option("--megabytes", default=200, show_default=True)
@click.option("--rounds", default=5, show_default=True)
def main(*, megabytes: int, rounds: int) -> None:
    """Print one JSON line per way, with the medians of ROUNDS rounds."""
    with tempfile.TemporaryDirectory() as folder, _site(Path(folder)) as (port, ca):
        upstream.HTTPS_PORT = port  # type: ignore[misc]
        measured = {name: _nothing_yet() for name in ("direct", "gate", "ends-tls")}
        for _ in range(rounds):
            for name, figures in measured.items():
                asyncio.run(_round(name, figures, ca=ca, port=port, size=megabytes))
    for name, figures in measured.items():
        medians = {key: round(statistics.median(of), 3) for key, of in figures.items()}
        click.echo(json.dumps({"way": name, **medians}))
    most_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    click.echo(json.dumps({"most_mib": round(most_kib / 1024, 1)}))


def _nothing_yet() -> Figures:
    keys = ("wall_ms_per_mb", "cpu_ms_per_mb", "wall_ms_to_open", "cpu_ms_to_open")
    return {key: [] for key in keys}


async def _round(
    name: str, figures: Figures, *, ca: Path, port: int, size: int
) -> None:
    async def here(_: str) -> list[str]:
        return ["127.0.0.1"]

    gate = Gate(
        allows=lambda host: host == _HOST,
        ca_file=ca if name == "ends-tls" else None,
        addresses=PublicAddresses(here, also=frozenset({"127.0.0.1"})),
    )
    await gate.start()
    goal = port if name == "direct" else gate.port
    fetched = partial(_in_a_child, goal, b"" if name == "direct" else _GREETING)
    wall_s, cpu_s = await fetched(1, size * _MEGABYTE)
    figures["wall_ms_per_mb"].append(wall_s * 1000 / size)
    figures["cpu_ms_per_mb"].append(cpu_s * 1000 / size)
    wall_s, cpu_s = await fetched(_CONNECTIONS, 1)
    figures["wall_ms_to_open"].append(wall_s * 1000 / _CONNECTIONS)
    figures["cpu_ms_to_open"].append(cpu_s * 1000 / _CONNECTIONS)
    await gate.aclose()


async def _in_a_child(
    port: int,
    greeting: bytes,
    times: int,
    size: int,
) -> tuple[float, float]:
    """Return how long the client took, and the CPU time of this process meanwhile."""
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    child = context.Process(target=_fetch, args=(theirs, port, greeting, times, size))
    child.start()
    await asyncio.to_thread(ours.recv)
    before_s = time.process_time()
    ours.send("go")
    wall_s: float = await asyncio.to_thread(ours.recv)
    cpu_s = time.process_time() - before_s
    await asyncio.to_thread(child.join)
    return wall_s, cpu_s


def _fetch(
    told: Connection,
    port: int,
    greeting: bytes,
    times: int,
    size: int,
) -> None:
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    told.send("ready")
    told.recv()
    began_s = time.perf_counter()
    for _ in range(times):
        with socket.create_connection(("127.0.0.1", port)) as plain:
            if greeting:
                plain.sendall(greeting)
                plain.recv(65536)
            with trust.wrap_socket(plain, server_hostname=_HOST) as line:
                line.sendall(size.to_bytes(8, "big"))
                left = size
                while left > 0:
                    left -= len(line.recv(65536))
    told.send(time.perf_counter() - began_s)


@contextmanager
def _site(folder: Path) -> Iterator[tuple[int, Path]]:
    """A process that sends as many bytes as it is asked for, over TLS."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    leaf = authority.issue_cert(_HOST)
    leaf.private_key_and_cert_chain_pem.write_to_path(str(folder / "site.pem"))
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    child = context.Process(target=_serve, args=(theirs, folder / "site.pem"))
    child.start()
    try:
        yield ours.recv(), folder / "ca.pem"
    finally:
        child.terminate()
        child.join()


def _serve(told: Connection, certificate: Path) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    chunk = bytes(65536)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        told.send(listening.getsockname()[1])
        while True:
            plain, _ = listening.accept()
            with plain, tls.wrap_socket(plain, server_side=True) as line:
                left = int.from_bytes(line.recv(8), "big")
                while left > 0:
                    left -= line.send(chunk[:left])


if __name__ == "__main__":
    main()
