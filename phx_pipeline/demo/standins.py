"""Which sources the demo shows: their stand-ins, drawn and served.

What their pages look like is written in the packages of the sources.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from phx_pipeline.demo import (
    maricopa_sketches,
    phoenix_mls_photos,
    redfin_photos,
    zillow_photos,
)
from phx_pipeline.demo.houses import HOUSES
from phx_pipeline.demo.loopback import Handler
from phx_pipeline.demo.maricopa_site import maricopa_sites
from phx_pipeline.demo.phoenix_mls_site import phoenix_mls_sites
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.demo.zillow_site import zillow_sites
from phx_pipeline.model.source import Source
from phx_pipeline.sources.phoenix_mls.standin_photos import (
    PHOTO_HOST as PHOENIX_MLS_PHOTOS,
)
from phx_pipeline.sources.redfin.standin_photos import PHOTO_HOST as REDFIN_PHOTOS
from phx_pipeline.sources.standins import House
from phx_pipeline.sources.zillow.standin_photos import PHOTO_HOST as ZILLOW_PHOTOS


@dataclass(frozen=True, slots=True, kw_only=True)
class Standin:
    """A source of the demo.

    `sites` makes what answers for each of its hosts, by the houses; `draw_all` draws
    the photos it has of a house and returns how many. `photo_host` is empty where they
    come inside answers.
    """

    sites: Callable[[Sequence[House]], Mapping[str, Handler]]
    photo_host: str
    draw_all: Callable[[House], int]


STANDINS: Final[Mapping[Source, Standin]] = {
    Source.ZILLOW: Standin(
        sites=zillow_sites,
        photo_host=ZILLOW_PHOTOS,
        draw_all=zillow_photos.draw_all,
    ),
    Source.REDFIN: Standin(
        sites=redfin_sites,
        photo_host=REDFIN_PHOTOS,
        draw_all=redfin_photos.draw_all,
    ),
    Source.MARICOPA: Standin(
        sites=maricopa_sites,
        photo_host="",
        draw_all=maricopa_sketches.draw_all,
    ),
    Source.PHOENIX_MLS: Standin(
        sites=phoenix_mls_sites,
        photo_host=PHOENIX_MLS_PHOTOS,
        draw_all=phoenix_mls_photos.draw_all,
    ),
}
"""In the order in which the demo names them."""


def all_sites(houses: Sequence[House] = HOUSES) -> dict[str, Handler]:
    """Return what answers for the hosts of all stand-ins."""
    return {
        host: handler
        for standin in STANDINS.values()
        for host, handler in standin.sites(houses).items()
    }
