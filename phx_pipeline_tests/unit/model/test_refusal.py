"""What a disk refuses is one sentence with path and remedy."""

import errno
import re
from pathlib import Path

import pytest

from phx_pipeline.errors import DiskError
from phx_pipeline.model.refusal import disk_error, on_disk, refusal

PLACE = Path("/data/property_images/x.png")


def error(number: int, named: Path | None = None) -> OSError:
    return OSError(number, "as the system says", named and str(named))


def written(refused: OSError, *, to: Path | None = None) -> None:
    with on_disk(to):
        raise refused


def test_every_error_has_a_remedy_on_one_line() -> None:
    told = {name: refusal(number, PLACE) for number, name in errno.errorcode.items()}

    line = re.compile(rf"{re.escape(str(PLACE))}: .+; .+")
    assert {name: it for name, it in told.items() if not line.fullmatch(it)} == {}


@pytest.mark.parametrize(
    ("number", "stops_all"),
    [
        (errno.ENOSPC, True),
        (errno.EDQUOT, True),
        (errno.EROFS, True),
        (errno.EMFILE, True),
        (errno.EACCES, False),
        (errno.EIO, False),
    ],
)
def test_what_the_whole_disk_refuses_stops_all_houses(
    number: int, *, stops_all: bool
) -> None:
    with pytest.raises(DiskError) as told:
        written(error(number, PLACE))

    assert told.value.stops_all is stops_all


def test_a_temporary_file_is_told_as_what_it_was_to_become() -> None:
    temporary = PLACE.with_name(".x.png.0123456789abcdef.tmp")

    with pytest.raises(DiskError, match=rf"^{PLACE}: "):
        written(error(errno.ENOSPC, temporary), to=PLACE)


def test_a_file_the_error_names_is_told_before_the_one_that_was_meant() -> None:
    with pytest.raises(DiskError, match=r"^/other: "):
        written(error(errno.EACCES, Path("/other")), to=PLACE)


def test_what_tells_of_no_file_is_no_fault_of_a_disk() -> None:
    assert disk_error(error(errno.ECONNREFUSED)) is None
    assert disk_error(OSError("only a text")) is None
    with pytest.raises(ConnectionRefusedError):
        written(error(errno.ECONNREFUSED))


def test_a_path_of_thousands_of_characters_is_shortened() -> None:
    told = refusal(errno.ENAMETOOLONG, f"/data/{'x' * 5000}/phx.db")

    assert len(told) < 500
    assert told.startswith("/data/xxx")
    assert "xxx/phx.db: the name is too long" in told
