"""All photos of the made-up houses, drawn before anybody waits for them.

The stand-ins draw a photo when it is first asked for, one at a time. On a busy machine
many that are asked for at once would wait longer than a client does.
"""

from collections.abc import Sequence

from phx_pipeline.demo import redfin_photos, zillow_photos
from phx_pipeline.demo.houses import House


def draw_all(houses: Sequence[House]) -> int:
    """Draw every photo of *houses*, as both stand-ins have it; return how many."""
    return sum(
        redfin_photos.draw_all(house) + zillow_photos.draw_all(house)
        for house in houses
    )
