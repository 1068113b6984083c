"""What rows of `change` amount to: each change once, on its day, in any order."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phx_pipeline.model.change import LONGEST, NotedChange, What, bounded
from phx_pipeline.model.event import Event, EventKind
from phx_pipeline.model.event_words import event_words
from phx_pipeline.model.history import events_of, galleries_of, needed
from phx_pipeline.model.market import LISTED, NOT_FOUND, OFF, market_after, market_event
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.source import Source

SLUG = "4732-w-davis-rd-glendale-az-85306"
MORNING = datetime(2026, 3, 2, 13, tzinfo=UTC)  # 6:00 in Phoenix
_ids = count(1)

Told = tuple[str, str, str, str, tuple[str, ...]]


def row(
    what: What,
    before: str,
    after: str,
    *,
    key: str = "",
    hours: float = 0,
    source: Source = Source.ZILLOW,
) -> NotedChange:
    return NotedChange(
        id=next(_ids),
        slug=SLUG,
        source=source,
        photo_key=key,
        what=what.value,
        before=before,
        after=after,
        at=MORNING + timedelta(hours=hours),
        run_id="run",
    )


def photos(before: str, after: str, *keys: str) -> list[NotedChange]:
    return [row(What.PRESENT, before, after, key=key) for key in keys]


def count_of(before: int, after: int) -> NotedChange:
    return row(What.GALLERY, str(before), str(after))


def told(events: Sequence[Event]) -> list[Told]:
    return [
        (it.kind.value, it.before, it.after, it.fact, it.photo_keys) for it in events
    ]


LEFT = ("a", "b", "c", "d", "e")
NUMBER = row(What.NUMBER, "6001", "6002")
CASES: dict[str, tuple[list[NotedChange], list[Told]]] = {
    "a lower price": (
        [row(What.PRICE, "450000", "439000")],
        [("price_cut", "$450,000", "$439,000", "", ())],
    ),
    "two steps of one day are one": (
        [
            row(What.PRICE, "450000", "439000"),
            row(What.PRICE, "439000", "460000", hours=2),
        ],
        [("price_raised", "$450,000", "$460,000", "", ())],
    ),
    "a price that goes and comes back within a day": (
        [
            row(What.PRICE, "450000", "439000"),
            row(What.PRICE, "439000", "450000", hours=2),
        ],
        [],
    ),
    "it comes back on the next day": (
        [
            row(What.PRICE, "450000", "439000", hours=17.9),
            row(What.PRICE, "439000", "450000", hours=18),  # midnight in Phoenix
        ],
        [
            ("price_raised", "$439,000", "$450,000", "", ()),
            ("price_cut", "$450,000", "$439,000", "", ()),
        ],
    ),
    "disagreeing sources each tell their own": (
        [
            row(What.PRICE, "450000", "439000"),
            row(What.PRICE, "450000", "440000", source=Source.REDFIN),
        ],
        [
            ("price_cut", "$450,000", "$440,000", "", ()),
            ("price_cut", "$450,000", "$439,000", "", ()),
        ],
    ),
    "facts are told one by one": (
        [
            row(What.FACT, "3", "4", key="bedrooms_total"),
            row(What.FACT, "tile", "shingle", key="roof"),
        ],
        [
            ("facts", "3", "4", "bedrooms_total", ()),
            ("facts", "tile", "shingle", "roof", ()),
        ],
    ),
    "photos that came and went": (
        [
            row(What.ADDED, "false", "true", key="n"),
            *photos("true", "false", "a"),
            count_of(9, 9),
        ],
        [
            ("photos_added", "9 photos", "9 photos", "", ("n",)),
            ("photos_gone", "9 photos", "9 photos", "", ("a",)),
        ],
    ),
    "a photo that is added and gone on one day": (
        [
            row(What.ADDED, "false", "true", key="n"),
            row(What.PRESENT, "true", "false", key="n", hours=1),
            count_of(9, 10),
            row(What.GALLERY, "10", "9", hours=1),
        ],
        [],
    ),
    "most of a gallery": (
        [*photos("true", "false", *LEFT), count_of(8, 3)],
        [("gallery_cut", "8 photos", "3 photos", "", LEFT)],
    ),
    "half of a gallery": (
        [*photos("true", "false", *LEFT), count_of(10, 5)],
        [("photos_gone", "10 photos", "5 photos", "", LEFT)],
    ),
    "presence without a gallery, as of a merge": ([*photos("false", "true", "a")], []),
    "another picture under one key": (
        [
            row(What.PICTURE, "f0", "0f", key="a"),
            row(What.SIZE, "640x480", "1024x768", key="b"),
        ],
        [("photos_replaced", "", "", "", ("a",))],
    ),
    "another number takes its photos with it": (
        [
            NUMBER,
            *photos("true", "false", *LEFT),
            row(What.ADDED, "false", "true", key="n"),
            count_of(5, 1),
        ],
        [("relisted", "6001", "6002", "", ("n",))],
    ),
    "what is only for the records": (
        [
            row(What.OUTCOME, "listed", "blocked"),
            row(What.OUTCOME, "blocked", "listed", hours=48),
            row(What.VERDICT, "", "pending", key="a"),
        ],
        [],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_rows_amount_to_what_differs_at_the_end_of_a_day(case: str) -> None:
    rows, expected = CASES[case]

    assert told(events_of(rows)) == told(events_of(reversed(rows))) == expected


@pytest.mark.parametrize("case", CASES)
def test_what_is_needed_for_a_kind_is_all_that_tells_of_it(case: str) -> None:
    rows, _ = CASES[case]
    whole = events_of(rows)

    for kind in EventKind:
        some = [it for it in rows if it.what in needed([kind])]
        assert [it for it in events_of(some) if it.kind is kind] == [
            it for it in whole if it.kind is kind
        ]


SHOWN = ListingOutcome.LISTED
EMPTY = ListingOutcome.LISTED_EMPTY
ENDED = ListingOutcome.OFF_MARKET
LOST = ListingOutcome.NOT_FOUND


@pytest.mark.parametrize(
    ("before", "outcome", "status", "after", "kind"),
    [
        (None, SHOWN, None, LISTED, None),
        ("Active", ListingOutcome.BLOCKED, None, "Active", None),
        (OFF, ListingOutcome.FAILED, "Active", OFF, None),
        ("Active", SHOWN, "Pending", "Pending", EventKind.STATUS),
        ("Pending", SHOWN, None, "Pending", None),
        ("Pending", SHOWN, "Active", "Active", EventKind.BACK_ON_MARKET),
        ("Active", SHOWN, "Closed", "Closed", EventKind.STATUS),
        ("Active", ENDED, None, OFF, EventKind.OFF_MARKET),
        ("Active", ENDED, "Active", OFF, EventKind.OFF_MARKET),
        ("Active", LOST, None, NOT_FOUND, EventKind.OFF_MARKET),
        ("Closed", ENDED, None, "Closed", None),
        ("Closed", EMPTY, "Active", "Active", EventKind.BACK_ON_MARKET),
        (OFF, SHOWN, None, LISTED, EventKind.BACK_ON_MARKET),
        (LISTED, SHOWN, "Active", "Active", None),
        (LISTED, SHOWN, "Closed", "Closed", EventKind.STATUS),
        ("Coming Soon", SHOWN, "Active", "Active", EventKind.STATUS),
        ("Active", SHOWN, "Withdrawn", "Withdrawn", EventKind.OFF_MARKET),
    ],
)
def test_the_word_for_an_offer_follows_what_is_known(
    before: str | None,
    outcome: ListingOutcome,
    status: str | None,
    after: str,
    kind: EventKind | None,
) -> None:
    assert market_after(before, outcome, status) == after
    assert (market_event(before, after) if before else None) is kind


def test_the_photos_of_two_listings_stand_side_by_side() -> None:
    rows = [
        *(row(What.VERDICT, "", "pending", key=key, hours=-90) for key in "abc"),
        row(What.PRESENT, "true", "false", key="c", hours=-20),
        NUMBER,
        row(What.PRESENT, "true", "false", key="a"),
        row(What.VERDICT, "", "pending", key="n"),
        row(What.VERDICT, "", "pending", key="late", hours=30),
        row(What.NUMBER, "6002", "6003", hours=50),
        row(What.PRESENT, "true", "false", key="n", hours=50),
        row(What.VERDICT, "", "pending", key="last", hours=50),
    ]
    second, first = (it for it in events_of(rows) if it.kind is EventKind.RELISTED)
    present = {"b", "late", "last"}

    before = galleries_of(first, rows, present=present)
    after = galleries_of(second, reversed(rows), present=present)

    assert (before.old, before.new) == (("a", "b"), ("b", "late", "n"))
    assert (after.old, after.new) == (before.new, ("b", "last", "late"))


# A source's answers: hours since the first one, and the price and the photos told.
answers = st.lists(
    st.tuples(
        st.integers(0, 120),
        st.sampled_from(["439000", "450000", "460000"]),
        st.frozensets(st.sampled_from("abcdefgh")),
    ),
    min_size=2,
    max_size=12,
    unique_by=lambda it: it[0],
).map(sorted)


def noted(found: Sequence[tuple[int, str, frozenset[str]]]) -> list[NotedChange]:
    """The rows that the door writes of such answers, all of them whole."""
    rows = []
    for (_, price, shown), (hours, next_price, next_shown) in pairwise(found):
        if price != next_price:
            rows.append(row(What.PRICE, price, next_price, hours=hours))
        if shown != next_shown:
            counts = str(len(shown)), str(len(next_shown))
            rows.append(row(What.GALLERY, *counts, hours=hours))
        for key in sorted(shown ^ next_shown):
            told = ("false", "true") if key in next_shown else ("true", "false")
            rows.append(row(What.PRESENT, *told, key=key, hours=hours))
    return rows


@settings(max_examples=60)
@given(answers, st.randoms(use_true_random=False))
def test_events_lead_from_the_first_answer_to_the_last(
    found: list[tuple[int, str, frozenset[str]]], random: Random
) -> None:
    rows = noted(found)
    mixed = [*rows, *rows]  # also what is read twice
    random.shuffle(mixed)
    events = events_of(mixed)

    assert events == events_of(rows)
    keys = [it.key for it in events]
    assert len(set(keys)) == len(keys)
    price, shown = int(found[0][1]), set(found[0][2])
    for it in reversed(events):
        if it.kind in {EventKind.PRICE_CUT, EventKind.PRICE_RAISED}:
            assert it.before == f"${price:,}"
            price = int(it.after.replace(",", "")[1:])
        elif it.kind is EventKind.PHOTOS_ADDED:
            assert shown.isdisjoint(it.photo_keys)
            shown |= set(it.photo_keys)
        else:
            assert shown.issuperset(it.photo_keys)
            shown -= set(it.photo_keys)
    assert (str(price), frozenset(shown)) == found[-1][1:]


@settings(max_examples=60)
@given(st.text("ab ", max_size=70), st.text("ab ", max_size=70))
def test_texts_that_differ_do_so_when_they_are_cut(one: str, other: str) -> None:
    before, after = bounded(one, other)

    assert max(len(before), len(after)) <= LONGEST
    assert (before == after) is (one == other)
    assert bounded(other, one) == (after, before)


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("a lower price", ["price cut from $450,000 to $439,000"]),
        (
            "facts are told one by one",
            ["bedrooms 4, before 3", "roof shingle, before tile"],
        ),
        ("half of a gallery", ["5 photos gone: now 5 photos, before 10 photos"]),
        (
            "photos that came and went",
            ["1 photo added: 9 photos as before", "1 photo gone: 9 photos as before"],
        ),
        ("most of a gallery", ["gallery cut from 8 photos to 3 photos"]),
        ("another picture under one key", ["1 photo replaced by another picture"]),
        (
            "another number takes its photos with it",
            ["relisted under another number: 6002, before 6001"],
        ),
    ],
)
def test_each_event_is_a_line_for_people(case: str, words: list[str]) -> None:
    assert [event_words(it) for it in events_of(CASES[case][0])] == words
