"""The channel of whoever sits at the terminal."""

from collections.abc import Callable, Collection

from phx_pipeline.model.message import Message, Taken


class ConsoleNotifier:
    """Writes the plain text of messages, by what prints."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write

    def send(
        self,
        message: Message,
        *,
        only: Collection[str] | None = None,  # noqa: ARG002 - who sits there reads all
    ) -> Taken:
        """Print it; that is never in vain."""
        self._write(f"{message.subject}\n\n{message.text}")
        return Taken()
