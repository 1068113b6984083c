"""One table: what a request needs. GraphQL is looked into by `operations`.

A path is compared as the router sees it, and what is not in the table needs the most.
"""

import re
from collections.abc import Mapping

from phx_pipeline.model.access import Role
from phx_pipeline.service.asgi import READING, Asked

LOGIN = "/login"
LOGOUT = "/logout"
_PUBLIC = {"/healthz"}

# Dagster's names of what operators may do in its pages; `operations` has the mutations.
_OF_OPERATORS = frozenset(
    {
        "launch_pipeline_execution",
        "launch_pipeline_reexecution",
        "launch_partition_backfill",
        "cancel_partition_backfill",
        "terminate_pipeline_execution",
    }
)

_SECRETS = ("/api/keys", "/api/audit")  # not for everybody to read

_ONE = "[^/]+"
_JOBS = "/api/extraction/jobs"
_HOUSES = "/api/properties"
_OF_HOUSES = {"PATCH": Role.OPERATOR, "DELETE": Role.ADMIN}
_READ_ONLY: Mapping[str, Role] = {}

# The paths of the REST interface, as its router knows them, and what each method needs
# that changes something. To any other method the app itself answers, to whoever may see
# the path, that there is none (405).
_WRITES: Mapping[str, Mapping[str, Role]] = {
    _JOBS: {"POST": Role.OPERATOR},
    f"{_JOBS}/{_ONE}": {"DELETE": Role.OPERATOR},
    f"{_JOBS}/{_ONE}/retry": {"POST": Role.OPERATOR},
    f"{_JOBS}/{_ONE}/(results|events)": _READ_ONLY,
    _HOUSES: {"POST": Role.OPERATOR},
    f"{_HOUSES}/{_ONE}": _OF_HOUSES,
    "/api/(status|images|sources|events|changes)": _READ_ONLY,
    f"/photos/{_ONE}/{_ONE}": _READ_ONLY,
    "/readyz": _READ_ONLY,
}


def is_public(asked: Asked) -> bool:
    """Whether anybody may ask for it, without a key."""
    return asked.method in READING and asked.path in _PUBLIC


def is_entrance(asked: Asked) -> bool:
    """Whether it is the way in or out."""
    return not asked.is_websocket and asked.path in {LOGIN, LOGOUT}


def role_for(asked: Asked) -> Role:
    """The role that a request needs at least."""
    if asked.is_websocket or asked.method in READING:
        is_secret = any(_is_below(asked.path, prefix) for prefix in _SECRETS)
        return Role.ADMIN if is_secret else Role.READER
    if asked.is_graphql:
        return Role.READER  # then by what the document does
    for path, methods in _WRITES.items():
        if re.fullmatch(path, asked.path):
            return methods.get(asked.method, Role.READER)
    return Role.ADMIN


def lack_of(role: Role, permission: str) -> str:
    """Why a role has not one of Dagster's permissions; empty if it has."""
    needed = Role.OPERATOR if permission in _OF_OPERATORS else Role.ADMIN
    return "" if role >= needed else f"this needs a key with the role {needed.word}"


def _is_below(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(f"{prefix}/")
