"""Facts and PNGs made again from the originals, and compared with what rows say."""

from collections.abc import Iterator
from dataclasses import fields, replace
from functools import partial
from hashlib import sha256

from phx_pipeline.errors import ImageError, StorageError
from phx_pipeline.imaging.decode import decode
from phx_pipeline.imaging.standardize import standard_frame, standardize
from phx_pipeline.model.photo import Blob
from phx_pipeline.model.picture import StandardPicture
from phx_pipeline.stages.collect import facts_of
from phx_pipeline.stages.context import StageContext, picture_pool
from phx_pipeline.stages.dedupe import keep_png
from phx_pipeline.workflows.verify import Fault, Problem


def verify_facts(context: StageContext, slug: str) -> list[Problem]:
    """Return the originals of *slug* of which rows say other than their bytes.

    Compared are sizes, hashes, appearance, and the PNG of the settings' recipe. An
    original that cannot be read is left to `verify_property`.
    """
    blobs = context.catalog.blobs(slug)
    pictures = context.catalog.pictures(sorted(blobs))
    rows = [
        (blob, pictures.get((sha, context.recipe)))
        for sha, blob in sorted(blobs.items())
    ]
    with picture_pool(context) as pool:
        found = pool.map(partial(_compared, context), *zip(*rows, strict=True))
        return [problem for problems in found for problem in problems]


def correct_facts(context: StageContext, slug: str, sha: str) -> None:
    """Write what the bytes of an original say, and make its PNG again if it has one.

    Raises:
        StorageError: the original is not whole.
        ImageError: it is no picture.
    """
    body = context.blobs.read_raw(sha)
    picture = decode(body)
    with context.holding(slug) as lease:
        context.catalog.record_examined(lease, facts_of(body, picture))
        if (sha, context.recipe) in context.catalog.pictures([sha]):
            frame = standard_frame(picture, max_side=context.max_side)
            keep_png(context, lease, sha, frame, recipe=context.recipe)


def _compared(
    context: StageContext, known: Blob, picture: StandardPicture | None
) -> list[Problem]:
    try:
        body = context.blobs.read_raw(known.sha256)
    except StorageError:
        return []
    told = [*_differences(context, known, picture, body)]
    return [
        Problem(
            fault=Fault.FACTS,
            text=f"original {known.sha256} differs from its rows: {', '.join(told)}",
            sha256=known.sha256,
        )
    ] * bool(told)


def _differences(
    context: StageContext, known: Blob, picture: StandardPicture | None, body: bytes
) -> Iterator[str]:
    try:
        decoded = decode(body)
    except ImageError as error:
        yield str(error)
        return
    seen = facts_of(body, decoded)
    if known.appearance is None:  # of an older version: no claim, nothing to compare
        seen = replace(seen, appearance=None)
    elif seen.appearance is not None and known.appearance.detail is None:
        seen = replace(seen, appearance=replace(seen.appearance, detail=None))
    for field in fields(Blob):
        if getattr(known, field.name) != getattr(seen, field.name):
            yield field.name
    if picture is not None:
        made = standardize(decoded, max_side=context.max_side)
        if sha256(made.png).hexdigest() != picture.png_sha256:
            yield "PNG"
