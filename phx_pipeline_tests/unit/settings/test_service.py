"""Where the service is served, and where jobs are handed to."""

import pytest

from phx_pipeline.errors import InputError
from phx_pipeline.settings import (
    load_settings,
)


@pytest.mark.parametrize(
    "url",
    [
        "pictures.example",
        "http://pictures.example:3000",
        "http://10.0.0.7",
        "https://me:secret@pictures.example",
        "https://pictures.example/?key=1",
        "https://pictures.example/phx",
        "http://127.0.0.1:3000/api",
        "https://pictures.example:0",
        "https://pictures.example:https",
        "ftp://127.0.0.1",
        "https://",
    ],
)
def test_a_server_that_is_none_or_would_hear_the_key_is_refused(
    url: str,
) -> None:
    with pytest.raises(InputError, match=r"^PHX_SERVER=.*: give https://HOST") as told:
        load_settings({"PHX_SERVER": url})

    assert "secret" not in str(told.value)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:3000/", "http://[::1]:1", "http://localhost:3000"]
)
def test_a_server_on_this_machine_may_speak_plain_http(url: str) -> None:
    assert load_settings({"PHX_SERVER": url}).server == url.rstrip("/")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HOST", "phx.example"),
        ("HOST", "localhost"),
        ("HOST", "127.1"),
        ("TRUSTED_PROXY", "10.0.0.0/8"),
        ("PUBLIC_URL", "phx.example"),
        ("PUBLIC_URL", "http://phx.example"),
        ("PUBLIC_URL", "https://phx.example/ui"),
        ("PUBLIC_URL", "https://phx.example:0x50"),
        ("PUBLIC_URL", "https://me@phx.example"),
        ("PUBLIC_URL", "https://phx.example/?a"),
        ("TLS_CERT", __file__),
    ],
)
def test_where_it_is_served_is_refused_with_the_remedy(name: str, value: str) -> None:
    with pytest.raises(InputError, match=f"^PHX_{name}.*(give|set) "):
        load_settings({f"PHX_{name}": value})


@pytest.mark.parametrize(
    "url", ["https://phx.example", "https://[fd00::1]:8443", "http://localhost:4000"]
)
def test_a_public_url_is_an_origin(url: str) -> None:
    assert load_settings({"PHX_PUBLIC_URL": f"{url}/"}).public_url == url


@pytest.mark.parametrize("name", ["PHX_KEY", "PHX_MARICOPA_TOKEN"])
def test_a_token_in_quotes_is_told_to_be_so(name: str) -> None:
    with pytest.raises(InputError, match=f"{name} begins with a quotation") as told:
        load_settings({name: '"k3y"'})

    assert "k3y" not in str(told.value)
