"""What people may write where mail is set up."""

import re
from collections.abc import Mapping
from typing import Final

from phx_pipeline.model.message import MailSecurity

MAIL_PORTS: Final[Mapping[MailSecurity, int]] = {
    MailSecurity.STARTTLS: 587,
    MailSecurity.TLS: 465,
    MailSecurity.NONE: 25,
}

_LONGEST_ADDRESS: Final = 254
_ADDRESS: Final = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)*[A-Za-z0-9-]{1,63}"
)
_HOST: Final = re.compile(r"[A-Za-z0-9.:-]{1,253}")


def is_mail_address(text: str) -> bool:
    """Whether *text* is a plain address: no name, no comment, no second one."""
    return len(text) <= _LONGEST_ADDRESS and bool(_ADDRESS.fullmatch(text))


def is_mail_host(text: str) -> bool:
    """Whether *text* may be the name or address of a server, without a port."""
    return bool(_HOST.fullmatch(text))
