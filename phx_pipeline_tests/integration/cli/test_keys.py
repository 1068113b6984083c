"""Keys made, listed and revoked by commands, and the trail of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from phx_pipeline.cli import keys
from phx_pipeline.cli.console import console
from phx_pipeline.cli.session import opened_catalog
from phx_pipeline.model.moments import PHOENIX
from phx_pipeline.wiring.clock import utc_now
from phx_pipeline_tests.commands import Phx, UseSettings
from phx_pipeline_tests.deployment import Deployment

TODAY = str(utc_now().astimezone(PHOENIX).date())  # which began before now


@pytest.fixture
def phx(phx: Phx, tmp_path: Path, use_settings: UseSettings) -> Iterator[Phx]:
    """Run a command line in an installation of the user `root`."""
    with Deployment(tmp_path, {}, user="root") as made:
        use_settings(made.settings)
        yield phx


def test_a_key_is_printed_once_and_listed_without_its_text(phx: Phx) -> None:
    assert phx("keys", "list").out.startswith("no keys yet")

    made = phx("keys", "add", "ana", "--role", "operator", "--expires", "90d")
    text = made.out.strip()
    listed = phx("keys", "list", "--json")

    assert text.startswith("phx_")
    assert len(text) == 47
    assert made.err.startswith("This is the key of ana, operator until ")
    assert made.err.endswith("it is not shown again.\n")
    (key,) = listed.json
    assert (key["name"], key["role"], key["state"]) == ("ana", "operator", "valid")
    assert text not in listed.out
    assert key["id"] in phx("keys", "list").out
    assert phx("keys", "add", "ana", "--role", "reader", "--json").json["key"]


def test_a_key_with_a_name_of_the_service_is_told(
    phx: Phx, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:  # such names were refused
        before.setattr(keys, "is_of_the_service", lambda _: False)
        made = phx("keys", "add", "Unknown", "--role", "reader", "--json").json

    told = f"{made['id']} has a name of the service itself"
    assert told in phx("keys", "list").out
    phx("keys", "revoke", made["id"])
    assert told not in phx("keys", "list").out


def test_revoking_the_last_key_says_what_follows(phx: Phx) -> None:
    phx("keys", "add", "ana", "--role", "admin")

    misspelt = phx("keys", "revoke", "annna")
    first, again = phx("keys", "revoke", "ana"), phx("keys", "revoke", "ana")

    assert "no key 'annna' (did you mean ana?)" in misspelt.err

    assert first.out.startswith("1 key of ana revoked\nThere is no key any more")
    assert again.out == "ana: revoked already\n"
    assert phx("keys", "list", "--json").json[0]["state"] == "revoked"
    deeds = phx("audit", "--json").json
    assert [(it["user"], it["action"], it["target"]) for it in deeds] == [
        ("root", "key.revoke", "ana"),
        ("root", "key.add", "ana"),
    ]
    assert "key.add" in phx("audit", "--action", "key", "--since", "7d").out
    assert phx("audit", "--user", "ana").out == "nothing was noted\n"
    assert phx("audit", "--limit", "1").out.endswith("older ones: --before 2\n")
    wrong = phx("audit", "--action", "job.sumit")
    told = "--action: there is no 'job.sumit' (did you mean job.submit?): choose from"
    assert (wrong.code, told in wrong.err) == (2, True)


def test_keys_and_deeds_are_one_line_each_in_80_columns(
    phx: Phx, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "width", 80)
    made = phx("keys", "add", "ana", "--role", "reader", "--expires", "2h", "--json")
    with opened_catalog() as catalog:
        houses = [f"{number}-w-davis-rd-glendale-az-85306" for number in range(1, 7)]
        catalog.audit.note(
            user="ana", action="ui.launch", target=", ".join(houses), at=utc_now()
        )

    (row,) = (it for it in phx("keys", "list").out.splitlines() if "ana" in it)
    deeds = phx("audit").out.splitlines()

    assert (row.count("│"), len(row) <= 80) == (7, True)
    assert made.json["id"] in row
    assert deeds[0].endswith(f" ana ui.launch {houses[0]} and 5 more")
    assert deeds[1].endswith(f" root key.add ana, {made.json['id']}")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("add", "ana", "--role", "boss"), "choose from reader, operator, admin"),
        (("add", "ana"), "Missing option '--role'"),
        (("add", " ", "--role", "reader"), "give a name of at most 64"),
        (("add", "a\nb", "--role", "reader"), "give a name of at most 64"),
        (
            ("add", "ana", "--role", "reader", "--expires", TODAY),
            "give a day that is still to come",
        ),
        (("add", "ana", "--role", "reader", "--expires", "soon"), "hours from now"),
        (("add", "ana", "--role", "reader", "--expires", "0d"), "'0d' is now"),
        (("add", " PHX", "--role", "reader"), "the service itself has this name"),
        (("add", "unknown", "--role", "reader"), "give another one"),
        (("revoke", "ana"), "there is no key 'ana': see `phx keys list`"),
    ],
)
def test_what_cannot_be_done_is_told(
    phx: Phx, arguments: tuple[str, ...], told: str
) -> None:
    ended = phx("keys", *arguments)

    assert ended.code == 2
    assert told in ended.err


def test_what_commands_do_to_houses_is_noted(phx: Phx) -> None:
    first, second = ("1 E Main St, Mesa, AZ 85201", "2 E Main St, Mesa, AZ 85201")
    for _ in range(2):  # what changes nothing is no deed
        phx("properties", "add", first)
    phx("properties", "rename", first, second)
    for _ in range(2):
        phx("properties", "remove", second)

    deeds = phx("audit", "--action", "house", "--json").json

    assert [(it["action"], it["target"]) for it in reversed(deeds)] == [
        ("house.add", "1-e-main-st-mesa-az-85201"),
        ("house.rename", "2-e-main-st-mesa-az-85201"),
        ("house.remove", "2-e-main-st-mesa-az-85201"),
    ]
