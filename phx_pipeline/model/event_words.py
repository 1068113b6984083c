"""An event in one line for people, without house, source and day."""

from collections.abc import Callable, Mapping

from phx_pipeline.model.counted import counted
from phx_pipeline.model.event import Event, EventKind
from phx_pipeline.model.fact_words import LABELS


def event_words(event: Event) -> str:
    """Return what changed, such as `price cut from $450,000 to $439,000`."""
    return _WORDS[event.kind](event)


def _from_to(what: str) -> Callable[[Event], str]:
    return lambda it: f"{what} from {it.before} to {it.after}"


def _now(what: str) -> Callable[[Event], str]:
    return lambda it: f"{what}: {it.after}, before {it.before}"


def _photos(what: str) -> Callable[[Event], str]:
    def told(event: Event) -> str:
        photos = f"{counted(len(event.photo_keys), 'photo')} {what}"
        if not event.after:
            return photos
        if event.after == event.before:  # as many left as came
            return f"{photos}: {event.after} as before"
        return f"{photos}: now {event.after}, before {event.before}"

    return told


def _fact(event: Event) -> str:
    name = LABELS.get(event.fact, event.fact.replace("_", " "))
    return f"{name} {event.after}, before {event.before}"


_WORDS: Mapping[EventKind, Callable[[Event], str]] = {
    EventKind.PRICE_CUT: _from_to("price cut"),
    EventKind.PRICE_RAISED: _from_to("price raised"),
    EventKind.STATUS: _now("status"),
    EventKind.BACK_ON_MARKET: _now("back on the market"),
    EventKind.OFF_MARKET: _now("off the market"),
    EventKind.RELISTED: _now("relisted under another number"),
    EventKind.FACTS: _fact,
    EventKind.PHOTOS_ADDED: _photos("added"),
    EventKind.PHOTOS_GONE: _photos("gone"),
    EventKind.PHOTOS_REPLACED: _photos("replaced by another picture"),
    EventKind.GALLERY_CUT: _from_to("gallery cut"),
}
