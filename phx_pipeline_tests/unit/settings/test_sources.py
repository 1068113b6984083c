"""Which sources are asked, and their tokens."""

import pytest

from phx_pipeline.errors import InputError
from phx_pipeline.model.source import in_order
from phx_pipeline.settings import (
    load_settings,
    parse_sources,
    setting_names,
)
from phx_pipeline.sources.registry import available_sources

# By these proxies are listed and people told; no source is asked with them.
OF_OTHERS = {"PHX_WEBSHARE_TOKEN", "PHX_WEBHOOK_TOKEN"}


@pytest.mark.parametrize("text", ["redfn", "redfin,trulia", "unknown", "Redfin", ", ,"])
def test_an_unknown_source_is_refused_and_the_known_are_told(text: str) -> None:
    known = ", ".join(in_order(available_sources()))
    with pytest.raises(
        InputError, match=rf"^PHX_SOURCES: unknown source '.*' ?.*from {known}$"
    ):
        load_settings({"PHX_SOURCES": text})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("redfn", "'redfn' (did you mean redfin?): choose"),
        ("Redfin,Zilow", "'Redfin' (did you mean redfin?), 'Zilow' (did you mean zi"),
        ("trulia", "'trulia': choose"),
        ("http://me:secret@proxy:1", "unknown source (not shown"),
    ],
)
def test_each_wrong_source_is_quoted_with_the_one_that_is_like_it(
    text: str, told: str
) -> None:
    with pytest.raises(InputError) as refused:
        parse_sources(text, by="--sources")

    assert str(refused.value).startswith("--sources: unknown source ")
    assert told in str(refused.value)


def test_order_and_repeats_of_sources_do_not_matter() -> None:
    messy = parse_sources(" redfin, zillow,redfin ,", by="x")

    assert messy == parse_sources("zillow,redfin", by="x")


@pytest.mark.parametrize("token", ["two words", "töken", "x" * 5000, "a\x00b"])
def test_a_token_that_is_none_is_refused_and_not_shown(token: str) -> None:
    with pytest.raises(InputError, match="PHX_MARICOPA_TOKEN: give the token") as told:
        load_settings({"PHX_MARICOPA_TOKEN": token})

    assert token not in str(told.value)


def test_tokens_are_named_by_their_settings_and_never_printed() -> None:
    names = [name for name in setting_names() if name.endswith("_TOKEN")]
    given = {name: f"s3cret-{name}" for name in names if name not in OF_OTHERS}
    settings = load_settings(given)
    of_one = load_settings({"PHX_RESO_TOKEN": "s3cret", "PHX_SPARK_TOKEN": ""})

    assert set(names) > OF_OTHERS
    assert settings.secrets == given
    assert of_one.secrets == {"PHX_RESO_TOKEN": "s3cret"}
    assert "s3cret" not in repr(settings)
