"""One value that cannot be used is refused with its name."""

import pytest

from phx_pipeline.errors import InputError
from phx_pipeline.settings import (
    load_settings,
)
from phx_pipeline_tests.unit.settings.conftest import NUMBERS


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_outside_its_range_is_refused_with_name_and_range(name: str) -> None:
    field, low, high = NUMBERS[name]
    wrong = [str(low - 1), str(high + 1), "-3", "1.5", "many", "1e3", " ", "\u0663"]

    for text in wrong:
        with pytest.raises(InputError, match=f"{name}=.*from {low} to {high}"):
            load_settings({name: text})

    for number in (low, high):
        assert getattr(load_settings({name: str(number)}), field) == number


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(
            ("PHX_LOOK_CRON", text)
            for text in (
                *("daily", "6 * * *", "60 6 * * *", "* * * * * *", "5-1 * * * *"),
                *(
                    "*/0 * * * *",
                    "0 6 * * mon",
                    "0 24 * * *",
                    "0 6 0 * *",
                    "1,, * * * *",
                    "0 0 30 2 *",
                    "0 7 31 4,6 *",
                    "\u0660 6 * * *",
                ),
            )
        ),
        ("PHX_SEARCH_CRON", "60 5 * * *"),
        ("PHX_CA_FILE", "nowhere.pem"),
        ("PHX_PROXIES_FILE", "nowhere.txt"),
        ("PHX_CHROMIUM", "nowhere"),
        ("PHX_BROWSER", "on"),
        ("PHX_ISOLATION", "invisible"),
        ("PHX_WEBSHARE_MODE", "rotating"),
        ("PHX_IMAGE_FORMAT", "jpeg"),
        ("PHX_PROBE_URL", "http://probe.example/"),
        ("PHX_CODE_URL", "javascript:alert(1)"),
        ("PHX_CODE_URL", "https://["),
        ("PHX_CODE_URL", "https://"),
        ("PHX_CODE_URL", "https://code.example:99999/"),
        ("PHX_PROBE_URL", "https://probe.example/a b"),
        ("PHX_CA_FILE", "a" * 5000),
        ("PHX_DATA_DIR", "a" * 300),
        ("PHX_CATALOG_URL", "nonsense"),
        ("PHX_CATALOG_URL", "mysql://localhost/phx"),
        ("PHX_CATALOG_URL", "sqlite:/phx.db"),
        ("PHX_CATALOG_URL", "postgresql://localhost:port/phx"),
        ("PHX_CATALOG_URL", "postgresql://me:se@cret@localhost/phx"),
        ("PHX_DAGSTER_PG_URL", "nonsense"),
        ("PHX_DAGSTER_PG_URL", "sqlite:////phx/dagster.db"),
        ("PHX_DAGSTER_PG_URL", "postgresql://localhost:port/dagster"),
        ("PHX_DAGSTER_PG_URL", "postgresql://me:se@cret@localhost/dagster"),
        ("PHX_DAGSTER_PG_URL", "postgresql://localhost"),
        ("PHX_DAGSTER_PG_URL", "postgresql://localhost/"),
        ("PHX_USER", "ada\x1b[2J"),
        ("PHX_USER", " "),
        ("PHX_USER", "a" * 65),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_with_its_name(
    name: str, value: str
) -> None:
    with pytest.raises(InputError, match=name):
        load_settings({name: value})


@pytest.mark.parametrize("name", [*NUMBERS, "PHX_IMAGE_FORMAT", "PHX_SOURCES"])
@pytest.mark.parametrize("value", ["9" * 5000, "x" * 5000, "http://me:secret@proxy:1"])
def test_a_value_of_another_kind_is_told_shortly_and_without_passwords(
    name: str, value: str
) -> None:
    with pytest.raises(InputError, match=r"give|choose") as refused:
        load_settings({name: value})

    assert len(str(refused.value)) < 300
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("name", ["PHX_CA_FILE", "PHX_PROXIES_FILE"])
def test_a_file_that_is_not_there_is_told_without_a_password_put_there(
    name: str,
) -> None:
    with pytest.raises(InputError, match=f"{name}: there is no file") as refused:
        load_settings({name: "http://me:secret@proxy:1"})

    assert "secret" not in str(refused.value)
