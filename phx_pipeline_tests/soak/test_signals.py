"""Signals of every kind to every process of a collection, at random moments.

What was dealt, what it did and every fault stands in `campaign.log` of the test's
folder as the campaign goes on.
"""

import os
import random
import signal
import subprocess
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise, product
from pathlib import Path

import dagster as dg
import psutil
import pytest

from phx_pipeline.catalog.leases import is_dead
from phx_pipeline.defs.repeats import REPEATS_TAG
from phx_pipeline.defs.submit import open_instance, state_of
from phx_pipeline.defs.tags import JOB_TAG
from phx_pipeline.demo.houses import HOUSES
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.errors import ServiceError
from phx_pipeline.model.identity import run_lease
from phx_pipeline.settings import SUPERVISOR_ID
from phx_pipeline.supervise.addresses import free_port
from phx_pipeline.supervise.lock import running
from phx_pipeline.supervise.state import state
from phx_pipeline.supervise.strays import strays
from phx_pipeline.workflows.verify import content_digest
from phx_pipeline_tests.deployment import Deployment
from phx_pipeline_tests.served import wait_for

pytestmark = pytest.mark.soak

_SEED = 20261127
_TTL_S = 2
_PHOTO_DELAY_S = 0.4  # so that there is something under way
# A daemon killed as it launches a run leaves it `STARTING`: Dagster waits two minutes.
_PATIENCE_S = 400.0
_PARTITION = "dagster/partition"
_SUPERVISOR, _WORKER, _EXTRACT = "supervisor", "run worker", "extract"
_SERVICES = ("daemon", "code server", "webserver")
_KINDS = (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGSTOP)
_CARDS = tuple(product(_KINDS, (_SUPERVISOR, *_SERVICES, _WORKER, _EXTRACT)))

_ENDS = (
    dg.DagsterEventType.RUN_SUCCESS,
    dg.DagsterEventType.RUN_FAILURE,
    dg.DagsterEventType.RUN_CANCELED,
)

# Photo requests by target, as often as a collection asks that nobody disturbs.
Requests = Counter[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Undisturbed:
    """What a collection gives and asks that nobody disturbs."""

    digest: str
    asked: Requests


@dataclass(slots=True, kw_only=True)
class Report:
    """What was dealt and what did not hold, told at once."""

    log: Path
    dealt: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)

    def tell(self, text: str) -> None:
        line = f"{time.monotonic() - self.started:7.1f} s  {text}"
        print(line, flush=True)  # noqa: T201 - shown where the test fails
        with self.log.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def fault(self, text: str) -> None:
        self.faults.append(text)
        self.tell(f"FAULT {text}")


class Deck:
    """All kinds to all targets, shuffled; anew when it is empty."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._cards: list[tuple[signal.Signals, str]] = []

    def draw(self) -> tuple[signal.Signals, str]:
        if not self._cards:
            self._cards = self._chance.sample(_CARDS, len(_CARDS))
        return self._cards.pop()

    def put_back(self, card: tuple[signal.Signals, str]) -> None:
        self._cards.append(card)


class Round:
    """One data folder, collected through the queue by `phx up` amid signals."""

    def __init__(
        self, made: Deployment, *, chance: random.Random, deck: Deck, report: Report
    ) -> None:
        self.made = made
        self.instance = open_instance(made.settings)
        self.dealt = 0
        self._chance = chance
        self._deck = deck
        self.report = report
        self._processes: list[tuple[str, subprocess.Popen[bytes], Path]] = []
        self._up = self._start("up")
        self._extract = self._start("extract", "--all")

    def close(self) -> None:
        """End what was started; of a round that went well all has ended."""
        self.instance.dispose()
        for _, process, _ in self._processes:
            process.kill()
            process.wait()

    def _start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        log = self.made.root / f"{arguments[0]}-{len(self._processes)}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603 - the tests' own command
                self.made.command(*arguments),
                env=self.made.env,
                stdout=output,
                stderr=output,
            )
        self._processes.append((arguments[0], process, log))
        return process

    # --- dealing ----------------------------------------------------------------------

    def deal(self) -> None:
        """Send the next card's signal at a random moment, and see to what it ended."""
        kind, target = self._deck.draw()
        time.sleep(self._chance.uniform(0.3, 4.0))
        try:
            pid = wait_for(lambda: self._pid(target), patience_s=_PATIENCE_S)
        except TimeoutError:
            self.report.fault(f"no {target} to be hit: {self.standing()}")
            raise
        if not pid:
            self._deck.put_back((kind, target))
            return
        with suppress(ProcessLookupError):  # it ended by itself just now
            os.kill(pid, kind)
            self._note(kind, target)
            if kind is signal.SIGSTOP:
                most_s = 14.0 if target == _WORKER else 4.0
                time.sleep(self._chance.uniform(_TTL_S + 0.5, most_s))
                os.kill(pid, signal.SIGCONT)
            elif target == _SUPERVISOR:
                self._up.wait(timeout=_PATIENCE_S)
        self.keep_up()

    def _note(self, kind: signal.Signals, target: str) -> None:
        self.dealt += 1
        self.report.dealt[f"{kind.name} {target}"] += 1
        self.report.tell(f"{kind.name} to {target}")

    def keep_up(self) -> None:
        """Start anew what has ended; say so when no signal explains the end."""
        if (code := self._up.poll()) is not None:
            self._told_end("up", code, expected={0, -1, -9, -15})
            self._up = self._start("up")
        if self._extract.poll():
            code = self._extract.returncode
            self._told_end("extract", code, expected={3, 4, -1, -9, -15})
            self._extract = self._start("extract", "--all")

    def _told_end(self, name: str, code: int, *, expected: set[int]) -> None:
        log = next(log for n, _, log in reversed(self._processes) if n == name)
        last = log.read_text(encoding="utf-8", errors="replace").strip()[-600:]
        told = f"phx {name} ended with {code}"
        if code in expected:
            self.report.tell(told)
        else:
            self.report.fault(f"{told}: {last}")

    def _pid(self, target: str) -> int | None:
        """The process to hit; None while there is none, 0 if none will be."""
        self.keep_up()
        if self.is_complete():
            return 0
        if target == _SUPERVISOR:
            return self._up.pid
        if target == _EXTRACT:
            return self._extract.pid
        return self._worker() if target == _WORKER else self._service(target)

    def _service(self, name: str) -> int | None:
        with suppress(ServiceError):
            found = running(self.made.settings)
            for part in found.parts if found else ():
                if part.name == name and _is_of(self.made, part.pid):
                    return part.pid
        return None

    def _worker(self) -> int | None:
        started = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])
        runs = self.instance.get_runs(started)
        with self.made.context() as context:
            states = [context.catalog.leases.state(run_lease(r.run_id)) for r in runs]
        owners = [it.owner for it in states if it and it.owner]
        pids = [int(it.split(":")[1]) for it in owners if not is_dead(it)]
        return self._chance.choice(pids) if pids else None

    # --- the end ----------------------------------------------------------------------

    def is_complete(self) -> bool:
        """Whether nothing more is to do, as `phx extract --all` sees it."""
        return self._extract.poll() == 0

    def finish(self) -> None:
        """Follow up until all is complete and every run has ended."""
        wait_for(self._follow_up, patience_s=_PATIENCE_S)
        wait_for(lambda: self._all_runs_ended() or None, patience_s=_PATIENCE_S)
        wait_for(lambda: _all_answer(self.made) or None, patience_s=_PATIENCE_S)

    def _follow_up(self) -> bool | None:
        self.keep_up()
        return self.is_complete() or None

    def _all_runs_ended(self) -> bool:
        with self.made.context() as context:
            waiting = context.catalog.jobs.waiting(limit=1)
        runs = self.instance.get_runs()
        newest = {run.tags[_PARTITION]: run for run in reversed(runs)}
        ended = (state_of(run, retries=2).is_final for run in newest.values())
        return not waiting and all(ended)

    def standing(self) -> list[str]:
        """Where every run is, in words."""
        return [_told(record) for record in self.instance.get_run_records()]

    def faults(self, reference: Undisturbed) -> Iterator[str]:
        """All that should hold now and does not."""
        yield from self._of_older_supervisors()
        down = self.made.phx("down")
        if down.returncode or self._up.wait(timeout=_PATIENCE_S):
            yield f"phx down: {down.returncode} {down.stdout} {down.stderr}"
        yield from self._left_running()
        yield from self._content(reference)
        runs = self.instance.get_run_records()
        yield from _twins(runs)
        yield from _overlaps(runs)
        yield from self._ended_twice(runs)
        yield from self._requests(reference)

    def _of_older_supervisors(self) -> Iterator[str]:
        found = state(self.made.settings)
        now = found.running.supervisor_id if found else None
        for process in strays(self.made.settings):
            with suppress(psutil.Error):
                if process.environ().get(SUPERVISOR_ID) != now:
                    yield f"of an older phx up: {' '.join(process.cmdline())}"

    def _left_running(self) -> Iterator[str]:
        with suppress(TimeoutError):  # Python's own helper ends a moment later
            wait_for(lambda: not _marked(self.made) or None, patience_s=20)
        yield from (f"still runs: {line}" for line in _marked(self.made))

    def _content(self, reference: Undisturbed) -> Iterator[str]:
        ended = self.made.phx("extract", "--all", "--sync")
        if ended.returncode:
            yield f"phx extract --all --sync: {ended.stdout} {ended.stderr}"
        ended = self.made.phx("verify")
        if ended.returncode:
            yield f"phx verify: {ended.stdout} {ended.stderr}"
        with self.made.context() as context:
            if content_digest(context) != reference.digest:
                yield "the content differs from that of an undisturbed collection"

    def _ended_twice(self, runs: Sequence[dg.RunRecord]) -> Iterator[str]:
        """Runs that failed after they had succeeded, or the other way round.

        One that is killed between its record's end and Dagster's is none: it failed,
        and its repetition finds nothing left to do. That a worker died is told by the
        code server and by run monitoring, each at its own moment: seen 0.4 s apart.
        """
        for record in runs:
            run_id = record.dagster_run.run_id
            ends = [
                entry.dagster_event_type.value
                for entry in self.instance.all_logs(run_id, of_type=set(_ENDS))
                if entry.dagster_event_type
            ]
            if len(set(ends)) != 1:
                yield f"{_told(record)} has these ends: {ends}"

    def _requests(self, reference: Undisturbed) -> Iterator[str]:
        asked = Counter(self.made.photos_asked())
        most = 1 + self.dealt
        extra = asked.total() - reference.asked.total()
        self.report.tell(
            f"photos: {len(asked)}, asked {asked.total()} times, {extra} more than "
            f"undisturbed; one {max(asked.values())} times"
        )
        for target, times in asked.items():
            if times > most * reference.asked[target]:
                yield f"{target} was asked for {times} times"


def _all_answer(made: Deployment) -> bool:
    with suppress(ServiceError):
        found = state(made.settings)
        return bool(found and len(found.answers) == 3 and all(found.answers.values()))
    return False


def _is_of(made: Deployment, pid: int) -> bool:
    """Whether a process was started for the data folder, and lives."""
    with suppress(psutil.Error):
        folder: str | None = psutil.Process(pid).environ().get("PHX_DATA_DIR")
        return folder == str(made.settings.data_dir)
    return False


def _marked(made: Deployment) -> list[str]:
    """Command lines of the processes that were started for the data folder."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if _is_of(made, process.pid):
                found.append(" ".join(process.cmdline()))
    return found


def _by_item(runs: Sequence[dg.RunRecord]) -> Mapping[str, list[dg.RunRecord]]:
    items: dict[str, list[dg.RunRecord]] = defaultdict(list)
    for record in runs:
        tags = record.dagster_run.tags
        items[f"{tags.get(JOB_TAG)} {tags[_PARTITION]}"].append(record)
    return items


def _twins(runs: Sequence[dg.RunRecord]) -> Iterator[str]:
    """Items with a second run that repeats none, or that succeeded twice."""
    for item, records in _by_item(runs).items():
        repeated = [_repeated(record.dagster_run) for record in records]
        parents = Counter(run_id for run_id in repeated if run_id)
        good = [
            r for r in records if r.dagster_run.status is dg.DagsterRunStatus.SUCCESS
        ]
        firsts = len(records) - parents.total()
        if firsts != 1 or len(good) > 1 or max(parents.values(), default=1) > 1:
            yield f"{item}: twin runs {[_told(record) for record in records]}"


def _repeated(run: dg.DagsterRun) -> str | None:
    """The run it repeats; what Dagster repeats has all tags of that one."""
    return run.parent_run_id or run.tags.get(REPEATS_TAG)


def _overlaps(runs: Sequence[dg.RunRecord]) -> Iterator[str]:
    """Houses of which two runs were under way at once."""
    houses: dict[str, list[dg.RunRecord]] = defaultdict(list)
    for record in runs:
        if record.start_time is not None:
            houses[record.dagster_run.tags[_PARTITION]].append(record)
    for slug, records in houses.items():
        ordered = sorted(records, key=lambda record: record.start_time or 0.0)
        for one, next_one in pairwise(ordered):
            if one.end_time is None or one.end_time > (next_one.start_time or 0.0):
                yield f"{slug}: at once {_told(one)} and {_told(next_one)}"


def _told(record: dg.RunRecord) -> str:
    run = record.dagster_run
    return f"{run.run_id} {run.status.value} {record.start_time}-{record.end_time}"


@pytest.fixture
def _obedient() -> Iterator[None]:
    """Hear a hangup: tests started with `nohup` would hand on that it is ignored."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    with Deployment(tmp_path_factory.mktemp("calm"), redfin_sites(HOUSES)) as made:
        made.add_houses(HOUSES)
        assert made.phx("extract", "--all", "--sync").returncode == 0
        with made.context() as context:
            digest = content_digest(context)
        return Undisturbed(digest=digest, asked=Counter(made.photos_asked()))


def _campaign(
    root: Path, *, signals: int, in_a_round: int, reference: Undisturbed
) -> Report:
    """Deal *signals* over as many data folders as it takes."""
    chance = random.Random(_SEED)  # noqa: S311 - to repeat a campaign, not to hide
    report = Report(log=root / "campaign.log")
    report.tell(f"seed {_SEED}")
    deck = Deck(chance)
    while (left := signals - report.dealt.total()) > 0:
        number = sum(1 for _ in root.glob("round-*"))
        sites = redfin_sites(HOUSES, photo_delay_s=_PHOTO_DELAY_S)
        with Deployment(
            root / f"round-{number}",
            sites,
            webserver_port=free_port(),
            lease_ttl_s=_TTL_S,
        ) as made:
            made.add_houses(HOUSES)
            work = Round(made, chance=chance, deck=deck, report=report)
            try:
                _play(work, signals=min(left, in_a_round), reference=reference)
            finally:
                work.close()
    report.tell(f"{report.dealt.total()} signals: {dict(sorted(report.dealt.items()))}")
    return report


def _play(work: Round, *, signals: int, reference: Undisturbed) -> None:
    """Deal while there is work, let it finish, and look at what came of it."""
    report = work.report
    while work.dealt < signals and not work.is_complete():
        work.deal()
    report.tell(f"{work.dealt} signals in this round, now it may finish")
    try:
        work.finish()
    except TimeoutError:
        report.fault(f"it did not finish: {work.standing()}")
    for fault in work.faults(reference):
        report.fault(fault)
    report.tell("the round is over")


@pytest.mark.usefixtures("_obedient")
def test_sixty_signals_lose_nothing_and_leave_nothing(
    tmp_path: Path, undisturbed: Undisturbed
) -> None:
    report = _campaign(tmp_path, signals=60, in_a_round=12, reference=undisturbed)

    assert report.dealt.total() >= 60
    assert report.faults == []
