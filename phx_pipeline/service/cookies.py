"""The two cookies of a service: that of a session, and that of a form."""

from phx_pipeline.service.asgi import Asked
from phx_pipeline.service.reach import Reach
from phx_pipeline.service.refusals import Header


class Cookies:
    """Reads and sets them.

    Browsers send cookies to every port of a host, so the port is part of the name.
    With TLS the name has a prefix by which browsers refuse one that a neighbour has
    set.
    """

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    def session(self, asked: Asked) -> str | None:
        """The session's, as the request has it."""
        return self._read(asked, "session")

    def form(self, asked: Asked) -> str | None:
        """The form's, as the request has it."""
        return self._read(asked, "form")

    def put_session(self, asked: Asked, value: str, *, age_s: int) -> Header:
        """The header that sets it; an age of 0 removes it."""
        return self._put(asked, "session", value, age_s=age_s)

    def put_form(self, asked: Asked, value: str, *, age_s: int) -> Header:
        """The header that sets it; an age of 0 removes it."""
        return self._put(asked, "form", value, age_s=age_s)

    def _put(self, asked: Asked, kind: str, value: str, *, age_s: int) -> Header:
        secure = "; Secure" if self._reach.is_secure(asked) else ""
        text = (
            f"{self._name(asked, kind)}={value}; Path=/; Max-Age={age_s}; HttpOnly; "
            f"SameSite=Strict{secure}"
        )
        return (b"set-cookie", text.encode())

    def _name(self, asked: Asked, kind: str) -> str:
        mark = "__Host-" if self._reach.is_secure(asked) else ""
        return f"{mark}phx_{kind}_{self._reach.port}"

    def _read(self, asked: Asked, kind: str) -> str | None:
        name = self._name(asked, kind)
        given = "; ".join(value for key, value in asked.fields if key == "cookie")
        pairs = (pair.strip().partition("=") for pair in given.split(";"))
        found = [value for key, _, value in pairs if key == name]
        return found[0] if len(found) == 1 else None  # of two, one was planted
