"""What a Chromium of some version says of itself, without starting one."""

import pytest

from phx_pipeline.fetch.identity import Installed, brands, installed_of, profile_of

DEBIAN = "Chromium 156.0.8078.108 built on Debian GNU/Linux 12 (bookworm)\n"


@pytest.mark.parametrize(
    ("told", "installed"),
    [
        (DEBIAN, Installed(brand="Chromium", major=156)),
        ("Google Chrome 150.0.7000.1 \n", Installed(brand="Google Chrome", major=150)),
        ("Mozilla Firefox 147.0\n", None),
        ("Chromium\n", None),
        ("", None),
    ],
)
def test_the_version_line_tells_brand_and_version(
    told: str, installed: Installed | None
) -> None:
    assert installed_of(told) == installed


@pytest.mark.parametrize(
    ("brand", "major", "hint"),
    [
        ("Chromium", 156, '"Not:A-Brand";v="8", "Chromium";v="156"'),
        ("Chromium", 155, '"Chromium";v="155", "Not(A:Brand";v="24"'),
        (
            "Google Chrome",
            145,
            '"Not:A-Brand";v="99", "Google Chrome";v="145", "Chromium";v="145"',
        ),
        (
            "Google Chrome",
            146,
            '"Chromium";v="146", "Not-A.Brand";v="24", "Google Chrome";v="146"',
        ),
        (
            "Google Chrome",
            150,
            '"Not;A=Brand";v="8", "Chromium";v="150", "Google Chrome";v="150"',
        ),
    ],
)
def test_the_brands_stand_where_chromium_puts_them(
    brand: str, major: int, hint: str
) -> None:
    assert brands(Installed(brand=brand, major=major)) == hint


@pytest.mark.parametrize(
    ("major", "impersonated"),
    [(156, "chrome150"), (147, "chrome146"), (146, "chrome146"), (99, "chrome145")],
)
def test_the_nearest_version_is_impersonated(major: int, impersonated: str) -> None:
    installed = Installed(brand="Chromium", major=major)

    assert profile_of(installed, platform="linux").impersonate == impersonated


@pytest.mark.parametrize(
    ("platform", "machine", "hint"),
    [
        ("linux", "(X11; Linux x86_64)", '"Linux"'),
        ("darwin", "(Macintosh; Intel Mac OS X 10_15_7)", '"macOS"'),
    ],
)
def test_the_platform_is_named_in_header_and_hint(
    platform: str, machine: str, hint: str
) -> None:
    installed = Installed(brand="Chromium", major=156)

    told = dict(profile_of(installed, platform=platform).headers)

    assert machine in told["User-Agent"]
    assert told["sec-ch-ua-platform"] == hint
