"""What came of reviews, as people and programs are told."""

from typing import TYPE_CHECKING, Any

from phx_pipeline.cli.console import errors

if TYPE_CHECKING:
    from phx_pipeline.workflows.reviews import ReviewsDone


def tell_waits(done: "ReviewsDone") -> None:
    """Tell which houses are named by a run later, and why."""
    for slug, why in done.waits.items():
        errors.print(
            f"what you say of {slug} is kept, and acted on by a run of the house that "
            f"waits in the queue (`phx up`, or `phx extract --address {slug} --sync` "
            f"later): {why}",
            soft_wrap=True,
        )


def plain_done(done: "ReviewsDone") -> dict[str, Any]:
    """Return what was said and what came of it, as JSON has it."""
    from phx_pipeline.workflows.rulings import plain_ruling

    return {
        "pictures": [
            {
                "property": it.review.slug,
                "source": it.review.photo.ref.source.value,
                "photo_key": it.review.photo.ref.photo_key,
                "ruling": it.review.value,
                "changed": it.changed,
                "before": it.before,
                "after": it.after,
            }
            for it in done.reviewed
        ],
        "rulings": list(map(plain_ruling, done.rulings)),
        "waits": dict(done.waits),
    }
