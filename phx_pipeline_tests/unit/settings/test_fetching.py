"""Proxies that requests go through."""

from pathlib import Path

import pytest

from phx_pipeline.errors import InputError
from phx_pipeline.settings import (
    load_settings,
)


def test_a_webshare_token_or_a_file_of_proxies_is_read(tmp_path: Path) -> None:
    file = tmp_path / "proxies.txt"
    file.touch()

    by_token = load_settings({"PHX_WEBSHARE_TOKEN": "t0ken"})
    by_file = load_settings({"PHX_PROXIES_FILE": str(file)})

    assert by_token.webshare_token == "t0ken"  # noqa: S105 - of this test only
    assert by_file.proxies_file == file


def test_only_one_way_of_naming_proxies_may_be_set(tmp_path: Path) -> None:
    file = tmp_path / "proxies.txt"
    file.touch()
    given = {
        "PHX_PROXY": "http://anna:hush@127.0.0.1:80",
        "PHX_PROXIES_FILE": str(file),
        "PHX_WEBSHARE_TOKEN": "t0ken",
    }

    for name in given:
        two = {key: value for key, value in given.items() if key != name}
        with pytest.raises(InputError, match=r" and PHX_.* only one of them") as told:
            load_settings(two)
        assert "hush" not in str(told.value)
        assert "t0ken" not in str(told.value)


@pytest.mark.parametrize(
    "url", ["127.0.0.1:3128", "me:secret@proxy:1", "ftp://secret:1", "http://secret"]
)
def test_a_proxy_nobody_could_use_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(InputError, match=r"^PHX_PROXY: give SCHEME://") as told:
        load_settings({"PHX_PROXY": url})

    assert "secret" not in str(told.value)
