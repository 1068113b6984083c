"""Fixtures every folder of tests may use, and how soak tests are chosen."""

import gc
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, is_hypothesis_test, settings

from phx_pipeline.cli.main import main
from phx_pipeline.fetch import chain
from phx_pipeline.fetch.retries import Backoff
from phx_pipeline.settings import Settings, exported, setting_names
from phx_pipeline_tests.commands import (
    Ended,
    Phx,
    UseSettings,
    settings_in_environment,
)
from phx_pipeline_tests.deployment import Deployment
from phx_pipeline_tests.postgres import (
    NoPostgresError,
    PostgresServer,
    throwaway_postgres,
)
from phx_pipeline_tests.statements import compile_once

ROOT = Path(__file__).parents[1]
_SUITE = Path(__file__).parent
_LEFT_OUT = "soak_tests_left_out"
_left_out = pytest.StashKey[int]()

# Limits on time measure the machine, not the code.
settings.register_profile(
    "patient",
    settings.default,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    max_examples=30,  # each time others; a soak tries many more
)
settings.register_profile("soak", settings.get_profile("patient"), max_examples=400)
settings.load_profile("patient")

_GARBAGE = (20_000, 20, 50)  # of CPython's 700, 10, 10
_HEEDED = (
    (signal.SIGINT, signal.default_int_handler),
    (signal.SIGTERM, signal.SIG_DFL),
    (signal.SIGHUP, signal.SIG_DFL),
)


def pytest_configure(config: pytest.Config) -> None:
    """Let whatever the tests start heed signals, and no terminal decide on widths.

    A shell's `&` and `nohup` hand on that some are ignored, and Dagster lets SIGTERM
    mean what SIGINT does. xdist hands on how wide its terminal is.
    """
    if _is_soak(config):
        settings.load_profile("soak")
    compile_once()
    os.environ.pop("COLUMNS", None)
    for number, handler in _HEEDED:
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)


@pytest.fixture(scope="session")
def repo_dir() -> Path:
    """The top folder of this checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The folder of real samples beside the checkout; skips where there is none."""
    folder = (ROOT / "../shared").resolve()
    if not (folder / "samples").is_dir():
        pytest.skip("no folder of real samples beside this checkout (../shared)")
    return folder


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One server per test process; skips where none can be started."""
    with ExitStack() as stack:
        try:
            server = stack.enter_context(throwaway_postgres())
        except NoPostgresError as error:
            pytest.skip(str(error))
        yield server


@pytest.fixture(scope="module", autouse=True)
def settings_are_put_back() -> Iterator[None]:
    """No module leaves settings to those that happen to run after it."""
    before = settings_in_environment()
    yield
    assert settings_in_environment() == before


@pytest.fixture
def use_settings(monkeypatch: pytest.MonkeyPatch) -> UseSettings:
    """Make settings those that commands find in this process, to the test's end."""

    def use(settings: Settings) -> None:
        given = exported(settings)
        for name in setting_names():
            monkeypatch.setenv(name, given.get(name, ""))

    return use


@pytest.fixture
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passing faults are asked about again at once, as often as ever."""
    monkeypatch.setattr(chain, "Backoff", lambda: Backoff(initial_s=0.001, jitter_s=0))


@pytest.fixture
def phx(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Phx:
    """Run a command line to its end, as the script `phx` does.

    Not in this checkout, where `phx init` would leave a `.env`.
    """
    if Path.cwd() == ROOT:
        monkeypatch.chdir(ROOT / "docs")

    def run(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["phx", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        return Ended(code=int(ended.value.code or 0), out=told.out, err=told.err)

    return run


@pytest.fixture
def phx_on(phx: Phx, use_settings: UseSettings) -> Phx:
    """Run a command line on a deployment, as the script `phx` does."""

    def run(made: Deployment, *arguments: str) -> Ended:
        use_settings(made.settings)
        return phx(*arguments)

    return run


@pytest.fixture(scope="session")
def now() -> datetime:
    """A fixed instant: 2025-03-10 05:30 UTC, still the evening before in Phoenix."""
    return datetime(2025, 3, 10, 5, 30, tzinfo=UTC)


@pytest.fixture(scope="session")
def clock(now: datetime) -> Callable[[], datetime]:
    """A clock that stands still at `now`."""
    return lambda: now


@pytest.fixture(scope="session")
def run_tool(repo_dir: Path) -> Callable[..., str]:
    """Run a command of the tests' own environment; return its output if it failed."""

    def run(name: str, *arguments: str) -> str:
        command = [str(Path(sys.executable).with_name(name)), *arguments]
        done = subprocess.run(  # noqa: S603  # the tests' own fixed arguments
            command, cwd=repo_dir, capture_output=True, text=True, check=False
        )
        return "" if done.returncode == 0 else f"{done.stdout}{done.stderr}" or "failed"

    return run


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors: daemons and rate limits make tests wait."""
    return len(os.sched_getaffinity(0)) + 1


def _is_soak(config: pytest.Config) -> bool:
    return "soak" in config.option.markexpr


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Iterator[None]:
    """Let the garbage collector pass over what thousands of modules and tests are.

    None of it is garbage, and to look for some among it takes seconds in each process.
    Later it looks for some less often: most of what it finds alive stays so for a test.
    """
    gc.disable()
    try:
        _compile_a_share(session.config)
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(*_GARBAGE)
        gc.enable()


def _compile_a_share(config: pytest.Config) -> None:
    """Where nothing is compiled yet, let each worker compile another part of the suite.

    All import all modules, and in one order each would compile nearly all of them.
    """
    given: dict[str, Any] | None = getattr(config, "workerinput", None)
    if given is None or [Path(it).resolve() for it in config.args] != [_SUITE]:
        return
    number = int(given["workerid"].removeprefix("gw"))
    for file in sorted(_SUITE.rglob("test_*.py"))[number :: given["workercount"]]:
        with suppress(Exception):  # told when pytest itself comes to this module
            import_module(".".join(file.relative_to(ROOT).with_suffix("").parts))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> Iterator[None]:
    """Choose the soak tests or all others, and begin with the folder of the longest.

    A long one at the end would run alone. Within a folder the order stays random.
    """
    _choose(config, items)
    yield
    items.sort(key=lambda item: item.path.relative_to(_SUITE).parts[0])  # e2e first


def _choose(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave soak tests out unless `-m` names them; then each with examples is one."""
    if _is_soak(config):
        for item in items:
            if is_hypothesis_test(getattr(item, "obj", None)):
                item.add_marker("soak")
        return
    left_out = [item for item in items if item.get_closest_marker("soak")]
    items[:] = [item for item in items if not item.get_closest_marker("soak")]
    config.hook.pytest_deselected(items=left_out)
    config.stash[_left_out] = len(left_out)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand a worker's count to the process that prints the summary."""
    if (output := getattr(session.config, "workeroutput", None)) is not None:
        output[_LEFT_OUT] = session.config.stash.get(_left_out, 0)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    """Keep a worker's count; every worker collects, so all counts are the same."""
    config: pytest.Config = node.config  # type: ignore[attr-defined]  # xdist ships no type for it
    config.stash[_left_out] = getattr(node, "workeroutput", {}).get(_LEFT_OUT, 0)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say how many soak tests were left out."""
    if count := config.stash.get(_left_out, 0):
        terminalreporter.write_line(f"{count} soak tests left out; run: make soak")
