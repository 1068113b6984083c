"""What a command's own houses made due on others, done before the command ends."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from phx_pipeline.cli.console import errors

if TYPE_CHECKING:
    from phx_pipeline.stages.context import StageContext


def settle_partners(context: "StageContext", slugs: Collection[str]) -> None:
    """Settle the houses that share photos with *slugs*; say which, and which wait.

    On standard error: what the command prints is about its own houses.
    """
    from phx_pipeline.stages.partners import settle_called

    settled = settle_called(context, slugs)
    for slug in settled.done:
        errors.print(f"{slug} is published anew: it shares photos", soft_wrap=True)
    for slug in settled.waiting:
        errors.print(
            f"{slug} is being worked on or lacks originals: its run waits in the queue "
            f"(`phx up`, or `phx extract --address {slug} --sync` later)",
            soft_wrap=True,
        )
