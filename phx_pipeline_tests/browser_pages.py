"""Pages for a real browser, hostile ones among them, and a client that asks for them.

All are at `HOST`, through the fault server's proxy; `OFF_LIST` is reachable there too,
but no browser of ours may go to it.
"""

import gzip
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from phx_pipeline.errors import (
    BodyLimitError,
    DeadlineError,
    FetchError,
    TransientError,
)
from phx_pipeline.fetch.base import Request, RequestKind
from phx_pipeline.model.source import Source
from phx_pipeline_tests.fault_site import (
    Line,
    head,
    page,
    redirect,
    send,
)

HOST = "www.zillow.com"
STATIC_HOST = "static.zillowstatic.com"
OFF_LIST = "not-listed.example"
HOSTS = (HOST, STATIC_HOST, OFF_LIST)
LIMIT = 1_000_000

Behaviour = Callable[[Line], object]


class Turns:
    """Turns of one process; whoever takes one twice is told."""

    def __init__(self) -> None:
        self.taken: Counter[Source] = Counter()
        self.held: set[Source] = set()

    @contextmanager
    def hold(self, source: Source) -> Iterator[None]:
        assert source not in self.held
        self.held.add(source)
        self.taken[source] += 1
        try:
            yield
        finally:
            self.held.remove(source)


def html(body: str, *headers: str, status: int = 200) -> Behaviour:
    """A page with this body."""
    text = f"<!doctype html><html><head><title>x</title></head><body>{body}</body>"
    media = "Content-Type: text/html; charset=utf-8"
    return send(page(status, media, *headers, body=text.encode()))


def script(code: str) -> Behaviour:
    """A page with some text and a script."""
    return html(f"<h1>a house</h1><script>{code}</script>")


def json(text: str) -> Behaviour:
    """An answer of an API."""
    return send(page(200, "Content-Type: application/json", body=text.encode()))


def _begun(line: Line) -> None:
    line.send(head(200, "Content-Type: text/html", length=100_000) + b"<h1>half")
    line.hang()


def _flood(line: Line) -> None:
    line.send(head(200, "Content-Type: text/html", "Transfer-Encoding: chunked"))
    line.flood(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")


def _bomb(line: Line) -> None:
    body = gzip.compress(bytes(50_000_000), compresslevel=1)
    line.send(page(200, "Content-Type: text/html", "Content-Encoding: gzip", body=body))


_cut = send(head(200, "Content-Type: text/html", length=100_000) + b"<h1>half")
_short = send(
    head(200, "Content-Type: text/html", "Transfer-Encoding: chunked")
    + b"4000\r\n<h1>half"
)
_bad_gzip = send(
    page(200, "Content-Type: text/html", "Content-Encoding: gzip", body=bytes(400))
)
_download = send(
    page(
        200,
        "Content-Type: application/octet-stream",
        "Content-Disposition: attachment",
        body=bytes(1000),
    )
)


def _interrupting(line: Line) -> None:
    """A page that goes on before it has come wholly."""
    code = b"<h1>half</h1><script>location.href = '/ok'</script>"
    line.send(head(200, "Content-Type: text/html", length=100_000) + code)
    line.hang()


def _stream(line: Line) -> None:
    """An answer that never ends."""
    media = "Content-Type: text/event-stream"
    line.send(head(200, media, "Transfer-Encoding: chunked"))
    line.drip()


def _visitor(line: Line) -> None:
    """A page that lets a browser in with its second visit."""
    if line.asked == 1:
        code = "document.cookie = 'passed=1'; location.reload()"
        script(code)(line)
    else:
        html("<h1>let in</h1>")(line)


_LAZY = """
const seen = new IntersectionObserver(entries => {
  for (const entry of entries) if (entry.isIntersecting) {
    seen.unobserve(entry.target);
    fetch('/api/photo?n=' + entry.target.id);
  }
});
for (let n = 0; n < 6; n++) {
  const box = document.createElement('div');
  box.id = n; box.style.height = '900px';
  document.body.append(box); seen.observe(box);
}
"""
_GROWING = """
const grow = () => { const box = document.createElement('div');
  box.style.height = '3000px'; document.body.append(box); };
addEventListener('scroll', grow); grow();
"""
_WHO = """
fetch('/api/who?' + encodeURIComponent(JSON.stringify({
  webdriver: navigator.webdriver, languages: navigator.languages,
  agent: navigator.userAgent,
  zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  width: innerWidth, height: innerHeight, shown: document.visibilityState,
})))
"""
_WORKER = """
navigator.serviceWorker.register('/worker.js').then(() => navigator.serviceWorker.ready)
  .then(() => fetch('/api/one'));
fetch('/api/late')
"""
_WORKER_CODE = b"""
addEventListener('install', () => skipWaiting());
addEventListener('activate', event => event.waitUntil(clients.claim()));
addEventListener('fetch', event => event.respondWith(new Response('"of the worker"')));
"""
_ASKING = b"""
addEventListener('install', event => event.waitUntil(new Promise(() => 0)));
setInterval(() => fetch('/more'), 20);
"""
_OVERLAY = """
const cover = document.createElement('iframe');
cover.id = 'px-captcha-modal'; cover.style.position = 'fixed';
document.body.append(cover);
"""


def _covered(of: str, inside: str, *, shadow: str = "", style: str = "") -> Behaviour:
    """A page over which a script lays something as large as the window."""
    return script(
        "const over = document.createElement('div');"
        f"over.id = '{of}'; over.innerHTML = '{inside}';"
        f"over.style = 'position: fixed; inset: 0; {style}';"
        "document.body.append(over);"
        f"if ('{shadow}')"
        f" over.attachShadow({{mode: 'closed'}}).innerHTML = '{shadow}';"
    )


def _cached(line: Line) -> None:
    """A page that a cache must ask about, and may then keep."""
    if line.asked == 1:
        told = ("Content-Type: text/html", 'ETag: "1"', "Cache-Control: no-cache")
        line.send(page(200, *told, body=b"<h1>kept</h1>"))
    else:
        line.send(page(304, 'ETag: "1"'))


MEDIA: Mapping[str, bytes] = {
    "jpeg": bytes.fromhex("ffd8ffe000104a46494600010101004800480000ffd9"),
    "xml": b"<?xml version='1.0'?><a>1</a>",
    "octets": b'{"n": 1}',
}
_TYPES = {
    "jpeg": "image/jpeg",
    "xml": "text/xml",
    "octets": "text/plain",
}

GOOD: Mapping[str, Behaviour] = {
    "/ok": html("<h1>fine</h1>"),
    "/cached": _cached,
    **{
        f"/{name}": send(page(200, f"Content-Type: {_TYPES[name]}", body=body))
        for name, body in MEDIA.items()
    },
    "/latin": send(
        page(200, "Content-Type: text/html; charset=iso-8859-1", body=b"<p>caf\xe9")
    ),
    "/gzip": send(
        page(
            200,
            "Content-Type: text/html",
            "Content-Encoding: gzip",
            body=gzip.compress(b"<h1>fine</h1>"),
        )
    ),
    "/api/one": json('{"n": 1}'),
    "/api/late": lambda line: line.hang(1) or json("{}")(line),
    "/api/photo": json('{"photo": true}'),
    "/api/who": json("{}"),
    "/other": json('{"other": true}'),
    "/worker.js": send(page(200, "Content-Type: text/javascript", body=_WORKER_CODE)),
    "/asks": script("fetch('/api/one'); fetch('/other')"),
    "/asking.js": send(page(200, "Content-Type: text/javascript", body=_ASKING)),
    "/more": json("{}"),
    "/stream": _stream,
    "/asks-elsewhere": script(
        f"fetch('https://{OFF_LIST}/api/one', {{mode: 'no-cors'}})"
    ),
    "/lazy": script(_LAZY),
    "/overlay": script(_OVERLAY),
    "/over/box": _covered("px-captcha-wrapper", "", shadow="<p>Press and hold</p>"),
    "/over/words": _covered("modal", "<p>Press &amp; Hold: are you a human?</p>"),
    "/over/cookies": _covered("consent", "<p>We use cookies.</p><button>OK</button>"),
    "/over/hidden": _covered("px-captcha", "<p>Press</p>", style="display: none"),
    "/who": script(_WHO),
    "/visitor": _visitor,
    "/hop": redirect("/ok"),
    "/interrupts": _interrupting,
    "/to-static": redirect(f"https://{STATIC_HOST}/ok"),
    "/off-list": redirect(f"https://{OFF_LIST}/ok"),
    "/off-port": redirect(f"https://{HOST}:8443/ok"),
    "/off-name": redirect("https://[::1]/ok"),
    "/to-http": redirect(f"http://{HOST}/ok"),
    "/js-off-list": script(f"location.href = 'https://{OFF_LIST}/ok'"),
    "/js-blob": script(
        "location.href = URL.createObjectURL(new Blob(['x'], {type: 'text/html'}))"
    ),
    "/sets-cookie": html(
        "<script>document.cookie = 'by_script=2'</script>",
        "Set-Cookie: by_header=1; Path=/; Secure; HttpOnly",
        "Set-Cookie: for_all=3; Domain=zillow.com; Path=/; Max-Age=1000",
    ),
    "/drops-cookie": html("", "Set-Cookie: by_header=; Path=/; Max-Age=0"),
}

STATUSES: Mapping[str, Behaviour] = {
    "/204": send(page(204)),
    "/401": html("no", "WWW-Authenticate: Basic realm=x", status=401),
    "/403": html("no", status=403),
    "/403-empty": send(page(403)),
    "/404": html("no", status=404),
    "/404-empty": send(page(404)),
    "/429": html("no", "Retry-After: 7", status=429),
    "/503": html("no", status=503),
    "/500-empty": send(page(500)),
}

BORNE: Mapping[str, Behaviour] = {
    "/dialogs": script("alert(1); if (confirm('?')) throw 1; prompt('?')"),
    "/beforeunload": script(
        "onbeforeunload = event => { event.preventDefault(); return 'stay'; }"
    ),
    "/picture-hangs": html("<h1>a house</h1><img src=/hang>"),
    "/script-hangs": html("<h1>a house</h1><script async src=/hang></script>"),
    "/popups": script("for (let n = 0; n < 300; n++) open('/ok?' + n)"),
    "/permissions": script(
        "navigator.geolocation.getCurrentPosition(() => 0);"
        "Notification.requestPermission(); navigator.mediaDevices"
        ".getUserMedia({audio: true, video: true})"
    ),
    "/print": script("print()"),
    "/programs": script("location.href = 'mailto:a@b.example'"),
    "/schemes": script(
        "for (const url of ['file:///etc/passwd', 'chrome://settings', 'data:,x'])"
        "{ try { location.href = url } catch {} }"
    ),
    "/frame-off-list": html(f"<iframe src=https://{OFF_LIST}/ok></iframe>"),
    "/grows": script(_GROWING),
    "/asks-much": script("for (let n = 0; n < 400; n++) fetch('/api/one?' + n)"),
    "/asks-huge": script("fetch('/flood'); fetch('/api/one')"),
    "/goes-to-download": script("location.href = '/download'"),
    "/goes-to-hang": script("location.href = '/hang'"),
    "/downloads": script(
        "for (let n = 0; n < 20; n++) { const a = document.createElement('a');"
        "a.href = '/download?' + n; a.download = 'x'; a.click() }"
    ),
    "/worker": script(_WORKER),
    "/streams": script("for (let n = 0; n < 6; n++) new EventSource('/stream')"),
    "/busy": script(
        "for (let n = 0; n < 5000; n++) console.log({n}); debugger; close();"
        "for (let n = 0; n < 300; n++) history.pushState({}, '', '#' + n);"
        f"for (let n = 0; n < 300; n++) new WebSocket('wss://{HOST}/socket')"
    ),
}
"""What a page does that must not keep us from what it shows."""

STAYING: Mapping[str, Behaviour] = {
    "/dedicated": script("new Worker('/asking.js'); fetch('/api/late')"),
    "/shared": script("new SharedWorker('/asking.js'); fetch('/api/late')"),
    "/service": script(
        "navigator.serviceWorker.register('/asking.js'); fetch('/api/late')"
    ),
    "/unloading": script(
        "fetch('/more'); onpagehide = () => setInterval(() => fetch('/more'), 20)"
    ),
}
"""What asks for more and more, and would when its page has been left."""

FAULTS: Mapping[str, tuple[Behaviour, type[FetchError], str]] = {
    "/hang": (lambda line: line.hang(), DeadlineError, "no complete answer"),
    "/begun": (_begun, DeadlineError, "no complete answer"),
    "/cut": (_cut, TransientError, "shorter than announced"),
    "/short-chunked": (_short, TransientError, "shorter than announced"),
    "/reset": (lambda line: line.reset(), TransientError, "reset or cut off"),
    "/empty": (send(b""), TransientError, "closed without an answer"),
    "/bad-gzip": (_bad_gzip, TransientError, "compressed answer is broken"),
    "/flood": (_flood, BodyLimitError, f"larger than {LIMIT} bytes"),
    "/bomb": (_bomb, BodyLimitError, f"larger than {LIMIT} bytes"),
    "/loop": (redirect("/loop"), FetchError, "redirected without end"),
    "/to-file": (redirect("file:///etc/hosts"), FetchError, "of this machine"),
    "/download": (_download, TransientError, "a download"),
    "/alerts": (script("while (true) alert(1)"), TransientError, "one dialog after"),
    "/refreshes": (
        html("<meta http-equiv=refresh content=0>"),
        TransientError,
        "one document to the next",
    ),
    "/reloads": (
        script("location.reload()"),
        TransientError,
        "one document to the next",
    ),
    "/endless": (script("while (true);"), DeadlineError, "no complete answer"),
    "/endless-later": (
        script("setTimeout(() => { while (true); }, 100)"),
        TransientError,
        "one of its scripts does not end",
    ),
    "/endless-scroll": (
        script(
            "document.body.style.height = '9000px';onscroll = () => { while (true); }"
        ),
        TransientError,
        "one of its scripts does not end",
    ),
    "/workers": (
        script(
            "const url = URL.createObjectURL(new Blob(['for (;;);']));"
            "for (let n = 0; n < 300; n++) new Worker(url)"
        ),
        TransientError,
        "one of its scripts does not end",
    ),
    "/blank": (
        script("setTimeout(() => { location.href = 'about:blank' }, 50)"),
        TransientError,
        "left for about:blank",
    ),
}
"""What a page does that leaves nothing to take."""

PAGES: Mapping[str, Behaviour] = {
    **GOOD,
    **STATUSES,
    **BORNE,
    **STAYING,
    **{path: behaviour for path, (behaviour, _, _) in FAULTS.items()},
}


def asked(path: str, **changes: Any) -> Request:
    """A request for a page of the site."""
    given: dict[str, Any] = {
        "url": f"https://{HOST}{path}",
        "source": Source.ZILLOW,
        "kind": RequestKind.PAGE,
        "timeout_s": 30.0,
        "max_bytes": LIMIT,
        "captures": ("/api/",),
    }
    return Request(**(given | changes))
