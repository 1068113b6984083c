import hashlib
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from phx_pipeline.dedup.afresh import cluster_afresh
from phx_pipeline.dedup.align import appearance
from phx_pipeline.dedup.cluster import Cluster, cluster
from phx_pipeline.dedup.hashes import distance, picture_hashes
from phx_pipeline.dedup.judge import judged
from phx_pipeline.dedup.proposals import Candidate
from phx_pipeline.dedup.sights import view_of
from phx_pipeline.demo import rooms
from phx_pipeline.demo.rooms import RoomKind
from phx_pipeline.model.judgement import Judgement, Pair, by_pair
from phx_pipeline.model.photo import PictureHashes
from phx_pipeline_tests.corpus.cameras import moved_cameras
from phx_pipeline_tests.corpus.copies import site_copies
from phx_pipeline_tests.corpus.pictures import decoded, to_width
from phx_pipeline_tests.corpus.redone import REDONE
from phx_pipeline_tests.corpus.tones import TONES
from phx_pipeline_tests.corpus.worse import FINER, UNPROMISED, WORSE, choices

MakePicture = Callable[..., Image.Image]


def sha(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def candidate(
    name: str,
    *,
    phash: int,
    dhash: int,
    trimmed_phash: int | None = None,
    trimmed_dhash: int | None = None,
    size: tuple[int, int] = (1024, 768),
) -> Candidate:
    hashes = PictureHashes(
        phash=phash,
        dhash=dhash,
        trimmed_phash=phash if trimmed_phash is None else trimmed_phash,
        trimmed_dhash=dhash if trimmed_dhash is None else trimmed_dhash,
    )
    return Candidate(sha256=sha(name), width=size[0], height=size[1], hashes=hashes)


def low_bits(count: int) -> int:
    return (1 << count) - 1


def member_sets(clusters: list[Cluster]) -> set[frozenset[str]]:
    return {frozenset(found.members) for found in clusters}


# Pairs of hashes of real listing photos: (pHash, dHash) of each, and the judgement.
REAL_PAIRS = [
    pytest.param(
        (0xB7805DB2C07FB213, 0x18330ECCCC0E7D78),
        (0xBF815DB2C36AB212, 0x18324E4CCC0E3D38),
        1,
        id="8-5-thumbnail-and-original",
    ),
    pytest.param(
        (0xBEB8E836165CC872, 0x3D97336A4C977064),
        (0xBCB8E8227E5CC872, 0x3D9FB2282CD67020),
        2,
        id="6-11-vetoed-by-dhash",
    ),
    pytest.param(
        (0xE75B0BC643F07074, 0x416B968E8E863373),
        (0xE74B0FC743D13264, 0x692396CCCC8E3233),
        2,
        id="8-11-vetoed-by-dhash",
    ),
    pytest.param(
        (0xBF8378279B6224D8, 0x6929B75656460330),
        (0xBC8B58279F62A5C8, 0x3A22967474668330),
        2,
        id="8-15-vetoed-by-dhash",
    ),
    pytest.param(
        (0xFED0810F952B6AD4, 0x0035352D256D5300),
        (0xFED0810F952B6AD4, 0x0035352D256D5300),
        1,
        id="0-0-the-same-logo",
    ),
    pytest.param(
        (0xB5D8C527D8DAC1A4, 0xF2E6B6B92E4E4686),
        (0xB5D8C197CACA89A5, 0xC206068D8E5ECE86),
        2,
        id="10-16-screenshots-of-two-houses",
    ),
]


@pytest.mark.parametrize(("a", "b", "clusters"), REAL_PAIRS)
def test_real_pairs_are_judged_by_the_strict_rule(
    a: tuple[int, int], b: tuple[int, int], clusters: int
) -> None:
    candidates = [
        candidate("a", phash=a[0], dhash=a[1]),
        candidate("b", phash=b[0], dhash=b[1]),
    ]

    assert len(cluster_afresh(candidates)) == clusters


@pytest.mark.parametrize(
    ("phash_bits", "dhash_bits", "clusters"),
    [(8, 10, 1), (9, 10, 2), (8, 11, 2), (0, 64, 2), (64, 0, 2)],
)
def test_both_limits_are_inclusive_and_both_must_hold(
    phash_bits: int, dhash_bits: int, clusters: int
) -> None:
    candidates = [
        candidate("a", phash=0, dhash=0),
        candidate("b", phash=low_bits(phash_bits), dhash=low_bits(dhash_bits)),
    ]

    assert len(cluster_afresh(candidates)) == clusters


def test_one_flipped_bit_in_each_byte_is_still_found() -> None:
    candidates = [
        candidate("a", phash=0xF0F0F0F0F0F0F0F0, dhash=1 << 63),
        candidate("b", phash=0xF1F1F1F1F1F1F1F1, dhash=1 << 63),
    ]

    assert len(cluster_afresh(candidates)) == 1


def test_full_frame_may_meet_trimmed_frame_for_each_hash_by_itself() -> None:
    far = low_bits(64)
    bare = candidate("bare", phash=0, dhash=0)
    boxed = candidate(
        "boxed", phash=0xFFFFFFFF, dhash=0, trimmed_phash=0, trimmed_dhash=far
    )

    assert len(cluster_afresh([bare, boxed])) == 1


@pytest.mark.parametrize("groups", [["01", "23"], ["01", "2"]])
def test_a_chain_of_small_changes_does_not_run_together(groups: list[str]) -> None:
    chain = [
        candidate(str(step), phash=low_bits(8 * step), dhash=0, size=(900 - step, 600))
        for step in range(len("".join(groups)))
    ]

    found = cluster_afresh(chain)

    assert member_sets(found) == {frozenset(map(sha, group)) for group in groups}


def test_the_copy_with_the_most_pixels_is_best() -> None:
    sizes = {"thumb": (320, 240), "large": (1536, 1152), "tall": (900, 1200)}
    candidates = [
        candidate(name, phash=1, dhash=1, size=size) for name, size in sizes.items()
    ]

    (found,) = cluster_afresh(candidates)

    assert found.best == sha("large")


def test_what_nothing_tells_apart_goes_by_the_order_of_the_gallery() -> None:
    names = "fadceb"
    candidates = [
        replace(candidate(name, phash=1, dhash=1), order=("redfin", place, name))
        for place, name in enumerate(names)
    ]

    (found,) = cluster_afresh(candidates)

    assert found.best == sha("f")


def test_the_same_blob_twice_is_one_member() -> None:
    twice = [candidate("a", phash=1, dhash=1), candidate("a", phash=1, dhash=1)]

    assert cluster_afresh(twice) == [Cluster(members=(sha("a"),), best=sha("a"))]


def test_nothing_gives_nothing() -> None:
    assert cluster_afresh([]) == []


def test_variants_of_a_picture_meet_and_other_pictures_stay_apart(
    make_picture: MakePicture,
) -> None:
    candidates = []
    for seed in range(6):
        image = make_picture(seed, width=800, height=600)
        boxed = Image.new("RGB", (800, 800), "black")
        boxed.paste(image.resize((800, 600)), (0, 100))
        variants = {"full": image, "small": image.resize((400, 300)), "boxed": boxed}
        candidates += [
            Candidate(
                sha256=sha(f"{seed} {name}"),
                width=variant.width,
                height=variant.height,
                hashes=picture_hashes(variant),
            )
            for name, variant in variants.items()
        ]

    found = cluster_afresh(candidates)

    assert member_sets(found) == {
        frozenset(sha(f"{seed} {name}") for name in ("full", "small", "boxed"))
        for seed in range(6)
    }


# Few free bits, so that near and far pairs both occur.
sparse = st.integers(0, 2**64 - 1).map(lambda value: value & 0x8421_0000_0842_1F0F)
all_hashes = st.builds(
    PictureHashes,
    phash=sparse,
    dhash=sparse,
    trimmed_phash=sparse,
    trimmed_dhash=sparse,
)
candidate_lists = st.lists(
    st.builds(
        Candidate,
        sha256=st.integers(0, 10**6).map(lambda number: sha(str(number))),
        width=st.integers(200, 300),
        height=st.integers(200, 300),
        hashes=all_hashes,
    ),
    unique_by=lambda it: it.sha256,
    max_size=12,
)


def are_copies(a: Candidate, b: Candidate) -> bool:
    """Spell the rule out with Python integers, as a check on the arrays."""
    phash = min(
        distance(x, y)
        for x in (a.hashes.phash, a.hashes.trimmed_phash)
        for y in (b.hashes.phash, b.hashes.trimmed_phash)
    )
    dhash = min(
        distance(x, y)
        for x in (a.hashes.dhash, a.hashes.trimmed_dhash)
        for y in (b.hashes.dhash, b.hashes.trimmed_dhash)
    )
    return phash <= 8 and dhash <= 10


@given(data=st.data(), candidates=candidate_lists)
def test_the_order_of_candidates_does_not_matter(
    data: st.DataObject, candidates: list[Candidate]
) -> None:
    shuffled = data.draw(st.permutations(candidates))

    assert cluster_afresh(shuffled) == cluster_afresh(candidates)


def gathered(candidates: list[Candidate]) -> list[list[Candidate]]:
    """Spell out who gathers whom, the largest first."""
    free = sorted(candidates, key=lambda it: (-it.content_pixels, it.sha256))
    groups: list[list[Candidate]] = []
    while free:
        centre = free[0]
        groups.append([centre, *(it for it in free[1:] if are_copies(centre, it))])
        free = [it for it in free if it not in groups[-1]]
    return groups


def agree(ours: list[Candidate], theirs: list[Candidate]) -> bool:
    links = sum(are_copies(a, b) for a in ours for b in theirs)
    return links / (len(ours) * len(theirs)) > 0.5


@given(candidates=candidate_lists)
def test_the_largest_gathers_its_copies_and_groups_that_agree_join(
    candidates: list[Candidate],
) -> None:
    expected: list[list[Candidate]] = []
    for group in gathered(candidates):
        hosts = [host for host in expected if agree(host, group)]
        if hosts:
            hosts[0].extend(group)
        else:
            expected.append(group)

    found = cluster_afresh(candidates)

    assert member_sets(found) == {
        frozenset(it.sha256 for it in group) for group in expected
    }
    assert [it.members for it in found] == sorted(it.members for it in found)
    assert all(it.best in it.members for it in found)


def test_one_failed_comparison_does_not_part_copies() -> None:
    centre = candidate("centre", phash=0, dhash=0, size=(1200, 800))
    between = [candidate(f"b{n}", phash=low_bits(8), dhash=0) for n in range(2)]
    far = candidate("far", phash=low_bits(16), dhash=0, size=(400, 300))

    (found,) = cluster_afresh([centre, *between, far])

    assert found.best == centre.sha256


@given(candidates=candidate_lists)
def test_every_picture_is_in_one_cluster(candidates: list[Candidate]) -> None:
    members = [
        member for found in cluster_afresh(candidates) for member in found.members
    ]

    assert sorted(members) == sorted(it.sha256 for it in candidates)


# --- confirmed by aligned pixels


@pytest.fixture(scope="module")
def room() -> Image.Image:
    return Image.open(
        BytesIO(rooms.draw(RoomKind.KITCHEN, seed=4, size=(1024, 683)))
    ).convert("RGB")


def looked_at(name: str, image: Image.Image, **hashes: int) -> Candidate:
    """A candidate as the picture is, but for the hashes given."""
    return Candidate(
        sha256=sha(name),
        width=image.width,
        height=image.height,
        hashes=replace(picture_hashes(image), **hashes),
        appearance=appearance(image),
        view=partial(view_of, image),
    )


def all_bits(value: int) -> dict[str, int]:
    return dict.fromkeys(("phash", "trimmed_phash", "dhash", "trimmed_dhash"), value)


def is_one(*candidates: Candidate) -> bool:
    return len(cluster_afresh(candidates)) == 1


def test_pixels_find_a_copy_that_hashes_alone_would_not(room: Image.Image) -> None:
    small = room.resize((512, 341))
    a, b = (
        looked_at("a", room, **all_bits(0)),
        looked_at("b", small, **all_bits(0xFFFF)),
    )

    assert is_one(a, b)
    assert not is_one(replace(a, appearance=None), b)


def test_beyond_the_far_distance_nobody_looks(room: Image.Image) -> None:
    a = looked_at("a", room, **all_bits(0))
    b = looked_at("b", room, **all_bits(low_bits(25)))

    assert not is_one(a, b)


def test_pixels_part_what_hashes_alone_would_merge(room: Image.Image) -> None:
    other = Image.open(
        BytesIO(rooms.draw(RoomKind.YARD, seed=9, size=(1024, 683)))
    ).convert("RGB")
    a, b = looked_at("a", room, **all_bits(0)), looked_at("b", other, **all_bits(0))

    assert not is_one(a, b)
    assert is_one(replace(a, appearance=None), replace(b, appearance=None))


def paged(picture: Candidate) -> Candidate:
    """The same, taken for a plan, a document or a blank."""
    assert picture.appearance is not None
    look = replace(picture.appearance, low_information=True)
    return replace(picture, appearance=look)


def test_two_pages_have_to_be_strict(room: Image.Image) -> None:
    small = room.resize((512, 341))
    a = paged(looked_at("a", room, **all_bits(0)))
    b = paged(looked_at("b", small, **all_bits(0xFFFF)))

    assert not is_one(a, b)
    assert is_one(replace(a, hashes=b.hashes), b)


def test_a_copy_so_bright_that_it_looks_like_a_page_is_found(room: Image.Image) -> None:
    bright = paged(looked_at("b", room.resize((512, 341)), **all_bits(0xFFFF)))

    assert is_one(looked_at("a", room, **all_bits(0)), bright)


def test_of_equally_large_copies_the_least_cropped_is_best(room: Image.Image) -> None:
    cropped = room.crop((50, 30, 1000, 660)).resize((1080, 716))

    (found,) = cluster_afresh([looked_at("whole", room), looked_at("cropped", cropped)])

    assert found.best == sha("whole")


def test_bars_do_not_make_a_picture_larger(room: Image.Image) -> None:
    small = room.resize((800, 534))
    barred = Image.new("RGB", (1024, 1024), "black")
    barred.paste(small, (112, 245))

    (found,) = cluster_afresh([looked_at("bare", room), looked_at("barred", barred)])

    assert found.best == sha("bare")


# What was done to tones and textures is seen on photos: a drawn room has few of them.
SEEN_ON_PHOTOS = TONES.keys() | REDONE.keys() | UNPROMISED
LYING = [(kind, False) for kind in sorted(WORSE.keys() - SEEN_ON_PHOTOS)]
UPRIGHT = [(kind, True) for kind in [*sorted(FINER), "1/4 enlarged to 2.0"]]


@pytest.mark.parametrize(("kind", "upright"), LYING + UPRIGHT)
def test_the_copy_a_person_would_choose_is_best(
    room: Image.Image, kind: str, *, upright: bool
) -> None:
    photo = room.transpose(Image.Transpose.ROTATE_90) if upright else room
    (pair,) = choices(photo, name="room", seed=2, kinds=[kind])
    better = looked_at("better", decoded(pair.better))
    worse = looked_at("worse", decoded(pair.worse), **asdict(better.hashes))

    (found,) = cluster_afresh([better, worse])

    assert found.best == better.sha256


def test_a_thumbnail_does_not_win_by_showing_a_little_more(room: Image.Image) -> None:
    cropped = room.crop((30, 20, 1000, 670))
    thumbnail = room.resize((256, 171))

    (found,) = cluster_afresh(
        [looked_at("large", cropped), looked_at("small", thumbnail)]
    )

    assert found.best == sha("large")


def test_of_copies_with_equal_detail_the_larger_file_is_best(
    room: Image.Image,
) -> None:
    bare = looked_at("bare", room)
    rivals = [replace(bare, sha256=sha(name), size_bytes=7) for name in "abcd"]

    (found,) = cluster_afresh([*rivals, replace(bare, sha256=sha("e"), size_bytes=8)])

    assert found.best == sha("e")


def test_copies_of_an_older_look_are_ranked_by_their_pixels(room: Image.Image) -> None:
    large = looked_at("large", to_width(to_width(room, 256), 1280))
    sharp = looked_at("sharp", room, **asdict(large.hashes))
    assert large.appearance is not None
    older = replace(large, appearance=replace(large.appearance, detail=None))

    assert [it.best for it in cluster_afresh([large, sharp])] == [sharp.sha256]
    assert [it.best for it in cluster_afresh([older, sharp])] == [large.sha256]


@pytest.fixture(scope="module")
def gallery(room: Image.Image) -> list[Candidate]:
    """Copies, another room and other views, as one property has them."""
    drawn = rooms.draw(RoomKind.POOL, seed=1, size=(720, 480))
    pictures = []
    for index, photo in enumerate([room, Image.open(BytesIO(drawn)).convert("RGB")]):
        bodies = [
            *site_copies(photo, name=str(index), seed=5),
            *moved_cameras(photo, name=str(index), seed=5),
        ]
        made = [Image.open(BytesIO(it.body)).convert("RGB") for it in bodies]
        pictures += [
            looked_at(f"{index} {turn}", image)
            for turn, image in enumerate([photo, *made])
        ]
    return pictures


@pytest.fixture(scope="module")
def clusters(gallery: list[Candidate]) -> list[Cluster]:
    """What all of them at once give."""
    return cluster_afresh(gallery)


@settings(max_examples=2)
@given(data=st.data())
def test_arrival_order_and_runs_do_not_matter(
    data: st.DataObject, gallery: list[Candidate], clusters: list[Cluster]
) -> None:
    order = data.draw(st.permutations(gallery))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(order) - 1), max_size=3)))
    known: dict[Pair, Judgement] = {}
    after_run: list[Cluster] = []
    for end in [*cuts, len(order)]:
        known |= by_pair(judged(order[:end], known))
        after_run = cluster(order[:end], judgements=known)

    assert after_run == clusters
    assert list(judged(order, known)) == []
