"""What exists is documented, and what the documents name exists.

Each checker returns complaints and has a test beside it with a made-up name, so that a
checker which finds nothing any more is noticed.
"""

import re
import shlex
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from pkgutil import resolve_name

import click
import dagster as dg
import pytest

from phx_pipeline.catalog import tables
from phx_pipeline.cli.main import Exit, phx
from phx_pipeline.definitions import build_definitions
from phx_pipeline.errors import InputError
from phx_pipeline.model.outcome import ListingOutcome, Verdict
from phx_pipeline.settings import load_settings, setting_names
from phx_pipeline.stages.views import render_views
from phx_pipeline.wiring.runs import build_context
from phx_pipeline.wiring.stores import initialise
from phx_pipeline_tests.markdown import SPAN, Document
from phx_pipeline_tests.reference import commands_of, with_help

pytestmark = pytest.mark.gate

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_RUNS = re.compile(r"^(?:make|time|phx|pytest|\.venv/bin/python -m)\b")
_ADR_PARTS = ("Context", "Decision", "Consequences", "What would change our mind")


def _written(text: str) -> Document:
    return Document(path=Path("made.md"), text=text)


@pytest.fixture(scope="module")
def documents(repo_dir: Path) -> Mapping[str, Document]:
    """All documents by their path below the top folder."""
    paths = [repo_dir / "README.md", *sorted((repo_dir / "docs").rglob("*.md"))]
    return {
        path.relative_to(repo_dir).as_posix(): Document(
            path=path, text=path.read_text(encoding="utf-8")
        )
        for path in paths
    }


@pytest.fixture(scope="module")
def operations(documents: Mapping[str, Document]) -> Document:
    return documents["docs/operations.md"]


@pytest.fixture(scope="module")
def reference(documents: Mapping[str, Document]) -> Document:
    return documents["docs/commands.md"]


@pytest.fixture(scope="module")
def data(documents: Mapping[str, Document]) -> Document:
    return documents["docs/data.md"]


# --- names: settings, Dagster, words, views


def missing_names(names: Iterable[str], document: Document) -> list[str]:
    """Return the names that stand nowhere in backticks."""
    return sorted(set(names) - set(document.spans))


def test_a_name_outside_backticks_is_missing() -> None:
    document = _written("`PHX_ONE` PHX_TWO\n```sh\n`PHX_THREE`\n```\n")

    assert missing_names(["PHX_ONE"], document) == []
    assert missing_names(["PHX_TWO", "PHX_THREE"], document) == ["PHX_THREE", "PHX_TWO"]


def test_every_setting_is_documented(operations: Document) -> None:
    assert missing_names(setting_names(), operations) == []


def dagster_names(defs: dg.Definitions) -> set[str]:
    """The names of all assets, checks, jobs, sensors and schedules."""
    graph = defs.resolve_asset_graph()
    return {
        *(key.to_user_string() for key in graph.get_all_asset_keys()),
        *(key.name for key in graph.asset_check_keys),
        *(job.name for job in defs.jobs or ()),
        *(sensor.name for sensor in defs.sensors or ()),
        *(schedule.name for schedule in defs.schedules or ()),
    }


def test_everything_dagster_shows_is_documented(operations: Document) -> None:
    names = dagster_names(build_definitions())

    assert {"manifest", "complete", "extract_property", "dispatch_jobs"} <= names
    assert missing_names(names, operations) == []


def test_every_outcome_and_verdict_is_documented(data: Document) -> None:
    sections = dict(data.sections())

    assert missing_names(list(ListingOutcome), sections["Outcomes"]) == []
    assert missing_names(list(Verdict), sections["Verdicts"]) == []


def test_every_exit_code_is_documented(documents: Mapping[str, Document]) -> None:
    codes = [str(code.value) for code in Exit]

    for name in ("README.md", "docs/commands.md"):
        section = dict(documents[name].sections())["Exit codes"]
        assert missing_names(codes, section) == []


def test_every_view_has_a_section(data: Document, tmp_path: Path) -> None:
    settings = load_settings({"PHX_DATA_DIR": str(tmp_path)})
    initialise(settings)
    context = build_context(settings, run_id="docs")

    with closing(context.catalog):
        views = {view.name for view in render_views(context)}

    assert "image_manifest.json" in views
    assert views <= {title for title, _ in data.sections()}


# --- tables


def undocumented_columns(
    columns: Mapping[str, Iterable[str]], document: Document
) -> list[str]:
    """Return tables without a section, and columns not in the section of theirs."""
    sections = dict(document.sections())
    complaints = [table for table in columns if table not in sections]
    complaints += [
        f"{table}.{column}"
        for table, names in columns.items()
        if table in sections
        for column in missing_names(names, sections[table])
    ]
    return complaints


def test_a_missing_table_or_column_is_found() -> None:
    document = _written("### `house`\n`roof`\n### `door`\n`wall`\n")

    found = undocumented_columns(
        {"house": ["roof", "wall"], "garden": ["tree"]}, document
    )

    assert found == ["garden", "house.wall"]


def test_every_table_and_column_is_documented(data: Document) -> None:
    columns = {name: table.c.keys() for name, table in tables.metadata.tables.items()}

    assert "photo" in columns
    assert undocumented_columns(columns, data) == []


# --- commands


@click.group()
def _made() -> None:
    """Stand in for `phx`."""


@_made.command("go")
@click.argument("house")
@click.option("--fast", is_flag=True, help="Do not look.")
def _go(house: str, *, fast: bool) -> None:
    """Go to a HOUSE."""
    raise AssertionError(f"a check must not run commands: {house} {fast}")


_GO = """### phx go

```text
Usage: phx go [OPTIONS] HOUSE

  Go to a HOUSE.

Options:
  --fast      Do not look.
  -h, --help  Show this message and exit.
```
"""


@pytest.mark.parametrize(
    "told",
    [
        "### phx go\n",
        "### `phx go`\n",
        "### phx go\n\n```text\nUsage: phx go, formerly\n```\n",
        _GO,
    ],
)
def test_below_its_heading_stands_the_help_of_a_command(told: str) -> None:
    rest = "\nIn words.\n\n### phx stay\n"

    assert with_help(told + rest, _made) == _GO + rest


def test_every_command_has_its_section_and_its_help(reference: Document) -> None:
    commands = dict(commands_of(phx, prefix="phx"))
    titles = [title for title, _ in reference.sections() if title.startswith("phx")]

    assert {"phx extract", "phx properties add"} <= set(commands)
    assert sorted(titles) == sorted(commands)
    assert with_help(reference.text) == reference.text, (
        "write it: python -m phx_pipeline_tests.reference docs/commands.md"
    )


# --- command lines


def phx_words(line: str) -> list[str] | None:
    """Return the words after `phx` in a shell line; None if it runs something else."""
    inner = re.search(r"\$\((phx [^)]*)\)", line)
    words = shlex.split(inner[1] if inner else line, comments=True)
    while words and (re.fullmatch(r"[A-Z_]+=.*", words[0]) or words[0] == "time"):
        words.pop(0)
    return words[1:] if words and words[0] == "phx" else None


def complaint_about(
    words: list[str], group: click.Group, *, partly: bool = False
) -> str | None:
    """Parse a command line without running it; return what click has against it.

    Args:
        words: the words after the program's name.
        group: the program.
        partly: whether arguments may be left out, as in running text.
    """
    command: click.Command = group
    parent = click.Context(group, info_name="phx")
    rest = list(words)
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        name = rest.pop(0)
        found = command.get_command(parent, name)
        if found is None:
            return f"no command {name}"
        command = found
        parent = click.Context(command, info_name=name, parent=parent)
    if isinstance(command, click.Group) and not rest:
        runs = partly or command.invoke_without_command
        return None if runs else "a group, not a command"
    try:
        command.make_context(command.name, rest)
    except (click.exceptions.Exit, InputError):
        # --help and --version end while they are parsed; a file that is named may be
        # one that cannot be written on this computer
        return None
    except click.MissingParameter as error:
        return None if partly else error.format_message()
    except click.UsageError as error:
        return error.format_message()
    return None


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("phx go --fast h  # quickly", None),
        ('eval "$(phx go h)"', None),
        ("A=b phx go h", None),
        ("phx --help", None),
        ("phx goo", "no command goo"),
        ("phx go h --slow", "No such option '--slow'."),
        ("phx go", "Missing argument 'HOUSE'."),
        ("phx", "a group, not a command"),
    ],
)
def test_a_command_line_is_parsed_not_run(line: str, complaint: str | None) -> None:
    words = phx_words(line)

    assert words is not None
    assert complaint_about(words, _made) == complaint


def test_running_text_may_leave_arguments_out_but_invent_nothing() -> None:
    assert complaint_about(["go"], _made, partly=True) is None
    assert complaint_about(["go", "--slow"], _made, partly=True) is not None


def test_every_phx_line_in_a_shell_block_can_be_typed(
    documents: Mapping[str, Document],
) -> None:
    parsed = {
        f"{name}: {line}": complaint_about(words, phx)
        for name, document in documents.items()
        for line in document.shell_lines
        if (words := phx_words(line)) is not None
    }

    assert len(parsed) > 1
    assert [key for key, complaint in parsed.items() if complaint] == []


def test_every_phx_command_in_running_text_exists(
    documents: Mapping[str, Document],
) -> None:
    parsed = {
        f"{name}: {span}": complaint_about(words, phx, partly=True)
        for name, document in documents.items()
        for span in document.spans
        if re.match(r"(?:[A-Z_]+=\S* |time |eval \"\$\()*phx\b(?! …)", span)
        if (words := phx_words(span)) is not None
    }

    assert len(parsed) > 1
    assert {key: complaint for key, complaint in parsed.items() if complaint} == {}


def unknown_targets(documents: Iterable[Document], *, makefile: str) -> set[str]:
    """Return the `make` targets that are shown but do not exist."""
    known = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    lines = [line for doc in documents for line in (*doc.shell_lines, *doc.spans)]
    shown = {found[1] for line in lines if (found := re.match(r"make (\w+)", line))}
    return shown - known


def test_a_made_up_target_is_found() -> None:
    document = _written("`make tea`\n```sh\nmake test\nmake coffee  # black\n```\n")

    found = unknown_targets([document], makefile="test: x\n\ttea: y\n")

    assert found == {"tea", "coffee"}


def test_every_make_target_shown_exists(
    documents: Mapping[str, Document], repo_dir: Path
) -> None:
    makefile = (repo_dir / "Makefile").read_text(encoding="utf-8")

    assert unknown_targets(documents.values(), makefile=makefile) == set()


# --- modules and functions


def unresolved(names: Iterable[str], *, packages: Iterable[str]) -> list[str]:
    """Return the dotted names below the package that lead nowhere."""
    tops = set(packages)
    complaints = []
    for name in names:
        if not re.fullmatch(r"\w+(?:\.\w+)+", name) or name.split(".")[0] not in tops:
            continue
        try:
            resolve_name(f"phx_pipeline.{name}")
        except (ImportError, AttributeError):
            complaints.append(name)
    return complaints


def _packages(repo_dir: Path) -> list[str]:
    inside = (repo_dir / "phx_pipeline").iterdir()
    return sorted(
        path.stem
        for path in inside
        if path.suffix in {"", ".py"} and path.name[0] != "_"
    )


def test_a_made_up_function_is_found() -> None:
    names = ["stages.collect.collect", "stages.collect.fly", "stages.air.x", "a.b"]

    assert unresolved(names, packages=["stages"]) == names[1:3]


def test_the_architecture_names_real_functions_and_every_package(
    documents: Mapping[str, Document], repo_dir: Path
) -> None:
    document = documents["docs/architecture.md"]
    packages = _packages(repo_dir)

    assert {"stages", "wiring"} <= set(packages)
    assert unresolved(document.spans, packages=packages) == []
    assert missing_names(packages, document) == []


# --- links, figures, decisions


def broken_links(document: Document) -> list[str]:
    """Return links to files, folders or headings that are not there."""
    complaints = []
    for target in _LINK.findall(document.prose):
        if re.match(r"https?://", target):
            continue
        file, _, fragment = target.partition("#")
        path = document.path.parent / file if file else document.path
        if not path.exists():
            complaints.append(target)
        elif fragment:
            other = Document(path=path, text=path.read_text(encoding="utf-8"))
            complaints += [] if fragment in other.anchors else [target]
    return complaints


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text("# One `two`\n", encoding="utf-8")
    links = "[x](a.md#one-two) [x](a.md#three) [x](b.md) [x](https://example.com)"
    document = Document(path=path, text=f"{links}\n[x](#one-two)\n")

    assert broken_links(document) == ["a.md#three", "b.md"]


def test_every_link_leads_somewhere(documents: Mapping[str, Document]) -> None:
    broken = {name: broken_links(document) for name, document in documents.items()}

    assert {name: links for name, links in broken.items() if links} == {}


def figures_without_command(document: Document) -> list[str]:
    """Return the titles of sections with a figure but no command that makes it."""
    return [
        title
        for title, section in document.sections()
        if re.search(r"\d", SPAN.sub("", section.prose))
        and not any(map(_RUNS.match, (*section.spans, *section.shell_lines)))
    ]


def test_a_figure_without_a_command_is_found() -> None:
    document = _written(
        "# A\n`make demo`: 3 s\n# B\n4 s with `PHX_X=5`\n# C\nnone, `utf8`\n"
    )

    assert figures_without_command(document) == ["B"]


def test_every_figure_can_be_made_again(documents: Mapping[str, Document]) -> None:
    document = documents["docs/performance.md"]

    assert re.search(r"\d", document.prose)
    assert figures_without_command(document) == []


def flaws_of_decision(document: Document) -> list[str]:
    """Return what a decision record lacks: its number, a part, or shortness."""
    named = re.fullmatch(r"(\d{4})-[a-z0-9-]+\.md", document.path.name)
    flaws = [] if named else ["file name"]
    if named and not document.text.startswith(f"# {named[1]}: "):
        flaws.append("title")
    flaws += [part for part in _ADR_PARTS if f"\n**{part}.**" not in document.text]
    return flaws + (["length"] if len(document.text) > 4000 else [])


def test_a_decision_without_consequences_is_found() -> None:
    text = "# 0001: X\n**Context.** a\n**Decision.** b\n"

    found = flaws_of_decision(Document(path=Path("0002-x.md"), text=text))

    assert found == ["title", "Consequences", "What would change our mind"]


def test_every_decision_is_whole_short_and_numbered_once(
    documents: Mapping[str, Document],
) -> None:
    decisions = [doc for name, doc in documents.items() if name.startswith("docs/adr/")]
    numbers = [doc.path.name[:4] for doc in decisions]

    assert {doc.path.name: flaws_of_decision(doc) for doc in decisions} == {
        doc.path.name: [] for doc in decisions
    }
    assert len(set(numbers)) == len(numbers) > 0


def outlived(document: Document, code: Mapping[str, str]) -> list[str]:
    """Return the words and modules of which it is said that they are unused yet.

    Args:
        document: says "nothing sets this yet" of the first word of a row, or "does not
            exist yet" of a module.
        code: text of the modules by their path.
    """
    used = "\n".join(text for path, text in code.items() if "/outcome.py" not in path)
    members = {it.value: it.name for kind in (ListingOutcome, Verdict) for it in kind}
    wrong = []
    for line in document.prose.splitlines():
        spans = SPAN.findall(line)
        if "nothing sets this" in line:
            member = members.get(spans[0], spans[0])
            wrong += spans[:1] if re.search(rf"\.{member}\b", used) else []
        if "does not exist yet" in line:
            ends = tuple(span for span in spans if span.endswith(".py"))
            wrong += [end for end in ends if any(it.endswith(end) for it in code)]
    return wrong


def test_what_is_said_to_be_unused_though_the_code_has_it_is_found() -> None:
    text = (
        "| `failed` | open | nothing sets this yet |\n"
        "| `gone:away` | open | nothing sets this yet |\n"
        "| x | `fetch/here.py`, a module that does not exist yet |\n"
        "| x | `fetch/there.py`, a module that does not exist yet |\n"
    )
    code = {"a/fetch/here.py": "return ListingOutcome.FAILED"}

    assert outlived(_written(text), code) == ["failed", "fetch/here.py"]


def test_nothing_is_said_to_be_unused_that_the_code_has(
    documents: Mapping[str, Document], repo_dir: Path
) -> None:
    code = {
        path.as_posix(): path.read_text(encoding="utf-8")
        for path in (repo_dir / "phx_pipeline").rglob("*.py")
    }

    assert {name: outlived(doc, code) for name, doc in documents.items()} == {
        name: [] for name in documents
    }
