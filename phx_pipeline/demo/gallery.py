"""All photos of the made-up houses, drawn before anybody waits for them.

The stand-ins draw a photo when it is first asked for, one at a time. On a busy machine
many that are asked for at once would wait longer than a client does.
"""

from collections.abc import Sequence

from phx_pipeline.demo.houses import House
from phx_pipeline.demo.standins import STANDINS


def draw_all(houses: Sequence[House]) -> int:
    """Draw every photo of *houses*, as all stand-ins have it; return how many."""
    return sum(
        standin.draw_all(house) for house in houses for standin in STANDINS.values()
    )
