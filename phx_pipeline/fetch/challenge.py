"""Is this answer a challenge? One recognition for all sources, by structure.

Good pages carry the names of their guards (scripts, app ids, SDK hosts), so no name
proves anything. What proves a challenge is the part of a page that a person would see
or that runs it (a title, a box, a form, its settings), and that the page carries no
data: a listing page holds its data as JSON, a challenge holds none. What the data of a
site looks like is told by who knows the site, not here. Nor does a status
prove anything: challenges come with any, and what a bare one means is said elsewhere.
"""

import html
import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

from phx_pipeline.errors import FetchError, RateLimitedError
from phx_pipeline.fetch.base import (
    ClientName,
    Fetched,
    Fetcher,
    Request,
    RequestKind,
    refusal,
)
from phx_pipeline.model.printable import printable

HoldsData = Callable[[str], bool]
"""Whether a script, given with its tags, holds the data of a listing or a search."""


def no_data(script: str) -> bool:
    """Tell nothing of *script*: what there is on pages of sites that nobody knows."""
    del script
    return False


class ChallengeKind(StrEnum):
    """Who or what stands between us and the page."""

    PERIMETERX = "perimeterx"
    CLOUDFLARE = "cloudflare"
    AWS_WAF = "aws_waf"
    ROBOT_PAGE = "robot_page"
    RATE_LIMIT = "rate_limit"
    LOGIN_WALL = "login_wall"
    SOFT_BLOCK = "soft_block"
    DATADOME = "datadome"
    IMPERVA = "imperva"
    AKAMAI = "akamai"
    KASADA = "kasada"


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
        if self.kind is not ChallengeKind.RATE_LIMIT:
            return refusal(replace(answer, challenge=self.reason))
        error = RateLimitedError(self.reason, url=answer.url, status=answer.status)
        error.body = answer.body
        return error


def recognise(answer: Fetched, *, holds_data: HoldsData) -> Challenge | None:
    """Return the challenge *answer* is, or lies under; None for anything else.

    A missing page, a changed page and a failing server are not challenges.

    Args:
        answer: of any status.
        holds_data: knows the data that pages of its site hold.
    """
    if _PICTURE.match(answer.body):
        return _marked(answer)
    text = page_text(answer.body)
    if text.startswith(("{", "[")):
        return _marked(answer) or _in_json(answer, text) or _by_address(answer)
    page = _Page.of(text)
    found = next(_signs(answer, page), None)
    cover = _cover(page) or _marked(answer)
    # Signs in a page with data prove nothing, but what lies over it does.
    if page.carries_data(holds_data):
        return _by_address(answer) or (
            replace(cover, over_payload=True) if cover else None
        )
    return found or cover or _by_address(answer) or _without_content(answer, page)


def recognise_shown(answer: Fetched, *, holds_data: HoldsData) -> Challenge | None:
    """Return the challenge of an answer whose page may have been run.

    Then it may also be what scripts made of the page, or the answer to what the page
    asked for by itself: over a page that was delivered in full, or in its place.
    """
    delivered = recognise(answer, holds_data=holds_data)
    if delivered is not None and not delivered.over_payload:
        return delivered
    if (found := next(_seen(answer, holds_data), None)) is None:
        return delivered
    page = _Page.of(page_text(answer.body))
    return replace(found, over_payload=page.carries_data(holds_data))


def _seen(answer: Fetched, holds_data: HoldsData) -> Iterator[Challenge]:
    """Yield the challenges seen beside the document."""
    if answer.rendered:
        drawn = replace(answer, body=answer.rendered)
        if found := recognise(drawn, holds_data=holds_data):
            yield found
    for part in _parts(answer):
        found = recognise(part, holds_data=holds_data)
        if found and found.kind is not _EMPTY:  # a part of a page may be empty
            yield found


def _parts(answer: Fetched) -> Iterator[Fetched]:
    """Yield as an answer each what lies over the page, and what the page asked for."""
    if answer.cover:
        yield Fetched(url=answer.url, status=200, headers={}, body=answer.cover)
    for captured in answer.captured:
        yield Fetched(
            url=captured.url,
            status=captured.status,
            headers=captured.headers,
            body=captured.body,
        )


def screened(answer: Fetched, *, holds_data: HoldsData) -> Fetched:
    """Return *answer*; its `challenge` is told if it is a full one that lies under one.

    Raises:
        BlockedError: it is a challenge; `RateLimitedError` for a rate-limit page.
    """
    challenge = recognise_shown(answer, holds_data=holds_data)
    if challenge is None:
        return answer
    if challenge.over_payload:
        return replace(answer, challenge=challenge.reason)
    raise challenge.error(answer)


class Screen:
    """The layer that looks at every final answer once, whatever its status."""

    def __init__(self, inner: Fetcher, *, holds_data: HoldsData) -> None:
        self._inner = inner
        self._holds_data = holds_data

    async def get(self, request: Request) -> Fetched:
        """Return the answer, of any status, unless it is a challenge; see `screened`.

        What is empty in place of a photo is a broken photo, and an API may have nothing
        to say; and a page in place of either is of no use, so none is handed on under a
        challenge.
        """
        answer = await self._inner.get(request)
        is_api = request.client is ClientName.HTTPX
        if request.kind is not RequestKind.PHOTO and not is_api:
            return screened(answer, holds_data=self._holds_data)
        challenge = recognise(answer, holds_data=self._holds_data)
        if challenge is None or challenge.kind is _EMPTY:
            return answer
        raise challenge.error(answer)

    async def aclose(self) -> None:
        """Close what is inside."""
        await self._inner.aclose()


# --- from bytes to text ---------------------------------------------------------------

_PICTURE = re.compile(
    rb"\xff\xd8\xff|\x89PNG\r\n|GIF8[79]a|RIFF....WEBP|....ftypavi[fs]", re.DOTALL
)
_GZIP = b"\x1f\x8b\x08"
_READ_BYTES = 8_000_000  # no page that is read has more
_BLANKS = " \t\r\n\f\v\ufeff\u200b"


def page_text(body: bytes) -> str:
    """Return what a browser would read, without marks and blanks at either end.

    UTF-16 and UTF-32 are told by their first bytes, like compression nobody announced;
    in every other charset a site may use the signs are written as in ASCII.
    """
    if body.startswith(_GZIP):
        body = _unpacked(body)
    text = body[:_READ_BYTES].decode(json.detect_encoding(body), errors="replace")
    return text.strip(_BLANKS)


def _unpacked(body: bytes) -> bytes:
    try:
        return zlib.decompressobj(wbits=31).decompress(body, _READ_BYTES)
    except zlib.error:
        return body


# --- the parts of a page --------------------------------------------------------------

_OPENING = re.compile(r"<!--|<(script|style)\b", re.IGNORECASE)
_CLOSING: Mapping[str, re.Pattern[str]] = {
    "": re.compile("-->"),
    "script": re.compile(r"</script\s*>", re.IGNORECASE),
    "style": re.compile(r"</style\s*>", re.IGNORECASE),
}
_START = 200_000  # characters
_TITLE = re.compile(r"<title[^<>]*>([^<]*)", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    """A page apart: what is marked up, and each script with its tag.

    Signs are looked for where a challenge, which is small, has them: in the `start` of
    either.
    """

    markup: str
    scripts: tuple[str, ...]

    @property
    def start(self) -> str:
        """The first part of the markup."""
        return self.markup[:_START]

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
        found = _TITLE.search(self.start)
        return " ".join(html.unescape(found[1]).split()) if found else ""

    def carries_data(self, holds_data: HoldsData) -> bool:
        """Whether a script holds the data of a listing or of a search."""
        return any(map(holds_data, self.scripts))


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
_PATIENT = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
_Rule = tuple[ChallengeKind, str, re.Pattern[str]]  # who, as told, where it shows
_TITLES: tuple[tuple[ChallengeKind, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        (ChallengeKind.PERIMETERX, r"Access to this page has been denied"),
        (ChallengeKind.ROBOT_PAGE, r"Are you (?:an? )?(?:robot|human|bot)\b"),
        (ChallengeKind.AWS_WAF, r"Human Verification\b"),
        (
            ChallengeKind.CLOUDFLARE,
            r"Just a moment\b|Un momento\W*$|[^|]{5,30} \| Cloudflare",
        ),
        (
            ChallengeKind.CLOUDFLARE,
            r"Checking your browser before\b|.* used Cloudflare to restrict access",
        ),
        (ChallengeKind.IMPERVA, r"Pardon Our Interruption\b"),
        (ChallengeKind.AKAMAI, r"Access Denied$"),
        (
            ChallengeKind.ROBOT_PAGE,
            r"(?:Robot|Bot|Security|Captcha) (?:Check|Verification|Challenge)\b",
        ),
        (
            ChallengeKind.ROBOT_PAGE,
            r"Verify(?:ing)? (?:that )?you are (?:a )?human\b|One more step\b",
        ),
        (
            ChallengeKind.ROBOT_PAGE,
            r"(?:Client Challenge|Request Rejected|(?:\S+ )?Security Checkpoint)$",
        ),
        (
            ChallengeKind.ROBOT_PAGE,
            r"DDoS-Guard$|Sucuri WebSite Firewall\b|Queue-it$|.*\bcaptcha\b",
        ),
    )
)
_APOSTROPHE = r"(?:'|\u2019|&#0?39;|&#x27;|&apos;|&rsquo;)"
_CLOUDFLARE_IDS = "challenge-form|challenge-error-text|turnstile-wrapper"
_YOU_ARE = rf"you(?:{_APOSTROPHE}re| are)"
# What a person reads on a page of few words: nobody writes so of a house.
_IN_WORDS = re.compile(
    rf"\b(?:{_YOU_ARE}|are you) (?:not )?(?:an? )?(?:human|robot|bot|real person)\b"
    r"|\bpress (?:&|and) hold\b|\bautomat(?:ed|ion) (?:access|tools?|quer|request)"
    r"|\b(?:robot|bot) or (?:not|human)\b"
    r"|\benable javascript and cookies to continue|\bdisable any ad ?blocker"
    r"|\b(?:verify|check)(?:ing)? your browser\b|\bslide to (?:complete|verify)\b"
    r"|\byou have been blocked\b|\brequest (?:was |has been )?(?:blocked|denied)\b"
    r"|\baccess to (?:this|the|our|your) (?:web ?)?(?:page|site)"
    r" (?:has been|is|was) (?:denied|blocked|limited)"
    r"|\byour access to this site has been\b"
    r"|\brequested URL was rejected\b|\bhuman verification\b",
    re.IGNORECASE,
)
_IN_MARKUP: tuple[_Rule, ...] = tuple(
    (kind, told, re.compile(pattern, re.IGNORECASE))
    for kind, told, pattern in (
        (
            ChallengeKind.PERIMETERX,
            "described as a captcha",
            r"<meta\b[^<>]*\bcontent=([\"']?)px-captcha\1(?![\w-])",
        ),
        (
            ChallengeKind.PERIMETERX,
            "with a captcha box",
            r"<div\b[^<>]*\bid=([\"']?)px-captcha(?:-wrapper)?\1(?![\w-])",
        ),
        (
            ChallengeKind.PERIMETERX,
            "asking for a human",
            rf"verify you{_APOSTROPHE}re a human",
        ),
        (
            ChallengeKind.AWS_WAF,
            "with a verification box",
            r"<div\b[^<>]*\bid=([\"']?)(?:challenge|captcha)-container\1(?![\w-])",
        ),
        (
            ChallengeKind.CLOUDFLARE,
            "with a challenge form",
            rf"<\w+\b[^<>]*\bid=([\"']?)(?:{_CLOUDFLARE_IDS})\1(?![\w-])",
        ),
        (
            ChallengeKind.IMPERVA,
            "with an incident in place of content",
            r"Incapsula incident ID|<iframe\b[^<>]*\bsrc=[\"']/_Incapsula_Resource",
        ),
        (
            ChallengeKind.AKAMAI,
            "with a challenge box",
            r"<div\b[^<>]*\bid=([\"']?)sec-(?:if-)?cpt-(?:container|if)\1(?![\w-])",
        ),
        (
            ChallengeKind.ROBOT_PAGE,
            "that speaks of unusual traffic",
            r"unusual traffic (?:from|coming from) your (?:computer )?network",
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
        re.compile(
            r"window\._cf_chl_opt\s*=|/cdn-cgi/challenge-platform/h/\w/orchestrate/"
        ),
    ),
    (
        ChallengeKind.PERIMETERX,
        "with the firewall's settings",
        re.compile(
            r"window\._pxBlockScript\s*="
            r"|<script\b[^<>]*\bsrc=[\"'][^\"'<>]*/captcha\.js\?a=c"
        ),
    ),
    (
        ChallengeKind.DATADOME,
        "with the firewall's settings",
        re.compile(r"[\"'/]\w{2,3}\.captcha-delivery\.com\b"),
    ),
    (
        ChallengeKind.IMPERVA,
        "with a test in place of content",
        re.compile(
            r"<script\b[^<>]*\bsrc=[\"']/_Incapsula_Resource"
            r"|window\.reeseSkipExpirationCheck\s*="
        ),
    ),
    (
        ChallengeKind.AKAMAI,
        "with a test in place of content",
        re.compile(r"<script\b[^<>]*\bsrc=[\"']/_sec/cp_challenge/"),
    ),
    (
        ChallengeKind.KASADA,
        "with a test in place of content",
        re.compile(r"<script\b[^<>]*\bsrc=[\"'][^\"'<>]*/ips\.js\b|window\.KPSDK\s*="),
    ),
    (
        ChallengeKind.ROBOT_PAGE,
        "with a test in place of content",
        re.compile(r"window\.rbzns\s*="),
    ),
)
_EMPTY: Final = ChallengeKind.SOFT_BLOCK
_HEADERS: tuple[tuple[ChallengeKind, str, Callable[[str], bool]], ...] = (
    (ChallengeKind.AWS_WAF, "x-amzn-waf-action", bool),
    (ChallengeKind.PERIMETERX, "x-px-blocked", lambda value: value == "1"),
    (ChallengeKind.CLOUDFLARE, "cf-mitigated", bool),
    (ChallengeKind.DATADOME, "x-dd-b", bool),
    (ChallengeKind.ROBOT_PAGE, "x-vercel-mitigated", bool),
    (ChallengeKind.ROBOT_PAGE, "sg-captcha", bool),
    (ChallengeKind.ROBOT_PAGE, "x-sucuri-block", bool),
)
_JSON_SIGNS = re.compile(
    r"\"(?:blockScript|captchaUrl|jsClientSrc|incidentId)\"|captcha-delivery\.com"
)
_OVERLAY_NAME = "px-captcha-modal"
_OVERLAY = re.compile(
    rf"<iframe\b(?=[^<>]*\bid=[\"']{_OVERLAY_NAME}[\"'])(?P<attributes>[^<>]*)>",
    re.IGNORECASE,
)
_HIDDEN = re.compile(r"display:\s*none|visibility:\s*hidden", re.IGNORECASE)
_HIDDEN_BY_NAME = re.compile(r"\shidden(?![\w-])", re.IGNORECASE)
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
_PASSWORD = re.compile(r"<input\b[^<>]*\btype=[\"']?password\b", re.IGNORECASE)
_WHO = re.compile(
    r"<input\b[^<>]*\b(?:type=[\"']?email|autocomplete=[\"']?username)\b", re.IGNORECASE
)
_LOGIN_PATH = re.compile(
    r"/(?:(?:log|sign)[-_]?(?:in|on)|authenticate)(?:[/.]|$)", re.IGNORECASE
)
_LOGIN_TITLE = re.compile(r"(?:log|sign) ?in\b", re.IGNORECASE)
_LOGIN_HOST = re.compile(r"(?:log-?in|sign-?in|accounts?|auth|sso)\.", re.IGNORECASE)
_CAPTCHA_BOX = re.compile(
    r"<(?:div|form)\b[^<>]*\b(?:class|id)=[\"']?(?:[\w -]+ )?(?:g-recaptcha|h-captcha"
    r"|cf-turnstile|frc-captcha|geetest_\w+|FunCaptcha|(?:re)?captcha)(?![\w-])"
    r"|<iframe\b[^<>]*\bsrc=[\"']?https?://[\w.-]*"
    r"(?:hcaptcha|captcha-delivery|recaptcha|arkoselabs)\.",
    re.IGNORECASE,
)
_LITTLE_TEXT = 1000  # characters a person reads
_SHORT_TEXT = 2000  # of a page that explains itself
_WRITTEN = re.compile(
    r"<textarea\b|<input\b[^<>]*\btype=[\"']?(?:text|email|tel|password)\b",
    re.IGNORECASE,
)
_CAPTCHA_HOST = re.compile(
    r"(?:^|[.-])(?:h|re)?captcha(?:[.-]|$)|\.(?:perfdrive|queue-it)\.(?:com|net)$",
    re.IGNORECASE,
)
_CAPTCHA_PATH = re.compile(
    r"/(?:cdn-cgi/challenge|(?:[\w.-]+/){0,3}"
    r"(?:(?:re|h|validate)?captcha|blocked|robot-?check|distil_r_\w+)(?:[/.]|$))",
    re.IGNORECASE,
)


def sent_away(url: str) -> Challenge | None:
    """Return the challenge or log-in that a redirect to *url* leads to."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if _CAPTCHA_HOST.search(host) or _CAPTCHA_PATH.match(parts.path):
        return _challenge(ChallengeKind.ROBOT_PAGE, "sent to a captcha page")
    if _LOGIN_HOST.match(host) or _LOGIN_PATH.search(parts.path):
        return _challenge(ChallengeKind.LOGIN_WALL, "sent to a log-in page")
    return None


def _by_address(answer: Fetched) -> Challenge | None:
    parts = urlsplit(answer.url)
    if parts.path.startswith(_PX_PATH):
        return _challenge(ChallengeKind.PERIMETERX, "sent to the captcha page")
    if _CAPTCHA_HOST.search(parts.hostname or "") or _CAPTCHA_PATH.match(parts.path):
        return _challenge(ChallengeKind.ROBOT_PAGE, "sent to a captcha page")
    # A status that asks for patience says for how long.
    if _LIMIT_HOST.match(parts.hostname or "") and answer.status not in _PATIENT:
        return _challenge(ChallengeKind.RATE_LIMIT, "sent to the rate-limit page")
    return None


def _signs(answer: Fetched, page: _Page) -> Iterator[Challenge]:
    for kind, pattern in _TITLES:
        if pattern.match(page.title):
            yield _challenge(kind, f"challenge page titled {page.title[:40]!r}")
    for kind, told, pattern in _IN_MARKUP:
        if pattern.search(page.start):
            yield _challenge(kind, f"a page {told}")
    for kind, told, pattern in _IN_SCRIPTS:
        if any(pattern.search(script, 0, _START) for script in page.scripts):
            yield _challenge(kind, f"a page {told}")
    text = _read_by_people(page)
    if len(text) <= _SHORT_TEXT and (said := _IN_WORDS.search(text)):
        yield _challenge(ChallengeKind.ROBOT_PAGE, f"a page that says {said[0]!r}")
    if _is_captcha_alone(page):
        yield _challenge(ChallengeKind.ROBOT_PAGE, "a page with little but a captcha")
    if _is_login(answer, page):
        yield _challenge(ChallengeKind.LOGIN_WALL, "a log-in page")


def _marked(answer: Fetched) -> Challenge | None:
    """By header: what the answer says of itself."""
    for kind, name, says_so in _HEADERS:
        value = answer.headers.get(name, "")
        if value and says_so(value):
            return _challenge(kind, f"the answer is marked {name}: {value[:20]}")
    return None


def _is_login(answer: Fetched, page: _Page) -> bool:
    is_there = bool(_LOGIN_PATH.search(urlsplit(answer.url).path))
    is_titled = bool(_LOGIN_TITLE.match(page.title))
    if _PASSWORD.search(page.start):
        return is_there or is_titled
    return (is_there or is_titled) and bool(_WHO.search(page.start))


def _is_captcha_alone(page: _Page) -> bool:
    """Whether a captcha is what a page is for; many a form to write to us has one."""
    if not _CAPTCHA_BOX.search(page.start):
        return False
    is_short = len(_read_by_people(page)) <= _LITTLE_TEXT
    return is_short and not _WRITTEN.search(page.start)


def _read_by_people(page: _Page) -> str:
    return " ".join(html.unescape(_TAG.sub(" ", page.start)).split())


def _cover(page: _Page) -> Challenge | None:
    """A challenge that is shown over a page, not in its place."""
    if _OVERLAY_NAME not in page.markup:
        return None
    for found in _OVERLAY.finditer(page.markup):
        if not _is_hidden(found["attributes"]):
            return _challenge(ChallengeKind.PERIMETERX, "a challenge over the page")
    return None


def _is_hidden(attributes: str) -> bool:
    named = _QUOTED.sub("", attributes)
    return bool(_HIDDEN.search(attributes) or _HIDDEN_BY_NAME.search(named))


def _without_content(answer: Fetched, page: _Page) -> Challenge | None:
    """An answer that claims success and holds nothing at all."""
    if answer.status not in _ANSWERED or answer.status == HTTPStatus.NO_CONTENT:
        return None
    if not answer.is_framed:
        return None
    is_long = len(page.markup) > _START
    if page.scripts or is_long or _TAG.sub("", page.markup).strip():
        return None
    return _challenge(_EMPTY, "an empty page")


def _in_json(answer: Fetched, text: str) -> Challenge | None:
    """A refusal in an API's answer; what a failing server says of itself is none."""
    bare = text.removeprefix("{}&&")
    is_guarded = bare != text
    if not is_guarded and not _JSON_SIGNS.search(text):
        return None
    told = _decoded(bare)
    names = ("blockScript", "captchaUrl", "jsClientSrc")
    if isinstance(_at(told, "appId"), str) and any(_at(told, it) for it in names):
        return _challenge(ChallengeKind.PERIMETERX, "a challenge instead of an answer")
    if _at(told, "incidentId") and _at(told, "errorCode"):
        return _challenge(ChallengeKind.IMPERVA, "an incident instead of an answer")
    if _is_captcha(_at(told, "url")):
        return _challenge(ChallengeKind.DATADOME, "a captcha instead of an answer")
    return _in_answer(told) if is_guarded and answer.status in _ANSWERED else None


def _in_answer(told: Any) -> Challenge | None:
    code = _at(told, "resultCode")
    if code not in (0, None):
        reason = f"refused with resultCode {str(code)[:20]}"
        return _challenge(ChallengeKind.SOFT_BLOCK, reason)
    if _at(_at(told, "payload"), "homes") == []:
        return _challenge(ChallengeKind.SOFT_BLOCK, "a search with an empty result")
    return None


def _is_captcha(url: Any) -> bool:
    return isinstance(url, str) and "captcha-delivery.com/" in url[:200]


def _challenge(kind: ChallengeKind, reason: str) -> Challenge:
    return Challenge(kind=kind, reason=printable(reason))
