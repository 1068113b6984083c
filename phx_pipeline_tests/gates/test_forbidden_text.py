"""Text that has no place in the repository: it would tie it to one machine or person.

The patterns and the samples are put together from pieces, so this file passes too.
"""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.gate

_REGISTRIES = ["py" + "pi", "python" + "hosted", "ana" + "conda", "npm" + "js"]
_FOLDERS = ["work", "root", r"Users/\w+", r"home/[a-z]\w*", "opt/(?:wheels|py" + "pi)"]
_DRAWERS = ["utils", "helpers", "common", "misc", "manager"]

FORBIDDEN = {
    "package registry": re.compile(
        rf"\b(?:{'|'.join(_REGISTRIES)})\.(?:org|com)\b", re.IGNORECASE
    ),
    # Not after a word, dot, colon or bracket: those are relative paths and URLs.
    "machine path": re.compile(rf"(?<![\w.:/)}}\]-])/(?:{'|'.join(_FOLDERS)})\b"),
    # Not the reserved names (RFC 2606), not `photo@2x.png`, not the user of a URL, and
    # not what OData notes beside a member.
    "e-mail address": re.compile(
        r"(?<![\w.+/:\\-])[\w.+-]{1,64}@(?!odata\.|(?:[\w-]+\.)*example\.)(?:[\w-]+\.)+"
        r"(?!(?:example|test|invalid|localhost|png|jpe?g|webp)\b)[a-z]{2,}\b",
        re.IGNORECASE,
    ),
}
FORBIDDEN_NAME = re.compile(rf"(?:^|/)(?:{'|'.join(_DRAWERS)})\.py$")


def _complaints(text: str, *, name: str) -> Iterator[str]:
    for number, line in enumerate(text.splitlines(), start=1):
        for kind, pattern in FORBIDDEN.items():
            if found := pattern.search(line):
                yield f"{name}:{number}: {kind}: {found.group()}"


@pytest.fixture(scope="module")
def files(repo_dir: Path) -> list[Path]:
    """Every file that is in the repository or would be after `git add --all`."""
    git = shutil.which("git")
    if git is None or not (repo_dir / ".git").exists():
        pytest.skip("not a git checkout: nothing says which files belong to it")
    listed = subprocess.run(  # noqa: S603  # fixed arguments
        [git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=repo_dir,
        capture_output=True,
        text=True,
        check=True,
    )
    paths = (repo_dir / name for name in listed.stdout.split("\0") if name)
    return [path for path in paths if path.is_file()]


def test_no_file_names_a_registry_a_machine_or_a_person(
    files: list[Path], repo_dir: Path
) -> None:
    complaints = [
        complaint
        for path in files
        if b"\0" not in (content := path.read_bytes())
        for complaint in _complaints(
            content.decode(errors="replace"), name=str(path.relative_to(repo_dir))
        )
    ]

    assert complaints == []


def test_no_module_is_a_drawer(files: list[Path], repo_dir: Path) -> None:
    names = [path.relative_to(repo_dir).as_posix() for path in files]

    assert [name for name in names if FORBIDDEN_NAME.search(name)] == []


@pytest.mark.parametrize(
    "line",
    [
        "see https://" + "py" + "pi.org/simple",
        "files.python" + "hosted.org",
        "--find-links /" + "opt/wheels",
        'open("/' + 'work/main/data")',
        "HOME=/" + "root",
        "/" + "home/anna/checkout",
        "ask somebody@" + "company.com",
    ],
)
def test_such_a_line_is_found(line: str) -> None:
    assert len(list(_complaints(line, name="made.txt"))) == 1


@pytest.mark.parametrize(
    "line",
    [
        "https://www.redfin.com/AZ/Glendale/home/26790171",
        "../wo" + "rk/main",
        'f"{base}/wo' + 'rk/x"',
        "/network /workers",
        "someone@example.com, b@mail.example.org",
        "https://user@www.zillow.com/",
        "http://user:word@proxy.example:3128",
        "photo@2x.png",
        "@dg.asset",
        "conda and npm",
    ],
)
def test_such_a_line_is_allowed(line: str) -> None:
    assert list(_complaints(line, name="made.txt")) == []


def test_a_drawer_is_found_by_its_whole_name() -> None:
    drawer = "phx_pipeline/" + "common.py"

    assert FORBIDDEN_NAME.search(drawer)
    assert not FORBIDDEN_NAME.search("phx_pipeline/un" + "common.py")
