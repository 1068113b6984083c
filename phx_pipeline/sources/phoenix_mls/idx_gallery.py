"""The gallery of a listing on the public site: which photos are its own, how many.

Only what lies in the one gallery within the listing's own element is taken. A page also
shows photos of similar listings, faces of people, places and logos, at the same hosts.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from phx_pipeline.errors import SourceChangedError
from phx_pipeline.model.counted import counted
from phx_pipeline.model.photo import PhotoRef
from phx_pipeline.sources.phoenix_mls.addresses import listing_named
from phx_pipeline.sources.phoenix_mls.idx_labels import NOT_OF_THE_HOUSE
from phx_pipeline.sources.phoenix_mls.idx_markup import (
    Element,
    lines,
    links,
    texts,
    within,
)
from phx_pipeline.sources.phoenix_mls.photos import photo_at

_GALLERY = re.compile(
    r"photo|gallery|slide|carousel|filmstrip|swiper|thumb|lightbox|picture"
)
# Shows people or places, in whatever is named as a gallery too. As words of their own
# those that are parts of others.
_NOT_ITS_PHOTOS = re.compile(
    rf"{NOT_OF_THE_HOUSE.pattern}|team|profile|author|neighbou?rhood|communit|school"
    r"|newsletter|open[_-]?house|advert|(?:^|[_-])(?:ads?|host|maps?)(?:$|[_-])"
)
_CLONED = "cloned"  # by a carousel, before its first and after its last
_NOT_OF_A_GALLERY = re.compile(rf"^{_CLONED}$|{_NOT_ITS_PHOTOS.pattern}")
# Shows whichever photo a person has chosen, so it does not tell the order.
_ENLARGED = re.compile(r"main[_-]image|resize[_-]image")
_LONGEST_COUNT = 60  # characters of a line that states one
_COUNT = re.compile(
    r"(?:(?:view|see|show) )?(?:(?:all|larger|more|the) ){0,3}"
    r"(?:photos|pictures|images) ?[:(] ?(?P<after>\d{1,4})\)?"
    r"|(?P<before>\d{1,4}) (?:photos|pictures|images)",
    re.ASCII | re.IGNORECASE,
)
_OF_SO_MANY = re.compile(
    r"(?:(?:photo|image|picture) )?\d{1,4} ?(?:/|of) ?(?P<all>\d{1,4})",
    re.ASCII | re.IGNORECASE,
)
_NO_CAPTION = re.compile(
    r"photos?\b.*|(?:.* )?(?:mls|listing) ?#.*|.*, [A-Z]{2} \d{5}.*", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gallery:
    """The photos of a listing, each once, and all numbers of photos that are stated.

    `foreign` of them are shown of another listing too and were not taken, and neither
    were those `beside`, which only another gallery shows; `unreadable` elements name
    several photos at once.
    """

    photos: tuple[PhotoRef, ...]
    stated: frozenset[int]
    foreign: int = 0
    beside: int = 0
    unreadable: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether exactly as many photos were found as are stated everywhere."""
        agrees = self.stated == {len(self.photos)}
        return agrees and not (self.foreign or self.beside or self.unreadable)

    @property
    def told(self) -> str:
        """How many photos of how many, in words."""
        told = counted(len(self.photos), "photo")
        if not self.stated:
            told += ", no count stated"
        elif self.stated != {len(self.photos)}:
            told += f" of {' or '.join(map(str, sorted(self.stated)))} stated"
        if self.foreign:
            told += f", {self.foreign} left out that are shown of others"
        if self.beside:
            told += f", {self.beside} left out that are in another gallery"
        return f"{told}, {self.unreadable} unreadable" if self.unreadable else told


def parse_gallery(own: Element, *, number: str, page: Element) -> Gallery:
    """Return the photos of the listing whose element is *own*.

    Args:
        own: the element of the listing.
        number: its number in the MLS: what links to another one is not its own.
        page: all of the page, for what it shows of others.

    Raises:
        SourceChangedError: photos are shown or stated, and none can be told to be the
            listing's own.
    """
    galleries = list(_galleries(own))
    mine = [it for it in galleries if not _leads_elsewhere(it, number=number)]
    others = frozenset(_keys_of_others(page, galleries, number=number))
    stated = frozenset(_stated(own, mine))
    shown = [_shown_in(galleries) for galleries in _by_name(mine)]
    found = max(shown, key=lambda it: (len(it) in stated, len(it)), default={})
    kept = [photo for key, photo in found.items() if key not in others]
    gallery = Gallery(
        photos=tuple(replace(it, position=at) for at, it in enumerate(kept)),
        stated=stated,
        foreign=len(found) - len(kept),
        beside=len({key for it in shown for key in it} - found.keys() - others),
        unreadable=sum(len(_shown_by(element)) > 1 for element in _in_order(mine)),
    )
    if not kept:
        _refuse_unbound(gallery, own=own)
    return gallery


def _by_name(galleries: Iterable[Element]) -> list[list[Element]]:
    """Return the galleries that are named alike together: each may be one photo's."""
    found: dict[frozenset[str], list[Element]] = {}
    for gallery in galleries:
        names = [name for name in gallery.names if _GALLERY.search(name)]
        alike = frozenset(re.sub(r"\d+", "", name) for name in names)
        found.setdefault(alike, []).append(gallery)
    return list(found.values())


def _shown_in(galleries: list[Element]) -> dict[str, PhotoRef]:
    """Return the photos of galleries by their keys, with the first caption of each."""
    found: dict[str, PhotoRef] = {}
    for element in _in_order(galleries):
        for photo in _shown_by(element, position=len(found))[:1]:
            known = found.setdefault(photo.photo_key, photo)
            if not known.caption:
                found[photo.photo_key] = replace(known, caption=photo.caption)
    return found


def _in_order(galleries: list[Element]) -> list[Element]:
    """Return the elements of galleries in the order that their photos are in."""
    shown = [each for it in galleries for each in within(it, skip=_NOT_OF_A_GALLERY)]
    return sorted(shown, key=lambda each: each.is_named(_ENLARGED))


def _refuse_unbound(gallery: Gallery, *, own: Element) -> None:
    if gallery.foreign or gallery.unreadable or max(gallery.stated, default=0):
        told = f"none is the listing's own ({gallery.told})"
        raise SourceChangedError(f"photos are stated or shown, and {told}")
    if any(map(_shown_by, within(own, skip=_NOT_ITS_PHOTOS))):
        raise SourceChangedError("photos are shown, but in no gallery of the listing")


def _galleries(own: Element) -> Iterator[Element]:
    """Yield the outermost elements of the listing that are named as a gallery."""
    inside: set[int] = set()
    for element in within(own, skip=_NOT_ITS_PHOTOS):
        if element is own or id(element) in inside or not element.is_named(_GALLERY):
            continue
        inside |= {id(each) for each in within(element)}
        yield element


def _leads_elsewhere(element: Element, *, number: str) -> bool:
    """Whether anything in an element leads to the page of another listing."""
    return any(_is_of_another(link, number=number) for link in links(element))


def _is_of_another(link: str, *, number: str) -> bool:
    named = listing_named(link)
    return named is not None and named[1].lower() != number.lower()


def _keys_of_others(
    page: Element, galleries: list[Element], *, number: str
) -> Iterator[str]:
    """Yield the keys of photos in what leads to another listing's page."""
    waiting = [(page, False)]
    while waiting:
        element, of_another = waiting.pop()
        of_another |= _is_of_another(element.attribute("href"), number=number)
        if of_another:
            yield from (photo.photo_key for photo in _shown_by(element))
        inner = (it for it in element.children if isinstance(it, Element))
        waiting += [(it, of_another) for it in inner]
    for gallery in galleries:
        if _leads_elsewhere(gallery, number=number):
            for each in within(gallery):
                yield from (photo.photo_key for photo in _shown_by(each))


def _shown_by(element: Element, *, position: int = 0) -> list[PhotoRef]:
    """Return the photos that the attributes of an element name, each once."""
    told = element.attribute("alt") or element.attribute("title")
    caption = "" if _NO_CAPTION.fullmatch(told) else told
    urls = element.attributes.values()
    named = (photo_at(it, position=position, caption=caption) for it in urls)
    return list({photo.photo_key: photo for photo in named if photo}.values())


def _stated(own: Element, galleries: list[Element]) -> Iterator[int]:
    """Yield the numbers of photos that the listing and its galleries state."""
    for element in within(own, skip=_NOT_ITS_PHOTOS):
        if element.name in {"button", "a", "span", "div", "p", "h2", "h3"}:
            yield from _counts(element)
    for gallery in galleries:
        for line in lines(gallery):
            if len(line) <= _LONGEST_COUNT and (found := _OF_SO_MANY.fullmatch(line)):
                yield int(found["all"])


def _counts(element: Element) -> Iterator[int]:
    """Yield the count that the texts of an element itself are, if they are one."""
    told = " ".join(texts(element))
    found = _COUNT.fullmatch(told) if len(told) <= _LONGEST_COUNT else None
    if found:
        yield int(found["after"] or found["before"])
