"""Which house is meant, and what removing and purging refuse."""

from collections.abc import Iterator

import pytest

from phx_pipeline.errors import InputError
from phx_pipeline.model.address import Address
from phx_pipeline.stages.context import StageContext
from phx_pipeline.workflows.lifecycle import (
    holdings,
    known_property,
    purge,
    remove,
    rename,
)
from phx_pipeline_tests.deployment import Deployment

FORMER = "4732 W Davis Rd, Glendale, AZ 85306"
NOW = Address.parse("4732 W Davis Rd, Peoria, AZ 85307")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with Deployment(tmp_path_factory.mktemp("lifecycle"), {}) as deployment:
        yield deployment


@pytest.fixture
def context(made: Deployment) -> Iterator[StageContext]:
    """One house that was renamed once; nothing is left of it after the test."""
    with made.context() as opened:
        (slug,) = made.add([FORMER])
        rename(opened, slug, NOW)
        yield opened
        remove(opened, NOW.slug)
        purge(opened, known_property(opened, NOW.slug).house)


def test_a_house_is_known_by_keys_addresses_and_folder(context: StageContext) -> None:
    folder = context.house(NOW.slug).folder
    former = Address.parse(FORMER).slug
    names = [NOW.slug, f" {NOW.slug.upper()} ", str(NOW), FORMER, former, folder]

    found = {known_property(context, name).house.slug for name in names}

    assert found == {NOW.slug}


@pytest.mark.parametrize("name", ["", "nowhere", "1 Other St, Mesa, AZ 85204"])
def test_an_unknown_house_is_refused_with_the_remedy(
    context: StageContext, name: str
) -> None:
    with pytest.raises(InputError, match="phx properties list"):
        known_property(context, name)


def test_a_removed_house_is_still_known_as_removed(context: StageContext) -> None:
    assert known_property(context, NOW.slug).removed_at is None

    assert [remove(context, NOW.slug), remove(context, NOW.slug)] == [True, False]

    assert known_property(context, FORMER).removed_at is not None
    assert context.catalog.slugs() == []


def test_a_house_that_is_followed_is_not_purged(context: StageContext) -> None:
    house = context.house(NOW.slug)
    folder = context.layout.folder(house.folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "file.png").write_bytes(b"")

    with pytest.raises(InputError, match="is not removed"):
        purge(context, house)

    assert holdings(context, house).files == 1
    assert context.house(NOW.slug) == house
