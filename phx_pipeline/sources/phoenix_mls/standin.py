"""The pages of the stand-in for the public site of the Phoenix MLS: results, listings.

No page of the site was captured. They have the shape that the site's software is known
to write, traps included: an earlier sale of the same house first in the results, photos
of similar listings, the face of an agent at the photo host.
"""

import html
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from phx_pipeline.sources.phoenix_mls.standin_photos import (
    MLS,
    PHOTO_HOST,
    Upload,
    uploads,
)
from phx_pipeline.sources.standins import House, Record

PAGE_HOST = "phoenixmlssearch.com"
SEARCH_PATH = "/mls/search/"

_ROW, _DETAIL = "flexmls_connect__sr_result", "flexmls_connect__sr_detail"
_FACE = f"https://{PHOTO_HOST}/{MLS}/20190101000000000000000000-o.jpg"
_REMARKS = (
    "<br /><b>Property Description</b><br />Status: move right in! Price: wow."
    "<br /><br />"
)
_SUFFIXES = {
    "Ave": "Avenue",
    "Ct": "Court",
    "Dr": "Drive",
    "Ln": "Lane",
    "Rd": "Road",
    "St": "Street",
}


def address_line(house: House) -> str:
    """Return the address as members of the MLS write it."""
    return f"{_street_line(house)}, {_place(house)}"


def listing_path(house: House, record: Record) -> str:
    """Return where the site has a listing of a house."""
    slug = re.sub(r"\W+", "-", f"{_street_line(house)}-{_place(house)}")
    return f"/mls/{slug}-mls_{record.mls_id}/"


def listing_key(record: Record) -> str:
    """Return the key of a listing in Spark's feeds, 26 digits."""
    return f"{record.listed_on:%Y%m%d}120000{record.mls_id[-6:]:0>6}000000"


@lru_cache(maxsize=64)
def listing_page(
    house: House, *, others: tuple[House, ...] = (), earlier: bool = False
) -> bytes:
    """Return the page of a house's listing, or of the one that ended with a sale."""
    record = house.earlier if earlier else house.record
    gallery = uploads(house, earlier=earlier)
    status = "Closed" if earlier else record.status
    title = f"{html.escape(address_line(house))} - MLS# {record.mls_id}"
    body = "".join(
        [
            f"<div class='{_DETAIL}' title='{title}'>",
            _top(house, record, status=status),
            _buttons(house),
            _gallery(gallery, title=title, key=listing_key(record)) if gallery else "",
            _REMARKS,
            _tables(house, record, status=status),
            _compliance(),
            "</div>",
            _similar(others),
        ]
    )
    head = (
        f"<meta property='og:title' content='{html.escape(_title(house, record))}' />"
        f"<meta property='og:url' content='{_url(house, record)}' />"
        f"<link rel='canonical' href='{_url(house, record)}' />"
    )
    return _page(_title(house, record), body, head=head)


def _shown_status(house: House) -> str:
    """What a row says: nothing of an active one."""
    return house.record.status if house.record.is_pending else ""


@lru_cache(maxsize=64)
def results_page(found: tuple[House, ...]) -> bytes:
    """Return a page of results: of each house the earlier listing, then the current."""
    rows = [
        row
        for house in found
        for row in (
            _row(house, house.earlier, uploads(house, earlier=True), status="Closed"),
            _row(house, house.record, uploads(house), status=_shown_status(house)),
        )
    ]
    count = (
        "<div class='flexmls_connect__sr_matches'>"
        f"<span class='flexmls_connect__sr_matches_count'>{len(rows)}</span>"
        " matches found </div>"
    )
    return _page("Search", f"<div class='page'>{count}{''.join(rows)}</div>")


def _page(title: str, body: str, *, head: str = "") -> bytes:
    return (
        '<!DOCTYPE html><html lang="en-US"><head><meta charset="UTF-8">'
        f"<title>{html.escape(title)} - Phoenix MLS Search.com</title>{head}"
        "<style>body { margin: 0 }</style></head><body class='page'>"
        "<nav><a href='/'>Home</a> <a href='/simple-search/'>Search</a></nav>"
        f"<main>{body}</main><footer>Listing data of the MLS</footer></body></html>"
    ).encode()


def _street_line(house: House) -> str:
    suffix = _SUFFIXES.get(house.street_type, house.street_type)
    parts = (house.number, house.direction, house.street.upper(), suffix)
    unit = f"#{house.unit}" if house.unit else ""
    return " ".join(part for part in (*parts, unit) if part)


def _place(house: House) -> str:
    return f"{house.city}, AZ {house.zip_code}"


def _title(house: House, record: Record) -> str:
    return f"{address_line(house)} (MLS# {record.mls_id})"


def _url(house: House, record: Record) -> str:
    return f"https://{PAGE_HOST}{listing_path(house, record)}"


# --- a listing ------------------------------------------------------------------------


def _top(house: House, record: Record, *, status: str) -> str:
    """Return what stands above the gallery; the state of an active one does not."""
    shown = f"Status: <span class='ld_status'>{status}</span><br />"
    return (
        "<div class='flexmls_connect__sr_address'>"
        f"<div class='flexmls_connect__ld_price'><div>${record.price:,}</div></div>"
        f"{html.escape(_street_line(house))}<br />{_place(house)}<br />"
        f"MLS# {record.mls_id}<br />{'' if status == 'Active' else shown}"
        f"{house.beds} beds &nbsp;|&nbsp; {house.baths:g} baths &nbsp;|&nbsp; "
        f"{house.sqft} sqft<br /></div><hr>"
    )


def _buttons(house: House) -> str:
    line = html.escape(address_line(house)).replace("'", "&#39;")
    return (
        "<div class='flexmls_connect__sr_details'><button onclick=\"contactForm({"
        f"'subject': '{line}', 'agentName': 'An Agent', "
        "'agentEmail': 'agent@office.example', 'officeEmail': 'an@office.example'"
        '});">Ask a Question</button></div>'
    )


def _gallery(gallery: Sequence[Upload], *, title: str, key: str) -> str:
    thumbs = "".join(
        f"<img src='{it.url('-t')}' ind='{at}' fullsrc='{it.url()}' "
        f"alt='{html.escape(it.caption) or title}' title='Photo for {title}' "
        "width='65' /> "
        for at, it in enumerate(gallery)
    )
    hidden = "".join(
        f"<a href='{it.url()}' rel='p-{key}' title='{html.escape(it.caption)}'></a>"
        for it in gallery
    )
    return (
        "<div class='flexmls_connect__photos'>"
        f"<img src='{gallery[0].boxed('640x480')}' class='main_image' alt='{title}' />"
        "<div class='flexmls_connect__photo_pager'>"
        "<div class='flexmls_connect__photo_switcher'><button>Previous</button>"
        f"&nbsp; <span>1</span> / {len(gallery)} &nbsp;<button>Next</button></div>"
        f"<button class='photo_click'>View Larger Photos ({len(gallery)})</button>"
        f"</div><div class='flexmls_connect__filmstrip'>{thumbs}</div></div>"
        f"<div class='flexmls_connect__hidden'>{hidden}</div>"
    )


def _tables(house: House, record: Record, *, status: str) -> str:
    features = {
        "Pool": "Private; Diving Pool" if house.pool else "No Pool",
        "Sewer": house.sewer,
        "Roofing": "Tile",
        "Construction": "Block; Stucco",
        "Cooling": "Central Air",
        "Heating": "Electric",
        "Association Fee Incl": "" if house.hoa else "No Fees",
    }
    general = {
        "Dwelling Type": "Apartment" if house.unit else "Single Family Residence",
        "# Bedrooms": f"{house.beds}",
        "# Bathrooms": f"{house.baths:g}",
        "Approx SQFT": f"{house.sqft}",
        "Approx Lot SqFt": f"{house.lot_sqft}",
        "Year Built": f"{house.year_built}",
        "Private Pool Y/N": "Yes" if house.pool else "No",
        "Garage Spaces": f"{house.garage}",
        "HOA Fee": f"${house.hoa} monthly" if house.hoa else "",
        "Assessor Number": house.apn,
    }
    contract = {
        "List Price": f"${record.price:,}",
        "Status": status,
        "List Date": f"{record.listed_on:%m/%d/%Y}",
        "Close Date": f"{record.sold_on:%m/%d/%Y}" if record.sold_on else "",
    }
    return "".join(
        [
            _table("Contract Information", contract.items()),
            _table("General Property Description", general.items()),
            _table("Property Features", features.items()),
        ]
    )


def _table(name: str, values: Iterable[tuple[str, str]]) -> str:
    rows = "".join(
        "<div class='flexmls_connect__ld_property_detail'>"
        f"<b>{html.escape(label)}:</b> {html.escape(value)}</div>"
        for label, value in values
        if value
    )
    return (
        "<div class='flexmls_connect__ld_detail_table'>"
        f"<div class='flexmls_connect__detail_header'>{name}</div>{rows}</div>"
    )


def _compliance() -> str:
    return (
        "<div class='flexmls_connect__ld_compliance'>"
        "<span class='flexmls_connect__badge' title='An Office'>IDX</span>"
        "<div class='flexmls_connect__ld_office_name'><span>Listing Office: </span>"
        "An Office</div><div class='flexmls_connect__ld_agent_info'>"
        f"<span>Listing Agent: </span>An Agent<img src='{_FACE}' alt='An Agent'>"
        "</div></div>"
    )


def _similar(others: Sequence[House]) -> str:
    cards = "".join(
        f"<div class='slide'><a href='{_url(other, other.record)}'>"
        f"<img src='{uploads(other)[0].url('')}' alt=''>"
        f"{html.escape(address_line(other))}</a></div>"
        for other in others
    )
    return f"<div class='similar-listings carousel'>{cards}</div>"


# --- results --------------------------------------------------------------------------


def _row(
    house: House, record: Record, gallery: Sequence[Upload], *, status: str
) -> str:
    title = f"{html.escape(address_line(house))} - MLS# {record.mls_id}"
    url = f"{_url(house, record)}?ListingId={record.mls_id}"
    picture = f"<img src='{gallery[0].url('')}' alt='{title}' />" if gallery else ""
    count = f"<a class='photo_click'>View Photos ({len(gallery)})</a>"
    label = "<span class='flexmls_connect__field_label'>Status: </span>"
    shown = f"{label}<span class='flexmls_connect__field_value'>{status}</span>"
    return (
        f"<div class='{_ROW}' title='{title}' link='{url}'>"
        f"<div class='flexmls_connect__sr_price'>${record.price:,}</div>"
        f"<div class='flexmls_connect__sr_address'><a href='{url}'>"
        f"{html.escape(_street_line(house))}<br />{_place(house)}</a></div>"
        f"<a class='photo' href='{gallery[0].url() if gallery else '#'}'>{picture}</a>"
        f"{count if gallery else ''}"
        f"<div class='zebra'>{shown if status else ''}</div></div>"
    )
