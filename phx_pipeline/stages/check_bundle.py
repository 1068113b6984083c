"""The bundle of a check: what a source was asked and answered, in one small file.

A zip of a manifest in JSON and of the bodies, without persons, addresses of machines,
tokens and photos, that the source's reader reads as it read the answers. What is in one
from elsewhere is not trusted: it is bounded, and nothing of it is ever written out.
"""

import io
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Final, TypeVar

from phx_pipeline.errors import (
    BlockedError,
    BodyLimitError,
    BrowserError,
    CircuitOpenError,
    DeadlineError,
    FetchError,
    GoneError,
    HostRefusedError,
    InputError,
    NoWayError,
    ProxyError,
    RateLimitedError,
    SourceDisabledError,
    TransientError,
)
from phx_pipeline.fetch.base import Captured, Fetched, RequestKind
from phx_pipeline.fetch.recording import Exchange
from phx_pipeline.fetch.trace import Certificate, WireEvent, WireStep
from phx_pipeline.model.address import Address
from phx_pipeline.model.printable import printable
from phx_pipeline.model.property import Property
from phx_pipeline.model.source import Source
from phx_pipeline.stages.bundle_members import MOST_OF_A_KIND, DamagedError, Told
from phx_pipeline.stages.reading import PhotoSeen, Reading

Clean = Callable[[str], str]
T = TypeVar("T")

VERSION: Final = 1
MOST_BYTES: Final = 32_000_000
"""Of all parts of a bundle, unpacked."""

_MOST_KEPT: Final = 15_000_000  # of them, of what we write ourselves
_FORMAT: Final = "phx source check"
_MANIFEST: Final = "manifest.json"
_MOST_PARTS: Final = 200
_START: Final = 1000  # bytes, of which what is no text has a NUL
_FIRST_YEAR, _LAST_YEAR = 1990, 9000
_HEADERS: Final = ("content-type", "retry-after")
_AGAIN: Final = "make one with `phx sources check`"

_TRANSIENT: Final = ("retry_after_s",)
_ERRORS: Final[Mapping[type[FetchError], tuple[str, ...]]] = {
    FetchError: (),
    TransientError: _TRANSIENT,
    DeadlineError: _TRANSIENT,
    RateLimitedError: _TRANSIENT,
    NoWayError: _TRANSIENT,
    ProxyError: (*_TRANSIENT, "certain"),
    BrowserError: (),
    GoneError: (),
    BlockedError: ("challenge",),
    CircuitOpenError: ("retry_at", "probing", "refused"),
    SourceDisabledError: (),
    HostRefusedError: ("redirected",),
    BodyLimitError: (),
}
"""What each error tells beside its text, URL and status."""

_NAMED: Final = {kind.__name__: kind for kind in _ERRORS}
_WITHOUT_STATUS: Final = (BrowserError, CircuitOpenError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A check as it is kept.

    `credentials` are the settings of the tokens it was made with. `photo` is what the
    photo host gave, `reading` what the source's reader made of the answers then.
    """

    source: Source
    house: Property
    made_at: datetime
    exchanges: tuple[Exchange, ...]
    reading: Reading
    photo: PhotoSeen | None = None
    credentials: tuple[str, ...] = ()


# --- writing --------------------------------------------------------------------------


def packed(bundle: Bundle, *, clean: Clean) -> bytes:
    """Return the file of a bundle; every text in it went through *clean*.

    A body for which there is no room is left out.
    """
    bodies = _Bodies(clean)
    manifest = {
        "format": _FORMAT,
        "version": VERSION,
        "source": bundle.source.value,
        "made_at": bundle.made_at.isoformat(timespec="seconds"),
        "house": _plain_house(bundle.house),
        "credentials": list(bundle.credentials),
        "exchanges": [
            _plain_exchange(each, bodies) for each in bundle.exchanges[:MOST_OF_A_KIND]
        ],
        "reading": asdict(bundle.reading),
        "photo": bundle.photo
        and asdict(bundle.photo) | {"fault": clean(bundle.photo.fault)},
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(_MANIFEST, json.dumps(manifest, indent=1))
        for name, body in bodies.parts.items():
            archive.writestr(name, body)
    return file.getvalue()


@dataclass(slots=True)
class _Bodies:
    """The parts beside the manifest."""

    clean: Clean
    parts: dict[str, bytes] = field(default_factory=dict)

    def add(self, body: bytes) -> str | None:
        """Keep *body* without what `clean` takes out; return the name of its part."""
        text = text_of(body)
        if text is None:
            return None
        kept = self.clean(text).encode("utf-8", errors="surrogateescape")
        taken = sum(map(len, self.parts.values()))
        if taken + len(kept) > _MOST_KEPT or len(self.parts) >= _MOST_PARTS - 1:
            return None
        name = f"bodies/{len(self.parts)}"
        self.parts[name] = kept
        return name


def text_of(body: bytes) -> str | None:
    """Return a body as text; None for what is none, such as a picture.

    Bytes that are no UTF-8 stay as they are when it is encoded again the same way, but
    for UTF-16 and UTF-32, which the first bytes tell.
    """
    encoding = json.detect_encoding(body)
    if encoding.startswith("utf-8"):
        is_text = b"\0" not in body[:_START]
        return body.decode("utf-8", errors="surrogateescape") if is_text else None
    return body.decode(encoding, errors="replace")


def _plain_house(house: Property) -> dict[str, object]:
    return asdict(house) | {
        "spellings": sorted(house.spellings),
        "strangers": sorted(house.strangers),
    }


def _plain_exchange(exchange: Exchange, bodies: _Bodies) -> dict[str, object]:
    error, answer = exchange.error, exchange.answer
    return {
        "url": bodies.clean(exchange.url),
        "kind": exchange.kind.value,
        "method": exchange.method,
        "asked_sha256": exchange.asked_sha256,
        "events": [_plain_event(event) for event in exchange.events],
        "answer": answer and _plain_answer(answer, bodies),
        "error": error and _plain_error(error, bodies),
    }


def _plain_answer(answer: Fetched, bodies: _Bodies) -> dict[str, object]:
    return _plain_part(answer, bodies) | {
        "challenge": bodies.clean(answer.challenge),
        "captured": [_plain_part(each, bodies) for each in answer.captured],
    }


def _plain_part(part: Fetched | Captured, bodies: _Bodies) -> dict[str, object]:
    headers = ((name, part.headers.get(name, "")) for name in _HEADERS)
    return {
        "url": bodies.clean(part.url),
        "status": part.status,
        "headers": {name: bodies.clean(value) for name, value in headers if value},
        "body": bodies.add(part.body) if part.body else None,
    }


def _plain_error(error: FetchError, bodies: _Bodies) -> dict[str, object]:
    kind = next(it for it in type(error).__mro__ if it in _ERRORS)
    told = {name: getattr(error, name) for name in _ERRORS[kind]}
    if isinstance(at := told.get("retry_at"), datetime):
        told["retry_at"] = at.isoformat()
    return {
        "kind": kind.__name__,
        "text": bodies.clean(printable(str(error))),
        "url": bodies.clean(error.url),
        "status": error.status,
        "told": told,
        "body": bodies.add(error.body) if error.body else None,
    }


def _plain_event(event: WireEvent) -> dict[str, object]:
    certificate = event.certificate
    return asdict(event) | {
        "certificate": certificate
        and {
            "names": list(certificate.names),
            "until": certificate.until.isoformat(),
        }
    }


# --- reading --------------------------------------------------------------------------


def unpacked(file: bytes, *, name: str) -> Bundle:
    """Return the bundle in a file.

    Raises:
        InputError: it is none of this version that can be read; *name* is the file's.
    """
    try:
        return _bundle_of(_parts_of(file))
    except DamagedError as error:
        raise InputError(f"{name}: {error}; {_AGAIN}") from error


def _parts_of(file: bytes) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(file)) as archive:
            return dict(_bounded_parts(archive))
    except DamagedError:
        raise
    # The border to `zipfile`, which lets out what damaged files make it meet.
    except Exception as error:
        raise DamagedError("it is no bundle, or a damaged one") from error


def _bounded_parts(archive: zipfile.ZipFile) -> Iterator[tuple[str, bytes]]:
    infos = archive.infolist()
    if len(infos) > _MOST_PARTS:
        raise DamagedError(f"it has {len(infos)} parts, which is no bundle")
    room = MOST_BYTES
    for info in infos:
        with archive.open(info) as part:
            body = part.read(room + 1)
        room -= len(body)
        if room < 0:
            raise DamagedError(f"unpacked it has more than {MOST_BYTES:,} bytes")
        yield info.filename, body


def _bundle_of(parts: Mapping[str, bytes]) -> Bundle:
    try:
        plain = json.loads(parts[_MANIFEST])
    except (KeyError, ValueError, RecursionError) as error:
        raise DamagedError("it has no manifest of a bundle") from error
    told = Told(plain)
    try:
        _require_ours(told)
        return _read_bundle(told, parts)
    except (ValueError, OverflowError) as error:
        raise DamagedError(f"its manifest cannot be read ({error})") from error


def _require_ours(told: Told) -> None:
    if told.plain_text("format") != _FORMAT:
        raise DamagedError("it is no bundle of a check")
    if (version := told.get("version", int)) != VERSION:
        raise DamagedError(
            f"it is of version {version}, this phx_pipeline reads {VERSION}: use the "
            "one that made it"
        )


def _read_bundle(told: Told, parts: Mapping[str, bytes]) -> Bundle:
    exchanges = told.each("exchanges")
    return Bundle(
        source=Source(told.text("source")),
        house=_read_house(told.inner("house")),
        made_at=_moment(told.text("made_at")),
        exchanges=tuple(_read_exchange(each, parts) for each in exchanges),
        reading=_read_reading(told.inner("reading")),
        photo=_read_photo(told.inner("photo")) if told.has("photo") else None,
        credentials=told.texts("credentials"),
    )


def _read_house(told: Told) -> Property:
    address = told.inner("address")
    names = ("street_number", "street", "city", "state", "zip_code")
    stated = {name: address.text(name) for name in names}
    unit = address.text("unit") if address.has("unit") else None
    return Property(
        slug=told.text("slug"),
        folder=told.text("folder"),
        address=Address(**stated, unit=unit),
        spellings=frozenset(told.texts("spellings")),
        strangers=frozenset(told.texts("strangers")),
    )


def _read_exchange(told: Told, parts: Mapping[str, bytes]) -> Exchange:
    return Exchange(
        url=told.text("url"),
        kind=RequestKind(told.text("kind")),
        method=told.text("method"),
        asked_sha256=told.text("asked_sha256"),
        events=tuple(map(_read_event, told.each("events"))),
        answer=_read_answer(told.inner("answer"), parts)
        if told.has("answer")
        else None,
        error=_read_error(told.inner("error"), parts) if told.has("error") else None,
    )


def _read_answer(told: Told, parts: Mapping[str, bytes]) -> Fetched:
    captured = (_read_part(each, parts) for each in told.each("captured"))
    part = _read_part(told, parts)
    return Fetched(
        url=part.url,
        status=part.status,
        headers=part.headers,
        body=part.body,
        challenge=told.text("challenge"),
        captured=tuple(captured),
    )


def _read_part(told: Told, parts: Mapping[str, bytes]) -> Captured:
    headers = told.inner("headers")
    return Captured(
        url=told.text("url"),
        status=told.status("status"),
        headers={name: headers.text(name) for name in _HEADERS if headers.has(name)},
        body=_body(told, parts),
    )


def _body(told: Told, parts: Mapping[str, bytes]) -> bytes:
    return parts.get(told.text("body"), b"") if told.has("body") else b""


def _read_error(told: Told, parts: Mapping[str, bytes]) -> FetchError:
    kind = _NAMED.get(told.text("kind"), FetchError)
    beside = told.inner("told")
    more = {name: beside.plain(name) for name in _ERRORS[kind]}
    if "retry_at" in more:
        more["retry_at"] = _moment(beside.text("retry_at"))
    if kind not in _WITHOUT_STATUS and told.has("status"):
        more["status"] = told.status("status")
    error = kind(told.text("text"), url=told.text("url"), **more)
    error.body = _body(told, parts)
    return error


def _read_event(told: Told) -> WireEvent:
    shown = told.inner("certificate") if told.has("certificate") else None
    return WireEvent(
        step=WireStep(told.text("step")),
        host=told.text("host"),
        is_proxied=told.get("is_proxied", bool),
        addresses=told.count("addresses"),
        certificate=_read_certificate(shown) if shown else None,
        fault=told.text("fault"),
        client=told.text("client"),
        status=told.status("status"),
        size_bytes=told.count("size_bytes"),
    )


def _read_certificate(told: Told) -> Certificate:
    return Certificate(names=told.texts("names"), until=_moment(told.text("until")))


def _read_reading(told: Told) -> Reading:
    return Reading(
        outcome=told.text("outcome"),
        facts=told.inner("facts").scalars(),
        photo_keys=told.texts("photo_keys"),
        captions=told.count("captions"),
        tags=told.count("tags"),
        valuations=told.count("valuations"),
        is_complete=told.get("is_complete", bool),
    )


def _read_photo(told: Told) -> PhotoSeen:
    return PhotoSeen(
        width=told.count("width"),
        height=told.count("height"),
        size_bytes=told.count("size_bytes"),
        sha256=told.text("sha256"),
        is_inline=told.get("is_inline", bool),
        fault=told.text("fault"),
    )


def _moment(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{printable(text)!r} is a time without a zone")
    if not _FIRST_YEAR <= at.year <= _LAST_YEAR:
        raise ValueError(f"{printable(text)!r} is no time of ours")
    return at
