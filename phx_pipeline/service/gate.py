"""Who may do what: between the guard and the app, for every request.

It tells who asks, compares that with the table, and notes what was changed. What it
found stands in the request's `state`: `principal`, and `audit`, by which the app notes
its own deeds.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import quote

from phx_pipeline.errors import InputError, PhxError
from phx_pipeline.model.access import Principal, Role
from phx_pipeline.service.access import Access, Known, Shown
from phx_pipeline.service.amounts import refuse_too_much
from phx_pipeline.service.asgi import (
    READING,
    App,
    Asked,
    Message,
    Receive,
    Scope,
    Send,
    body_of,
    replayed,
)
from phx_pipeline.service.bounds import Bounds
from phx_pipeline.service.cookies import Cookies
from phx_pipeline.service.lanes import LaneFullError, Lanes
from phx_pipeline.service.login_page import Page, again_page
from phx_pipeline.service.operations import Deed, Question, refused_launches
from phx_pipeline.service.permissions import LOGIN, is_entrance, is_public, role_for
from phx_pipeline.service.reach import Reach
from phx_pipeline.service.refusals import Refusal, refuse
from phx_pipeline.service.subscriptions import Listening
from phx_pipeline.service.throttle import WrongKeys
from phx_pipeline.service.trail import Trail

logger = logging.getLogger("dagster.phx_pipeline.service")

_AGAIN_S = 2.0  # so often it is asked whether who listens may go on
_OK = 400  # the first status that tells of no success
_OWN = "/api/"  # what the service answers itself, it notes itself
_DOWNLOADS = ("/download_debug/", "/logs/")
_BEARER = "bearer "
_MOST_ANSWER = 200_000  # bytes of an answer that are looked into

MOST_GRAPHQL_OF_USER = 4
"""Requests of GraphQL of one user that are answered at once; a page sends a dozen."""


def graphql_lanes() -> Lanes:
    """Places for requests of GraphQL; they leave threads to the REST interface."""
    return Lanes(most=12, most_of_user=MOST_GRAPHQL_OF_USER, most_waiting=60)


"""`await audit("job.submit", "a3f9…", detail="2 houses")`, by who asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Lets in who may come in.

    Attributes:
        app: What is behind it.
        login: Answers `/login` and `/logout`.
        access: Tells who asks.
        cookies: Of this service.
        wrong_keys: Counts those that are shown.
        reach: Tells whose request it is.
        trail: Notes what was changed.
        bounds: Tells who has launched enough, and whose runs are.
    """

    app: App
    login: App
    access: Access
    cookies: Cookies
    wrong_keys: WrongKeys
    reach: Reach
    trail: Trail
    bounds: Bounds

    _lanes: Lanes = field(default_factory=graphql_lanes, init=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or refuse it."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        asked = Asked.of(scope)
        try:
            if is_public(asked):
                _put(scope, principal=_ANYBODY)
                await self.app(scope, receive, send)
            elif is_entrance(asked):
                with _looking_up():
                    await self.login(scope, receive, send)
            else:
                await self._judged(asked, scope, receive, send)
        except _Stopped as stopped:
            await refuse(stopped.refusal, scope, receive, send)

    async def _judged(
        self, asked: Asked, scope: Scope, receive: Receive, send: Send
    ) -> None:
        known = await self._known(asked)
        if known.principal is None:
            await self._unknown(asked, known, send)
            return
        _require(known.principal, role_for(asked))
        visit = _Visit(
            principal=known.principal,
            address=self.reach.address(asked),
            trail=self.trail,
        )
        scope["client"] = (visit.address, 0)  # whose it is, not the proxy's
        _put(scope, principal=known.principal, audit=visit.note)
        if asked.is_websocket:
            await self._listened(asked, scope, receive, send)
        elif asked.method in READING:
            await self._read(visit, asked, scope, receive, send)
        elif asked.is_graphql:
            await self._in_turn(visit, scope, receive, send)
        else:
            await self._changed(visit, scope, receive, send)

    async def _listened(
        self, asked: Asked, scope: Scope, receive: Receive, send: Send
    ) -> None:
        listening = Listening(receive, send)
        app = self.app(scope, listening.receive, send)
        await self._while_known(asked, app, close=listening.close)

    async def _read(
        self, visit: "_Visit", asked: Asked, scope: Scope, receive: Receive, send: Send
    ) -> None:
        answer = _Answer(send)
        await self._while_known(asked, self.app(scope, receive, answer.send))
        if answer.is_good and asked.path.startswith(_DOWNLOADS):
            await visit.note("ui.download", asked.path)

    async def _changed(
        self, visit: "_Visit", scope: Scope, receive: Receive, send: Send
    ) -> None:
        answer, path = _Answer(send), scope["path"]
        await self.app(scope, receive, answer.send)
        if answer.is_good and not path.startswith(_OWN):
            await visit.note("ui.change", path)

    async def _known(self, asked: Asked) -> Known:
        shown = Shown(key=_key(asked), cookie=self.cookies.session(asked))
        with _looking_up():
            return await self.access.who(shown)

    async def _unknown(self, asked: Asked, known: Known, send: Send) -> None:
        """Send people to the login, and tell programs what they lack."""
        if _key(asked) is not None:
            await self._wrong_key(asked, known)
        if not (asked.is_navigation or asked.wants_page):
            why = f"{known.why}; " if known.why else ""
            told = f"{why}send a key as `Authorization: Bearer phx_…`, or open {LOGIN}"
            raise _Stopped(_unauthorized(told))
        if asked.one("sec-fetch-site") in {"cross-site", "same-site"}:
            # The browser holds the cookie back where a link of others led here.
            await Page(content=again_page()).send(send)
            return
        onward = quote(asked.path) + (b"?" * bool(asked.query) + asked.query).decode()
        to = f"{LOGIN}?next={quote(onward, safe='/')}".encode()
        await Page(status=303, headers=((b"location", to),)).send(send)

    async def _wrong_key(self, asked: Asked, known: Known) -> None:
        address = self.reach.address(asked)
        if wait_s := self.wrong_keys.note(address):
            seconds = f"{wait_s + 1:.0f}"
            told = f"too many wrong keys: wait {seconds} s, or send a right one"
            wait = (b"retry-after", seconds.encode())
            raise _Stopped(Refusal(status=429, text=told, headers=(wait,)))
        await self.trail.note_refusal(known.why, address=address)
        told = f"{known.why}: ask whoever runs `phx up` here for another one"
        raise _Stopped(_unauthorized(told))

    async def _while_known(
        self,
        asked: Asked,
        answering: Awaitable[None],
        close: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Serve what may last long, until its key or session is over."""
        serving = asyncio.ensure_future(answering)
        try:
            while not serving.done():
                await asyncio.wait({serving}, timeout=_AGAIN_S)
                if serving.done() or (await self._known(asked)).principal is not None:
                    continue
                if close is not None:
                    await close()
                return
            await serving
        finally:
            if not serving.done():
                serving.cancel()
                with suppress(asyncio.CancelledError):
                    await serving

    async def _in_turn(
        self, visit: "_Visit", scope: Scope, receive: Receive, send: Send
    ) -> None:
        body = await body_of(receive)
        if body is None:
            return
        try:
            async with self._lanes.place(visit.principal.user):
                await self._graphql(visit, body, scope, receive, send)
        except LaneFullError as full:
            told = (
                f"{MOST_GRAPHQL_OF_USER} requests of GraphQL of yours are under way, "
                "and others wait: send this one again when they are answered"
            )
            soon = (b"retry-after", b"5")
            raise _Stopped(Refusal(status=429, text=told, headers=(soon,))) from full

    async def _graphql(
        self,
        visit: "_Visit",
        body: bytes,
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        try:
            asks = await asyncio.to_thread(_Asks.of, body, visit.principal)
        except InputError as error:
            raise _Stopped(Refusal(status=400, text=str(error))) from error
        deed = asks.deed
        answer = _Answer(send, keeps=_MOST_ANSWER if asks.launches else 0)
        if why := _lack(visit.principal, deed.role, what=", ".join(deed.mutations)):
            raise _Stopped(asks.refusal(why))
        if asks.has_config and visit.principal.role < Role.ADMIN:
            raise _Stopped(asks.refusal(_NO_CONFIG))
        await self._leave_others_alone(visit.principal, asks)
        await self._repeat_what_is_there(asks)
        await self._keep_to_limits(visit.principal, asks)
        headers = [it for it in scope["headers"] if it[0] not in _LENGTHS]
        length = (b"content-length", str(len(asks.body)).encode())
        scope["headers"] = [*headers, length]
        await self.app(scope, replayed(asks.body, receive), answer.send)
        if none := refused_launches(answer.kept, asks.launches) if asks.launches else 0:
            await asyncio.to_thread(
                self.bounds.not_launched, visit.principal, launches=none
            )
        if deed.action and answer.is_good:
            told = [", ".join(deed.mutations), asks.extent]
            detail = ": ".join(filter(None, told))
            await visit.note(deed.action, asks.targets, detail=detail)

    async def _keep_to_limits(self, principal: Principal, asks: "_Asks") -> None:
        """Refuse to launch what would be refused as a job, too."""
        if not asks.launches:
            return
        with _looking_up():
            why = await asyncio.to_thread(
                self.bounds.why_not, principal, launches=asks.launches
            )
        if why:
            raise _Stopped(asks.refusal(why))

    async def _repeat_what_is_there(self, asks: "_Asks") -> None:
        """Refuse what says that it repeats a run, where there is no such run."""
        with _looking_up():
            why = await asyncio.to_thread(self.bounds.why_not_after, asks.parents)
        if why:
            raise _Stopped(asks.refusal(why))

    async def _leave_others_alone(self, principal: Principal, asks: "_Asks") -> None:
        """Refuse to stop what others run, as the REST interface does; admins may."""
        if not asks.deed.disturbs or principal.role >= Role.ADMIN:
            return
        with _looking_up():
            users = await asyncio.to_thread(
                self.bounds.users_of, asks.question.disturbed
            )
        if others := sorted(set(users) - {principal.user}):
            why = (
                f"{', '.join(asks.deed.mutations)} would change what is run for "
                f"{' and '.join(others)}, and {principal.user} may change own runs "
                "alone: ask an admin"
            )
            raise _Stopped(asks.refusal(why))


def role_of(scope: Scope) -> Role | None:
    """What who asks may do; None where nobody was asked."""
    principal = scope.get("state", {}).get("principal")
    return principal.role if isinstance(principal, Principal) else None


_NO_CONFIG = (
    "operators launch without `runConfigData`, for it says how processes are started: "
    "leave it empty, or ask an admin"
)
_LENGTHS = {b"content-length", b"transfer-encoding"}
_ANYBODY = Principal(user="", role=Role.READER)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asks:
    """A request of GraphQL once it was read, and what is passed on of it."""

    question: Question
    deed: Deed
    launches: int
    parents: frozenset[str]
    has_config: bool
    targets: str
    extent: str
    body: bytes

    @classmethod
    def of(cls, body: bytes, principal: Principal) -> Self:
        """Read a body; long ones take their time, so not in the event loop."""
        question = Question.read(body)
        deed = question.deed
        refuse_too_much(question.query, question.variables)
        if deed.launches and principal.role >= deed.role:
            question = question.tagged(principal.user)
        about = (question.targets, question.extent) if deed.action else ("", "")
        return cls(
            question=question,
            deed=deed,
            launches=question.launches,
            parents=question.parents if deed.launches else frozenset(),
            has_config=deed.launches and question.has_config,
            targets=about[0],
            extent=about[1],
            body=question.body(),
        )

    def refusal(self, why: str) -> Refusal:
        """An answer that pages of Dagster show, too."""
        return Refusal(status=403, text=why, data=self.question.refused(why))


def _put(scope: Scope, **known: object) -> None:
    scope["state"] = {**scope.get("state", {}), **known}


@contextmanager
def _looking_up() -> Iterator[None]:
    """Tell that the catalogue is silent, and nothing of how."""
    try:
        yield
    except PhxError as error:
        logger.warning("nobody can be let in: %s", error)
        soon = (b"retry-after", b"5")
        told = "who you are cannot be looked up now: try again in a minute"
        raise _Stopped(Refusal(status=503, text=told, headers=(soon,))) from error


class _Stopped(Exception):  # noqa: N818 - no error: an answer
    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.text)
        self.refusal = refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class _Visit:
    """One request of somebody who is known."""

    principal: Principal
    address: str
    trail: Trail

    async def note(self, action: str, target: str, *, detail: str = "") -> None:
        await self.trail.note(
            self.principal.user, action, target, detail=detail, address=self.address
        )


class _Answer:
    """Passes an answer on, and looks at its status and its first bytes."""

    def __init__(self, send: Send, *, keeps: int = 0) -> None:
        self._send = send
        self._status = 0
        self._keeps = keeps
        self.kept = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
        elif len(self.kept) < self._keeps:
            self.kept += message.get("body", b"")
        await self._send(message)

    @property
    def is_good(self) -> bool:
        return 0 < self._status < _OK


def _key(asked: Asked) -> str | None:
    """The key that a request shows; empty if it shows several."""
    authorized, plain = asked.one("authorization"), asked.one("x-api-key")
    if authorized is None or not authorized.lower().startswith(_BEARER):
        return "" if authorized == "" else plain  # another scheme is a proxy's
    return "" if plain is not None else authorized[len(_BEARER) :].strip()


def _require(principal: Principal, role: Role) -> None:
    if told := _lack(principal, role, what="this"):
        raise _Stopped(Refusal(status=403, text=told))


def _lack(principal: Principal, role: Role, *, what: str) -> str:
    """Why somebody may not do *what*; empty if it is allowed."""
    if principal.role >= role:
        return ""
    return (
        f"{what} needs a key with the role {role.word}, {principal.user} has "
        f"{principal.role.word}: ask an admin for another key"
    )


def _unauthorized(told: str) -> Refusal:
    challenge = (b"www-authenticate", b'Bearer realm="phx"')
    return Refusal(status=401, text=told, headers=(challenge,))
