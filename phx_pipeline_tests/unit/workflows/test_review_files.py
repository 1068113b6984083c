"""What programs and people make of a file to fill in is taken, or told row by row."""

import json

from phx_pipeline.stages.context import StageContext
from phx_pipeline.workflows.review_files import FileTaken, take_file


def test_json_of_another_program_is_taken_and_its_bad_rows_are_told(
    collected: StageContext,
) -> None:
    (slug,) = collected.catalog.slugs()
    first, second, *_ = collected.catalog.photos(slug)
    rows = [
        {"House": slug, "PHOTO": f"redfin/{first.ref.photo_key}", "Subject": " Pool "},
        {"house": "\ud800", "photo": "redfin/1", "subject": "pool"},
        {"house": slug, "photo": "redfin/\0", "subject": "pool"},
        {"house": slug, "photo": "redfin/1", "subject": "p\udfffl"},
        {"file": f"{second.ref.photo_key}.png", "subject": "  "},
    ]

    taken = take_file(collected, json.dumps(rows).encode("utf-16"), name="q.json")

    (given,) = taken.done.rulings
    assert (given.key, given.value) == (first.ref.photo_key, "ext/pool")
    assert (taken.empty, len(taken.problems)) == (1, 3)
    assert "row 2: house is '\\ud800'" in taken.problems[0]
    _csv_with_a_long_why(collected, f"{slug},redfin/{first.ref.photo_key}")


def _csv_with_a_long_why(context: StageContext, photo: str) -> None:
    def take(length: int) -> FileTaken:
        text = f"house,photo,subject,why\n{photo},sewer,{'w' * length}\n"
        return take_file(context, text.encode(), name="q.csv")

    (problem,) = take(1001).problems
    assert "why has more than 1000 characters" in problem
    (given,) = take(1000).done.rulings
    assert len(given.why) == 1000
