"""`url_tracker.json` 2.0.0: every photo URL that was fetched."""

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Final

from phx_pipeline.exports.times import phoenix_time, phoenix_time_or_none
from phx_pipeline.model.tracked import TrackedUrl

VERSION = "2.0.0"

# As the predecessor had it; measured from the newest time in the file, never from now:
# unchanged rows give unchanged bytes.
STALE_AFTER: Final = timedelta(days=7)

# As in `manifest.py`: a flat row is spelled by the fast encoder.
_ROW = json.JSONEncoder(ensure_ascii=False, separators=(",\n" + " " * 6, ": "))


_url = attrgetter("url")


def url_tracker_parts(urls: Callable[[], Iterable[TrackedUrl]]) -> Iterator[str]:
    """Yield the tracker of `urls`, which are sorted by URL.

    Args:
        urls: gives the same rows each time; they are read twice, because how many
            there are and when the newest was seen stand before them.

    Raises:
        ValueError: a time without a UTC offset.
    """
    total, newest = 0, None
    for entry in _entries(urls()):
        total += 1
        newest = max(newest or entry.last_seen_at, entry.last_seen_at)
    updated = json.dumps(phoenix_time_or_none(newest))
    yield f'{{\n  "version": "{VERSION}",\n  "last_updated": {updated},\n'
    yield f'  "total_urls": {total},\n  "urls": {{'
    if newest is not None:
        oldest = newest - STALE_AFTER
        for number, entry in enumerate(_entries(urls())):
            yield ",\n" if number else "\n"
            yield _entry_text(entry, oldest=oldest)
        yield "\n  "
    yield "}\n}\n"


def _entries(urls: Iterable[TrackedUrl]) -> Iterator[TrackedUrl]:
    return (min(same, key=_rank) for _, same in groupby(urls, key=_url))


def _rank(tracked: TrackedUrl) -> tuple[bool, bool, str, str]:
    return (
        not tracked.shown,
        not tracked.present,
        tracked.address,
        tracked.source.value,
    )


def _entry_text(tracked: TrackedUrl, *, oldest: datetime) -> str:
    name = json.dumps(tracked.url, ensure_ascii=False)
    fields = _ROW.encode(_entry(tracked, oldest=oldest))[1:-1]
    return f"    {name}: {{\n      {fields}\n    }}"


def _entry(tracked: TrackedUrl, *, oldest: datetime) -> dict[str, str]:
    return {
        "image_id": tracked.image_id,
        "property_hash": tracked.folder,
        "first_seen": phoenix_time(tracked.first_seen_at),
        "last_seen": phoenix_time(tracked.last_seen_at),
        "content_hash": tracked.content_hash,
        "source": tracked.source.value,
        "status": _status(tracked, oldest=oldest),
        "original_address": tracked.address,
        "first_run_id": tracked.first_run_id,
        "last_run_id": tracked.last_run_id,
    }


def _status(tracked: TrackedUrl, *, oldest: datetime) -> str:
    if not tracked.present:
        return "removed"
    return "stale" if tracked.last_seen_at < oldest else "active"
