"""Photos arrive in any order over any number of runs: the last decision is the same."""

from dataclasses import replace
from datetime import date
from hashlib import sha256
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from phx_pipeline.model.outcome import Verdict
from phx_pipeline.model.photo import Blob, Photo, PhotoRef, PictureHashes
from phx_pipeline.model.source import Source
from phx_pipeline.stages.dedupe import decide

SLUG = "4732-w-davis-rd-glendale-az-85306"


def arrived(number: int) -> Photo:
    ref = PhotoRef(
        source=Source.REDFIN,
        photo_key=f"photo{number}",
        url=f"https://photos.example/{number}.jpg",
        position=number,
    )
    return Photo(
        property_slug=SLUG,
        ref=ref,
        listed_on=None,
        first_seen_on=date(2025, 3, 8),
        present=True,
        verdict=Verdict.PENDING,
        sha256=sha256(str(number).encode()).hexdigest(),
    )


def blob_of(photo: Photo, *, step: int, width: int) -> Blob:
    """Bytes whose hashes differ by 4 bits a step: neighbours meet, far ones do not."""
    bits = (1 << 4 * step) - 1
    hashes = PictureHashes(
        phash=bits, dhash=bits, trimmed_phash=bits, trimmed_dhash=bits
    )
    return Blob(
        sha256=str(photo.sha256),
        size_bytes=1,
        media_type="image/jpeg",
        width=width,
        height=600,
        hashes=hashes,
    )


@given(data=st.data())
def test_arrival_order_and_runs_do_not_matter(data: st.DataObject) -> None:
    shapes = data.draw(
        st.lists(st.tuples(st.integers(0, 15), st.integers(800, 803)), max_size=9)
    )
    photos = [arrived(number) for number in range(len(shapes))]
    blobs = {
        str(photo.sha256): blob_of(photo, step=step, width=width)
        for photo, (step, width) in zip(photos, shapes, strict=True)
    }
    order = data.draw(st.permutations(photos))
    cuts = data.draw(st.sets(st.integers(0, len(order)), max_size=3))
    known: list[Photo] = []
    for start, end in pairwise(sorted({0, len(order), *cuts})):
        known += order[start:end]
        decisions = decide(SLUG, known, blobs, judgements={})
        known = [
            replace(
                photo,
                verdict=decisions[photo.key].verdict,
                cluster_id=decisions[photo.key].cluster_id,
            )
            for photo in known
        ]

    at_once = decide(SLUG, photos, blobs, judgements={})

    assert {photo.key: photo.verdict for photo in known} == {
        key: decision.verdict for key, decision in at_once.items()
    }
    assert {photo.key: photo.cluster_id for photo in known} == {
        key: decision.cluster_id for key, decision in at_once.items()
    }
