"""CPU time per photo from download to stored PNG, beside img2dataset doing less.

Both take the same photos from servers in this process, each run in a process of its
own. The slope between two numbers of photos leaves start-up out. Ours: TLS download,
decoding, two pairs of hashes, clustering, scaling, PNG, all files and catalogue rows.
The peer: plain download, decoding, scaling, PNG of level 1, its own files.

    python -m phx_pipeline_tests.bench.imaging --peer PYTHON_WITH_IMG2DATASET
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from phx_pipeline.demo.loopback import Answer, Asked, Loopback
from phx_pipeline.model.address import Address
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.outcome import ListingOutcome, VerdictKind
from phx_pipeline.model.photo import PhotoRef
from phx_pipeline.model.source import Source
from phx_pipeline.settings import load_settings
from phx_pipeline.stages.collect import collect
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.dedupe import dedupe
from phx_pipeline.wiring.runs import build_context
from phx_pipeline.wiring.stores import initialise
from phx_pipeline.workflows.intake import add_properties
from phx_pipeline_tests.bench.pictures import PHOTOS, different_jpegs, numbered

_HOST = "ssl.cdn-redfin.com"
_PER_PROPERTY = 60
_DIFFERENT = 240  # several properties show the same pictures, as other bytes

_PEER = """
import sys
from img2dataset import download

if __name__ == "__main__":
    download(
        url_list=sys.argv[1], output_folder=sys.argv[2], output_format="files",
        processes_count=2, thread_count=16, number_sample_per_shard=120,
        image_size=1024, resize_mode="keep_ratio_largest", resize_only_if_bigger=True,
        encode_format="png", encode_quality=1,
    )
"""


def main() -> None:
    """Run both at both sizes and tell the slopes."""
    wish = _arguments()
    if wish.worker:
        _collect_all(wish.worker, folder=wish.folder, proxy=wish.proxy, ca=wish.ca)
        return
    jpegs = different_jpegs(wish.photos, count=_DIFFERENT)
    with tempfile.TemporaryDirectory() as place, _sites(jpegs, Path(place)) as sites:
        rounds = [_round(sites, wish, Path(place) / str(i)) for i in range(wish.rounds)]
    best = {who: min(found[who] for found in rounds) for who in rounds[0]}
    report: dict[str, object] = {
        "jpeg_kib": round(statistics.median(map(len, jpegs)) / 1024),
        "photos": [wish.few, wish.many],
        "cpu_ms_per_photo": {who: round(ms, 1) for who, ms in best.items()},
        "rounds": [
            {who: round(ms, 1) for who, ms in found.items()} for found in rounds
        ],
    }
    if "img2dataset" in best:
        report["ratio"] = round(best["ours"] / best["img2dataset"], 2)
    lines = [f"{name}: {value}" for name, value in report.items()]
    sys.stdout.write(json.dumps(report) if wish.json else "\n".join(lines))
    sys.stdout.write("\n")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", help="a Python that has img2dataset")
    parser.add_argument("--photos", type=Path, default=PHOTOS)
    parser.add_argument("--few", type=int, default=240)
    parser.add_argument("--many", type=int, default=960)
    parser.add_argument("--rounds", type=int, default=1, help="the best one counts")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--worker", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--proxy", help=argparse.SUPPRESS)
    parser.add_argument("--ca", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


class _Sites:
    """The two servers: the stand-in behind its proxy, and plain HTTP for the peer."""

    def __init__(self, loopback: Loopback, plain: ThreadingHTTPServer) -> None:
        self.loopback = loopback
        self.plain_url = f"http://127.0.0.1:{plain.server_port}"


@contextmanager
def _sites(jpegs: Sequence[bytes], place: Path) -> Iterator[_Sites]:
    handler = type("Handler", (_Plain,), {"jpegs": jpegs})
    plain = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=plain.serve_forever, daemon=True).start()
    answer = partial(_answer, jpegs)
    with Loopback({_HOST: answer}, folder=place / "standin") as loopback:
        yield _Sites(loopback, plain)
    plain.shutdown()


def _picture(jpegs: Sequence[bytes], path: str) -> bytes:
    number = int(Path(path).stem)
    return numbered(jpegs[number % len(jpegs)], number)


def _answer(jpegs: Sequence[bytes], asked: Asked) -> Answer:
    kind = {"Content-Type": "image/jpeg"}
    return Answer(body=_picture(jpegs, asked.target), headers=kind)


class _Plain(BaseHTTPRequestHandler):
    jpegs: Sequence[bytes]

    def do_GET(self) -> None:
        body = _picture(self.jpegs, self.path)
        self.send_response(200)
        self.send_header("Content-Type", "image/jpeg")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing per request."""


def _round(sites: _Sites, wish: argparse.Namespace, place: Path) -> dict[str, float]:
    """Return CPU milliseconds per photo by name."""
    runs = {"ours": partial(_ours, sites, place)}
    if wish.peer:
        runs["img2dataset"] = partial(_peer, sites, place, wish.peer)
    return {
        name: (run(wish.many) - run(wish.few)) / (wish.many - wish.few) * 1000
        for name, run in runs.items()
    }


def _ours(sites: _Sites, place: Path, count: int) -> float:
    folder = place / f"ours{count}"
    command = [sys.executable, __file__, "--worker", str(count)]
    command += ["--folder", str(folder), "--proxy", sites.loopback.proxy_url]
    spent = _cpu_s([*command, "--ca", str(sites.loopback.ca_file)])
    _require(folder / "property_images/standardized", count)
    return spent


def _peer(sites: _Sites, place: Path, python: str, count: int) -> float:
    folder = place / f"peer{count}"
    folder.mkdir(parents=True)
    urls, program = folder / "urls.txt", folder / "peer.py"
    urls.write_text("\n".join(f"{sites.plain_url}/{n}.jpg" for n in range(count)))
    program.write_text(_PEER)
    spent = _cpu_s([python, str(program), str(urls), str(folder / "out")])
    _require(folder / "out", count)
    return spent


def _cpu_s(command: Sequence[str]) -> float:
    """Run *command*; return the CPU seconds of it and its own children."""
    before = os.times()
    quiet = os.environ | {"NO_ALBUMENTATIONS_UPDATE": "1"}
    done = subprocess.run(  # noqa: S603 - our own commands
        command, capture_output=True, text=True, check=False, env=quiet
    )
    if done.returncode:
        raise SystemExit(f"{command} failed:\n{done.stderr}")
    after = os.times()
    return (
        after.children_user
        - before.children_user
        + after.children_system
        - before.children_system
    )


def _require(folder: Path, count: int) -> None:
    found = sum(1 for _ in folder.rglob("*.png"))
    if found != count:
        raise SystemExit(f"{found} pictures in {folder}, not {count}")


def _collect_all(count: int, *, folder: Path, proxy: str, ca: Path) -> None:
    folder.mkdir(parents=True)
    settings = replace(load_settings({}), data_dir=folder, proxy=proxy, ca_file=ca)
    initialise(settings)
    context = build_context(settings, run_id="bench")
    for first in range(0, count, _PER_PROPERTY):
        numbers = range(first, min(first + _PER_PROPERTY, count))
        _collect_one(context, f"{100 + first} W Bench Rd, Phoenix, AZ 85001", numbers)
    context.catalog.close()


def _collect_one(context: StageContext, address: str, numbers: Sequence[int]) -> None:
    house = Address.parse(address)
    add_properties(context, [house])
    with context.holding(house.slug) as lease:
        gallery = _gallery(numbers)
        context.catalog.record_listing(
            lease, house.slug, gallery, stamp=context.stamp()
        )
    asyncio.run(collect(context, house.slug))
    dedupe(context, house.slug)
    kept = context.tally(house.slug).count(VerdictKind.KEPT)
    if kept != len(numbers):
        raise SystemExit(f"{kept} of {len(numbers)} photos of {address} were kept")


def _gallery(numbers: Sequence[int]) -> Listing:
    refs = [
        PhotoRef(
            source=Source.REDFIN,
            photo_key=str(number),
            url=f"https://{_HOST}/{number}.jpg",
            position=position,
        )
        for position, number in enumerate(numbers)
    ]
    return Listing(
        source=Source.REDFIN,
        outcome=ListingOutcome.LISTED,
        photos=tuple(refs),
        complete=True,
    )


if __name__ == "__main__":
    main()
