"""Where the service may be served, and under which names."""

from pathlib import Path

import pytest
import trustme

from phx_pipeline.errors import InputError
from phx_pipeline.service.listening import listening_sockets, tls_files
from phx_pipeline.service.reach import Reach, plain_address
from phx_pipeline.supervise.addresses import free_port

_EVERYWHERE = "0.0.0.0"  # noqa: S104 - to be judged
_URL = "https://phx.example"


@pytest.mark.parametrize(
    "reach",
    [
        Reach(port=1),
        Reach(host="127.0.0.2", port=1),
        Reach(host="::1", port=1),
        Reach(port=1, public_url="http://localhost:4000"),
        Reach(port=1, has_tls=True),
    ],
)
def test_on_this_computer_nothing_is_needed(reach: Reach) -> None:
    reach.require_safe(has_key=lambda: False)

    assert not reach.is_beyond_loopback


@pytest.mark.parametrize(
    ("reach", "remedy"),
    [
        (Reach(host="192.168.1.2", port=1), "plain HTTP.*PHX_TLS_CERT and PHX_TLS_KEY"),
        (Reach(host=_EVERYWHERE, port=1), "or name the proxy.*PHX_TRUSTED_PROXY"),
        (Reach(host="::", port=1), "leave PHX_HOST on 127.0.0.1.*SSH tunnel"),
        (Reach(port=1, public_url=_URL), "plain HTTP"),
        (Reach(host=_EVERYWHERE, port=1, has_tls=True), "set PHX_PUBLIC_URL"),
        (
            Reach(host="192.168.1.2", port=1, has_tls=True),
            "make a key first, `phx keys add",
        ),
        (Reach(port=1, trusted_proxy="127.0.0.1"), "make a key first"),
        (Reach(port=1, public_url=_URL, has_tls=True), "make a key first"),
    ],
)
def test_beyond_it_a_key_and_tls_are(reach: Reach, remedy: str) -> None:
    assert reach.is_beyond_loopback
    with pytest.raises(InputError, match=remedy):
        reach.require_safe(has_key=lambda: False)


@pytest.mark.parametrize(
    "reach",
    [
        Reach(host="192.168.1.2", port=1, has_tls=True),
        Reach(host=_EVERYWHERE, port=1, has_tls=True, public_url=_URL),
        Reach(host="10.0.0.2", port=1, trusted_proxy="10.0.0.1", public_url=_URL),
    ],
)
def test_with_both_it_is_served(reach: Reach) -> None:
    reach.require_safe(has_key=lambda: True)


@pytest.mark.parametrize(
    ("reach", "origins"),
    [
        (
            Reach(host="192.168.1.2", port=8443, has_tls=True),
            {"192.168.1.2:8443": "https://192.168.1.2:8443"},
        ),
        (
            Reach(host=_EVERYWHERE, port=443, has_tls=True, public_url=_URL),
            {"phx.example": _URL, "phx.example:443": _URL},
        ),
        (
            Reach(host="fd00::1", port=1, has_tls=True, public_url=f"{_URL}:8443"),
            {"[fd00::1]:1": "https://[fd00::1]:1", "phx.example:8443": f"{_URL}:8443"},
        ),
    ],
)
def test_names_have_one_origin_each(reach: Reach, origins: dict[str, str]) -> None:
    own = {
        netloc: origin
        for netloc, origin in reach.origins.items()
        if not netloc.startswith(("127.0.0.1", "localhost", "[::1]"))
    }

    assert own == origins
    assert _EVERYWHERE not in "".join(reach.origins)
    assert reach.origins[f"localhost:{reach.port}"].startswith("https://localhost")


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("2001:DB8::0001", "2001:db8::1"),
        ("10.0.0.1:80", ""),
        ("unknown", ""),
    ],
)
def test_addresses_have_one_spelling(text: str, address: str) -> None:
    assert plain_address(text) == address


def test_what_is_served_elsewhere_is_served_on_loopback_too() -> None:
    port = free_port()

    opened = listening_sockets("127.0.0.2", port=port)
    places = [each.getsockname() for each in opened]
    with pytest.raises(InputError, match=f"port {port} of 127.0.0.1 cannot be used"):
        listening_sockets("127.0.0.1", port=port)
    for each in opened:
        each.close()

    assert places == [("127.0.0.2", port), ("127.0.0.1", port)]


def test_an_address_of_another_computer_is_refused() -> None:
    with pytest.raises(InputError, match="set PHX_HOST to an address of this computer"):
        listening_sockets("192.0.2.1", port=free_port())


def test_a_certificate_is_tried_before_it_is_served(tmp_path: Path) -> None:
    made = trustme.CA().issue_cert("phx.example")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    made.cert_chain_pems[0].write_to_path(cert)
    made.private_key_pem.write_to_path(key)

    assert tls_files(cert, key) == {"ssl_certfile": str(cert), "ssl_keyfile": str(key)}
    assert tls_files(None, None) == {}
    with pytest.raises(InputError, match="give a certificate and its private key"):
        tls_files(key, cert)
