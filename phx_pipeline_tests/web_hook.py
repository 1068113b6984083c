"""A webhook on loopback that keeps what is posted to it."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@dataclass(kw_only=True)
class Hooked:
    """What was posted: path, headers and body; and the status that is answered.

    `on_post` is called when a post is there whole, before it is answered. `raw` is sent
    in place of an answer, if there is any.
    """

    url: str = ""
    status: int = 200
    raw: bytes = b""
    on_post: Callable[[], None] = lambda: None
    posts: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)


@contextmanager
def hooked() -> Iterator[Hooked]:
    """Serve as long as the body lasts."""
    made = Hooked()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            made.posts.append((self.path, headers, json.loads(body)))
            made.on_post()
            with suppress(OSError):  # whoever posted may be gone
                self._answer()

        def _answer(self) -> None:
            if made.raw:
                self.wfile.write(made.raw)
                return
            self.send_response(made.status)
            self.send_header("location", "/elsewhere")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made.url = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()
