"""One browser per property and day, and nothing that contradicts it."""

from datetime import date, timedelta
from typing import get_args

from curl_cffi.requests.impersonate import BrowserTypeLiteral
from hypothesis import given
from hypothesis import strategies as st

from phx_pipeline.fetch.profile import PROFILES, USUAL_PROFILE, profile_for

DAY = date(2026, 11, 30)
SLUG = "4732-w-davis-rd-glendale-az-85306"


def test_every_profile_is_one_that_curl_cffi_has() -> None:
    assert {profile.impersonate for profile in PROFILES} <= set(
        get_args(BrowserTypeLiteral)
    )
    assert USUAL_PROFILE in PROFILES


def test_the_choice_is_the_same_in_every_version_and_process() -> None:
    chosen = [profile_for(SLUG, day=DAY + timedelta(n)).impersonate for n in range(5)]

    assert chosen == ["chrome146", "chrome150", "chrome150", "chrome145", "chrome146"]


@given(st.text(), st.dates())
def test_any_property_has_one_profile_all_day(slug: str, day: date) -> None:
    profile = profile_for(slug, day=day)

    assert profile in PROFILES
    assert profile == profile_for(slug, day=day)


def test_properties_and_days_spread_over_all_profiles() -> None:
    by_house = {profile_for(f"house-{n}", day=DAY) for n in range(100)}
    by_day = {profile_for(SLUG, day=DAY + timedelta(n)) for n in range(100)}

    assert by_house == by_day == set(PROFILES)


def test_headers_of_the_profile_are_left_to_it_and_others_are_kept() -> None:
    given_headers = {
        "User-Agent": "curl",
        "ACCEPT-LANGUAGE": "de",
        "accept-encoding": "identity",
        "Sec-CH-UA": "x",
        "sec-ch-ua-platform": '"Linux"',
        "Referer": "https://www.zillow.com/",
        "Accept": "image/jpeg",
    }

    assert USUAL_PROFILE.with_own(given_headers) == {
        "Referer": "https://www.zillow.com/",
        "Accept": "image/jpeg",
    }
