"""One table: what a request needs. GraphQL is looked into by `operations`.

A path is compared as the router sees it, and what is not in the table needs the most.
"""

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

# The first line that a path belongs to counts, for all that writes.
_WRITES: tuple[tuple[str, frozenset[str], Role], ...] = (
    ("/api/extraction/jobs", frozenset({"POST", "DELETE"}), Role.OPERATOR),
    ("/api/properties", frozenset({"POST", "PUT", "PATCH"}), Role.OPERATOR),
)


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
    for prefix, methods, role in _WRITES:
        if _is_below(asked.path, prefix):
            return role if asked.method in methods else Role.ADMIN
    return Role.ADMIN


def lack_of(role: Role, permission: str) -> str:
    """Why a role has not one of Dagster's permissions; empty if it has."""
    needed = Role.OPERATOR if permission in _OF_OPERATORS else Role.ADMIN
    return "" if role >= needed else f"this needs a key with the role {needed.word}"


def _is_below(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(f"{prefix}/")
