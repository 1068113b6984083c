"""Bad input is one line on standard error, exit code 2, and an unchanged catalogue."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from phx_pipeline.settings import load_settings
from phx_pipeline.wiring import initialise
from phx_pipeline_tests.commands import Phx, UseSettings
from phx_pipeline_tests.deployment import Deployment

KNOWN = "4732 W Davis Rd, Glendale, AZ 85306"
OTHER = "100 N Adams St, Phoenix, AZ 85003"


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Stores that know one house; no site can be reached."""
    with Deployment(tmp_path_factory.mktemp("bad_input"), {}) as made:
        made.add([KNOWN])
        yield made


@pytest.fixture
def phx(phx: Phx, deployment: Deployment, use_settings: UseSettings) -> Phx:
    """Run a command line on the deployment."""
    use_settings(deployment.settings)
    return phx


@pytest.fixture
def rows(deployment: Deployment) -> Callable[[], list[object]]:
    """All the catalogue knows: content, and jobs that wait."""

    def read() -> list[object]:
        with deployment.context() as context:
            waiting = context.catalog.jobs.waiting(limit=100)
            return [*context.catalog.content_rows(), *waiting]

    return read


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["properties", "add", "W Davis Rd, Mesa, AZ 85201"], "no street number"),
        (["properties", "add", "1 W Davis Rd, Mesa, AZ"], "no ZIP code"),
        (["properties", "add", "1 W Davis Rd, Mesa 85201"], "no state"),
        (["properties", "add", "1 W Davis Rd, Mesa, QQ 85201"], "unknown state 'QQ'"),
        (["properties", "add", ""], "it is empty"),
        (["properties", "add", "x" * 5000], "no ZIP code"),
        (["properties", "add", "none.csv"], "there is no file none.csv"),
        (["images", "1-nowhere"], "unknown property '1-nowhere'"),
        (["images", OTHER], "unknown property '100-n-adams-st-phoenix-az-85003'"),
        (["images", "4732 W Davis Rd, Glendale"], "no ZIP code"),
        (["extract", "--address", "1-nowhere"], "unknown property '1-nowhere'"),
        (["extract", "--address", KNOWN, "--address", "deadbeef"], "'deadbeef'"),
        (["extract", "--all", "--sources", "redfn"], "unknown source redfn"),
        (["extract", "--all", "--sources", ","], "unknown source ','"),
        (["extract", "--all", "--sources", "zillow"], "zillow is not enabled"),
        (["extract"], "either --all, or --address"),
        (["extract", "--all", "--address", KNOWN], "either --all, or --address"),
        (["extract", "--sync"], "either --all, or --address"),
    ],
    ids=lambda value: " ".join(value)[:60] if isinstance(value, list) else "",
)
def test_what_cannot_be_used_is_told_in_one_line(
    phx: Phx,
    rows: Callable[[], list[object]],
    arguments: list[str],
    told: str,
) -> None:
    before = rows()

    ended = phx(*arguments)

    assert ended.code == 2
    assert ended.out == ""
    assert ended.err.startswith("phx: ")
    assert ended.err.count("\n") == 1
    assert told in ended.err
    assert rows() == before


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "missing column"),
        (b"full_address\n", "no rows below the header"),
        (b"street,city,zip\n1 W Davis Rd,Mesa,85201\n", "missing column state"),
        ("full_address\nPe\u00f1a\n".encode("latin-1"), "line 2 is not UTF-8"),
        (f'full_address\n"{OTHER}"\nnowhere\n'.encode(), "row 3: "),
        (f'full_address\n"{OTHER}"\n"{OTHER}"\n'.encode(), "row 3 repeats row 2"),
        (f'full_address\n"{OTHER}"\n"1 W\n'.encode(), "is not CSV"),
    ],
    ids=["empty", "header", "column", "latin-1", "bad row", "repeated", "quotes"],
)
def test_nothing_is_added_from_a_file_with_a_mistake(
    phx: Phx,
    rows: Callable[[], list[object]],
    tmp_path: Path,
    content: bytes,
    told: str,
) -> None:
    file = tmp_path / "houses.csv"
    file.write_bytes(content)
    before = rows()

    ended = phx("properties", "add", str(file))

    assert ended.code == 2
    assert ended.err.startswith(f"phx: {file}")
    assert ended.err.count("\n") == 1
    assert told in ended.err
    assert rows() == before


def test_a_folder_with_the_name_of_a_file_is_refused(phx: Phx, tmp_path: Path) -> None:
    folder = tmp_path / "houses.csv"
    folder.mkdir()

    ended = phx("properties", "add", str(folder))

    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "cannot be read" in ended.err


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("PHX_DOWNLOADS", "0", "from 1 to 20"),
        ("PHX_CATALOG_URL", "nonsense", "postgresql://"),
        ("PHX_SOURCES", "redfn", "unknown source redfn"),
        ("PHX_SOURCES", "phoenix_mls", "phoenix_mls cannot be asked yet"),
        ("PHX_NO_SUCH", "1", "unknown setting PHX_NO_SUCH"),
        ("PHX_CA_FILE", "none.pem", "there is no file"),
    ],
)
def test_a_bad_setting_is_told_in_one_line(
    phx: Phx, monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    monkeypatch.setenv(name, value)

    ended = phx("status")

    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert told in ended.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["extrct"], "No such command 'extrct'"),
        (["images"], "Missing argument 'HOUSE'"),
        (["images", KNOWN, "--min-confidence", "100"], "0<=x<=99"),
        (["extract", "--everything"], "No such option"),
        (["up", "--port", "99999"], "1<=x<=65535"),
        (["properties", "add"], "Missing argument"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_command_line_is_told_with_the_usage(
    phx: Phx, arguments: list[str], told: str
) -> None:
    ended = phx(*arguments)

    assert ended.code == 2
    assert ended.out == ""
    assert "Usage: phx" in ended.err
    assert told in ended.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["properties", "add", OTHER],
        ["properties", "list"],
        ["extract", "--all", "--sync"],
        ["status"],
        ["images", KNOWN],
        ["verify"],
    ],
    ids=" ".join,
)
def test_without_stores_the_remedy_is_told(
    phx: Phx, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: list[str]
) -> None:
    monkeypatch.setenv("PHX_DATA_DIR", str(tmp_path))

    ended = phx(*arguments)

    assert ended.code == 1
    assert ended.err == "phx: the catalogue is not initialised: run `phx init`\n"


def test_without_properties_there_is_nothing_to_extract(
    phx: Phx, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PHX_DATA_DIR", str(tmp_path))
    initialise(load_settings())

    ended = phx("extract", "--all")

    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "phx properties add" in ended.err
