"""The county's hosts, its token, and what is told of asking without one."""

from typing import Final

TOKEN: Final = "PHX_MARICOPA_TOKEN"  # noqa: S105 - a setting's name
HOST: Final = "mcassessor.maricopa.gov"
MAP_HOST: Final = "gis.mcassessor.maricopa.gov"

WITHOUT: Final = (
    f"{TOKEN} is not set; a token comes from the contact form of {HOST} "
    '("API Question/Token")'
)
ONLY: Final = "only its public map, no sketches"
