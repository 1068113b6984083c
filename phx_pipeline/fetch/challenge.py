"""Is this answer a challenge? One recognition for all sources, by structure.

Good pages carry the names of their guards (scripts, app ids, SDK hosts), so no name
proves anything. What proves a challenge is the part of a page that a person would see
or that runs it (a title, a box, a form, its settings), and that the page carries no
data: a listing page holds its data as JSON, a challenge holds none.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from phx_pipeline.errors import BlockedError, FetchError, RateLimitedError
from phx_pipeline.fetch.base import Fetched


class ChallengeKind(StrEnum):
    """Who or what stands between us and the page."""

    PERIMETERX = "perimeterx"
    CLOUDFLARE = "cloudflare"
    AWS_WAF = "aws_waf"
    ROBOT_PAGE = "robot_page"
    RATE_LIMIT = "rate_limit"
    LOGIN_WALL = "login_wall"
    SOFT_BLOCK = "soft_block"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """A recognised challenge; `reason` is one line for a person.

    `over_payload`: it lies over a page that was delivered in full. What was delivered
    may be used, but the source must not be asked again soon.
    """

    kind: ChallengeKind
    reason: str
    over_payload: bool = False

    def error(self, answer: Fetched) -> FetchError:
        """Return the exception it stands for; it carries the answer's body."""
        is_limit = self.kind is ChallengeKind.RATE_LIMIT
        error_class = RateLimitedError if is_limit else BlockedError
        error = error_class(self.reason, url=answer.url, status=answer.status)
        error.body = answer.body
        return error


def recognise(answer: Fetched) -> Challenge | None:
    """Return the challenge *answer* is, or lies under; None for anything else.

    A missing page, a changed page and a failing server are not challenges.
    """
    text = answer.body.decode("utf-8", errors="replace").strip()
    if challenge := _by_address(answer):
        return challenge
    if text.startswith(("{", "[")):
        return _marked(answer) or _in_json(text)
    page = _Page.of(text)
    found = next(_signs(answer, page), None)
    cover = _cover(page)
    if found is None and cover is None:
        return _without_content(answer, page)
    if page.carries_data:  # signs in it prove nothing, but what lies over it does
        return replace(cover, over_payload=True) if cover else None
    return found or cover


def inspected(answer: Fetched) -> FetchError | None:
    """The fetch policies' look at an answer (`fetch.policies.Inspect`).

    Raises:
        BlockedError: it is a challenge; `RateLimitedError` for a rate-limit page.

    Returns:
        The same error where the page was delivered in full, under a challenge.
    """
    challenge = recognise(answer)
    if challenge is None:
        return None
    if challenge.over_payload:
        return challenge.error(answer)
    raise challenge.error(answer)


# --- the parts of a page --------------------------------------------------------------

_OPENING = re.compile(r"<!--|<(script|style)\b", re.IGNORECASE)
_CLOSING: Mapping[str, re.Pattern[str]] = {
    "": re.compile("-->"),
    "script": re.compile(r"</script\s*>", re.IGNORECASE),
    "style": re.compile(r"</style\s*>", re.IGNORECASE),
}
_TITLE = re.compile(r"<title[^<>]*>([^<]*)", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_CONTEXT = re.compile(r"root\.__reactServerState\.InitialContext\s*=\s*\{")
_DATA_SCRIPT = re.compile(
    r"<script\b[^<>]*__NEXT_DATA__[^<>]*>\s*(?P<next>.*)</script"
    r"|<script\b[^<>]*(?:hdpApolloPreloadedData|mobileSearchPageStore)[^<>]*>"
    r"\s*(?:<!--)?(?P<store>.*?)(?:-->)?\s*</script",
    re.DOTALL | re.IGNORECASE,
)
_DATA_NAMES = ("gdpClientCache", "searchPageState", "initialReduxState")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    """A page apart: what is marked up, and each script with its tag."""

    markup: str
    scripts: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> "_Page":
        """Take *text* apart in one pass: what is never closed ends at the end."""
        markup, scripts, at = [], [], 0
        while opening := _OPENING.search(text, at):
            name = (opening[1] or "").lower()
            closing = _CLOSING[name].search(text, opening.end())
            end = closing.end() if closing else len(text)
            markup.append(text[at : opening.start()])
            if name == "script":
                scripts.append(text[opening.start() : end])
            at = end
        markup.append(text[at:])
        return cls(markup="".join(markup), scripts=tuple(scripts))

    @property
    def title(self) -> str:
        """The first title on one line."""
        found = _TITLE.search(self.markup)
        return " ".join(found[1].split()) if found else ""

    @property
    def carries_data(self) -> bool:
        """Whether a script holds the data of a listing or of a search."""
        return any(map(_holds_data, self.scripts))


def _holds_data(script: str) -> bool:
    if _CONTEXT.search(script):
        return True
    found = _DATA_SCRIPT.match(script)
    if found is None:
        return False
    if found["next"] is None:
        return bool(_decoded(found["store"]))
    props = _at(_at(_decoded(found["next"]), "props"), "pageProps")
    return any(
        bool(_decoded(value) if isinstance(value, str) else value)
        for holder in (props, _at(props, "componentProps"))
        for value in (_at(holder, name) for name in _DATA_NAMES)
    )


def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _at(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


# --- signs ----------------------------------------------------------------------------

_ANSWERED = range(200, 300)
_LIMIT_HOST = re.compile(r"ratelimit(?:ed|er)?\.")
_PX_PATH = "/captchaPerimeterX"
_REFUSALS = (
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.METHOD_NOT_ALLOWED,
)
_Rule = tuple[ChallengeKind, str, re.Pattern[str]]  # who, as told, where it shows
_TITLES: tuple[tuple[ChallengeKind, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        (ChallengeKind.PERIMETERX, r"Access to this page has been denied"),
        (ChallengeKind.ROBOT_PAGE, r"Are you a (?:robot|human)\b"),
        (ChallengeKind.AWS_WAF, r"Human Verification\b"),
        (
            ChallengeKind.CLOUDFLARE,
            r"Just a moment\b|Attention Required! \| Cloudflare",
        ),
    )
)
_APOSTROPHE = r"(?:'|\u2019|&#0?39;|&#x27;|&apos;|&rsquo;)"
_IN_MARKUP: tuple[_Rule, ...] = tuple(
    (kind, told, re.compile(pattern, re.IGNORECASE))
    for kind, told, pattern in (
        (
            ChallengeKind.PERIMETERX,
            "described as a captcha",
            r"<meta\b[^<>]*\bcontent=[\"']px-captcha[\"']",
        ),
        (
            ChallengeKind.PERIMETERX,
            "with a captcha box",
            r"<div\b[^<>]*\bid=[\"']px-captcha[\"']",
        ),
        (
            ChallengeKind.PERIMETERX,
            "asking for a human",
            rf"verify you{_APOSTROPHE}re a human",
        ),
        (
            ChallengeKind.AWS_WAF,
            "with a verification box",
            r"<div\b[^<>]*\bid=[\"'](?:challenge|captcha)-container[\"']",
        ),
    )
)
_IN_SCRIPTS: tuple[_Rule, ...] = (
    (
        ChallengeKind.AWS_WAF,
        "with the firewall's settings",
        re.compile(r"window\.gokuProps\s*="),
    ),
    (
        ChallengeKind.CLOUDFLARE,
        "with the firewall's settings",
        re.compile(r"window\._cf_chl_opt\s*="),
    ),
)
_HEADERS: tuple[tuple[ChallengeKind, str, Callable[[str], bool]], ...] = (
    (ChallengeKind.AWS_WAF, "x-amzn-waf-action", bool),
    (ChallengeKind.PERIMETERX, "x-px-blocked", lambda value: value == "1"),
    (ChallengeKind.CLOUDFLARE, "cf-mitigated", bool),
)
_OVERLAY = re.compile(
    r"<iframe\b(?=[^<>]*\bid=[\"']px-captcha-modal[\"'])(?P<attributes>[^<>]*)>",
    re.IGNORECASE,
)
_HIDDEN = re.compile(r"display:\s*none", re.IGNORECASE)
_PASSWORD = re.compile(r"<input\b[^<>]*\btype=[\"']?password\b", re.IGNORECASE)
_LOGIN_PATH = re.compile(r"/(?:log-?in|sign-?in|authenticate)(?:[/.]|$)", re.IGNORECASE)
_LOGIN_TITLE = re.compile(r"(?:log|sign) ?in\b", re.IGNORECASE)


def _by_address(answer: Fetched) -> Challenge | None:
    parts = urlsplit(answer.url)
    if _LIMIT_HOST.match(parts.hostname or ""):
        return _challenge(ChallengeKind.RATE_LIMIT, "sent to the rate-limit page")
    if parts.path.startswith(_PX_PATH):
        return _challenge(ChallengeKind.PERIMETERX, "sent to the captcha page")
    return None


def _signs(answer: Fetched, page: _Page) -> Iterator[Challenge]:
    for kind, pattern in _TITLES:
        if pattern.match(page.title):
            yield _challenge(kind, f"challenge page titled {page.title[:40]!r}")
    if found := _marked(answer):
        yield found
    for kind, told, pattern in _IN_MARKUP:
        if pattern.search(page.markup):
            yield _challenge(kind, f"a page {told}")
    for kind, told, pattern in _IN_SCRIPTS:
        if any(map(pattern.search, page.scripts)):
            yield _challenge(kind, f"a page {told}")
    if _is_login(answer, page):
        yield _challenge(ChallengeKind.LOGIN_WALL, "a log-in page")


def _marked(answer: Fetched) -> Challenge | None:
    """By header or status: what the answer says of itself."""
    for kind, name, says_so in _HEADERS:
        value = answer.headers.get(name, "")
        if value and says_so(value):
            return _challenge(kind, f"the answer is marked {name}: {value[:20]}")
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        return _challenge(ChallengeKind.RATE_LIMIT, "too many requests")
    if answer.status in _REFUSALS:
        return _challenge(ChallengeKind.REFUSED, f"refused with {answer.status}")
    return None


def _is_login(answer: Fetched, page: _Page) -> bool:
    if not _PASSWORD.search(page.markup):
        return False
    path = urlsplit(answer.url).path
    return bool(_LOGIN_PATH.search(path) or _LOGIN_TITLE.match(page.title))


def _cover(page: _Page) -> Challenge | None:
    """A challenge that is shown over a page, not in its place."""
    for found in _OVERLAY.finditer(page.markup):
        if not _HIDDEN.search(found["attributes"]):
            return _challenge(ChallengeKind.PERIMETERX, "a challenge over the page")
    return None


def _without_content(answer: Fetched, page: _Page) -> Challenge | None:
    """An answer that claims success and holds nothing at all."""
    if answer.status not in _ANSWERED or answer.status == HTTPStatus.NO_CONTENT:
        return None
    if page.scripts or _TAG.sub("", page.markup).strip():
        return None
    return _challenge(ChallengeKind.SOFT_BLOCK, "an empty page")


def _in_json(text: str) -> Challenge | None:
    """A refusal in an API's answer."""
    bare = text.removeprefix("{}&&")
    if bare == text and '"blockScript"' not in text:
        return None
    answer = _decoded(bare)
    if isinstance(_at(answer, "appId"), str) and _at(answer, "blockScript"):
        return _challenge(ChallengeKind.PERIMETERX, "a challenge instead of an answer")
    code = _at(answer, "resultCode")
    if code not in (0, None):
        told = f"refused with resultCode {str(code)[:20]}"
        return _challenge(ChallengeKind.SOFT_BLOCK, told)
    if _at(_at(answer, "payload"), "homes") == []:
        return _challenge(ChallengeKind.SOFT_BLOCK, "a search with an empty result")
    return None


def _challenge(kind: ChallengeKind, reason: str) -> Challenge:
    return Challenge(kind=kind, reason=reason)
