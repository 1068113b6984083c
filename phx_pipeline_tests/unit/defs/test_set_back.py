"""How far the clock was set back."""

from phx_pipeline.defs.set_back import Watch


def test_only_a_clock_that_was_set_back_counts() -> None:
    clock = {"now": 1_000.0, "steady": 5.0}
    watch = Watch(lambda: clock["now"], lambda: clock["steady"])
    told = []

    # An hour passes; the clock jumps ahead by a day; an hour passes; it is set right.
    for moved, passed in ((3600, 3600), (86_400, 0), (3600, 3600), (-86_400, 0)):
        clock["now"] += moved
        clock["steady"] += passed
        told.append(watch.back_s())

    assert told == [0.0, 0.0, 0.0, 86_400.0]
