from collections.abc import Iterator

import pytest
from stamina.instrumentation import (
    RetryDetails,
    get_on_retry_hooks,
    set_on_retry_hooks,
)

from phx_pipeline.errors import (
    BlockedError,
    BodyLimitError,
    DeadlineError,
    FetchError,
    GoneError,
    HostRefusedError,
    RateLimitedError,
    TransientError,
)
from phx_pipeline.fetch.base import Fetched, Request, RequestKind
from phx_pipeline.fetch.retries import Backoff, Retries
from phx_pipeline.model.source import Source

URL = "https://www.zillow.com/"
REQUEST = Request(url=URL, source=Source.ZILLOW, kind=RequestKind.PAGE)
QUICK = Backoff(initial_s=0.001, ceiling_s=0.003, jitter_s=0)
SLOW = Backoff(initial_s=3600, ceiling_s=3600)


class Script:
    """Raises the given errors in turn, then answers."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.calls = 0
        self.closed = False

    async def get(self, request: Request) -> Fetched:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return Fetched(url=request.url, status=200, headers={}, body=b"ok")

    async def aclose(self) -> None:
        self.closed = True


def limited(retry_after_s: float | None) -> RateLimitedError:
    return RateLimitedError("429", url=URL, status=429, retry_after_s=retry_after_s)


@pytest.fixture
def pauses() -> Iterator[list[float]]:
    seen: list[float] = []

    def note(details: RetryDetails) -> None:
        seen.append(details.wait_for)

    before = get_on_retry_hooks()
    set_on_retry_hooks([note])
    yield seen
    set_on_retry_hooks(before)


@pytest.mark.parametrize(
    "error",
    [TransientError("reset", url=URL), DeadlineError("late", url=URL), limited(None)],
)
async def test_a_passing_fault_is_asked_again(error: Exception) -> None:
    script = Script(error, error)

    answer = await Retries(script, backoff=QUICK).get(REQUEST)

    assert answer.body == b"ok"
    assert script.calls == 3


@pytest.mark.parametrize(
    "error",
    [
        GoneError("404", url=URL),
        BlockedError("403", url=URL),
        HostRefusedError("no", url=URL),
        BodyLimitError("big", url=URL),
        FetchError("418", url=URL),
        ValueError("a bug"),
    ],
)
async def test_any_other_error_comes_out_of_the_first_attempt(error: Exception) -> None:
    script = Script(error)

    with pytest.raises(type(error)) as caught:
        await Retries(script, backoff=SLOW).get(REQUEST)

    assert caught.value is error
    assert script.calls == 1


async def test_the_last_error_comes_out_when_the_attempts_are_used_up() -> None:
    errors = [TransientError(str(n), url=URL) for n in range(5)]
    script = Script(*errors)

    with pytest.raises(TransientError) as caught:
        await Retries(script, attempts=3, backoff=QUICK).get(REQUEST)

    assert caught.value is errors[2]
    assert script.calls == 3


async def test_one_attempt_means_no_retry() -> None:
    script = Script(TransientError("reset", url=URL))

    with pytest.raises(TransientError):
        await Retries(script, attempts=1, backoff=SLOW).get(REQUEST)

    assert script.calls == 1


async def test_pauses_double_up_to_the_ceiling(pauses: list[float]) -> None:
    script = Script(*[TransientError("reset", url=URL)] * 3)

    await Retries(script, attempts=4, backoff=QUICK).get(REQUEST)

    assert pauses == pytest.approx([0.001, 0.002, 0.003])


async def test_the_wish_of_the_source_replaces_the_usual_pause(
    pauses: list[float],
) -> None:
    script = Script(limited(0.01), limited(0.02))

    await Retries(script, backoff=SLOW).get(REQUEST)

    assert pauses == pytest.approx([0.01, 0.02])


async def test_a_wish_at_the_limit_of_patience_is_still_granted(
    pauses: list[float],
) -> None:
    backoff = Backoff(initial_s=3600, ceiling_s=3600, patience_s=0.01)

    await Retries(Script(limited(0.01)), backoff=backoff).get(REQUEST)

    assert pauses == pytest.approx([0.01])


@pytest.mark.parametrize("wish_s", [60.1, 86400.0, float("inf")])
async def test_a_wish_beyond_patience_is_raised_at_once(wish_s: float) -> None:
    script = Script(limited(wish_s))

    with pytest.raises(RateLimitedError):
        await Retries(script).get(REQUEST)

    assert script.calls == 1


async def test_a_wish_of_nothing_still_gets_the_usual_pause(
    pauses: list[float],
) -> None:
    await Retries(Script(limited(0.0)), backoff=QUICK).get(REQUEST)

    assert pauses == pytest.approx([0.001])


async def test_closing_closes_what_is_inside() -> None:
    script = Script()

    await Retries(script).aclose()

    assert script.closed


async def test_that_it_asks_again_is_logged_and_never_printed(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", logger="phx_pipeline")
    script = Script(TransientError("answered 503", url=URL, status=503))

    await Retries(script, backoff=QUICK).get(REQUEST)

    assert capsys.readouterr() == ("", "")
    assert [record.getMessage() for record in caplog.records] == [
        "asks again in 0.0 s: answered 503"
    ]
