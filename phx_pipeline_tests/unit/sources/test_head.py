"""What a page says of its own address, in its head and in its structured data."""

import json

import pytest

from phx_pipeline.sources.head import Described, described, own_urls

OWN, OTHER = "https://www.redfin.com/home/1", "https://www.redfin.com/home/2"


@pytest.mark.parametrize(
    ("head", "urls"),
    [
        (f'<link rel="canonical" href="{OWN}">', [OWN]),
        (f"<LINK HREF={OWN} REL=Canonical>", [OWN]),
        (f"<link href='{OWN}' rel='alternate canonical'/>", [OWN]),
        ('<link rel="canonical" href="/home/1">', ["/home/1"]),
        (f'<link rel="canonical" data-href="{OTHER}">', []),
        (f'<link rel="canonicals" href="{OWN}">', []),
        (f'<link rel="stylesheet" href="{OWN}">', []),
        (f'<link rel="canonical" href="{OWN}"><link rel=canonical href={OTHER}>',
         [OWN, OTHER]),
        (f'<meta content="{OWN}" property="og:url">', [OWN]),
        (f'<meta name="twitter:url" content="{OWN}">', [OWN]),
        (f'<meta property="og:image" content="{OWN}">', []),
        (f'<meta property="og:url" content="{OTHER}"><link rel=canonical href={OWN}>',
         [OWN, OTHER]),
        (f"<!-- saved from url=(29){OWN} --><link rel=canonical href={OTHER}>",
         [OWN, OTHER]),
        (f"<!-- <link rel=canonical href={OWN}> -->", []),
        (f"<body><link rel=canonical href={OWN}>", []),
        ('<link rel=canonical href="https://x.example/?a=1&amp;b=2">',
         ["https://x.example/?a=1&b=2"]),
    ],
)  # fmt: skip
def test_every_own_link_in_the_head_is_told(head: str, urls: list[str]) -> None:
    assert own_urls(head.encode()) == urls


def data(told: object) -> bytes:
    return f'<script type="application/ld+json">{json.dumps(told)}</script>'.encode()


ADDRESS = {"streetAddress": "1418 E Quail Whistle Ln", "postalCode": "85042"}
SAID = Described(url=OWN, street="1418 E Quail Whistle Ln", zip_code="85042")


@pytest.mark.parametrize(
    ("told", "houses"),
    [
        ({"@type": "House", "url": OWN, "address": ADDRESS}, [SAID]),
        ([{"@type": ["Product", "RealEstateListing"], "url": OWN,
           "mainEntity": {"address": ADDRESS}}], [SAID]),
        ({"@graph": [{"@type": "Residence", "url": OWN, "address": ADDRESS}]}, [SAID]),
        ({"@type": "House", "name": "1 Some St, Mesa, AZ 85201"},
         [Described(url="", street="1 Some St, Mesa, AZ 85201", zip_code="")]),
        ({"@type": "Organization", "url": OTHER}, []),
        ({"@type": "ItemList", "itemListElement": [{"@type": "House", "url": OTHER}]},
         []),
        ({"@type": {"a": 1}, "@graph": 7}, []),
        ([7, None, []], []),
        ("House", []),
    ],
)  # fmt: skip
def test_the_houses_of_structured_data_are_told(
    told: object, houses: list[Described]
) -> None:
    assert described(data(told)) == houses


@pytest.mark.parametrize(
    "body",
    [
        b'<script type="application/ld+json">{',
        b'<script type="application/ld+json">{</script>',
        b'<script type="application/ld+json">' + b"[" * 90_000 + b"</script>",
        b'<script type="application/ld+json">' * 50_000,
        b"<link " * 200_000,
        b"<meta content=" * 100_000,
    ],
)
def test_broken_markup_tells_nothing(body: bytes) -> None:
    assert (own_urls(body), described(body)) == ([], [])
