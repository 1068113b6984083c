from collections.abc import Awaitable, Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phx_pipeline.errors import HostRefusedError, InputError, TransientError
from phx_pipeline.fetch.base import Fetched, Request, RequestKind
from phx_pipeline.fetch.hosts import (
    AllowList,
    Endpoint,
    HostGuard,
    PublicAddresses,
    is_public,
    system_resolve,
)
from phx_pipeline.model.source import Source

ALLOW_LIST = AllowList(
    {
        Source.ZILLOW: ("zillow.com", "Photos.ZillowStatic.com", "xn--mnchen-3ya.de"),
        Source.REDFIN: ("www.redfin.com",),
    }
)


@pytest.mark.parametrize(
    "url",
    [
        "https://zillow.com",
        "https://www.zillow.com/homedetails/1_zpid/?a=b@c#d",
        "https://www.zillow.com:443/",
        "HTTPS://WWW.Zillow.COM/",
        "https://photos.zillowstatic.com/fp/a.jpg",
        "https://xn--mnchen-3ya.de/",
    ],
)
def test_a_listed_host_and_its_subdomains_pass(url: str) -> None:
    ALLOW_LIST.check(url, source=Source.ZILLOW)


REFUSED = {
    "https://example.com/": "not on the list",
    "https://evilzillow.com/": "not on the list",
    "https://zillow.com.evil.net/": "not on the list",
    "https://zillowstatic.com/": "not on the list",
    "https://www.redfin.com/": "not on the list",
    "https://localhost/": "not on the list",
    "https:///path": "not a plain name",
    "http://www.zillow.com/": "not https",
    "ftp://www.zillow.com/": "not https",
    "file:///etc/hostname": "not https",
    "gopher://www.zillow.com/": "not https",
    "//www.zillow.com/": "not https",
    "www.zillow.com": "not https",
    "https://user@www.zillow.com/": "user information",
    "https://user:secret@www.zillow.com/": "user information",
    "https://www.zillow.com@evil.net/": "user information",
    "https://@www.zillow.com/": "user information",
    "https://evil.net\\@www.zillow.com/": "backslash",
    "https://www.zillow.com\\.evil.net/": "backslash",
    "https://evil.net\t.zillow.com/": "control character",
    "https://www.zillow.com/\r\nHost: evil.net": "control character",
    " https://www.zillow.com/": "space",
    "https://www.zillow.com:8443/": "default port",
    "https://www.zillow.com:80/": "default port",
    "https://www.zillow.com:0443/": "default port",
    "https://www.zillow.com:/": "default port",
    "https://www.zillow.com:443:443/": "refused",
    "https://www.zillow.com./": "not a plain name",
    "https://www..zillow.com/": "not a plain name",
    f"https://{'x' * 64}.zillow.com/": "not a plain name",
    f"https://{'x.' * 130}zillow.com/": "not a plain name",
    "https://%77ww.zillow.com/": "not a plain name",
    "https://www%2ezillow.com/": "not a plain name",
    "https://\uff57ww.zillow.com/": "not a plain name",
    "https://www.zillow\u3002com/": "not a plain name",
    "https://evil.net%2f.zillow.com/": "not a plain name",
    "https://evil.net%00.zillow.com/": "not a plain name",
    "https://évil.zillow.com/": "not a plain name",
    "https://xn--mnchen-3ya.de\u212a/": "not a plain name",
    "https://\u017fub.zillow.com/": "not a plain name",
    "https://*.zillow.com/": "not a plain name",
    "https://127.0.0.1/": "an IP address",
    "https://127.1/": "an IP address",
    "https://2130706433/": "an IP address",
    "https://0x7f000001/": "an IP address",
    "https://0x7f.0.0.1/": "an IP address",
    "https://127.0.0.0x1/": "an IP address",
    "https://0177.0.0.01/": "an IP address",
    "https://127.0.0.1./": "an IP address",
    "https://0/": "an IP address",
    "https://169.254.169.254/latest/meta-data/": "an IP address",
    "https://8.8.8.8/": "an IP address",
    "https://[::1]/": "an IP address",
    "https://[::ffff:127.0.0.1]/": "an IP address",
    "https://[64:ff9b::7f00:1]/": "an IP address",
    "https://[fe80::1%25eth0]/": "refused",
    "https://[::1/": "refused",
    "https://\u2460\u2461\u2466.\u24ea.\u24ea.\u2460/": "not a plain name",
}


@pytest.mark.parametrize(("url", "reason"), REFUSED.items())
def test_any_other_spelling_is_refused_with_its_reason(url: str, reason: str) -> None:
    with pytest.raises(HostRefusedError, match=reason) as caught:
        ALLOW_LIST.check(url, source=Source.ZILLOW)

    assert caught.value.url == url
    assert "secret" not in str(caught.value)


def test_a_source_without_entries_may_ask_nobody() -> None:
    with pytest.raises(HostRefusedError, match=r"'zillow\.com'.*maricopa"):
        ALLOW_LIST.check("https://zillow.com/", source=Source.MARICOPA)


@given(st.text(max_size=40))
def test_whatever_stands_before_the_path_never_reaches_another_host(text: str) -> None:
    url = f"https://{text}"
    try:
        ALLOW_LIST.check(url, source=Source.ZILLOW)
    except HostRefusedError:
        return

    authority = url.removeprefix("https://").partition("/")[0].partition("?")[0]
    host = authority.partition("#")[0].lower().removesuffix(":443")
    assert ("." + host).endswith(
        (".zillow.com", ".photos.zillowstatic.com", ".xn--mnchen-3ya.de")
    )


class Recorder:
    def __init__(self) -> None:
        self.urls: list[str] = []
        self.closed = False

    async def get(self, request: Request) -> Fetched:
        self.urls.append(request.url)
        return Fetched(url=request.url, status=200, headers={}, body=b"")

    async def aclose(self) -> None:
        self.closed = True


async def test_the_guard_asks_nothing_inside_for_a_refused_host() -> None:
    inner = Recorder()
    guard = HostGuard(inner, allow_list=ALLOW_LIST)

    with pytest.raises(HostRefusedError):
        await guard.get(
            Request(url="https://[::1]/", source=Source.ZILLOW, kind=RequestKind.PAGE)
        )
    await guard.get(
        Request(url="https://zillow.com/", source=Source.ZILLOW, kind=RequestKind.PAGE)
    )
    await guard.aclose()

    assert inner.urls == ["https://zillow.com/"]
    assert inner.closed


@pytest.mark.parametrize(
    "address",
    [
        "93.184.216.34",
        "2606:2800:220:1:248:1893:25c8:1946",
        "::ffff:93.184.216.34",
        "64:ff9b::5db8:d822",
        "2002:5db8:d822::1",
    ],
)
def test_an_address_of_the_open_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "0.0.0.0",  # noqa: S104  # an address to refuse, not to bind
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "::ffff:127.0.0.1",
        "::ffff:0:7f00:1",
        "::ffff:169.254.169.254",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::1",
        "2001:0:7f00:1::1",
        "2001:db8::1",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
        "ff0e::1",
        "localhost",
        "",
    ],
)
def test_an_address_inside_or_special_is_not_public(address: str) -> None:
    assert not is_public(address)


def answering(
    *answers: Sequence[str],
) -> tuple[Callable[[str], Awaitable[Sequence[str]]], list[str]]:
    asked: list[str] = []
    left = list(answers)

    async def resolve(host: str) -> Sequence[str]:
        asked.append(host)
        return left.pop(0)

    return resolve, asked


async def test_one_inner_address_among_public_ones_refuses_the_host() -> None:
    resolve, _ = answering(["93.184.216.34", "10.0.0.7"])

    with pytest.raises(HostRefusedError, match=r"'zillow\.com'.*10\.0\.0\.7"):
        await PublicAddresses(resolve).of("zillow.com", url="https://zillow.com/")


async def test_a_name_is_resolved_once_so_it_cannot_be_rebound() -> None:
    resolve, asked = answering(["93.184.216.34"], ["127.0.0.1"])
    addresses = PublicAddresses(resolve)

    first = await addresses.of("zillow.com", url="https://zillow.com/")
    second = await addresses.of("zillow.com", url="https://zillow.com/")

    assert first == second == ("93.184.216.34",)
    assert asked == ["zillow.com"]


async def test_a_refused_host_stays_refused_until_all_its_addresses_are_public() -> (
    None
):
    resolve, _ = answering(["127.0.0.1"], ["127.0.0.1"], ["93.184.216.34"])
    addresses = PublicAddresses(resolve)

    for _ in range(2):
        with pytest.raises(HostRefusedError):
            await addresses.of("zillow.com", url="https://zillow.com/")

    assert await addresses.of("zillow.com", url="https://zillow.com/") == (
        "93.184.216.34",
    )


async def test_an_address_listed_for_stand_ins_is_accepted() -> None:
    resolve, _ = answering(["127.0.0.1"])
    addresses = PublicAddresses(resolve, also=frozenset({"127.0.0.1"}))

    assert await addresses.of("zillow.com", url="") == ("127.0.0.1",)


async def test_a_name_without_addresses_is_a_passing_fault() -> None:
    resolve, _ = answering([])

    with pytest.raises(TransientError, match=r"cannot resolve zillow\.com"):
        await PublicAddresses(resolve).of("zillow.com", url="https://zillow.com/")


async def test_a_failing_resolver_is_a_passing_fault_and_is_asked_again() -> None:
    async def resolve(host: str) -> Sequence[str]:
        failures.append(host)
        if len(failures) == 1:
            raise OSError("no server answered")
        return ["93.184.216.34"]

    failures: list[str] = []
    addresses = PublicAddresses(resolve)

    with pytest.raises(TransientError, match="no server answered"):
        await addresses.of("zillow.com", url="https://zillow.com/")

    assert await addresses.of("zillow.com", url="") == ("93.184.216.34",)


async def test_the_operating_systems_answer_for_localhost_is_refused() -> None:
    found = await system_resolve("localhost")

    assert found
    assert not any(is_public(address) for address in found)


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.com/v1",
        "https://api.example.com:8443",
        "http://127.0.0.1:11434/api",
        "http://localhost:11434",
        "http://[::1]:11434",
        "https://127.0.0.1:8443",
    ],
)
def test_a_public_https_server_and_one_on_this_machine_can_be_configured(
    url: str,
) -> None:
    endpoint = Endpoint.of(url, setting="PHX_VISION")

    AllowList({}, endpoints={"vision": [endpoint]}).check(
        url, source=Source.UNKNOWN, group="vision"
    )


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.com/hush",
        "https://user:hush@api.example.com",
        "https://10.0.0.7/hush",
        "http://192.168.1.5/hush",
        "http://169.254.169.254/hush",
        "https://2130706433/hush",
        "https://0x7f.1/hush",
        "ftp://127.0.0.1:21/hush",
        "http://127.0.0.1:port/hush",
        "http://[::1/hush",
        "https:///hush",
        "api.example.com/hush",
        "",
    ],
)
def test_any_other_is_refused_with_the_remedy_and_without_repeating_it(
    url: str,
) -> None:
    with pytest.raises(InputError, match=r"PHX_VISION must be https://HOST") as caught:
        Endpoint.of(url, setting="PHX_VISION")

    assert "hush" not in repr(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("host", "address", "passes"),
    [
        ("configured.example", "127.0.0.1", True),
        ("configured.example", "::1", True),
        ("configured.example", "93.184.216.34", True),
        ("configured.example", "10.0.0.7", False),
        ("configured.example", "169.254.169.254", False),
        ("other.example", "127.0.0.1", False),
    ],
)
async def test_only_a_configured_host_may_be_on_this_machine_and_none_next_to_it(
    host: str, address: str, *, passes: bool
) -> None:
    async def resolve(_host: str) -> Sequence[str]:
        return [address]

    addresses = PublicAddresses(resolve, configured={"configured.example"})
    if passes:
        assert await addresses.of(host, url=f"https://{host}/") == (address,)
        return
    with pytest.raises(HostRefusedError, match="not public"):
        await addresses.of(host, url=f"https://{host}/")
