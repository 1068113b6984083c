"""`phx properties`: which houses are followed."""

import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click
from rich.table import Table

from phx_pipeline.cli.console import NO_HOUSES, console, errors, followed, print_table
from phx_pipeline.cli.main import Exit
from phx_pipeline.cli.nearest import NearestGroup
from phx_pipeline.cli.options import FILE_OR_TEXT, json_option
from phx_pipeline.cli.outputs import OutputFile, tell_written
from phx_pipeline.cli.partitions import reconcile_partitions
from phx_pipeline.cli.partners import settle_partners
from phx_pipeline.cli.property_show import show
from phx_pipeline.cli.session import note, opened, opened_catalog
from phx_pipeline.cli.times import phoenix_text
from phx_pipeline.errors import InputError, ServiceError
from phx_pipeline.model.counted import counted

if TYPE_CHECKING:
    from phx_pipeline.model.property import Property
    from phx_pipeline.settings import Settings
    from phx_pipeline.stages.context import StageContext
    from phx_pipeline.workflows.intake import (
        IntakeReport,
        LookAlike,
        Problem,
        Reading,
        Typed,
    )

_SHOWN = 20
_NONE_REMOVED = "no property was removed: `phx properties list` lists those followed"
_FILE_NAME = re.compile(
    r"\.(csv|tsv|tab|psv|txt|xls[xmb]?|ods|numbers|pdf|zip|json|docx?|html?)$",
    re.IGNORECASE,
)
_LIKE_A_FILE = re.compile(
    r"(?:\.{0,2}/|~).*|[a-z]:\\.*|[^\s./\\]+[/\\]\S*|[^,]*\.[a-z]{2,5}", re.IGNORECASE
)

Item = TypeVar("Item")


@click.group(cls=NearestGroup)
def properties() -> None:
    """Say which houses are followed: add, correct, remove."""


@properties.command()
@click.argument("file_or_address", type=FILE_OR_TEXT)
@click.option(
    "--yes",
    is_flag=True,
    help="Add odd addresses too; by default you are asked about each.",
)
@click.option(
    "--strict",
    is_flag=True,
    help="Add all rows of a file or none; by default a row that cannot be read "
    "keeps no other out.",
)
@click.option(
    "--problems",
    type=OutputFile(".csv"),
    help="Write every row that was not taken to this CSV file: its number, its "
    "text and what is wrong.",
)
@click.pass_context
def add(
    ctx: click.Context,
    file_or_address: str,
    *,
    yes: bool,
    strict: bool,
    problems: Path | None,
) -> None:
    """Add one house, or all houses of a file.

    A house that is known stays as it is, so a file can be added again after it grew. A
    removed house is followed again, with all that is known of it.

    FILE_OR_ADDRESS is an address in quotes, the URL of a listing, the key of a removed
    house, or a file: a CSV with any delimiter, with or without a header, a list with
    one address a line, or an Excel workbook. A single - stands for standard input.

    \b
    Examples:
      phx properties add "4732 W Davis Rd, Glendale, AZ 85306"
      phx properties add houses.csv     columns street,unit,city,state,zip
      phx properties add - < houses.csv --problems problems.csv

    Exit codes: 0 every row was added, known or a repeat; 2 nothing was taken; 3 some
    rows were not taken.
    """
    from phx_pipeline.settings import load_settings
    from phx_pipeline.stages.views import refresh_views
    from phx_pipeline.workflows.intake import add_houses, look_alikes, write_problems

    settings = load_settings()
    with opened(settings) as context:
        reading = _read(context, file_or_address, problems=problems)
        if reading.doubts and (yes or _confirmed(reading, file_or_address)):
            reading = reading.confirmed()
        told = reading.problems()
        if problems:
            write_problems(problems, told)
            tell_written(counted(len(told), "problem"), problems)
        if not reading.taken or (strict and told):
            raise reading.refusal()
        report = add_houses(context, reading.taken)
        changed = [house.slug for house in (*report.added, *report.revived)]
        note(context, "house.add", *changed)
        settle_partners(context, [house.slug for house in report.revived])
        refresh_views(context)
        reconcile_partitions(context, settings)
        alike = look_alikes(context, report.added)
    _tell_problems(told)
    if reading.left_out:
        errors.print(f"phx: {reading.left_out}", soft_wrap=True)
    _list_some("added", report.added)
    _list_alike(alike)
    _list_some("followed again", report.revived)
    _list_known(report.known, always=len(reading.taken) == 1)
    console.print(_summary(report, reading))
    if reading.unread or reading.doubts:
        ctx.exit(Exit.PARTIAL)


@properties.command("list")
@click.option(
    "--removed", is_flag=True, help="List the removed houses instead, and since when."
)
@json_option
def list_(*, removed: bool, as_json: bool) -> None:
    """List the houses that are followed: key, folder, address.

    \b
    Examples:
      phx properties list
      phx properties list --removed --json
    """
    with opened_catalog() as catalog:
        if removed:
            gone = catalog.houses.removed()
            houses = [known.house for known in gone]
            since = [known.removed_at for known in gone]
        else:
            houses = catalog.properties()
            since = [None] * len(houses)
    from phx_pipeline.reads.documents import property_document

    rows = [
        property_document(house, removed_at=at)
        for house, at in zip(houses, since, strict=True)
    ]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    if not rows:
        console.print(_NONE_REMOVED if removed else NO_HOUSES, soft_wrap=True)
        return
    kind = "removed property" if removed else "property"
    columns = ("key", "folder", "address", *(("removed",) if removed else ()))
    table = Table(*columns, title=counted(len(houses), kind))
    for row in rows:
        told = [phoenix_text(row["removed_at"])] if removed else []
        table.add_row(*(str(row[name]) for name in columns[:3]), *told)
    print_table(table)


@properties.command()
@click.argument("house")
@click.argument("new_address")
def rename(house: str, new_address: str) -> None:
    """Correct the address of a house that was written wrongly.

    HOUSE is the key, the folder or the address of a house, or the URL of its listing.

    Folder, photos and names stay, nothing is downloaded again, and the former address
    still means the house. Its sources are asked again by the next `phx extract`. If you
    mean another house, add that one and remove this one.

    \b
    Example:
      phx properties rename 686067a4 "4732 W Davis Rd, Phoenix, AZ 85306"
    """
    from phx_pipeline.model.address import Address
    from phx_pipeline.settings import load_settings
    from phx_pipeline.stages.views import refresh_views
    from phx_pipeline.workflows.intake import find_property
    from phx_pipeline.workflows.lifecycle import rename as rename_property

    address = Address.parse(new_address)
    settings = load_settings()
    with opened(settings) as context:
        before = find_property(context, house)
        _tell_of_waiting(context, before.slug)
        after = rename_property(context, before.slug, address)
        if after != before:
            note(context, "house.rename", after.slug, detail=str(before.address))
        settle_partners(context, [after.slug])
        refresh_views(context)
        reconcile_partitions(context, settings)
    if before == after:
        console.print(f"{after.slug} has this address already")
        return
    told = "same key" if before.slug == after.slug else f"formerly {before.slug}"
    line = f"renamed to {after.slug}  ({after.address}, {told})"
    console.print(line, soft_wrap=True)
    if after.address.match_key != before.address.match_key:
        errors.print(
            "number, street, unit or ZIP differ, and the photos kept so far are of the "
            "former address: if that is another house, rename back and add the new one",
            soft_wrap=True,
        )


@properties.command()
@click.argument("keep")
@click.argument("other")
@click.option(
    "--yes",
    is_flag=True,
    help="Merge houses of different addresses too; by default that is refused.",
)
def merge(keep: str, other: str, *, yes: bool) -> None:
    """Make one house of two that are the same.

    KEEP and OTHER are keys, folders or addresses. KEEP gets all that OTHER has: photos,
    listings, facts, rulings, runs, former keys. Folder, file names and numbers of KEEP
    stay, the key of OTHER means KEEP from now on, and nothing is downloaded again.

    `phx status` names houses that are there twice. A merge cannot be undone.

    \b
    Example:
      phx properties merge 686067a4 4732-w-davis-rd-phoenix-az-85306
    """
    from phx_pipeline.settings import load_settings
    from phx_pipeline.stages.views import refresh_views
    from phx_pipeline.workflows.intake import find_property
    from phx_pipeline.workflows.lifecycle import known_property
    from phx_pipeline.workflows.lifecycle import merge as merge_properties

    settings = load_settings()
    with opened(settings) as context:
        stays = find_property(context, keep)
        if other.strip().lower() in context.catalog.houses.former_names(stays.slug):
            goes = stays
        else:
            goes = known_property(context, other).house
        if stays.slug != goes.slug:
            if not yes:
                _require_likeness(stays, goes)
            _stop_runs(context, settings, goes.slug)
            for slug in (stays.slug, goes.slug):
                _tell_of_waiting(context, slug)
        done = merge_properties(context, stays, goes)
        if done:
            note(context, "house.merge", stays.slug, detail=goes.slug)
        settle_partners(context, [stays.slug])
        refresh_views(context)
        reconcile_partitions(context, settings)
    nothing = f"nothing to merge: {other} is {keep} already: both mean"
    told = f"{other} is part of" if done else nothing
    console.print(f"{told} {stays.slug}", soft_wrap=True)


def _require_likeness(stays: "Property", goes: "Property") -> None:
    from phx_pipeline.model.address import Match

    if stays.means(goes.address) is Match.OTHER:
        raise InputError(
            f"{goes.address} is another house than {stays.address}, and a merge cannot "
            "be undone: add --yes if both are one house"
        )


@properties.command()
@click.argument("house")
@click.argument("spellings", nargs=-1, required=True)
@click.option(
    "--not",
    "other",
    is_flag=True,
    help="Say that the addresses are other houses, never taken for this one.",
)
def confirm(house: str, spellings: tuple[str, ...], *, other: bool) -> None:
    """Say whether an address that a site shows is your house.

    HOUSE is the key, the folder or the address of a house, or the URL of its listing.

    A source that shows nothing but an address much like the house's ends `ambiguous`,
    takes nothing and names that address: give it as SPELLINGS, one or several. What you
    say holds for every source and for `phx properties add`. The last word counts.

    \b
    Examples:
      phx properties confirm 686067a4 "4732 Davis Rd, Glendale, AZ 85306"
      phx properties confirm 686067a4 --not "4732 W Davis Ln, Glendale, AZ 85306"
    """
    from phx_pipeline.model.address import Address
    from phx_pipeline.workflows.intake import find_property
    from phx_pipeline.workflows.lifecycle import confirm as confirm_spelling

    addresses = [Address.parse(spelling) for spelling in spellings]
    with opened() as context:
        found = find_property(context, house)
        for address in addresses:
            new = confirm_spelling(context, found, address, same=not other)
            told = "is another house than" if other else "is"
            before = "" if new else " (said before)"
            console.print(f"{address} {told} {found.slug}{before}", soft_wrap=True)
    console.print(f"`phx extract --address {found.slug}` asks the sources again")


@properties.command()
@click.argument("house")
@click.option(
    "--purge",
    is_flag=True,
    help="Also delete its rows, its folder, and the originals and PNGs no other "
    "house has, for good; also of a house removed before.",
)
@click.option(
    "--yes",
    is_flag=True,
    help="Delete without asking; needed where there is no terminal. By default "
    "--purge asks.",
)
@click.pass_context
def remove(ctx: click.Context, house: str, *, purge: bool, yes: bool) -> None:
    """Stop following a house, and keep what is known of it.

    HOUSE is the key, the folder or the address of a house, or the URL of its listing.

    Its runs are cancelled, and no list, view or run has it any more. Rows, photos and
    folder stay until --purge: adding the address again takes the house up where it was.

    \b
    Examples:
      phx properties remove 686067a4
      phx properties remove 686067a4 --purge
    """
    from phx_pipeline.settings import load_settings
    from phx_pipeline.stages.views import refresh_views
    from phx_pipeline.workflows.lifecycle import known_property
    from phx_pipeline.workflows.lifecycle import purge as purge_property
    from phx_pipeline.workflows.lifecycle import remove as remove_property

    settings = load_settings()
    with opened(settings) as context:
        found = known_property(context, house).house
        if purge and not _may_purge(context, found, yes=yes):
            console.print("nothing was changed")
            ctx.exit(Exit.ERROR)
        _stop_runs(context, settings, found.slug)
        _tell_of_waiting(context, found.slug)
        new = remove_property(context, found.slug)
        if new:
            note(context, "house.remove", found.slug)
        settle_partners(context, [found.slug])
        refresh_views(context)
        reconcile_partitions(context, settings)
        console.print(f"removed {'' if new else '(before) '}{found.slug}")
        if purge:
            gone = purge_property(context, found)
            note(context, "house.purge", found.slug)
            console.print(
                f"deleted {counted(gone.photos, 'photo')}, "
                f"{_megabytes(gone.size_bytes)}"
            )


def _may_purge(context: "StageContext", house: "Property", *, yes: bool) -> bool:
    from phx_pipeline.workflows.lifecycle import holdings

    if yes:
        return True
    if not sys.stdin.isatty():
        raise InputError("--purge asks first, and this is no terminal: add --yes")
    what = holdings(context, house)
    return click.confirm(
        f"{house.address}: delete {counted(what.photos, 'photo')}, "
        f"{counted(what.files, 'published file')} "
        f"and {counted(len(what.blobs), 'original')} nobody else has "
        f"({_megabytes(what.size_bytes)}) for good?"
    )


def _stop_runs(context: "StageContext", settings: "Settings", slug: str) -> None:
    if not settings.dagster_dir.is_dir():  # spares the import of Dagster
        return
    from phx_pipeline.defs.cancel import stop_runs

    wait_s = context.lease_wait_s
    done = stop_runs(settings, slug, leases=context.catalog.leases, wait_s=wait_s)
    if done.going_on:
        raise ServiceError(
            f"run {', '.join(done.going_on)} of {slug} did not end in {wait_s:.0f} s: "
            "nothing was changed; terminate it in the UI, then run this again"
        )
    if done.ended:
        console.print(f"{counted(len(done.ended), 'run')} ended")


def _tell_of_waiting(context: "StageContext", slug: str) -> None:
    from phx_pipeline.stages.context import working_on

    if owner := working_on(context, slug):
        wait_s = context.lease_wait_s
        errors.print(
            f"{owner} works on {slug}: waiting up to {wait_s:.0f} s", soft_wrap=True
        )


# --- adding ---------------------------------------------------------------------------


def _read(context: "StageContext", what: str, *, problems: Path | None) -> "Reading":
    from phx_pipeline.workflows.intake import read_file, read_one
    from phx_pipeline.workflows.tables import file_content

    followed = _told("reading")
    if what == "-":
        content = sys.stdin.buffer.read()
        return read_file(context, content, name="standard input", followed=followed)
    if not _is_file(what):
        return read_one(context, what)
    path = Path(what)
    if problems and os.path.realpath(problems) == os.path.realpath(path):
        raise InputError(f"--problems would overwrite {path}: give another file")
    return read_file(context, file_content(path), name=what, followed=followed)


def _confirmed(reading: "Reading", what: str) -> bool:
    """Ask about odd houses where somebody can answer; one alone is refused else."""
    lines = [
        f"{doubt.typed.house.address}: {doubt.question}" for doubt in reading.doubts
    ]
    alone = what != "-" and not _is_file(what)
    if what != "-" and sys.stdin.isatty():
        for line in lines[:_SHOWN]:
            console.print(line, soft_wrap=True)
        if click.confirm(f"Add {'it' if alone else f'all {len(lines)} of these'}?"):
            return True
    if alone:
        raise InputError(f"{lines[0]}: nothing was added; add --yes if it is right")
    return False


def _told(doing: str) -> Callable[[Sequence[Item]], Iterable[Item]]:
    """Show how far a long list is, where somebody looks."""
    return lambda items: followed(items, doing)


def _tell_problems(told: Sequence["Problem"]) -> None:
    for problem in told[:_SHOWN]:
        errors.print(f"phx: {problem}", soft_wrap=True)
    if (more := len(told) - _SHOWN) > 0:
        errors.print(f"phx: and {more} more (--problems FILE writes all)")


def _list_some(word: str, houses: Sequence["Property"]) -> None:
    for house in houses[:_SHOWN]:
        line = f"{word} {house.slug}  ({house.address}, folder {house.folder})"
        console.print(line, soft_wrap=True)
    _count_more(len(houses))


def _list_alike(alike: Sequence["LookAlike"]) -> None:
    for it in alike[:_SHOWN]:
        new, other = it.added.slug, it.other.slug
        told = (
            f"{new} differs from {other} in the ZIP alone: if that is a typing error, "
            f"`phx properties remove {new}`"
            if it.only_zip
            else f"{new} may be {other}, which is written almost like it: if it is, "
            f"`phx properties merge {other} {new}`"
        )
        errors.print(f"look: {told}", soft_wrap=True)
    _count_more(len(alike))


def _list_known(known: Sequence["Typed"], *, always: bool) -> None:
    """Say which houses were meant where they were spelled in another way."""
    from phx_pipeline.model.printable import printable

    listed = [each for each in known if always or _is_other_spelling(each)]
    for each in listed[:_SHOWN]:
        told = f"({each.house.address}), typed as {printable(each.text)!r}"
        console.print(f"known as {each.house.slug}  {told}", soft_wrap=True)
    _count_more(len(listed))


def _is_other_spelling(typed: "Typed") -> bool:
    words = re.findall(r"[a-z0-9]+", typed.text.lower())
    return "-".join(words) != typed.house.slug


def _count_more(count: int) -> None:
    if (more := count - _SHOWN) > 0:
        console.print(f"… and {more} more")


def _summary(report: "IntakeReport", reading: "Reading") -> str:
    kept, rows = report, reading
    told = [
        f"{len(kept.added)} added" if kept.added else "",
        f"{len(kept.revived)} followed again" if kept.revived else "",
        "" if kept.added or kept.revived else "nothing new",
        f"{len(kept.known)} known already" if kept.known else "",
        f"{counted(len(rows.repeats), 'row')} repeated" if rows.repeats else "",
        f"{counted(len(rows.unread), 'row')} could not be read" if rows.unread else "",
        f"{counted(len(rows.doubts), 'row')} left for --yes" if rows.doubts else "",
    ]
    return ", ".join(filter(None, told))


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1_000_000:.1f} MB"


def _is_file(text: str) -> bool:
    """Whether a file is meant, there or not: no address ends like its name."""
    if _FILE_NAME.search(text) and "://" not in text:
        return True
    try:
        there = bool(text.strip()) and Path(text).exists()
    except (OSError, ValueError):  # too long for a file name, or with a NUL
        return False
    return there or (bool(_LIKE_A_FILE.fullmatch(text)) and not _is_typed_address(text))


def _is_typed_address(text: str) -> bool:
    from phx_pipeline.workflows.typed import typed_address

    try:
        typed_address(text)
    except InputError:
        return "://" in text or bool(re.search(r"\.(com|net|org)\b", text))  # a URL
    return True


properties.add_command(show)
