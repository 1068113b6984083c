"""A page that uses all a browser lets it do to change things on another origin.

Each way of sending carries a mark of its own, so what got through is told by name.
"""

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Page

_SCRIPT = Path(__file__).with_suffix(".js")
REPORTED = "reported_by_a_page"  # an asset that only the page tells of
_FOREIGN, _REBOUND = "evil.test", "rebound.test"
NAMES = (_FOREIGN, _REBOUND)
"""What the browser must take for names of this computer."""

# Variables cannot be sent with some of the ways, so what is done is the default.
_MUTATION = """
mutation Change($for_real: Boolean! = true) {
  mark: setConcurrencyLimit(concurrencyKey: "MARK", limit: 1)
  wipe: wipeAssets(assetPartitionRanges: [{assetKey: {path: ["manifest"]}}])
    @include(if: $for_real) { __typename }
  backfill: launchPartitionBackfill(backfillParams: {
    assetSelection: [{path: ["raw_images"]}], partitionNames: PARTITIONS
  }) @include(if: $for_real) { __typename }
  forget: deleteDynamicPartitions(
    repositorySelector: {
      repositoryLocationName: "phx_pipeline", repositoryName: "__repository__"
    }
    partitionsDefName: "property", partitionKeys: PARTITIONS
  ) @include(if: $for_real) { __typename }
}
"""

# What the UI's own page does; a typo in the mutation would be an error in the answer.
_OWN = """async ([query, url]) => {
  const answer = await fetch(`${url}/graphql`, {
    method: 'POST', headers: {'Content-Type': 'application/json'},
    body: JSON.stringify({query, variables: {for_real: false}}),
  });
  const opened = await new Promise((tell) => {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-ws');
    socket.onopen = () => tell(true);
    socket.onerror = () => tell(false);
  });
  return {status: answer.status, answer: await answer.json(), socket: opened};
}"""


def mutation(mark: str, *, partitions: Sequence[str]) -> str:
    """What is tried: to set a limit called *mark*, and to do real harm."""
    text = _MUTATION.replace("MARK", mark).replace("PARTITIONS", json.dumps(partitions))
    return " ".join(text.split())


def attacks(
    page: Page, *, url: str, partitions: Sequence[str]
) -> dict[str, dict[str, object]]:
    """Let hostile pages of several origins try everything against the UI at *url*.

    Returns:
        For each origin and way what the page learned: that something was answered,
        refused by the browser or could not be told.
    """
    query = mutation("MARK", partitions=partitions)
    with _serving() as port:
        rebound = f"http://{_REBOUND}:{urlsplit(url).port}"
        origins = {
            "other port": (f"http://127.0.0.1:{port}", url),
            "other site": (f"http://{_FOREIGN}:{port}", url),
            # Where the page came from, and where the name leads to the UI by now.
            "rebound name": (rebound, rebound),
        }
        return {
            name: _attack(page, origin, [name, target, query, REPORTED])
            for name, (origin, target) in origins.items()
        }


def changed_by_itself(page: Page, *, url: str, partitions: Sequence[str]) -> object:
    """What the same mutation and a WebSocket give in the UI's own page."""
    page.goto(f"{url}/runs")
    return page.evaluate(_OWN, [mutation("own page", partitions=partitions), url])


def _attack(page: Page, origin: str, told: list[str]) -> dict[str, object]:
    page.goto(f"{origin}/server_info")  # where even the UI has no policy for scripts
    learned: dict[str, object] = page.evaluate(_script("attack"), told)
    # At last the page sends its window there: by a form, which a browser marks.
    with page.expect_navigation():
        page.evaluate(_script("leave"), told)
    return {**learned, "form of the window": page.inner_text("body").strip()}


def _script(does: str) -> str:
    return f"(told) => {{ {_SCRIPT.read_text()}; return {does}(...told); }}"


class _Hostile(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>Win a house</title>")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def _serving() -> Iterator[int]:
    """Serve a page, on a port of its own, in which scripts can run."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Hostile) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()
