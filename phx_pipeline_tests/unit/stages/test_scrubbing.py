"""What is taken out of kept answers leaves JSON what it is, and photos their names."""

import json

import pytest

from phx_pipeline.stages.scrubbing import GONE, Keeping, scrubbed

KEY = "7d1f9a0b3c5e8246ac13ff-cc_ft_1536"
URL = f"https://photos.zillowstatic.com/fp/{KEY}.jpg"
TOKEN = "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7"  # noqa: S105 - of nothing


@pytest.mark.parametrize(
    "value",
    [
        {"isAuthenticated": False, "session": None, "authCount": 17},
        {"phone": 6025551234, "visitorId": 12.5},
        {"remarks": "Call\n602-555-1234\tor \\ write\njane.roe@example.com"},
        {"path": "/a/\u0001602-555-1234", "ip": "\n192.0.2.7"},
        {"query": f'{{"token":"{TOKEN}","open":true}}'},
        {"rate": 3.3500837520938025e-04},
    ],
)
@pytest.mark.parametrize("depth", range(3))
def test_json_stays_json_at_any_depth(value: dict[str, object], depth: int) -> None:
    text = json.dumps(value)
    for _ in range(depth):
        text = json.dumps(text)

    left = scrubbed(text)

    opened: object = left
    for _ in range(depth + 1):
        assert isinstance(opened, str)
        opened = json.loads(opened)
    assert isinstance(opened, dict)
    assert opened.keys() == value.keys()
    for secret in ("602-555", "6025551234", "192.0.2.7", "jane.roe", TOKEN):
        assert secret not in left


def test_a_number_and_a_flag_stay_of_their_kind() -> None:
    left = scrubbed('{"isAuthenticated":false,"phone":6025551234,"rate":3.35002E-4}')

    assert json.loads(left) == {
        "isAuthenticated": False,
        "phone": 0,
        "rate": 3.35002e-4,
    }


@pytest.mark.parametrize("slash", ["/", r"\/", r"\u002F", "%2F"])
def test_the_names_of_photos_stay_and_tokens_beside_them_go(slash: str) -> None:
    text = f'{{"url":"{URL}?sig={TOKEN}","name":"{TOKEN}"}}'.replace("/", slash)

    kept = scrubbed(text, keeping=Keeping([URL, KEY]))

    assert KEY in kept
    assert TOKEN not in kept
    assert KEY not in scrubbed(text)


def test_a_telling_name_does_not_take_a_photo_away() -> None:
    text = '{"photoGuid":"20190828185410321187000000"}'

    assert scrubbed(text, keeping=Keeping(["20190828185410321187000000"])) == text
    assert scrubbed(text) == f'{{"photoGuid":"{GONE}"}}'


@pytest.mark.parametrize("mail", ["jane.roe@example.com", "ulrich@example.com"])
@pytest.mark.parametrize(
    "before", ["", " ", "\n", "\\", "/", "\u0001", "=", "%20", "a" * 100]
)
@pytest.mark.parametrize("depth", range(3))
def test_an_address_goes_whatever_stands_before_it(
    before: str, mail: str, depth: int
) -> None:
    text = before + mail
    for _ in range(depth):
        text = json.dumps(text)

    assert mail[1:] not in scrubbed(text)
