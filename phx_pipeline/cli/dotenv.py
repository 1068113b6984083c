"""The `.env` that lets the stock `dagster` commands find the stores of `phx init`.

Dagster reads the one of its working directory, and it wins over the environment there;
so each line takes what the environment has, and names ours only for what it lacks.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from phx_pipeline.settings import Settings
from phx_pipeline.storage.atomic import write_atomically

NAME: Final = ".env"

_BEGIN: Final = "# >>> phx init keeps these lines up to date; others are yours"
_END: Final = "# <<< phx init"
_PROJECT_FILES: Final = ("dagster.yaml", "workspace.yaml")
_UNWRITABLE: Final = frozenset("}\n\r\0")  # nothing can stand for them


def write_dotenv(settings: Settings, folder: Path) -> str:
    """Write or renew our lines in *folder* if `dagster` is used there; tell in a line.

    A file without our mark, or a folder, was made by people and stays as it is.

    Raises:
        DiskError: it cannot be written.
    """
    if not all((folder / name).is_file() for name in _PROJECT_FILES):
        return (
            f"stock `dagster` commands are used in {settings.dagster_home}: "
            '`eval "$(phx env)"` first, or `phx init` there'
        )
    file = folder / NAME
    ours = block(settings)
    text = _present(file) if file.exists() else ours
    if _BEGIN not in text:
        lines = [line for line in ours.splitlines() if not line.startswith("#")]
        return f"{file} is yours and stays; for stock commands add: {' '.join(lines)}"
    before, _, rest = text.partition(_BEGIN)
    _, _, after = rest.partition(f"{_END}\n")
    write_atomically(file, f"{before}{ours}{after}".encode(), mode=0o600)
    return f"stock `dagster` commands in {folder}: ready ({NAME} names these stores)"


def _present(file: Path) -> str:
    return "" if file.is_dir() else file.read_text(encoding="utf-8")


def block(settings: Settings) -> str:
    """The marked lines: never a password, whatever the settings hold."""
    lines = [_BEGIN, "# What the environment has wins over them."]
    return "\n".join([*lines, *_lines(settings), _END, ""])


def _lines(settings: Settings) -> Iterator[str]:
    yield _line("DAGSTER_HOME", str(settings.dagster_home))
    yield _line("PHX_DATA_DIR", str(settings.data_dir))
    if settings.dagster_dir != settings.data_dir / "dagster":  # else it follows
        yield _line("PHX_DAGSTER_DIR", str(settings.dagster_dir))
    for name, url in (
        ("PHX_CATALOG_URL", settings.catalog_url),
        ("PHX_DAGSTER_PG_URL", settings.dagster_pg_url),
    ):
        if url is not None:
            yield _line(name, url) if _is_open(url) else _left_out(name, "a password")
    if settings.proxy or settings.webshare_token or settings.proxies_file:
        yield "# Proxies are left out: they may hold passwords. Export them yourself."


def _line(name: str, value: str) -> str:
    if _UNWRITABLE & set(value):
        return _left_out(name, "a character this file cannot hold")
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'{name}="${{{name}:-{escaped}}}"'


def _left_out(name: str, why: str) -> str:
    return f"# {name} is left out, it holds {why}: export it yourself."


def _is_open(url: str) -> bool:
    parts = urlsplit(url)
    return parts.password is None and "password" not in parts.query
