"""Where the service is served and who asks it, here and from other computers."""

import os
import pwd
from dataclasses import dataclass, field
from pathlib import Path

from phx_pipeline.errors import InputError
from phx_pipeline.model.server_url import HOW as HOW_SERVED
from phx_pipeline.model.server_url import server_url
from phx_pipeline.model.web_place import public_origin
from phx_pipeline.settings.variables import (
    Environment,
    file,
    https_url,
    ip,
    quoted,
    token,
    whole,
)

_TLS = ("PHX_TLS_CERT", "PHX_TLS_KEY")
_LONGEST_USER = 64


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class Service:
    """Addresses, certificates and names of the service."""

    code_url: str | None
    webserver_port: int
    host: str
    public_url: str | None
    trusted_proxy: str | None
    tls_cert: Path | None
    tls_key: Path | None
    server: str | None
    key: str | None = field(repr=False)
    user: str


def read_service(given: Environment) -> Service:
    """Read where the service is."""
    _refuse_half_of_tls(given)
    return Service(
        code_url=code_url(given),
        webserver_port=whole(given, "WEBSERVER_PORT", default=3000, low=1, high=65535),
        host=ip(given, "HOST") or "127.0.0.1",
        public_url=_public_url(given),
        trusted_proxy=ip(given, "TRUSTED_PROXY"),
        tls_cert=file(given, "TLS_CERT"),
        tls_key=file(given, "TLS_KEY"),
        server=served_at(given.get("PHX_SERVER"), by="PHX_SERVER"),
        key=token(given, "KEY"),
        user=_user(given),
    )


def code_url(environ: Environment | None = None) -> str | None:
    """Where a page shows the files of this project; the definitions need no more.

    Raises:
        InputError: it cannot be used.
    """
    url = https_url(os.environ if environ is None else environ, "CODE_URL")
    return url.rstrip("/") if url else None


def served_at(url: str | None, *, by: str) -> str | None:
    """Return the URL of a service that jobs are handed to; None if there is none.

    Raises:
        InputError: it cannot be used; *by* is the option or variable that names it.
    """
    if not url:
        return None
    if (found := server_url(url)) is None:
        raise InputError(f"{by}={quoted(url)}: give {HOW_SERVED}")
    return found


def _public_url(given: Environment) -> str | None:
    text = given.get("PHX_PUBLIC_URL")
    if text and public_origin(text) is None:
        raise InputError(
            f"PHX_PUBLIC_URL={quoted(text)}: give an https URL without a path, such "
            "as https://phx.example.com; http only for localhost"
        )
    return public_origin(text) if text else None


def _refuse_half_of_tls(given: Environment) -> None:
    there = [name for name in _TLS if given.get(name)]
    if len(there) == 1:
        raise InputError(f"{there[0]} alone does nothing: set {' and '.join(_TLS)}")


def _user(given: Environment) -> str:
    """Who rules here: as the environment says, else the system's name of the user."""
    name = given.get("PHX_USER") or _system_user()
    if len(name) > _LONGEST_USER or not name.isprintable() or not name.strip():
        raise InputError(
            f"PHX_USER={quoted(name)}: give a name of at most {_LONGEST_USER} "
            "printable characters"
        )
    return name.strip()


def _system_user() -> str:
    uid = os.getuid()
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:  # a container may run under a number without a name
        return f"uid {uid}"
