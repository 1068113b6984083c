"""`url_tracker.json` 2.0.0: every photo URL that was fetched."""

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from phx_pipeline.exports.times import phoenix_time, phoenix_time_or_none
from phx_pipeline.model.tracked import TrackedUrl

VERSION = "2.0.0"

# As the predecessor had it; measured from the newest time in the file, never from now:
# unchanged rows give unchanged bytes.
STALE_AFTER: Final = timedelta(days=7)

# As in `manifest.py`: a flat row is spelled by the fast encoder.
_ROW = json.JSONEncoder(ensure_ascii=False, separators=(",\n" + " " * 6, ": "))


def render_url_tracker(urls: Iterable[TrackedUrl]) -> str:
    """Return the tracker of `urls`, sorted by URL.

    A URL that two properties have is shown for the one that shows its picture.

    Raises:
        ValueError: a time without a UTC offset.
    """
    entries: dict[str, TrackedUrl] = {}
    for tracked in urls:
        held = entries.get(tracked.url)
        if held is None or _rank(tracked) < _rank(held):
            entries[tracked.url] = tracked
    newest = max((entry.last_seen_at for entry in entries.values()), default=None)
    updated = json.dumps(phoenix_time_or_none(newest))
    return (
        f'{{\n  "version": "{VERSION}",\n  "last_updated": {updated},\n'
        f'  "total_urls": {len(entries)},\n'
        f'  "urls": {_urls_text(entries, newest=newest)}\n}}\n'
    )


def _rank(tracked: TrackedUrl) -> tuple[bool, bool, str, str]:
    return (
        not tracked.shown,
        not tracked.present,
        tracked.address,
        tracked.source.value,
    )


def _urls_text(entries: dict[str, TrackedUrl], *, newest: datetime | None) -> str:
    if newest is None:
        return "{}"
    oldest = newest - STALE_AFTER
    rows = (
        f"    {json.dumps(url, ensure_ascii=False)}: {{\n      {fields}\n    }}"
        for url in sorted(entries)
        if (fields := _ROW.encode(_entry(entries[url], oldest=oldest))[1:-1])
    )
    return "{\n" + ",\n".join(rows) + "\n  }"


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
