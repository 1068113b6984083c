"""What proves a challenge: the signs of those who guard sites, and what they are.

How an answer is judged by them is told in `fetch.challenge`.
"""

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

from phx_pipeline.errors import FetchError, RateLimitedError
from phx_pipeline.fetch.base import Fetched, refusal
from phx_pipeline.fetch.page_parts import START, TAG, Page
from phx_pipeline.model.json_parts import decoded, member
from phx_pipeline.model.printable import printable


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
EMPTY: Final = ChallengeKind.SOFT_BLOCK
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


def by_address(answer: Fetched) -> Challenge | None:
    """By its URL: where the answer says it comes from, after redirects."""
    parts = urlsplit(answer.url)
    if parts.path.startswith(_PX_PATH):
        return _challenge(ChallengeKind.PERIMETERX, "sent to the captcha page")
    if _CAPTCHA_HOST.search(parts.hostname or "") or _CAPTCHA_PATH.match(parts.path):
        return _challenge(ChallengeKind.ROBOT_PAGE, "sent to a captcha page")
    # A status that asks for patience says for how long.
    if _LIMIT_HOST.match(parts.hostname or "") and answer.status not in _PATIENT:
        return _challenge(ChallengeKind.RATE_LIMIT, "sent to the rate-limit page")
    return None


def signs(answer: Fetched, page: Page) -> Iterator[Challenge]:
    """Yield what a page shows in its title, markup, scripts and words."""
    for kind, pattern in _TITLES:
        if pattern.match(page.title):
            yield _challenge(kind, f"challenge page titled {page.title[:40]!r}")
    for kind, told, pattern in _IN_MARKUP:
        if pattern.search(page.start):
            yield _challenge(kind, f"a page {told}")
    for kind, told, pattern in _IN_SCRIPTS:
        if any(pattern.search(script, 0, START) for script in page.scripts):
            yield _challenge(kind, f"a page {told}")
    text = _read_by_people(page)
    if len(text) <= _SHORT_TEXT and (said := _IN_WORDS.search(text)):
        yield _challenge(ChallengeKind.ROBOT_PAGE, f"a page that says {said[0]!r}")
    if _is_captcha_alone(page):
        yield _challenge(ChallengeKind.ROBOT_PAGE, "a page with little but a captcha")
    if _is_login(answer, page):
        yield _challenge(ChallengeKind.LOGIN_WALL, "a log-in page")


def marked(answer: Fetched) -> Challenge | None:
    """By header: what the answer says of itself."""
    for kind, name, says_so in _HEADERS:
        value = answer.headers.get(name, "")
        if value and says_so(value):
            return _challenge(kind, f"the answer is marked {name}: {value[:20]}")
    return None


def _is_login(answer: Fetched, page: Page) -> bool:
    is_there = bool(_LOGIN_PATH.search(urlsplit(answer.url).path))
    is_titled = bool(_LOGIN_TITLE.match(page.title))
    if _PASSWORD.search(page.start):
        return is_there or is_titled
    return (is_there or is_titled) and bool(_WHO.search(page.start))


def _is_captcha_alone(page: Page) -> bool:
    """Whether a captcha is what a page is for; many a form to write to us has one."""
    if not _CAPTCHA_BOX.search(page.start):
        return False
    is_short = len(_read_by_people(page)) <= _LITTLE_TEXT
    return is_short and not _WRITTEN.search(page.start)


def _read_by_people(page: Page) -> str:
    return " ".join(html.unescape(TAG.sub(" ", page.start)).split())


def shown_over(page: Page) -> Challenge | None:
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


def without_content(answer: Fetched, page: Page) -> Challenge | None:
    """An answer that claims success and holds nothing at all."""
    if answer.status not in _ANSWERED or answer.status == HTTPStatus.NO_CONTENT:
        return None
    if not answer.is_framed:
        return None
    is_long = len(page.markup) > START
    if page.scripts or is_long or TAG.sub("", page.markup).strip():
        return None
    return _challenge(EMPTY, "an empty page")


def in_json(answer: Fetched, text: str) -> Challenge | None:
    """A refusal in an API's answer; what a failing server says of itself is none."""
    bare = text.removeprefix("{}&&")
    is_guarded = bare != text
    if not is_guarded and not _JSON_SIGNS.search(text):
        return None
    told = decoded(bare)
    names = ("blockScript", "captchaUrl", "jsClientSrc")
    if isinstance(member(told, "appId"), str) and any(member(told, it) for it in names):
        return _challenge(ChallengeKind.PERIMETERX, "a challenge instead of an answer")
    if member(told, "incidentId") and member(told, "errorCode"):
        return _challenge(ChallengeKind.IMPERVA, "an incident instead of an answer")
    if _is_captcha(member(told, "url")):
        return _challenge(ChallengeKind.DATADOME, "a captcha instead of an answer")
    return _in_answer(told) if is_guarded and answer.status in _ANSWERED else None


def _in_answer(told: Any) -> Challenge | None:
    code = member(told, "resultCode")
    if code not in (0, None):
        reason = f"refused with resultCode {str(code)[:20]}"
        return _challenge(ChallengeKind.SOFT_BLOCK, reason)
    if member(member(told, "payload"), "homes") == []:
        return _challenge(ChallengeKind.SOFT_BLOCK, "a search with an empty result")
    return None


def _is_captcha(url: Any) -> bool:
    return isinstance(url, str) and "captcha-delivery.com/" in url[:200]


def _challenge(kind: ChallengeKind, reason: str) -> Challenge:
    return Challenge(kind=kind, reason=printable(reason))
