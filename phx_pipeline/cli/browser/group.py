"""The group `phx browser`."""

import click

from phx_pipeline.cli.browser.check import check
from phx_pipeline.cli.browser.displays import displays
from phx_pipeline.cli.nearest import NearestGroup


@click.group(cls=NearestGroup)
def browser() -> None:
    """See whether this machine can open pages in a browser, and how.

    Some pages of Zillow and Redfin are refused to plain HTTP. Chromium opens them; its
    window is where PHX_ISOLATION says.

    \b
    Examples:
      phx browser displays
      phx browser check
    """


for _command in (displays, check):
    browser.add_command(_command)
