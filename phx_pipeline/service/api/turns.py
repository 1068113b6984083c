"""Changes that may wait: few at once, and fewer for each user.

FastAPI answers in 40 threads. Whoever changes a house that a run works on keeps one of
them for seconds; so of these changes some are answered, and the others are refused at
once. What others ask for meanwhile does not wait.

Whoever submits a job waits for the catalogue alone, which is a moment, or as long as
another process writes. So submissions are answered in order, and wait without a thread.
"""

from collections import Counter
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Final

from phx_pipeline.service.api.principals import Who
from phx_pipeline.service.api.problems import Problem
from phx_pipeline.service.lanes import LaneFullError, Lanes

MOST: Final = 12
MOST_OF_USER: Final = 4

MOST_SUBMITTED: Final = 8
MOST_SUBMITTED_OF_USER: Final = 4
MOST_WAITING_OF_USER: Final = 100

_SOON: Final = {"retry-after": "5"}


class Turns:
    """Who changes something just now; all within one event loop."""

    def __init__(self) -> None:
        self._taken: Counter[str] = Counter()
        self._submissions = Lanes(
            most=MOST_SUBMITTED,
            most_of_user=MOST_SUBMITTED_OF_USER,
            most_waiting=MOST_WAITING_OF_USER,
        )

    async def submission(self, who: Who) -> AsyncIterator[None]:
        """Wait until a job of *who* may be submitted, and hold the place.

        Raises:
            Problem: too many others of *who* wait, or it took too long.
        """
        try:
            async with self._submissions.place(who.user):
                yield
        except LaneFullError as full:
            raise Problem(
                HTTPStatus.TOO_MANY_REQUESTS,
                "other submissions of yours wait for the catalogue, and this one has "
                "changed nothing: send it again when they are answered",
                headers=_SOON,
            ) from full

    async def turn(self, who: Who) -> AsyncIterator[None]:
        """Hold a turn of *who* until the request is answered.

        Raises:
            Problem: all turns, or those of *who*, are taken.
        """
        self._require_free(who.user)
        self._taken[who.user] += 1
        try:
            yield
        finally:
            self._taken[who.user] -= 1
            self._taken += Counter()  # forgets who has none

    def _require_free(self, user: str) -> None:
        if self._taken[user] >= MOST_OF_USER:
            raise Problem(
                HTTPStatus.TOO_MANY_REQUESTS,
                f"{MOST_OF_USER} changes of yours are under way, and may wait for "
                "runs: send this one again when they are answered",
                headers=_SOON,
            )
        if self._taken.total() >= MOST:
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                f"{MOST} changes are under way, and may wait for runs: try again soon",
                headers=_SOON,
            )
