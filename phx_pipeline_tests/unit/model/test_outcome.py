"""The closed vocabulary of outcomes."""

from collections import Counter

from phx_pipeline.model.outcome import ListingOutcome, Verdict


def test_only_a_seen_gallery_proves_photos_absent() -> None:
    seen = {outcome.value for outcome in ListingOutcome if outcome.saw_gallery}

    assert seen == {"listed", "listed_empty"}


def test_an_answer_about_the_house_is_final_and_no_other() -> None:
    final = {outcome.value for outcome in ListingOutcome if outcome.is_final}

    assert final == {
        "listed",
        "listed_empty",
        "off_market",
        "not_found",
        "wrong_property",
    }


def test_a_source_that_is_switched_off_is_settled_but_not_for_good() -> None:
    settled = {outcome for outcome in ListingOutcome if outcome.is_settled}

    assert ListingOutcome.DISABLED in settled
    assert not ListingOutcome.DISABLED.is_final
    assert all(outcome.is_final for outcome in settled - {ListingOutcome.DISABLED})


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


def test_each_verdict_is_counted_in_the_bin_that_it_begins_with() -> None:
    assert all(it.value.partition(":")[0] == it.kind.value for it in Verdict)
    assert Counter(it.kind.value for it in Verdict) == {
        "pending": 1,
        "kept": 1,
        "duplicate": 1,
        "rejected": 7,
        "failed": 6,
    }
