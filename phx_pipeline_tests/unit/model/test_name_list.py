"""Names that share a line: none is cut, and none is forgotten."""

from hypothesis import given
from hypothesis import strategies as st

from phx_pipeline.model.name_list import line_of_names, names_of_line

_NAMES = st.lists(
    st.text("abc-0", min_size=1, max_size=30), min_size=1, max_size=60, unique=True
)


@given(_NAMES, st.integers(50, 300))
def test_whole_names_stand_there_as_many_as_fit_and_the_others_are_counted(
    names: list[str], most: int
) -> None:
    line = line_of_names(names, most=most)
    named, more = names_of_line(line)

    assert len(line) <= most
    assert list(named) == names[: len(named)]
    assert len(named) + more == len(names)
    assert (more == 0) == (len(", ".join(names)) <= most)


def test_a_line_without_names_is_empty() -> None:
    assert line_of_names([], most=10) == ""
