"""States by name, code and ZIP code; what a person is asked about an address."""

import pytest

from phx_pipeline.model.states import doubt, state_at_end, state_code, states_of


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("az", "AZ"),
        ("Arizona", "AZ"),
        ("A.Z.", "AZ"),
        ("district  of Columbia", "DC"),
        ("Arizonia", None),
        ("", None),
    ],
)
def test_a_state_is_known_by_name_and_code(text: str, code: str | None) -> None:
    assert state_code(text) == code


@pytest.mark.parametrize(
    ("line", "words"),
    [("Mesa AZ", 1), ("Albany New York", 2), ("District of Columbia", 3), ("Mesa", 0)],
)
def test_a_state_at_the_end_is_counted_in_words(line: str, words: int) -> None:
    assert state_at_end(line.split()) == words


@pytest.mark.parametrize(
    ("zip_code", "codes"),
    [
        ("85003", {"AZ"}),
        ("86515", {"AZ"}),
        ("85400", set()),
        ("95014", {"CA"}),
        ("02138", {"MA"}),
        ("06390", {"CT", "NY"}),
        ("20001", {"DC"}),
        ("88510", {"TX"}),
        ("00000", set()),
    ],
)
def test_a_zip_code_tells_its_states(zip_code: str, codes: set[str]) -> None:
    assert states_of(zip_code) == codes


@pytest.mark.parametrize(
    ("state", "zip_code", "question"),
    [
        ("AZ", "85306", None),
        ("AZ", "99999", "ZIP 99999 belongs to AK, not to AZ"),
        ("AZ", "95014", "ZIP 95014 belongs to CA, not to AZ"),
        ("MA", "06390", "ZIP 06390 belongs to CT or NY, not to MA"),
        ("AZ", "00000", "no ZIP code begins with 000"),
        ("CA", "95014", "it is outside Arizona, in CA"),
    ],
)
def test_what_is_odd_about_a_place_is_asked(
    state: str, zip_code: str, question: str | None
) -> None:
    assert doubt(state, zip_code) == question
