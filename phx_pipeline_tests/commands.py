"""`phx` run in the tests' own process, and the settings that process has."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from phx_pipeline.settings import Settings, setting_names


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What was printed, as JSON."""
        assert self.out, f"nothing was printed, code {self.code}: {self.err}"
        return json.loads(self.out)


Phx = Callable[..., Ended]
UseSettings = Callable[[Settings], None]


def settings_in_environment() -> dict[str, str]:
    """The variables of settings that this process has."""
    return {name: os.environ[name] for name in setting_names() if name in os.environ}


@contextmanager
def environment_put_back() -> Iterator[None]:
    """Put the settings' variables back at the end; opening Dagster exports them."""
    before = settings_in_environment()
    try:
        yield
    finally:
        for name in setting_names():
            os.environ.pop(name, None)
        os.environ.update(before)
