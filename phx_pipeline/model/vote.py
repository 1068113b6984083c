"""What was said of one picture: votes, abstentions, and the name they amount to.

How votes are made and weighed is the business of `categorize`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from phx_pipeline.model.taxonomy import UNCATEGORIZED, Category, Location, Subject

_ROUNDING = 1e-6  # of networks that reckon in single precision


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """One backend's opinion of one picture.

    `probabilities` (0 to 1) are of subjects it knows; what they lack to 1 is something
    it does not know. `places` names those it sees elsewhere than they usually are.
    `outside` is how probably the picture was taken out of doors, None if it cannot
    tell. `version` stands for all that its answers depend on besides the evidence.
    """

    backend: str
    version: str
    probabilities: Mapping[Subject, float]
    places: Mapping[Subject, Location] = field(default_factory=dict)
    outside: float | None = None

    def __post_init__(self) -> None:
        """Refuse what are no probabilities, or more than all of them."""
        stated = [*self.probabilities.values()]
        stated += [] if self.outside is None else [self.outside]
        if not all(0 <= p <= 1 for p in stated):  # a NaN is not, either
            raise ValueError(f"{self.backend}: {stated} are no probabilities")
        if math.fsum(self.probabilities.values()) > 1 + _ROUNDING:
            raise ValueError(f"{self.backend}: probabilities are above 1 together")
        if Subject.UNKNOWN in self.probabilities:
            raise ValueError(f"{self.backend}: `unknown` is what the rest is, no class")


@dataclass(frozen=True, slots=True, kw_only=True)
class Abstention:
    """A backend that cannot tell, and why.

    `is_passing` tells that it may tell next time, whatever the picture is: such an
    answer is not kept.
    """

    backend: str
    version: str
    reason: str
    is_passing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A kept picture's category, and the votes it was made of.

    `probability` (0 to 1) is that of the likeliest subject, also where it was too low
    to name it.
    """

    category: Category = UNCATEGORIZED
    probability: float = 0.0
    votes: tuple[Vote, ...] = ()
