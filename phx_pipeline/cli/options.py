"""Options that several commands share, so that they read alike everywhere."""

import click

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON for programs, not text."
)
house_option = click.option(
    "--property",
    "house",
    metavar="HOUSE",
    help="Show one house only; by default all are shown.",
)
why_option = click.option(
    "--why", default="", metavar="REASON", help="Keep a reason with the ruling."
)
