from phx_pipeline.model.source import Source
from phx_pipeline.sources.registry import available_sources, hosts_of


def test_every_source_is_registered_under_its_own_name() -> None:
    sources = available_sources()

    assert Source.REDFIN in sources
    assert all(adapter.source is source for source, adapter in sources.items())


def test_the_hosts_of_a_source_are_those_of_its_pages_and_photos() -> None:
    hosts = hosts_of(available_sources())

    assert hosts[Source.REDFIN] == (
        "www.redfin.com",
        "redfin.com",
        "ratelimited.redfin.com",
        "ssl.cdn-redfin.com",
    )


def test_no_source_has_no_hosts() -> None:
    assert hosts_of({}) == {}
