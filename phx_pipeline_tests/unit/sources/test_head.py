"""What a page says of its own address, in its head and in its structured data."""

import json

import pytest

from phx_pipeline.sources.head import Described, described, own_urls, titled

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
        (f"<!--\n Page saved with SingleFile \n url: {OWN} \n saved -->", [OWN]),
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
        ({"@type": "https://schema.org/House", "url": OWN, "address": ADDRESS}, [SAID]),
        ({"@type": "schema:Townhouse", "url": OWN, "address": [ADDRESS]}, [SAID]),
        ({"@type": "Place", "@id": OWN, "address": ADDRESS}, [SAID]),
        ({"@type": "House", "mainEntityOfPage": {"@id": OWN}, "address": ADDRESS},
         [SAID]),
        ({"@type": "House", "url": OWN, "address": ADDRESS | {"postalCode": 85042}},
         [SAID]),
        ({"@type": "House", "address": "1 Some St, Mesa, AZ 85201"},
         [Described(url="", street="1 Some St, Mesa, AZ 85201", zip_code="")]),
        ({"@type": "House", "name": "1 Some St, Mesa, AZ 85201 | Redfin"},
         [Described(url="", street="1 Some St, Mesa, AZ 85201", zip_code="")]),
        ([[{"@type": "WebPage", "mainEntity": {"@type": "House", "url": OWN,
           "address": ADDRESS}}]], [SAID]),
        ({"@type": "WebPage", "about": {"@type": "House", "url": OWN,
          "address": ADDRESS}}, [SAID]),
        ({"@type": "Offer", "itemOffered": {"@type": "House", "url": OWN,
          "address": ADDRESS}}, [SAID]),
        ({"@type": "Organization", "offers": [{"@type": "Offer",
          "itemOffered": [{"@type": "House", "url": OWN, "address": ADDRESS}],
          "seller": {"@type": "Residence", "address": ADDRESS}}]}, [SAID]),
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
    "around",
    [
        "//<![CDATA[\n{}\n//]]>",
        "/*<![CDATA[*/ {} /*]]>*/",
        "<!-- {} -->",
        "\ufeff{};",
        "\n {}",
    ],
)
def test_structured_data_is_read_as_a_browser_reads_it(around: str) -> None:
    told = '{"@type": "House", "name": "1 Some St, Mesa, AZ 85201", "text": "a\nb"}'
    script = f'<script type="application/ld+json">{around.format(told)}</script>'

    assert [each.street for each in described(script.encode())] == [
        "1 Some St, Mesa, AZ 85201"
    ]


@pytest.mark.parametrize(
    ("head", "told"),
    [
        ("<title>1 Some St, Mesa, AZ 85201 | MLS# 7652074 | Redfin</title>",
         ["1 Some St, Mesa, AZ 85201"]),
        ("<title>\n 1 Some\n St #2, Mesa, AZ 85201-1234 - 4 beds</title>",
         ["1 Some St #2, Mesa, AZ 85201"]),
        ('<meta property="og:title" content="1 Some St, Mesa, AZ 85201 - 4 beds">',
         ["1 Some St, Mesa, AZ 85201"]),
        ('<meta name="twitter:text:street_address" content="1 Some St">',
         ["1 Some St"]),
        ("<title>Homes near 1 Some St, Mesa, AZ 85201</title>", []),
        ("<title>4 homes for sale | 85201</title>", []),
        ('<meta property="og:description" content="1 Some St, Mesa, AZ 85201">', []),
        ('<body><meta property="og:title" content="1 Some St, Mesa, AZ 85201">', []),
    ],
)  # fmt: skip
def test_the_addresses_in_titles_are_told(head: str, told: list[str]) -> None:
    assert titled(head.encode()) == told


@pytest.mark.parametrize(
    "body",
    [
        b'<script type="application/ld+json">{',
        b'<script type="application/ld+json">{</script>',
        b'<script type="application/ld+json">' + b"[" * 90_000 + b"</script>",
        b'<script type="application/ld+json">' * 50_000,
        b"<link " * 200_000,
        b"<meta content=" * 100_000,
        b"<title>1" + b"1 " * 200_000,
    ],
)
def test_broken_markup_tells_nothing(body: bytes) -> None:
    assert (own_urls(body), described(body), titled(body)) == ([], [], [])
