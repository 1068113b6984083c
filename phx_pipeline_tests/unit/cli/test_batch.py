"""The summary after very many new pictures."""

import pytest

from phx_pipeline.cli.batch import Batch, tell_batch


def told_of(new: int, capsys: pytest.CaptureFixture[str]) -> str:
    tell_batch(Batch(new=new, duplicates=12, total=130), storage=lambda: "0.41 GB")
    return capsys.readouterr().out


def test_a_hundred_new_pictures_are_not_remarkable(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert told_of(100, capsys) == ""


def test_more_than_a_hundred_are_told_with_what_to_check(
    capsys: pytest.CaptureFixture[str],
) -> None:
    told = told_of(101, capsys)

    assert "large batch: 101 new pictures" in told
    assert "photos seen: 130, of them new copies: 12" in told
    assert "storage: 0.41 GB" in told
    assert told.count("\n  - ") == 3
