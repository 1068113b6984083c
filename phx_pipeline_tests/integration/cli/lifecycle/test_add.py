"""`phx properties add` with a long file, beside houses that are known."""

from pathlib import Path

import pytest

from phx_pipeline_tests.commands import Phx
from phx_pipeline_tests.deployment import Deployment

pytestmark = pytest.mark.xdist_group("lifecycle")  # all copy the same store


def test_a_long_file_is_told_in_a_summary(
    made: Deployment, phx: Phx, tmp_path: Path
) -> None:
    file = tmp_path / "many.csv"
    lines = [f'"{n} W Davis Rd Unit {n % 7}, Mesa, AZ 85201"' for n in range(1, 301)]
    file.write_text("\n".join(["full_address", *lines]))

    ended = phx("properties", "add", str(file))
    again = phx("properties", "add", str(file))

    shown = [line for line in ended.out.splitlines() if line.startswith("added ")]
    assert (ended.code, ended.err) == (0, "")
    assert len(shown) == 20
    assert ended.out.splitlines()[-2:] == [
        "… and 280 more",
        "300 added",
    ]
    assert again.out == "nothing new, 300 known already\n"
    with made.context() as context:
        assert len(context.catalog.slugs()) == 302


def test_one_bad_row_keeps_no_other_out_but_with_strict(
    made: Deployment, phx: Phx, tmp_path: Path
) -> None:
    file, problems = tmp_path / "many.csv", tmp_path / "problems.csv"
    rows = [f'"{n} W Davis Rd, Mesa, AZ 85201"' for n in range(1, 301)]
    file.write_text("\n".join(["full_address", *rows, "nowhere", *rows[:7]]))

    strict = phx("properties", "add", str(file), "--strict")
    with made.context() as context:
        before = len(context.catalog.slugs())
    ended = phx("properties", "add", str(file), "--problems", str(problems))

    assert (strict.code, strict.err.count("\n")) == (2, 1)
    assert "nothing was added: row 302: " in strict.err
    assert "row 303: repeats row 2" in strict.err
    assert strict.err.rstrip().endswith("; and 3 more")
    assert before == 2
    assert ended.code == 3
    assert ended.err.splitlines()[0].startswith("phx: row 302: address 'nowhere'")
    assert ended.err.count("\n") == 8
    assert ended.out.splitlines()[-1] == (
        "300 added, 7 rows repeated, 1 row could not be read"
    )
    assert problems.read_text().count("\n") == 9
    with made.context() as context:
        assert len(context.catalog.slugs()) == 302


def test_many_bad_rows_are_counted(made: Deployment, phx: Phx, tmp_path: Path) -> None:
    del made
    file = tmp_path / "many.txt"
    file.write_text("\n".join(["1 W Davis Rd, Mesa, AZ 85201", *["nowhere 7"] * 40]))

    ended = phx("properties", "add", str(file))

    assert ended.code == 3
    assert ended.err.count("phx: row ") == 20
    assert ended.err.endswith("phx: and 20 more (--problems FILE writes all)\n")
