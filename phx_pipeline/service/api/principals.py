"""Who asks: whom the guard put down. What a role may do is told there."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Request

from phx_pipeline.model.access import Principal, Role
from phx_pipeline.service.api.problems import Problem


async def principal_of(request: Request) -> Principal:
    """Return who asks; where nobody was put down, the local user if there is one.

    It waits for no thread.
    """
    known = getattr(request.state, "principal", None)
    if isinstance(known, Principal):
        return known
    name = request.app.state.local_user
    if name is None:
        raise Problem(HTTPStatus.UNAUTHORIZED, "show a key: nobody is known to ask")
    return Principal(user=name, role=Role.ADMIN, is_local=True)


Who = Annotated[Principal, Depends(principal_of)]
