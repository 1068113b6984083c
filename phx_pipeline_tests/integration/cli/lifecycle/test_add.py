"""`phx properties add` with a long file, beside houses that are known."""

from pathlib import Path

from phx_pipeline_tests.commands import Phx
from phx_pipeline_tests.deployment import Deployment


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
        "300 added, 0 known before",
    ]
    assert again.out == "0 added, 300 known before\n"
    with made.context() as context:
        assert len(context.catalog.slugs()) == 302


def test_one_bad_row_keeps_a_long_file_out(
    made: Deployment, phx: Phx, tmp_path: Path
) -> None:
    file = tmp_path / "many.csv"
    rows = [f'"{n} W Davis Rd, Mesa, AZ 85201"' for n in range(1, 301)]
    file.write_text("\n".join(["full_address", *rows, "nowhere", *rows[:7]]))

    ended = phx("properties", "add", str(file))

    assert ended.code == 2
    assert ended.err.count("\n") == 1
    assert "row 302: " in ended.err
    assert "row 303 repeats row 2" in ended.err
    assert ended.err.rstrip().endswith("; and 3 more")
    with made.context() as context:
        assert len(context.catalog.slugs()) == 2
