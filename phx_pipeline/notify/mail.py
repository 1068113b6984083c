"""A message as a mail: plain text, HTML beside it, and the pictures that it shows.

What sites say stands in subjects and bodies. A subject is made one line, addresses come
from the settings alone, and the library refuses whatever else would end a header.
"""

from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from hashlib import sha256
from typing import Final, cast

from phx_pipeline.model.message import Message
from phx_pipeline.model.printable import printable

# All of it in seven bits: not every server takes more.
_POLICY: Final = SMTP.clone(cte_type="7bit")
_LONGEST_SUBJECT: Final = 150


def mail_of(message: Message, *, sender: str, recipients: tuple[str, ...]) -> bytes:
    """Return the mail's bytes; the same message gives the same `Message-ID`."""
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = sender
    mail["To"] = ", ".join(recipients)
    mail["Subject"] = printable(message.subject, most=_LONGEST_SUBJECT)
    mail["Date"] = format_datetime(message.at)
    mail["Message-ID"] = _message_id(message.key, sender=sender)
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text)
    if message.html:
        mail.add_alternative(message.html, subtype="html")
        page = cast("EmailMessage", mail.get_payload(1))
        for picture in message.pictures:
            page.add_related(
                picture.jpeg,
                "image",
                "jpeg",
                cid=f"<{picture.name}>",
                disposition="inline",
                filename=f"{picture.name}.jpg",
            )
    return mail.as_bytes()


def _message_id(key: str, *, sender: str) -> str:
    """Unlike the key it tells no house, and fits any header."""
    return f"<{sha256(key.encode()).hexdigest()[:32]}@{sender.rpartition('@')[2]}>"
