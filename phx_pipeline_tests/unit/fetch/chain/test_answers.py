"""What a status, a header or a short body of an answer means."""

from dataclasses import replace
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phx_pipeline.errors import (
    BlockedError,
    FetchError,
    GoneError,
    ProxyError,
    RateLimitedError,
    TransientError,
)
from phx_pipeline.fetch.base import Fetched, RequestKind
from phx_pipeline.fetch.chain import (
    LONGEST_WISH_S,
    Statuses,
    failure_of,
    retry_after_s,
)
from phx_pipeline_tests.unit.fetch.chain.conftest import (
    HOME,
    NOW_S,
    Site,
    answer,
    request,
)


@pytest.mark.parametrize("status", [200, 201, 202, 203, 204, 299])
def test_a_2xx_answer_is_usable(status: int) -> None:
    assert failure_of(answer(status), now_s=NOW_S) is None


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, FetchError),
        (401, BlockedError),
        (403, BlockedError),
        (404, GoneError),
        (405, BlockedError),
        (407, ProxyError),
        (410, GoneError),
        (418, FetchError),
        (429, RateLimitedError),
        (451, FetchError),
        (500, TransientError),
        (502, TransientError),
        (503, TransientError),
        (504, TransientError),
        (599, TransientError),
        (304, FetchError),
        (100, FetchError),
    ],
)
def test_every_other_status_has_its_exception(
    status: int, kind: type[FetchError]
) -> None:
    error = failure_of(answer(status), now_s=NOW_S)

    assert type(error) is kind
    assert (error.url, error.status) == (HOME, status)


def test_a_407_is_told_as_the_proxys_fault() -> None:
    assert "proxy" in str(failure_of(answer(407), now_s=NOW_S))


@pytest.mark.parametrize("status", [200, 403, 429, 503])
def test_a_full_payload_under_a_challenge_is_usable_whatever_its_status(
    status: int,
) -> None:
    covered = replace(answer(status), challenge="a challenge over the page")

    assert failure_of(covered, now_s=NOW_S) is None


@pytest.mark.parametrize(
    ("status", "headers", "length"),
    [
        (206, {}, 10),
        (206, {"content_range": "bytes 0-9/20"}, 10),
        (200, {"content_range": "bytes 0-9/20"}, 10),
        (200, {"content_range": "nonsense"}, 10),
        (200, {"content_length": "11"}, 10),
        (202, {"content_length": "999999999999999999"}, 10),
        (200, {"content_length": "1"}, 0),
    ],
)
def test_an_answer_that_is_not_whole_is_a_passing_fault(
    status: int, headers: dict[str, str], length: int
) -> None:
    part = replace(answer(status, **headers), body=b"x" * length)

    error = failure_of(part, now_s=NOW_S)

    assert type(error) is TransientError
    assert error.status == status


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content_length": "10"},
        {"content_length": "9"},
        {"content_length": "many"},
        {"content_length": ""},
        {"content_length": "20", "content_encoding": "gzip"},
        {"content_length": "20", "transfer_encoding": "chunked"},
        {"accept_ranges": "bytes"},
    ],
)
def test_only_what_is_announced_of_the_very_body_can_tell_that_it_is_short(
    headers: dict[str, str],
) -> None:
    whole = replace(answer(200, **headers), body=b"x" * 10)

    assert failure_of(whole, now_s=NOW_S) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120.0),
        (" 7 ", 7.0),
        ("0", 0.0),
        ("1.5", 1.5),
        ("-30", 0.0),
        ("9" * 400, LONGEST_WISH_S),
        ("99999999999", LONGEST_WISH_S),
        (formatdate(NOW_S + 90, usegmt=True), 90.0),
        (formatdate(NOW_S + 90, localtime=False), 90.0),
        (formatdate(NOW_S - 90, usegmt=True), 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_WISH_S),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("Monday, 30-Nov-26 00:26:40 GMT", 0.0),
        (None, None),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("1e9", None),
        ("0x10", None),
        ("٣", None),
        ("12 seconds", None),
        ("Fri, 99 Dec 2026 23:59:59 GMT", None),
        ("Fri, 31 Dec 99999 23:59:59 GMT", None),
    ],
)
def test_retry_after_is_read_in_both_forms(
    text: str | None, seconds: float | None
) -> None:
    assert retry_after_s(text, now_s=NOW_S) == seconds


@given(st.text() | st.from_regex(r"[A-Z][a-z]{2}, \d+ Dec \d+ \d+:\d+:\d+ [A-Z+\-\d]+"))
def test_no_retry_after_can_break_the_reader(text: str) -> None:
    wish_s = retry_after_s(text, now_s=NOW_S)

    assert wish_s is None or 0 <= wish_s <= LONGEST_WISH_S


async def test_the_wish_of_a_429_travels_with_its_exception() -> None:
    at = formatdate(NOW_S + 42, usegmt=True)
    statuses = Statuses(Site({HOME: answer(429, retry_after=at)}), clock=lambda: NOW_S)

    with pytest.raises(RateLimitedError) as caught:
        await statuses.get(request())

    assert caught.value.retry_after_s == 42


def bucket_error(code: str, *, more: str = "<Message>Access Denied</Message>") -> bytes:
    """What S3 answers, as S3 writes it."""
    told = f"<Error><Code>{code}</Code>{more}<RequestId>K5D</RequestId></Error>"
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{told}'.encode()


XML = {"content-type": "application/xml"}
DENIED = replace(answer(403), headers=XML, body=bucket_error("AccessDenied"))


@pytest.mark.parametrize(
    "said",
    [
        DENIED,
        replace(DENIED, headers={"content-type": "text/xml; charset=utf-8"}),
        replace(DENIED, body=b"<Error>\n  <Code> AccessDenied </Code></Error>"),
        replace(DENIED, body=bucket_error("AccessDenied").decode().encode("utf-16")),
        replace(DENIED, body=b'<Error xmlns="x"><Code>AccessDenied</Code></Error>'),
        replace(DENIED, body=bucket_error("NoSuchKey")),
        replace(DENIED, body=bucket_error("InvalidObjectState")),
    ],
    ids=["S3", "text", "blanks", "UTF-16", "named", "no such key", "archived"],
)
async def test_a_store_that_denies_one_object_says_that_the_photo_is_not_there(
    said: Fetched,
) -> None:
    photo = replace(request(), kind=RequestKind.PHOTO)

    with pytest.raises(GoneError, match="no such object"):
        await Statuses(Site({HOME: said})).get(photo)
    with pytest.raises(BlockedError):
        await Statuses(Site({HOME: said})).get(request())


@pytest.mark.parametrize(
    "said",
    [
        answer(403),
        replace(DENIED, body=b""),
        replace(DENIED, body=b"<html><title>403 Forbidden</title></html>"),
        replace(DENIED, headers={"content-type": "text/html"}),
        replace(DENIED, headers={}),
        replace(DENIED, headers={"content-type": "application/xhtml+xml"}),
        replace(DENIED, status=401),
        replace(DENIED, body=bucket_error("SignatureDoesNotMatch")),
        replace(DENIED, body=bucket_error("RequestTimeTooSkewed")),
        replace(DENIED, body=bucket_error("AllAccessDisabled")),
        replace(DENIED, body=b"<p>x</p>" + bucket_error("AccessDenied")),
        replace(DENIED, body=bucket_error("AccessDenied", more="x" * 9000)),
        replace(DENIED, body=b"<!DOCTYPE html>" + bucket_error("AccessDenied")),
    ],
    ids=[
        *("bare", "empty", "HTML", "as HTML", "as nothing", "as XHTML", "401"),
        *("signature", "clock", "whole bucket", "in a page", "long", "in a document"),
    ],
)
async def test_any_other_refusal_of_a_photo_is_one_of_its_host(said: Fetched) -> None:
    photo = replace(request(), kind=RequestKind.PHOTO)

    with pytest.raises(BlockedError):
        await Statuses(Site({HOME: said})).get(photo)


@given(st.binary(max_size=300))
async def test_nothing_a_store_may_say_breaks_the_reader(noise: bytes) -> None:
    said = replace(DENIED, body=bucket_error("AccessDenied")[:40] + noise)

    with pytest.raises((BlockedError, GoneError)):
        await Statuses(Site({HOME: said})).get(
            replace(request(), kind=RequestKind.PHOTO)
        )
