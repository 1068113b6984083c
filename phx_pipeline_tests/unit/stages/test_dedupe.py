"""Who is kept: a pure function of the bytes, whatever their order."""

from collections import Counter
from datetime import date
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from phx_pipeline.model.outcome import Verdict
from phx_pipeline.model.photo import Blob, Photo, PhotoRef, PictureHashes
from phx_pipeline.model.source import Source
from phx_pipeline.stages.dedupe import decide

SLUG = "4732-w-davis-rd-glendale-az-85306"
DAY = date(2025, 3, 8)
# Far from each other and close to each other, so that clusters of any size come up.
_HASHES = st.sampled_from([0, 1, 3, 0xFF, 0xFFFF_FFFF, 0xFFFF_FFFE, 2**64 - 1])


def photo(
    key: str, sha: str, *, position: int = 0, source: Source = Source.REDFIN
) -> Photo:
    return Photo(
        property_slug=SLUG,
        ref=PhotoRef(
            source=source,
            photo_key=key,
            url=f"https://photos.example/{key}.jpg",
            position=position,
        ),
        listed_on=None,
        first_seen_on=DAY,
        present=True,
        verdict=Verdict.PENDING,
        sha256=sha,
    )


def blob(sha: str, *, bits: int, width: int = 1024) -> Blob:
    return Blob(
        sha256=sha,
        size_bytes=1,
        media_type="image/jpeg",
        width=width,
        height=683,
        hashes=PictureHashes(
            phash=bits, dhash=bits, trimmed_phash=bits, trimmed_dhash=bits
        ),
    )


@st.composite
def galleries(draw: st.DrawFn) -> tuple[list[Photo], dict[str, Blob]]:
    """Photos of one property over a few blobs; several photos may share bytes."""
    shas = [character * 64 for character in "0123456789"[: draw(st.integers(1, 8))]]
    blobs = {
        sha: blob(sha, bits=draw(_HASHES), width=draw(st.sampled_from([640, 1024])))
        for sha in shas
    }
    photos = [
        photo(
            f"photo{number}",
            draw(st.sampled_from(shas)),
            position=draw(st.integers(0, 5)),
            source=draw(st.sampled_from([Source.REDFIN, Source.ZILLOW])),
        )
        for number in range(draw(st.integers(0, 10)))
    ]
    return photos, blobs


@given(galleries())
def test_every_cluster_keeps_exactly_one_photo(
    gallery: tuple[list[Photo], dict[str, Blob]],
) -> None:
    photos, blobs = gallery

    decisions = decide(SLUG, photos, blobs, judgements={})

    kept = Counter(
        decision.cluster_id
        for decision in decisions.values()
        if decision.verdict is Verdict.KEPT
    )
    assert set(decisions) == {photo.key for photo in photos}
    assert kept == Counter({decision.cluster_id for decision in decisions.values()})


@given(galleries(), st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(
    gallery: tuple[list[Photo], dict[str, Blob]], chance: Random
) -> None:
    photos, blobs = gallery
    shuffled = chance.sample(photos, len(photos))
    turned = dict(reversed(blobs.items()))

    assert decide(SLUG, shuffled, turned, judgements={}) == decide(
        SLUG, photos, blobs, judgements={}
    )


@given(galleries())
def test_photos_with_the_same_bytes_are_one_cluster(
    gallery: tuple[list[Photo], dict[str, Blob]],
) -> None:
    photos, blobs = gallery

    decisions = decide(SLUG, photos, blobs, judgements={})

    clusters = {(photo.sha256, decisions[photo.key].cluster_id) for photo in photos}
    assert len(clusters) == len({photo.sha256 for photo in photos})


def test_of_the_same_bytes_the_first_in_gallery_order_is_kept() -> None:
    sha = "a" * 64
    late, early = photo("a-late", sha, position=7), photo("z-early", sha, position=2)

    decisions = decide(SLUG, [late, early], {sha: blob(sha, bits=5)}, judgements={})

    assert {key: decision.verdict for (_, key), decision in decisions.items()} == {
        "z-early": Verdict.KEPT,
        "a-late": Verdict.DUPLICATE,
    }


def test_of_two_sizes_the_larger_is_kept_wherever_it_stands() -> None:
    small, large = "1" * 64, "2" * 64
    blobs = {
        small: blob(small, bits=5, width=640),
        large: blob(large, bits=5, width=2048),
    }

    decisions = decide(
        SLUG,
        [photo("small", small), photo("large", large, position=9)],
        blobs,
        judgements={},
    )

    assert decisions[Source.REDFIN, "large"].verdict is Verdict.KEPT
    assert decisions[Source.REDFIN, "small"].verdict is Verdict.DUPLICATE


def test_the_same_bytes_in_two_houses_are_two_clusters() -> None:
    sha = "a" * 64
    photos, blobs = [photo("one", sha)], {sha: blob(sha, bits=5)}

    clusters = {
        decide(slug, photos, blobs, judgements={})[Source.REDFIN, "one"].cluster_id
        for slug in (SLUG, "1-n-other-st-mesa-az-85204")
    }

    assert len(clusters) == 2


def test_no_photos_are_no_decisions() -> None:
    assert decide(SLUG, [], {}, judgements={}) == {}
