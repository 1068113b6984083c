"""JSON that may be anything: what is not there, or of another shape, is None."""

import json
from typing import Any


def decoded(text: str) -> Any:
    """Return the JSON value in *text*; None if it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def member(value: Any, name: str) -> Any:
    """Return the member of an object; None of anything else."""
    return value.get(name) if isinstance(value, dict) else None
