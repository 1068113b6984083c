"""Which modules commands load that only show something.

Each is a fork of a process that has loaded what all of them need of other people's.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Final

READING: Final = (
    *("status", "images", "properties list", "jobs", "changes", "sources"),
    *("search list", "digest"),
)
"""Commands that only show what is known, without options."""

_BASE: Final = "import click, rich.console, rich.table, sqlalchemy"
_FORKED: Final = f"""
import json, os, sys
{_BASE}
from phx_pipeline.cli.main import main
for command in json.loads(sys.argv[1]):
    sys.argv = ["phx", *command.split()]
    sys.stdout.flush()
    if os.fork():
        os.wait()
        continue
    told = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    try:
        main()
    except SystemExit as end:
        line = json.dumps([command, end.code or 0, sorted(sys.modules)])
        os.write(told, line.encode() + b"\\n")
    os._exit(0)
"""


def modules_of(
    commands: Sequence[str], env: Mapping[str, str]
) -> dict[str, tuple[int, list[str]]]:
    """Return the exit code of each command, and the names of all modules it has."""
    ended = subprocess.run(  # noqa: S603  # commands of ours
        [sys.executable, "-c", _FORKED, json.dumps(commands)],
        check=True,
        stdout=subprocess.PIPE,
        env=env,
    )
    told = map(json.loads, ended.stdout.splitlines())
    return {command: (code, names) for command, code, names in told}


def cpu_of(arguments: Sequence[str], env: Mapping[str, str]) -> float:
    """Return the CPU seconds of a Python process, its start included."""
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123  # no file of ours
        process = subprocess.Popen(  # noqa: S603  # commands of ours
            [sys.executable, *arguments], env=env, stdout=nowhere, stderr=nowhere
        )
    _, _, used = os.wait4(process.pid, 0)
    process.returncode = 0
    return used.ru_utime + used.ru_stime


def cpu_of_base(env: Mapping[str, str]) -> float:
    """Return the CPU seconds of importing what every such command needs."""
    return cpu_of(["-c", _BASE], env)
