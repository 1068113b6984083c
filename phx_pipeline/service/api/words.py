"""What may stand in a request: lines of text, and bodies without unknown fields."""

from typing import Annotated, Final

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, StringConstraints

from phx_pipeline.reads.paging import MOST

LONGEST_LINE: Final = 300
NO_CONTROLS: Final = r"^[^\x00-\x1f\x7f]*$"

Line = Annotated[
    str,
    StringConstraints(min_length=1, max_length=LONGEST_LINE, pattern=NO_CONTROLS),
]

HouseInPath = Annotated[
    str,
    Path(
        min_length=1,
        max_length=LONGEST_LINE,
        pattern=NO_CONTROLS,
        description="The key or the folder of a house.",
    ),
]

HouseAsked = Annotated[
    str | None,
    Query(
        alias="property",
        min_length=1,
        max_length=LONGEST_LINE,
        pattern=NO_CONTROLS,
        description="Only of one house: its key, its folder, or its address.",
    ),
]


Limit = Annotated[int, Query(ge=1, le=MOST, description="How many at most.")]
Cursor = Annotated[
    str | None,
    Query(
        max_length=2_000,
        description="`next` of the page before; none for the first page.",
    ),
]


class Body(BaseModel):
    """The body of a request: JSON as it is meant, and no field that nobody reads."""

    model_config = ConfigDict(extra="forbid", strict=True)
