"""Days of looks at many houses: time, questions, processor time, growth of tables.

Sites only count, and the clock goes on by the default pace; the catalogue is real. One
look of the first day is killed in its midst, in a process of its own.

    python -m phx_pipeline_tests.bench.daily --houses 10000 --days 1
    python -m phx_pipeline_tests.bench.daily --houses 300 --days 9 --down zillow
    python -m phx_pipeline_tests.bench.daily --houses 1000 --days 4 --changed 3 --kill 0
"""

import argparse
import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import sqlalchemy as sa

from phx_pipeline.model.listing import Listing
from phx_pipeline.model.look import why_not_on
from phx_pipeline.model.moments import PHOENIX
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.property import Property
from phx_pipeline.model.source import Source
from phx_pipeline.stages.context import StageContext
from phx_pipeline.workflows.look import Look
from phx_pipeline_tests.mornings import (
    DAY,
    SIX,
    World,
    marked_gone,
    quiet_answer,
    simulated,
)

MOST_PAGES = 20_000
LIMIT = timedelta(minutes=30)
TICK = timedelta(seconds=60)


@dataclass(slots=True, kw_only=True)
class Told:
    """What a day of looks came to."""

    runs: int = 0
    looked: int = 0
    called: int = 0
    longest: timedelta = timedelta()
    planning_s: float = 0.0
    cpu_s: float = 0.0
    waiting: int = 0
    asked: Counter[tuple[str, Source]] = field(default_factory=Counter)

    def lines(self) -> Iterator[str]:
        """The figures of a day."""
        twice = sum(count > 1 for count in self.asked.values())
        yield f"runs {self.runs}, the longest {self.longest}"
        yield f"houses looked at {self.looked}, still waiting {self.waiting}"
        yield f"questions {self.asked.total()}, asked more than once {twice}"
        yield f"runs of their own {self.called}"
        yield f"CPU s: a plan {self.planning_s:.2f}, all looks {self.cpu_s:.1f}"


def look_once(context: StageContext, told: Told) -> None:
    """Look until time is up, and add it to the day."""
    began, start_s = context.clock(), time.process_time()
    work = Look(
        context,
        most_pages=MOST_PAGES,
        lasting=LIMIT,
        ticks=lambda: context.clock().timestamp(),
    )
    for _ in work.all_due():
        pass
    told.runs += 1
    told.looked += work.report.looked
    told.called += work.report.called
    told.waiting = work.report.waiting
    told.longest = max(told.longest, context.clock() - began)
    told.cpu_s += time.process_time() - start_s


def plan_once(context: StageContext) -> float:
    """The processor time of one plan."""
    start_s = time.process_time()
    Look(context, most_pages=MOST_PAGES).plan()
    return time.process_time() - start_s


def day_of_looks(context: StageContext, world: World, *, begin: datetime) -> Told:
    """Begin at *begin*, and go on as the sensor would until the next morning."""
    told = Told(planning_s=plan_once(context))
    already, day = len(world.asked), begin.astimezone(PHOENIX).date()
    world.now = max(world.now, begin)
    if context.catalog.looks.day(day) is None:
        look_once(context, told)
    while world.now < begin + DAY - LIMIT:
        today = context.catalog.looks.day(day)
        if today is None or today.next_at is None:
            break
        world.now = max(world.now + TICK, today.next_at)
        if world.now.astimezone(PHOENIX).date() != day:
            break
        if not why_not_on(today, now=world.now, is_at_work=False):
            look_once(context, told)
    told.asked = Counter(world.asked[already:])
    return told


def killed_look(folder: Path, log: Path, *, count: int, after: int) -> list[str]:
    """Kill a look after some questions; return what it asked, from its log."""
    spawned = multiprocessing.get_context("spawn")
    victim = spawned.Process(target=_die, args=(folder, log, count, after))
    victim.start()
    victim.join()
    return log.read_text(encoding="utf-8").splitlines()


def _die(folder: Path, log: Path, count: int, after: int) -> None:
    world = World(log=log, killed_at=after)
    with simulated(folder, world, count=count, run_id="killed") as context:
        look_once(context, Told())


def down(source: Source, *, since: datetime, days: int, world: World) -> None:
    """Let a source refuse everybody for some days."""

    def answer(house: Property, asked: Source) -> Listing:
        is_down = asked is source and since <= world.now < since + days * DAY
        if is_down:
            return Listing(source=asked, outcome=ListingOutcome.BLOCKED)
        return quiet_answer(house, asked)

    world.answer = answer


def change(world: World, *, since: datetime) -> None:
    """Let each house cost less and show three more photos, at each site that offers it.

    Nobody downloads them here.
    """

    def answer(house: Property, asked: Source) -> Listing:
        told = quiet_answer(house, asked)
        if world.now < since or told.facts is None:
            return told
        more = [
            replace(it, photo_key=f"{it.photo_key}-b", url=f"{it.url}?b")
            for it in told.photos[:3]
        ]
        facts = replace(told.facts, list_price=440_000)
        return replace(told, photos=(*told.photos, *more), facts=facts)

    world.answer = answer


def size_of(context: StageContext) -> int:
    """Bytes of the catalogue's file, with all that was written."""
    with context.catalog._engine.connect() as connection:
        connection.execute(sa.text("PRAGMA wal_checkpoint(TRUNCATE)"))
    return context.layout.catalogue.stat().st_size


def main() -> None:
    """Print what each day came to."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--houses", type=int, default=10_000)
    parser.add_argument("--days", type=int, default=1)
    parser.add_argument("--down", help="a source that is down from the second day on")
    parser.add_argument("--changed", type=int, help="a day on which all houses change")
    parser.add_argument("--kill", type=int, default=200, help="questions before a kill")
    wish = parser.parse_args()
    with TemporaryDirectory() as folder:
        _tell_days(Path(folder), wish)


def _tell_days(folder: Path, wish: argparse.Namespace) -> None:
    world = World()
    if wish.down:
        down(Source(wish.down), since=SIX + DAY, days=7, world=world)
    if wish.changed:
        change(world, since=SIX + (wish.changed - 1) * DAY)
    with simulated(folder / "data", world, count=wish.houses) as context:
        lines: list[str] = []
        if wish.kill:
            args = {"count": wish.houses, "after": wish.kill}
            lines = killed_look(folder / "data", folder / "log", **args)
            world.now += timedelta(minutes=16)
        for number in range(wish.days):
            before = size_of(context)
            told = day_of_looks(context, world, begin=SIX + number * DAY)
            if not number:
                told.asked += Counter(
                    (slug, Source(name)) for slug, name in map(str.split, lines)
                )
            grown = (size_of(context) - before) / wish.houses
            _print(f"day {number + 1}:", *told.lines(), f"growth {grown:.0f} B a house")
            _print(f"photos marked gone: {marked_gone(context.catalog)}")
            if number == 0:
                _print(f"pages {dict(context.catalog.looks.pages(SIX.date()))}")


def _print(*lines: str) -> None:
    sys.stdout.write("\n  ".join(lines) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
