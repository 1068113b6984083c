"""What becomes of the photos of the demo's houses in an honest pipeline."""

from phx_pipeline.demo.houses import Flaw, House, Shot
from phx_pipeline.model.outcome import Verdict

VERDICTS = {
    Flaw.NONE: Verdict.KEPT,
    Flaw.TRUNCATED: Verdict.DAMAGED,
    Flaw.HTML: Verdict.NOT_AN_IMAGE,
    Flaw.TINY: Verdict.TOO_SMALL,
    Flaw.GONE: Verdict.GONE,
}


def expected_verdicts(house: House) -> dict[str, Verdict]:
    """The verdicts by photo key, in gallery order."""
    return {
        house.record.photo_key(position): verdict_of(shot)
        for position, shot in enumerate(house.record.shots)
    }


def verdict_of(shot: Shot) -> Verdict:
    """What becomes of a photo in a house's own gallery."""
    return Verdict.DUPLICATE if shot.copied else VERDICTS[shot.flaw]
