import pytest

from phx_pipeline.categorize.wording import plain_words


@pytest.mark.parametrize(
    ("caption", "plain"),
    [
        ("MasterBathroom", "master bathroom"),
        ("Mstr BR w/ W/I closet", "master bedroom with walk in closet"),
        ("1/2 Bath", "half bath"),
        ("Game / Media Rm", "game or media room"),
        ("Kitchen \u2014 view 2", "kitchen ; view 2"),
        ("Eat-in kitchin.", "eat in kitchen"),
        ("Garbage<br>bins", "garbage ; bins"),
        ("Halfway to a loving home", "halfway to a loving home"),
    ],
)
def test_a_caption_is_written_out(caption: str, plain: str) -> None:
    assert plain_words(caption) == plain
