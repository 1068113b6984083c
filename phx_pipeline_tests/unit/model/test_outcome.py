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
        "disabled",
    ],
)
def test_an_answer_about_the_house_is_final(outcome: str) -> None:
    assert ListingOutcome(outcome).is_final


@pytest.mark.parametrize("outcome", ListingOutcome)
def test_a_seen_gallery_is_always_final(outcome: ListingOutcome) -> None:
    assert outcome.is_final >= outcome.saw_gallery


def test_every_verdict_is_counted_in_one_bin_and_no_bin_is_idle() -> None:
    kinds = [verdict.kind for verdict in Verdict]

    assert len(kinds) == len(Verdict)
    assert set(kinds) == set(VerdictKind)


@pytest.mark.parametrize(
    ("verdict", "kind"),
    [
        (Verdict.PENDING, VerdictKind.PENDING),
        (Verdict.KEPT, VerdictKind.KEPT),
        (Verdict.DUPLICATE, VerdictKind.DUPLICATE),
        (Verdict.FOREIGN, VerdictKind.REJECTED),
        (Verdict.TOO_LARGE, VerdictKind.REJECTED),
        (Verdict.GONE, VerdictKind.FAILED),
        (Verdict.REFUSED, VerdictKind.FAILED),
    ],
)
def test_a_verdict_is_counted_under_its_first_word(
    verdict: Verdict, kind: VerdictKind
) -> None:
    assert verdict.kind is kind


def test_only_what_another_attempt_may_mend_is_downloaded_again() -> None:
    wanted = {verdict.value for verdict in Verdict if verdict.wants_download}

    assert wanted == {
        "pending",
        "failed:blocked",
        "failed:rate_limited",
        "failed:timeout",
        "failed:network",
    }
