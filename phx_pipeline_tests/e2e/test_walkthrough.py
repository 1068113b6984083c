"""The tutorial, typed as it stands; and the reading of such documents."""

from pathlib import Path

import pytest

from phx_pipeline_tests.deployment import ROOT
from phx_pipeline_tests.walkthrough import (
    Said,
    Step,
    matches,
    steps_of,
    told_anew,
    walk,
)

TEXT = """Do this:

```console
$ ls \\
> -l
total 0
$ phx status
…
3 of 3 properties complete
```

<!-- stays -->
```console
$ phx up
```

```sh
$ make tea
```
"""


@pytest.mark.xdist_group("dagster")
def test_the_tutorial_says_what_happens(tmp_path: Path) -> None:
    said = walk((ROOT / "docs/tutorial.md").read_text(encoding="utf-8"), tmp_path)

    assert len(said) > 10
    assert [one.text for one in said if not one.is_as_shown] == []


def test_a_document_is_read_as_steps() -> None:
    first, second, last = steps_of(TEXT)

    assert first == Step(command="ls \\\n-l", shown=("total 0",))
    assert second.shown == ("…", "3 of 3 properties complete")
    assert last == Step(command="phx up", shown=(), stays=True)


@pytest.mark.parametrize(
    ("shown", "lines", "agrees"),
    [
        ("a b", "a b", True),
        ("a", "a b", False),
        ("a b", "b a", False),
        ("… b", "b", True),
        ("… b", "a a b", True),
        ("… b", "a b c", False),
        ("a …", "a", True),
        (".", "x", False),
        ("", "", True),
        ("", "a", False),
    ],
)
def test_dots_stand_for_any_lines(shown: str, lines: str, *, agrees: bool) -> None:
    assert matches(shown.split(), lines.split()) is agrees


def test_only_what_is_not_true_is_written_anew() -> None:
    first, second, last = steps_of(TEXT)
    said = [
        Said(step=first, lines=("total 1",)),
        Said(step=second, lines=("x", "3 of 3 properties complete")),
        Said(step=last, lines=("up",)),
    ]

    told = told_anew(TEXT, said)

    assert told == TEXT.replace("total 0", "total 1").replace(
        "phx up\n", "phx up\nup\n"
    )
    assert told_anew(told, said) == told
