"""What commands print on some days of the fortnight, for the documentation.

`python -m phx_pipeline_tests.fortnight.printed DAY...` lives through these days of the
table, and prints what `phx changes` and `phx digest` say on the last of them, which is
sent to a mail server of this machine as well.
"""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from phx_pipeline.model.message import MailSecurity
from phx_pipeline_tests.deployment import Deployment
from phx_pipeline_tests.fortnight.days import Life
from phx_pipeline_tests.fortnight.expected import SOURCES
from phx_pipeline_tests.fortnight.table import DAYS, FORTNIGHT, Story, date_of
from phx_pipeline_tests.fortnight.town import Town
from phx_pipeline_tests.mail_server import mail_server

_SHARED = Path(__file__).parents[2] / "../shared"


def main(days: Sequence[int]) -> None:
    """Print the commands with what they say."""
    town = Town(story=Story.of(FORTNIGHT, days=DAYS), shared=_SHARED.resolve())
    with (
        TemporaryDirectory() as folder,
        mail_server() as server,
        Deployment(Path(folder), town.sites(), sources=SOURCES, attempts=1) as made,
    ):
        life = Life(made=made, town=town)
        life.follow("85306")
        for day in days:
            life.wake_on(day)
            life.search()
            life.wait_until(0)
            life.look()
        made.settings = replace(
            made.settings,
            smtp_host="127.0.0.1",
            smtp_port=server.port,
            smtp_security=MailSecurity.NONE,
            smtp_from="phx@example.com",
            smtp_to=("me@example.com",),
        )
        today = date_of(days[-1]).isoformat()
        for arguments in (
            ("changes", "--since", today),
            ("digest", "--date", today, "--format", "text"),
            ("digest", "--date", today, "--format", "md"),
            ("digest", "test", "--channel", "smtp"),
        ):
            done = made.phx(*arguments)
            sys.stdout.write(
                f"$ phx {' '.join(arguments)}\n{done.stdout}{done.stderr}\n"
            )


if __name__ == "__main__":
    main([int(day) for day in sys.argv[1:]])
