"""One installation that meets every kind of trouble still agrees with itself."""

import asyncio
import dataclasses
import json
import re
from collections.abc import Callable, Iterator
from hashlib import sha256
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from phx_pipeline.demo import rooms
from phx_pipeline.demo.houses import HOUSES, House
from phx_pipeline.demo.loopback import Answer, Asked, Handler
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.demo.rooms import RoomKind
from phx_pipeline.model.address import Address
from phx_pipeline.model.job import Mode
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.source import Source
from phx_pipeline.reads.quarantine import CaseKind, cases
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.extract import extract
from phx_pipeline.stages.views import refresh_views
from phx_pipeline.workflows.ingest import ingest, take_photos
from phx_pipeline_tests import brought
from phx_pipeline_tests.commands import Phx
from phx_pipeline_tests.corpus.cards import card
from phx_pipeline_tests.deployment import (
    PHOTO_HOST,
    SMALLEST,
    Deployment,
    slug_of,
    with_shots,
)
from phx_pipeline_tests.hostile import RedfinPage, ZillowPage

pytestmark = pytest.mark.usefixtures("quick_retries")

PAGE_HOST = "www.redfin.com"
ASKED = with_shots(SMALLEST, 0, 1)
SHOWN = with_shots(next(one for one in HOUSES if one != SMALLEST), *range(8))
SAVED = "1418 E Quail Whistle Ln, Phoenix, AZ 85042"
FLAT = "1418 E Quail Whistle Ln Unit 12, Phoenix, AZ 85042"

ROBOT = b"<html><head><title>Are You a Robot?</title></head><body>x</body></html>"
HTML = {"content-type": "text/html"}
JPEG = {"content-type": "image/jpeg"}
DRAWN = rooms.draw(RoomKind.KITCHEN, seed=1, size=(960, 640))

Page = Callable[[Any], Any]
Bring = Callable[[str, bytes], str]


def block(status: int, body: bytes = ROBOT, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status=status, body=body, headers=HTML | named)


BAD_PAGES = {
    "robot": block(429),
    "redirect": Answer(status=302, headers={"location": f"https://{PAGE_HOST}/robot"}),
    "px": block(429, b'{"appId":"PXHYx10rg3","blockScript":"/c.js","vid":""}'),
    "cloudflare": block(503, b"<title>Just a moment</title>", cf_mitigated="challenge"),
    "waf": block(
        202, b"\x1b[2J", x_amzn_waf_action="challenge" + "\x9b2J" + "x" * 3000
    ),
    "gone": Answer(status=404),
    "busy": Answer(status=503),
}
BAD_PHOTOS = {
    "page": block(200),
    "empty": Answer(headers=JPEG),
    "half": Answer(body=DRAWN[: len(DRAWN) // 2], headers=JPEG),
    "part": Answer(
        status=206, body=DRAWN, headers=JPEG | {"content-range": "bytes 0-9/9999"}
    ),
    "gone": Answer(status=404),
}


def jpeg(image: Image.Image, *, quality: int = 90) -> bytes:
    body = BytesIO()
    image.save(body, "JPEG", quality=quality)
    return body.getvalue()


def pictures() -> list[bytes]:
    """What the photo host shows of a house: every kind of picture that misled once."""
    drawn = Image.open(BytesIO(DRAWN))
    small = drawn.resize((240, 160)).resize((1200, 800))
    cut = DRAWN[: len(DRAWN) // 2] + b"\xff\xd9"
    huge = drawn.resize((4_800, 3_600))  # its end is judged in an eighth of its size
    garden = rooms.draw(RoomKind.YARD, seed=3, size=(960, 640))
    return [
        DRAWN,
        cut,
        jpeg(small),
        jpeg(drawn.crop((60, 40, 900, 600)).resize((1080, 720))),
        card(5, seed=1).body,
        garden,
        jpeg(huge, quality=60),
        jpeg(huge.transpose(Image.Transpose.FLIP_LEFT_RIGHT), quality=60),
    ]


def any_photo(asked: Asked) -> Answer:
    """A picture like no other for each URL."""
    seed = int(sha256(asked.target.encode()).hexdigest()[:8], 16)
    small = np.random.default_rng(seed).integers(0, 256, (24, 36, 3), dtype=np.uint8)
    image = Image.fromarray(small).resize((480, 320), Image.Resampling.BICUBIC)
    return Answer(body=jpeg(image), headers=JPEG)


@dataclasses.dataclass(slots=True)
class Sites:
    """Stand-ins that answer *page* or *photo* instead, while that is set."""

    good: dict[str, Handler]
    page: Answer | None = None
    photo: Answer | None = None
    rewrite: Callable[[bytes], bytes] = bytes
    shown: list[bytes] = dataclasses.field(default_factory=list)

    def handlers(self) -> dict[str, Handler]:
        """What answers for each host."""
        return {
            PAGE_HOST: self.pages,
            PHOTO_HOST: self.photos,
            "photos.zillowstatic.com": any_photo,
        }

    def pages(self, asked: Asked) -> Answer:
        """The listing, or what was set."""
        if asked.target == "/robot":
            return BAD_PAGES["robot"]
        answer = self.page or self.good[PAGE_HOST](asked)
        return dataclasses.replace(answer, body=self.rewrite(answer.body))

    def photos(self, asked: Asked) -> Answer:
        """The photo, or what was set; of the house shown its own pictures."""
        if self.photo:
            return self.photo
        for place, body in enumerate(self.shown):
            if asked.target.endswith(SHOWN.record.file_name(place)):
                return Answer(body=body, headers=JPEG)
        answer = self.good[PHOTO_HOST](asked)
        return answer if answer.status == 200 else any_photo(asked)


# --- what a saved page may state


def redfin(change: Page, *, style: int = 0) -> tuple[bytes, Source]:
    page = RedfinPage()
    payloads = {
        path.rpartition("/")[2]: it.get("payload") for path, it in page.tree.items()
    }
    change(payloads)
    head = (
        f'<style>{"x" * style}</style><link rel="canonical" href="{RedfinPage.url}"/>'
    )
    return head.encode() + page.body(page.tree), Source.REDFIN


def zillow(**told: object) -> tuple[bytes, Source]:
    page = ZillowPage()
    for answer in page.tree.values():
        answer["property"] |= told
    return page.body(page.tree), Source.ZILLOW


def section(**told: object) -> Page:
    return lambda it: it["aboveTheFold"]["addressSectionInfo"].update(told)


def no_gallery(payloads: Any) -> None:
    del payloads["aboveTheFold"]["mediaBrowserInfo"]["photos"]


def number_in_object(payloads: Any) -> None:
    payloads["initialInfo"]["mlsId"] = {"value": payloads["initialInfo"]["mlsId"]}


def other_listing(payloads: Any) -> None:
    payloads["initialInfo"]["mlsId"] = "6999999"


def two_units(payloads: Any) -> None:
    street = payloads["aboveTheFold"]["addressSectionInfo"]["streetAddress"]
    street |= {"assembledAddress": "1418 E Quail Whistle Ln #2", "unitValue": "#12"}


HISTORY = [
    {
        "date": "2026-03-02",
        "event": "Price change",
        "attributeSource": {"infoString1": "M2"},
    },
    {"date": "2025-01-15", "event": "Listed for sale", "source": "Owner"},
]
NEIGHBOUR = "/AZ/Phoenix/1422-E-Quail-Whistle-Ln-85042/home/90100422"
SAVED_PAGES = {
    "posted": (
        zillow(
            attributionInfo={"mlsId": "M2", "mlsName": "ARMLS"},
            datePostedString="2026-03-02",
            priceHistory=HISTORY,
        ),
        ListingOutcome.LISTED,
    ),
    "days": (
        redfin(section(cumulativeDaysOnMarket=0, timeOnRedfin=454_496_180)),
        ListingOutcome.LISTED,
    ),
    "style": (redfin(section(), style=25_000), ListingOutcome.LISTED),
    "number": (redfin(number_in_object), ListingOutcome.LISTED),
    "empty": (redfin(no_gallery), ListingOutcome.LISTED_EMPTY),
    "off": (zillow(homeStatus="OTHER"), ListingOutcome.OFF_MARKET),
    "units": (redfin(two_units), ListingOutcome.WRONG_PROPERTY),
    "neighbour": (redfin(section(url=NEIGHBOUR)), ListingOutcome.WRONG_PROPERTY),
    "good": (redfin(section()), ListingOutcome.LISTED),
    "other mls": (redfin(other_listing), ListingOutcome.LISTED),
}

# --- what people type: two spellings a line, or what cannot be read

TYPED = """
7411 S 40th Ln, Laveen, AZ 85339
7411 S 40th Ln, Phoenix, AZ 85339
3303 E Mtn View Rd, Phoenix, AZ 85032
3303 E Mountain Vw Rd, Phoenix, AZ 85032
2510 E Saint John Rd, Phoenix, AZ 85032
2510 E St. John Rd, Phoenix, AZ 85032
4410 N E Main St, Mesa, AZ 85205
4410 NE Main St, Mesa, AZ 85205
1901 E Mc Dowell Rd, Phoenix, AZ 85006
1901 E McDowell Rd, Phoenix, AZ 85006
2450 S Avenue 3 E, Yuma, AZ 85365
2450 S Avenue 3E, Yuma, AZ 85365
2417 ½ W Adams St, Phoenix, AZ 85009
2417-1/2 W Adams St, Phoenix, AZ 85009
17200 W Bell Rd Lot 1512, Surprise, AZ 85374
17200 W Bell Rd #1512, Surprise, AZ 85374
1425 E Roosevelt St 204, Phoenix, AZ 85006
1425 E Roosevelt St Unit 204, Phoenix, AZ 85006
1425 E Roosevelt St, Rear, Phoenix, AZ 85006
1425 E Roosevelt St Rear, Phoenix, AZ 85006
1425 E Roosevelt St Bldg A Apt 3, Phoenix, AZ 85006
1425 E Roosevelt St #A-3, Phoenix, AZ 85006
"""
HOUSES_TYPED = 11
NO_ADDRESS = "somewhere in Phoenix"


@pytest.fixture
def sites() -> Sites:
    return Sites(good=redfin_sites([ASKED, SHOWN]))


@pytest.fixture
def made(sites: Sites, tmp_path: Path) -> Iterator[Deployment]:
    with Deployment(tmp_path, sites.handlers(), sources=(Source.REDFIN,)) as made:
        made.add_houses([ASKED, SHOWN])
        made.add([SAVED, FLAT])
        yield made


def ask(made: Deployment, house: House) -> ListingOutcome | None:
    """Ask for all of a house anew, every source and host willing again."""
    with made.context(run_id=f"run-{len(made.standin.asked)}") as context:
        states = context.catalog.policies.source_states()[1]
        context.catalog.policies.reset([state.name for state in states])
        tally = asyncio.run(extract(context, slug_of(house), mode=Mode.FRESH))
        refresh_views(context)
        return tally.sources[0].outcome


def huge_width(body: bytes) -> bytes:
    return re.sub(rb'(width\\*":)\d+', rb"\g<1>9223372036854775808", body)


def hostile_status(body: bytes) -> bytes:
    return body.replace(b"Active", b"![a](http://evil.example/t.png)")


def bad_answers(made: Deployment, sites: Sites) -> dict[str, object]:
    """Let the source answer in every bad way, and well in between and at last."""
    ended = dict[str, object]()
    for name, sites.page in BAD_PAGES.items():
        ended[name] = ask(made, ASKED)
    sites.page = None
    for name, sites.photo in BAD_PHOTOS.items():
        ended[f"photo {name}"] = ask(made, ASKED)
    sites.photo = None
    for sites.rewrite in (huge_width, hostile_status, bytes):
        ended[sites.rewrite.__name__] = ask(made, ASKED)
    return ended


def saved_pages(context: StageContext, folder: Path) -> dict[str, object]:
    """Read every page a user saved, and take its photos."""
    ended = dict[str, object]()
    for name, ((body, source), _) in SAVED_PAGES.items():
        path = folder / "saved.html"
        path.write_bytes(body)
        slug = Address.parse(FLAT if name == "units" else SAVED).slug
        ended[name] = ingest(context, slug, path, source=source).outcome
        asyncio.run(take_photos(context, slug))
        refresh_views(context)
    return ended


@pytest.fixture
def bring(
    made: Deployment, phx_on: Phx, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Bring:
    """Bring a file, or what comes down a pipe, to `phx properties add`."""

    def run(name: str, content: bytes) -> str:
        file = tmp_path / name
        if name == "-":
            monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(content)))
        else:
            file.write_bytes(content)
        what = name if name == "-" else str(file)
        ended = phx_on(made, "properties", "add", what)
        return f"{ended.code}: {(ended.out or ended.err).splitlines()[-1]}"

    return run


def name_houses(made: Deployment, phx_on: Phx) -> dict[str, int]:
    """Name a known house in other words, and odd ones; return the codes."""
    key, address = slug_of(ASKED), ASKED.address
    known = dict.fromkeys((key, address.upper(), f"{address}-1234"), f"known as {key}")
    codes = {}
    for words, told in (known | brought.ODD).items():
        ended = phx_on(made, "properties", "add", words)
        assert told in ended.out + ended.err
        codes[words] = ended.code
    return codes


def proxies_of_file(made: Deployment, phx_on: Phx, file: Path) -> list[str]:
    """The places of the proxies in a file, as a command shows them."""
    file.write_text(brought.PROXIES, encoding="utf-8")
    settings = made.settings
    made.settings = dataclasses.replace(settings, proxy=None, proxies_file=file)
    shown = phx_on(made, "proxies", "--json").json
    made.settings = settings
    return [proxy["place"] for proxy in shown]


def test_after_all_troubles_every_row_file_and_view_agrees(
    made: Deployment, sites: Sites, phx_on: Phx, bring: Bring, tmp_path: Path
) -> None:
    typed = tmp_path / "typed.txt"
    typed.write_text(f"{TYPED.strip()}\n{NO_ADDRESS}\n", encoding="utf-8")

    added = phx_on(made, "properties", "add", str(typed))
    ended = bad_answers(made, sites)
    sites.shown = pictures()
    shown = ask(made, SHOWN)
    with made.context() as context:
        saved = saved_pages(context, tmp_path)
        held = cases(context.catalog)
    off = [
        phx_on(made, *line)
        for line in (
            ("sources", "disable", "redfin"),
            ("extract", "--address", slug_of(ASKED), "--sync", "--fresh"),
            ("sources", "enable", "redfin"),
            ("extract", "--address", slug_of(ASKED), "--sync"),
        )
    ]
    files = {
        name: bring(name, make(number))
        for number, (name, make) in enumerate(brought.FILES.items(), start=3001)
    }
    many = bring("many.csv", brought.MANY.encode())
    named = name_houses(made, phx_on)
    proxies = proxies_of_file(made, phx_on, tmp_path / "proxies.txt")
    houses = len(phx_on(made, "properties", "list", "--json").json)
    verified = [phx_on(made, "verify"), phx_on(made, "verify", "--deep", "--json")]

    assert added.code == 3
    assert files == dict.fromkeys(brought.FILES, "0: 2 added")
    assert many == (
        f"3: {brought.ADDED_OF_MANY} added, 1 row repeated, 1 row could not be read"
    )
    assert list(named.values()) == [0, 0, 0, 2, 2]
    assert proxies == ["10.0.0.1:80", "10.0.0.2:1080"]
    there = HOUSES_TYPED + 4 + 2 * len(files) + brought.ADDED_OF_MANY
    assert houses == there
    assert [
        ended[name] for name in ("robot", "redirect", "px", "cloudflare", "waf")
    ] == [ListingOutcome.BLOCKED] * 5
    assert (ended["bytes"], shown) == (ListingOutcome.LISTED, ListingOutcome.LISTED)
    assert saved == {name: outcome for name, (_, outcome) in SAVED_PAGES.items()}
    # Those of the page that says it is of another listing.
    assert {case.kind for case in held} == {CaseKind.HELD}
    assert off[-1].code == 0
    assert [(it.code, it.err) for it in verified] == [(0, ""), (0, "")]
    assert f"{houses} properties checked, no problem found" in verified[0].out
    assert json.loads(verified[1].out) == {"properties": houses, "problems": []}
