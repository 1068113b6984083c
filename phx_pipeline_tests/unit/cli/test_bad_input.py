"""Bad input is one line on standard error, exit code 2, and an unchanged catalogue."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from phx_pipeline.settings import load_settings
from phx_pipeline.wiring.stores import initialise
from phx_pipeline_tests.commands import Phx, UseSettings
from phx_pipeline_tests.deployment import Deployment

WEST = ["search", "add", "west", "--zip", "85306"]
KNOWN = "4732 W Davis Rd, Glendale, AZ 85306"
KEY = "4732-w-davis-rd-glendale-az-85306"
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
        (["properties", "add", "x" * 5000], "too long"),
        (["properties", "add", "none.csv"], "there is no file none.csv"),
        (["properties", "add", "houses.cvs"], "there is no file houses.cvs"),
        (["properties", "add", "lists/houses"], "there is no file lists/houses"),
        (["properties", "add", "1 W Davis Rd, Mesa.Ariz"], "no ZIP code"),
        (["properties", "add", "www.redfin.com/AZ/Mesa"], "names no address"),
        (["images", "1-nowhere"], "unknown property '1-nowhere'"),
        (["images", OTHER], "unknown property '100-n-adams-st-phoenix-az-85003'"),
        (["images", "4732 W Davis Rd, Glendale"], "no ZIP code"),
        (["extract", "--address", "1-nowhere"], "unknown property '1-nowhere'"),
        (["extract", "--address", KNOWN, "--address", "deadbeef"], "'deadbeef'"),
        ([*WEST, "--sources", "zilow"], "choose from zillow, redfin"),
        (["extract", "--all", "--sources", "redfn"], "'redfn' (did you mean redfin?)"),
        (["extract", "--all", "--sources", ","], "unknown source ','"),
        (["extract", "--all", "--sources", "zillow"], "zillow is not enabled"),
        (["sources", "check", "Redfin"], "'Redfin' (did you mean redfin?)"),
        (["sources", "reset", "redfin/foto"], "did you mean redfin/photos?"),
        (["sources", "check", "4fe553f3"], "a house goes behind --house"),
        (["sources", "replay", "nope.zip"], "there is no file nope.zip"),
        (["extract"], "say which properties: --all"),
        (["extract", "--all", "--address", KNOWN], "give one of --all and --address"),
        (["extract", "--all", "--isolation", "mini"], "not one of"),
        (["extract", "--all", "--sync", "--isolation", "mini"], "not one of"),
        (["extract", "--sync"], "say which properties: --all"),
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
        (b"", "is empty"),
        (b"full_address\n", "no rows below the header"),
        (b"street,city,zip\n1 W Davis Rd,Mesa,85201\n", "missing column state"),
        ("full_address\nPe\u00f1a\n".encode("latin-1"), "row 2: address 'Pe\u00f1a'"),
        (b"full_address\nnowhere\n1 W\n", "row 3: "),
        (b"%PDF-1.7", "is a PDF"),
        (b"\x89PNG\r\n\x1a\n\0", "is not text"),
    ],
    ids=["empty", "header", "column", "latin-1", "bad rows", "PDF", "picture"],
)
def test_nothing_is_added_from_a_file_without_a_good_row(
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


@pytest.mark.parametrize(
    ("arguments", "wrong", "told"),
    [
        ("rulings export", "x.csv", "ends in neither .jsonl nor .ndjson"),
        ("review export", "x.xlsx", "ends in neither .csv nor .json"),
        ("review list --sheet", "x.gif", "ends in neither .jpg nor .jpeg"),
        (f"duplicates list {KEY} --sheet", "x.png", "ends in neither .jpg nor .jpeg"),
        ("categorize eval --matrix", "x.jpg", "does not end in .png"),
        (f"export {KEY} --to", "x.tar", "does not end in .zip"),
        ("properties add 4732 --problems", "x.txt", "does not end in .csv"),
    ],
)
def test_every_named_output_is_looked_at_before_any_work(
    phx: Phx, tmp_path: Path, arguments: str, wrong: str, told: str
) -> None:
    for file, complaint in (
        (tmp_path / wrong, f"{told}: name it so"),
        (tmp_path, "is a folder: name a file"),
        (f"{tmp_path}/x.csv/", "is a folder: name a file"),
    ):
        ended = phx(*arguments.split(), str(file))

        assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
        assert ended.err.startswith(f"phx: {file} ")
        assert complaint in ended.err
    assert list(tmp_path.iterdir()) == []


def test_a_demo_is_made_in_no_folder_that_holds_other_things(
    phx: Phx, tmp_path: Path
) -> None:
    (tmp_path / "letters").mkdir()

    ended = phx("demo", "--folder", str(tmp_path))

    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert f"{tmp_path} holds other things than a demo" in ended.err
    assert [it.name for it in tmp_path.iterdir()] == ["letters"]


def test_a_demo_is_made_below_no_link_that_leads_to_itself(
    phx: Phx, tmp_path: Path
) -> None:
    link = tmp_path / "link"
    link.symlink_to(link)

    ended = phx("demo", "--folder", str(link))

    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert f"--folder='{link}': it names an unknown user, or a link" in ended.err


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
        ("PHX_SOURCES", "redfn", "PHX_SOURCES: unknown source 'redfn'"),
        ("PHX_SOURCES", "unknown", "unknown source 'unknown': choose from zillow"),
        ("PHX_BROWSR", "1", "unknown setting PHX_BROWSR (did you mean PHX_BROWSER?)"),
        ("PHX_PROXY", "127.0.0.1:3128", "PHX_PROXY: give SCHEME://"),
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
        (["extrct"], "Did you mean `phx extract`?"),
        (["search", "rm", "west"], "Did you mean `phx search remove`?"),
        (["stauts"], "Did you mean `phx status`?"),
        (["statsu"], "Did you mean `phx status`?"),
        (["satts"], "Did you mean `phx stats`?"),
        (["start"], "Did you mean `phx up`?"),
        (["ls"], "Did you mean `phx properties list`?"),
        (["run"], "Did you mean `phx up` or `phx extract`?"),
        (["propertes", "list"], "Did you mean `phx properties`?"),
        (["confirm"], "Did you mean `phx properties confirm`?"),
        (["properties", "extract"], "Did you mean `phx extract`?"),
        (["bench", "imagin"], "Did you mean `phx bench imaging`?"),
        (["Xyzzy"], "No such command 'Xyzzy' (see `phx --help`)"),
        ([*WEST, "--pool", "--no-pool"], "give --pool or --no-pool, not both"),
        (["extract", "--all", "--fresh", "--resume"], "give --resume or --fresh, not"),
        (["digest", "tset"], "Did you mean `phx digest test`?"),
        (["search", "edit"], "No such command 'edit' (see"),
        (["changes", "--kind", "price_drop"], "did you mean price_cut?"),
        (["properties", "lst"], "Did you mean `phx properties list`?"),
        (["properties", "add", "4732", "W", "Davis"], "an address needs quotes"),
        (["properties", "add", "4 W Rd, Mesa", "5 W Rd"], "one house at a time, or a"),
        (["extract", "686067a4"], "name a house by --address"),
        (["quarantine", "list", "686067a4"], "name a house by --property"),
        (["sources", "reset", "redfin", "4732"], "extra argument (4732) (see"),
        (["sources", "check", "--house", ""], "'--house': it is empty"),
        (["extract", "--all", "--sources", " "], "'--sources': it is empty"),
        (["extract", "--address", ""], "'--address': it is empty"),
        (["ingest", "page.html", "--source", ""], "'--source': it is empty"),
        (["job", "\udcff"], "'JOB_ID': '\\udcff' is no text in UTF-8"),
        (["properties", "show", "\udcff"], "'HOUSE': '\\udcff' is no text in UTF-8"),
        (["properties", "add", "\udcff"], "'\\udcff' is no text in UTF-8"),
        (["search", "run", "west", "\udcff"], "'\\udcff' is no text in UTF-8"),
        (["keys", "revoke", "D\udcc3\udca4vis"], "is in UTF-8, which Python is told"),
        (["repair", ""], "'[HOUSE]': it is empty"),
        (["images", "--location", "inn"], "there is no 'inn' (did you mean int?): "),
        (["images", "--since", "7 days"], "neither a day, such as 2026-01-15"),
        (["images", KNOWN, "--min-confidence", "100"], "number of percent, 0 to 99"),
        (["extract", "--everything"], "No such option"),
        (["up", "--port", "99999"], "0<=x<=65535"),
        (["properties", "add"], "Missing argument"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_command_line_is_told_in_one_line_with_where_the_right_one_is(
    phx: Phx, arguments: list[str], told: str
) -> None:
    ended = phx(*arguments)

    assert ended.code == 2
    assert ended.out == ""
    assert ended.err.count("\n") == 1
    assert "--help`" in ended.err
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
    assert ended.err == (
        "phx: the catalogue is not initialised: run `phx init` "
        f"(none in {tmp_path / 'phx.db'}), or go to the folder where you began, "
        "or set PHX_DATA_DIR\n"
    )
    monkeypatch.setenv("PHX_SERVER", "https://pictures.example")
    told = phx(*arguments)
    assert (told.code, "computer of https://pictures.example" in told.err) == (2, True)
    assert list(tmp_path.iterdir()) == []


def test_without_properties_there_is_nothing_to_extract(
    phx: Phx, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PHX_DATA_DIR", str(tmp_path))
    initialise(load_settings())

    ended = phx("extract", "--all")

    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "phx properties add" in ended.err


CUPERTINO = "10400 N De Anza Blvd, Cupertino, CA 95014"


@pytest.mark.parametrize(
    ("address", "told"),
    [
        (CUPERTINO, "it is outside Arizona, in CA"),
        ("1 W Adams St, Phoenix, AZ 99999", "ZIP 99999 belongs to AK, not to AZ"),
    ],
)
def test_an_odd_address_is_added_only_with_yes(
    phx: Phx, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, address: str, told: str
) -> None:
    monkeypatch.setenv("PHX_DATA_DIR", str(tmp_path))
    initialise(load_settings())

    refused = phx("properties", "add", address)
    added = phx("properties", "add", address, "--yes")
    again = phx("properties", "add", address)

    assert (refused.code, refused.out, refused.err.count("\n")) == (2, "", 1)
    assert told in refused.err
    assert "add --yes if it is right" in refused.err
    assert (added.code, added.out.splitlines()[-1]) == (0, "1 added")
    assert (again.code, again.out.splitlines()[-1]) == (
        0,
        "nothing new, 1 known already",
    )


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 2), ("\n", 2)])
def test_at_a_terminal_an_odd_address_is_asked_about(
    phx: Phx, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: str, code: int
) -> None:
    monkeypatch.setenv("PHX_DATA_DIR", str(tmp_path))
    initialise(load_settings())
    terminal = io.StringIO(answer)
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", terminal)

    ended = phx("properties", "add", CUPERTINO)

    assert ended.code == code
    assert f"{CUPERTINO}: it is outside Arizona, in CA\nAdd it? [y/N]" in ended.out
    assert ("1 added" in ended.out) is (code == 0)


def test_standard_input_is_a_file_too(
    phx: Phx, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PHX_DATA_DIR", str(tmp_path))
    initialise(load_settings())
    content = f"street;city;state;zip\n100 N Adams St;Phoenix;AZ;85003\n{CUPERTINO}\n"
    pipe = io.TextIOWrapper(io.BytesIO(content.encode("utf-16")))
    monkeypatch.setattr("sys.stdin", pipe)

    ended = phx("properties", "add", "-")

    assert ended.code == 3
    assert ended.out.startswith("added 100-n-adams-st-phoenix-az-85003")
    assert "row 3: " in ended.err


def test_an_odd_row_of_a_file_waits_for_yes(
    phx: Phx, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PHX_DATA_DIR", str(tmp_path))
    initialise(load_settings())
    file = tmp_path / "houses.txt"
    file.write_text(f"{OTHER}\n{CUPERTINO}\n")

    without = phx("properties", "add", str(file))
    sure = phx("properties", "add", str(file), "--yes")

    assert (without.code, sure.code) == (3, 0)
    assert without.err == (
        f"phx: row 2: {CUPERTINO}: it is outside Arizona, in CA: add --yes if it is "
        "right\n"
    )
    assert without.out.endswith("1 added, 1 row left for --yes\n")
    assert sure.out.endswith("1 added, 1 known already\n")


def test_the_problems_never_overwrite_the_file(phx: Phx, tmp_path: Path) -> None:
    file = tmp_path / "houses.csv"
    file.write_text("nowhere\n")

    ended = phx("properties", "add", str(file), "--problems", str(file))

    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "would overwrite" in ended.err
    assert file.read_text() == "nowhere\n"


def test_another_spelling_of_a_known_house_says_which(phx: Phx, tmp_path: Path) -> None:
    file = tmp_path / "houses.txt"
    spelled = "4732 west davis road glendale az 85306"
    file.write_text(f"note,address\n,{spelled}\n")
    told = (
        f"known as 4732-w-davis-rd-glendale-az-85306  ({KNOWN}), typed as {spelled!r}\n"
    )

    one = phx("properties", "add", spelled)
    several = phx("properties", "add", str(file))

    assert one.out == told + "nothing new, 1 known already\n"
    assert several.out == one.out


def test_a_value_of_any_length_leaves_the_remedy_in_sight(phx: Phx) -> None:
    ended = phx("job", "x" * 100_000)

    assert ended.code == 2
    assert len(ended.err) < 2_100
    assert ended.err.startswith("phx: no job 'xxx")
    assert ended.err.endswith("xxx': `phx jobs` lists those that are kept\n")
