"""What stands behind the question mark: a misspelt filter must not list everything."""

from fastapi import Request

from phx_pipeline.model.nearest import did_you_mean
from phx_pipeline.model.printable import printable
from phx_pipeline.service.api.problems import refuse

_LONGEST = 40


async def require_known_query(request: Request) -> None:
    """Refuse parameters that the path does not know; it waits for no thread.

    Raises:
        Problem: there is one; it is told which ones there are.
    """
    fields = request.scope["route"].dependant.query_params
    known = sorted(field.alias for field in fields)
    for name in request.query_params:
        if name not in known:
            there = f"it knows {', '.join(known)}" if known else "it knows none"
            meant = did_you_mean(name[:_LONGEST], known)
            refuse(
                f"this path knows no such parameter{meant}: {there}",
                field=f"query.{printable(name, most=_LONGEST)}",
            )
