"""What the page looks like by which people come in: no scripts, nothing from afar."""

from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from urllib.parse import quote

from phx_pipeline.model.access import Principal
from phx_pipeline.service.asgi import Send
from phx_pipeline.service.permissions import LOGIN, LOGOUT
from phx_pipeline.service.refusals import Header

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:24rem;margin:12vh auto;"
    "padding:0 1rem;color:#1b1f24;background:#f6f7f9}"
    "h1{font-size:1.4rem}label{display:block;margin:1rem 0 .3rem}"
    "input{width:100%;box-sizing:border-box;font:inherit;padding:.5rem;"
    "border:1px solid #8a929c;border-radius:6px}"
    "button{font:inherit;margin-top:1rem;padding:.5rem 1.2rem;border:0;"
    "border-radius:6px;background:#1b4fd6;color:#fff}"
    ".error{background:#fde7e7;border-left:4px solid #b3261e;padding:.5rem .8rem}"
    "code{background:#e6e8ec;padding:0 .2rem}"
)
_STYLE_HASH = b64encode(sha256(_STYLE.encode()).digest()).decode()
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; "
    "base-uri 'none'"
)
_PAGE = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1">{head}'
    "<title>Phoenix property images</title><style>{style}</style></head>"
    "<body><main><h1>Phoenix property images</h1>{content}</main></body></html>"
)
_AGAIN = '<meta http-equiv="refresh" content="0">'
_ERROR = '<p class="error" role="alert">{}</p>'
_ENTER = (
    f'<form method="post" action="{LOGIN}?next={{again}}">'
    '<input type="hidden" name="token" value="{token}">'
    '<input type="hidden" name="next" value="{onward}">'
    '<label for="key">Your key</label>'
    '<input id="key" name="key" type="password" required autofocus '
    'autocomplete="current-password" spellcheck="false">'
    '<button type="submit">Log in</button></form>'
    "<p>It begins with <code>phx_</code>. Ask whoever runs this service for one: "
    "<code>phx keys add</code> on its computer makes it.</p>"
)
_LEAVE = (
    '<p>You are logged in as <b>{user}</b> ({role}). <a href="{onward}">Go on</a></p>'
    f'<form method="post" action="{LOGOUT}">'
    '<input type="hidden" name="token" value="{token}">'
    '<button type="submit">Log out</button></form>'
)
_NO_KEY = '<p>There is no key yet, so nobody has to log in. <a href="{}">Go on</a></p>'


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """An answer for a browser; without content only its headers count."""

    content: str = ""
    status: int = 200
    headers: tuple[Header, ...] = ()

    async def send(self, send: Send) -> None:
        """Give it as the answer."""
        body = self.content.encode()
        headers = [
            (b"content-type", b"text/html; charset=utf-8"),
            (b"content-length", str(len(body)).encode()),
            (b"content-security-policy", _POLICY.encode()),
            (b"cache-control", b"no-store"),
            *self.headers,
        ]
        kind = "http.response.start"
        await send({"type": kind, "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def enter_page(*, token: str, onward: str, error: str = "") -> str:
    """Return the form that asks for a key, and leads to *onward*."""
    again = quote(onward, safe="/")
    form = _ENTER.format(token=escape(token), onward=escape(onward), again=again)
    told = _ERROR.format(escape(error)) if error else ""
    return _shown(told + form)


def leave_page(principal: Principal, *, token: str, onward: str) -> str:
    """Return who is logged in, and the form that ends it."""
    content = _LEAVE.format(
        user=escape(principal.user),
        role=principal.role.word,
        token=escape(token),
        onward=escape(onward),
    )
    return _shown(content)


def no_key_page(*, onward: str) -> str:
    """Return the line that nobody has to log in."""
    return _shown(_NO_KEY.format(escape(onward)))


def again_page() -> str:
    """Return what asks for the same page again, now as a page of this service."""
    return _shown("<p>One moment …</p>", head=_AGAIN)


def _shown(content: str, *, head: str = "") -> str:
    return _PAGE.format(head=head, style=_STYLE, content=content)
