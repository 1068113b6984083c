"""The closed vocabulary of outcomes."""

import pytest

from phx_pipeline.model.outcome import ListingOutcome, Verdict, VerdictKind


@pytest.mark.parametrize("outcome", ["listed", "listed_empty"])
def test_only_a_seen_gallery_proves_photos_absent(outcome: str) -> None:
    assert ListingOutcome(outcome).saw_gallery


@pytest.mark.parametrize(
    "outcome", sorted(set(ListingOutcome) - {"listed", "listed_empty"})
)
def test_no_other_outcome_proves_photos_absent(outcome: ListingOutcome) -> None:
    assert not outcome.saw_gallery


@pytest.mark.parametrize(
    "outcome",
    ["ambiguous", "blocked", "rate_limited", "page_changed", "circuit_open", "failed"],
)
def test_an_outcome_that_says_nothing_of_the_house_is_asked_again(outcome: str) -> None:
    assert not ListingOutcome(outcome).is_final


@pytest.mark.parametrize(
    "outcome",
    [
        "listed",
        "listed_empty",
        "off_market",
        "not_found",
        "wrong_property",
    ],
)
def test_an_answer_about_the_house_is_final(outcome: str) -> None:
    assert ListingOutcome(outcome).is_final
    assert ListingOutcome(outcome).is_settled


def test_a_source_that_is_switched_off_is_settled_but_not_for_good() -> None:
    settled = {outcome for outcome in ListingOutcome if outcome.is_settled}

    assert ListingOutcome.DISABLED in settled
    assert not ListingOutcome.DISABLED.is_final
    assert all(outcome.is_final for outcome in settled - {ListingOutcome.DISABLED})


@pytest.mark.parametrize("outcome", ListingOutcome)
def test_a_seen_gallery_is_always_final(outcome: ListingOutcome) -> None:
    assert outcome.is_final >= outcome.saw_gallery


def test_every_verdict_is_counted_in_one_bin_and_no_bin_is_idle() -> None:
    bins = {
        kind: {verdict for verdict in Verdict if verdict.kind is kind}
        for kind in VerdictKind
    }

    assert bins == {
        VerdictKind.PENDING: {Verdict.PENDING},
        VerdictKind.KEPT: {Verdict.KEPT},
        VerdictKind.DUPLICATE: {Verdict.DUPLICATE},
        VerdictKind.REJECTED: {
            Verdict.FOREIGN,
            Verdict.TOO_SMALL,
            Verdict.NOT_AN_IMAGE,
            Verdict.DAMAGED,
            Verdict.PLACEHOLDER,
            Verdict.TOO_LARGE,
        },
        VerdictKind.FAILED: {
            Verdict.GONE,
            Verdict.BLOCKED,
            Verdict.RATE_LIMITED,
            Verdict.TIMEOUT,
            Verdict.NETWORK,
            Verdict.REFUSED,
        },
    }


def test_a_failure_passes_or_is_a_fault_of_the_photo_but_never_both() -> None:
    passing = {verdict.value for verdict in Verdict if verdict.is_passing}
    no_picture = {verdict.value for verdict in Verdict if verdict.gave_no_picture}

    assert passing == {
        "failed:blocked",
        "failed:rate_limited",
        "failed:timeout",
        "failed:network",
    }
    assert no_picture == {
        "failed:gone",
        "rejected:damaged",
        "rejected:not_an_image",
        "rejected:placeholder",
        "rejected:too_large",
        "rejected:too_small",
    }
