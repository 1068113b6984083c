"""Which trained model is in use, the list of all, and going back to an earlier one.

How one is made is `learning`'s matter.
"""

import logging
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from phx_pipeline.catalog.store import Catalog
from phx_pipeline.catalog.trained import TrainedRow
from phx_pipeline.categorize.network.session import FEATURES, NETWORK
from phx_pipeline.categorize.trained import DIGITS, TrainedModel
from phx_pipeline.errors import InputError

logger = logging.getLogger(__name__)

_LEAST_ID = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class InUse:
    """The model that counts, and the training it came of."""

    row: TrainedRow
    model: TrainedModel


class MisfitError(ValueError):
    """A sound model that says nothing of what pictures are looked at with here."""


def model_in_use(catalog: Catalog) -> InUse | None:
    """Return the newest accepted model; None if nothing was learnt so far.

    One that cannot be used here is told in one line, and the one before it counts.
    """
    for row in catalog.trained.in_use():
        try:
            return InUse(row=row, model=read_model(row))
        except ValueError as error:
            logger.warning(
                "the trained model %s is left out: %s; `phx categorize forget %s` "
                "takes it out of use, `phx categorize train` makes another",
                *(row.id, error, row.id),
            )
    return None


def read_model(row: TrainedRow) -> TrainedModel:
    """Return the model in a row, if it can be used here: all of it or nothing.

    Raises:
        MisfitError: it was learnt from another network.
        ValueError: its bytes are not those that were stored, or are no model.
    """
    if sha256(row.body).hexdigest()[:DIGITS] != row.id:
        raise ValueError("its bytes are not those that were stored")
    model = TrainedModel.from_bytes(row.body)
    if why := model.misfit(network=NETWORK, width=FEATURES):
        raise MisfitError(why)
    return model


def fault_of(row: TrainedRow) -> tuple[str, str]:
    """Return in which state the model in a row is, and why; both empty if it is sound.

    It is `damaged`, or `unfit` where it was learnt from another network.
    """
    try:
        read_model(row)
    except MisfitError as error:
        return "unfit", str(error)
    except ValueError as error:
        return "damaged", str(error)
    return "", ""


def forget(catalog: Catalog, model: str, *, at: datetime) -> InUse | None:
    """Take a model out of use; return the one that counts now.

    Raises:
        InputError: no such model is in use, or the id names several.
    """
    rows = catalog.trained.in_use()
    fitting = [it for it in rows if it.id.startswith(model.strip().lower())]
    if len(model.strip()) < _LEAST_ID or len(fitting) != 1:
        ids = ", ".join(it.id for it in rows) or "none"
        raise InputError(
            f"{model!r} does not name one of the trained models in use ({ids}): see "
            "`phx categorize models`"
        )
    catalog.trained.retire(fitting[0].id, at=at)
    return model_in_use(catalog)
