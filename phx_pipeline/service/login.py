"""How people come in with a key, and go out again: `/login` and `/logout`.

The form holds a token that its browser has in a cookie too: no other page knows it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs

from phx_pipeline.model.access import Principal, is_same, is_token, new_token
from phx_pipeline.service.access import SESSION_SPAN, Access, Shown
from phx_pipeline.service.asgi import READING, Asked, Receive, Scope, Send, body_of
from phx_pipeline.service.cookies import Cookies
from phx_pipeline.service.login_page import Page, enter_page, leave_page, no_key_page
from phx_pipeline.service.permissions import LOGIN, LOGOUT
from phx_pipeline.service.reach import Reach
from phx_pipeline.service.refusals import Header, Refusal, refuse
from phx_pipeline.service.throttle import WrongKeys
from phx_pipeline.service.trail import Trail

_MOST_FORM_BYTES = 8_192
_MOST_FIELDS = 8
_FORM = "application/x-www-form-urlencoded"
_FORM_SPAN_S = 3_600
# Pages of Dagster keep in the browser what the one before was allowed to do.
_FORGET: Header = (b"clear-site-data", b'"storage"')
_OLD = "This form is too old, or your browser keeps no cookies. Please try again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Answers `/login` and `/logout`.

    Attributes:
        access: Tells whose a key is, and begins and ends sessions.
        cookies: Of this service.
        wrong_keys: Counts those that are shown.
        reach: Tells whose request it is.
        trail: Notes who came in, and who could not.
    """

    access: Access
    cookies: Cookies
    wrong_keys: WrongKeys
    reach: Reach
    trail: Trail

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        asked = Asked.of(scope)
        if asked.method in READING and asked.path == LOGIN:
            await (await self._shown(asked)).send(send)
        elif asked.method == "POST" and asked.media_type == _FORM:
            form = _fields(await body_of(receive, most=_MOST_FORM_BYTES) or b"")
            await (await self._sent(asked, form)).send(send)
        else:
            told = f"open {LOGIN}, and send its form"
            await refuse(Refusal(status=405, text=told), scope, receive, send)

    async def _shown(self, asked: Asked) -> Page:
        onward = _onward(_fields(asked.query).get("next", ""))
        if await self.access.needs_no_key():
            return Page(content=no_key_page(onward=onward))
        shown = Shown(key=None, cookie=self.cookies.session(asked))
        known = await self.access.who(shown)
        if known.principal is None:
            return self._entrance(asked, onward=onward, error=_sentence(known.why))
        token, cookie = self._token(asked)
        content = leave_page(known.principal, token=token, onward=onward)
        return Page(content=content, headers=(cookie,))

    async def _sent(self, asked: Asked, form: Mapping[str, str]) -> Page:
        onward, token = _onward(form.get("next", "")), self.cookies.form(asked)
        if not token or not is_same(token, form.get("token", "")):
            return self._entrance(asked, onward=onward, error=_OLD, status=403)
        if asked.path == LOGOUT:
            return await self._left(asked)
        return await self._entered(asked, form.get("key", "").strip(), onward=onward)

    async def _entered(self, asked: Asked, key: str, *, onward: str) -> Page:
        address = self.reach.address(asked)
        known = await self.access.of_key(key)
        if known.principal is None:
            if wait_s := self.wrong_keys.note(address):
                return self._late(asked, wait_s, onward=onward)
            await self.trail.note_beside(
                "", "login.refused", known.why, address=address
            )
            told = _sentence(known.why)
            return self._entrance(asked, onward=onward, error=told, status=401)
        cookie = await self._begun(asked, known.principal)
        user, key_id = known.principal.user, str(known.principal.key_id)
        await self.trail.note_beside(user, "login", key_id, address=address)
        return Page(status=303, headers=(_to(onward), cookie, _FORGET))

    async def _begun(self, asked: Asked, principal: Principal) -> Header:
        """Begin a session that nobody had before; the one that was is over."""
        before = self.cookies.session(asked)
        token = await self.access.begin(str(principal.key_id), ends=before)
        age_s = int(SESSION_SPAN.total_seconds())
        return self.cookies.put_session(asked, token, age_s=age_s)

    async def _left(self, asked: Asked) -> Page:
        if cookie := self.cookies.session(asked):
            await self.access.end(cookie)
        gone = self.cookies.put_session(asked, "", age_s=0)
        return Page(status=303, headers=(_to(LOGIN), gone, _FORGET))

    def _late(self, asked: Asked, wait_s: float, *, onward: str) -> Page:
        seconds = f"{wait_s + 1:.0f}"
        told = f"Too many wrong keys. Please wait {seconds} seconds."
        page = self._entrance(asked, onward=onward, error=told, status=429)
        wait = (b"retry-after", seconds.encode())
        return Page(content=page.content, status=429, headers=(*page.headers, wait))

    def _entrance(
        self, asked: Asked, *, onward: str, error: str, status: int = 200
    ) -> Page:
        token, cookie = self._token(asked)
        content = enter_page(token=token, onward=onward, error=error)
        return Page(content=content, status=status, headers=(cookie,))

    def _token(self, asked: Asked) -> tuple[str, Header]:
        """The token of the form, and the header that keeps it in the browser.

        One that is there stays: a person may have the page open twice.
        """
        there = self.cookies.form(asked) or ""
        token = there if is_token(there) else new_token()
        return token, self.cookies.put_form(asked, token, age_s=_FORM_SPAN_S)


def _to(path: str) -> Header:
    return (b"location", path.encode("ascii", "replace"))


def _fields(text: bytes) -> dict[str, str]:
    """The fields of a form or an address; none of what is no form."""
    if len(text) > _MOST_FORM_BYTES:
        return {}
    try:
        found = parse_qs(
            text.decode("ascii"), keep_blank_values=True, max_num_fields=_MOST_FIELDS
        )
    except ValueError:
        return {}
    return {name: values[0] for name, values in found.items()}


def _onward(path: str) -> str:
    """Where to go on: a path of this service, whatever an address asks for."""
    is_path = path.startswith("/") and not path.startswith(("//", "/\\"))
    is_plain = path.isascii() and path.isprintable() and "\\" not in path
    return path if is_path and is_plain else "/"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}." if text else ""
