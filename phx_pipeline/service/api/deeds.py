"""What somebody did over REST, told after the deed to who keeps the audit trail.

That is the guard's: it puts down with each request by which call deeds are noted.
"""

import logging
from functools import partial
from typing import Final

from anyio import from_thread
from fastapi import Request

from phx_pipeline.model.access import Principal
from phx_pipeline.model.printable import printable

logger = logging.getLogger("dagster.phx_pipeline.service.api")

_LONGEST: Final = 500


def note(
    request: Request, who: Principal, action: str, target: str, *, detail: str = ""
) -> None:
    """Note what *who* did by *request*, from a thread of the pool.

    Where nobody keeps a trail, the log has it. *action* is a word such as `job.submit`.
    """
    audit = getattr(request.state, "audit", None)
    if audit is not None:
        from_thread.run(partial(audit, action, target, detail=detail))
        return
    told = f"{who.user} {action} {target} {detail}"
    logger.info("%s", printable(told, most=_LONGEST))
