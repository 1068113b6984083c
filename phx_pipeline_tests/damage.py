"""What may go wrong with stores, done to them on purpose."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from phx_pipeline.demo.houses import HOUSES
from phx_pipeline.model.outcome import Verdict
from phx_pipeline.stages.context import StageContext
from phx_pipeline_tests.expected import verdict_of
from phx_pipeline_tests.stored_blobs import raw_hashes

Break = Callable[[StageContext], None]

# One with copies, so that clusters of two are among its few photos.
_WITH_COPY = next(h for h in HOUSES if any(s.copied for s in h.record.shots))
_COPY = next(s for s in _WITH_COPY.record.shots if s.copied)
_COPIED = [s for s in _WITH_COPY.record.shots if s.drawing == _COPY.drawing]
_OTHERS = [
    s
    for s in _WITH_COPY.record.shots
    if s.drawing != _COPY.drawing and verdict_of(s).value == "kept"
]
SHOTS = (*_COPIED, *_OTHERS[:2])
HOUSE = replace(_WITH_COPY, record=replace(_WITH_COPY.record, shots=SHOTS))


def a_file(context: StageContext) -> Path:
    (slug,) = context.catalog.slugs()
    return min(context.layout.folder(context.house(slug).folder).glob("*.png"))


def an_original(context: StageContext) -> Path:
    return context.layout.raw(min(raw_hashes(context.layout)))


def overwrite(path: Path, body: bytes) -> None:
    """Give *path* other bytes without touching files it shares its content with."""
    path.unlink()
    path.write_bytes(body)


def execute(context: StageContext, statement: str) -> int:
    """Change the catalogue behind its back; return how many rows changed."""
    with closing(sqlite3.connect(context.layout.catalogue)) as connection:
        changed = connection.execute(statement).rowcount
        connection.commit()
    return changed


def delete_file(context: StageContext) -> None:
    a_file(context).unlink()


def alter_file(context: StageContext) -> None:
    overwrite(a_file(context), a_file(context).read_bytes() + b"x")


def add_stray(context: StageContext) -> None:
    a_file(context).with_name("[stray].png").write_bytes(b"not ours")


def delete_sidecar(context: StageContext) -> None:
    a_file(context).with_suffix(".json").unlink()


def add_stray_sidecar(context: StageContext) -> None:
    a_file(context).with_name("[stray].json").write_bytes(b"not ours")


def lead_nowhere(context: StageContext) -> None:
    """Leave a link that the folder of a house left, which somebody deleted."""
    name = "00000000_int_kitchen_95_r_20260115.png"
    link = context.layout.view("by_subject", "kitchen") / name
    link.symlink_to(f"../../../processed/00000000/{name}")


def edit_manifest(context: StageContext) -> None:
    path = context.layout.metadata / "image_manifest.json"
    manifest = json.loads(path.read_text())
    for images in manifest["properties"].values():
        images.pop()
    path.write_text(json.dumps(manifest))


def delete_view(context: StageContext) -> None:
    (context.layout.metadata / "hash_index.json").unlink()


def count_wrongly(context: StageContext) -> None:
    assert execute(context, "update photo_count set photos = photos + 1")


def keep_two_of_a_cluster(context: StageContext) -> None:
    assert execute(context, "update photo set verdict='kept' where verdict='duplicate'")


def keep_none_of_a_cluster(context: StageContext) -> None:
    assert execute(
        context,
        "update photo set verdict='duplicate' where verdict='kept' and cluster_id in "
        "(select cluster_id from photo where verdict='duplicate')",
    )


def unpublish(context: StageContext) -> None:
    assert execute(context, "update publication set active=0 where sequence=1")


def corrupt_original(context: StageContext) -> None:
    overwrite(an_original(context), b"rotten")


def delete_original(context: StageContext) -> None:
    an_original(context).unlink()


def truncate_original(context: StageContext) -> None:
    path = an_original(context)
    overwrite(path, path.read_bytes()[:-100])


def hold_half_a_picture(context: StageContext) -> None:
    """Make it a store of a version that took half a JPEG for a whole picture.

    It is the better one of two copies.
    """
    (slug,) = context.catalog.slugs()
    photos = context.catalog.photos(slug)
    copied = {it.cluster_id for it in photos if it.verdict is Verdict.DUPLICATE}
    best = next(
        it for it in photos if it.verdict is Verdict.KEPT and it.cluster_id in copied
    )
    before = str(best.sha256)
    body = context.blobs.read_raw(before)
    after = context.blobs.put_raw(body[: len(body) // 2] + b"\xff\xd9")
    for unknown in ("pair_judgement", "vote"):  # that version had none
        execute(context, f"delete from {unknown}")  # noqa: S608 - a constant
    for table in ("blob", "appearance", "picture", "publication", "photo"):
        rename = f"update {table} set sha256='{after}' where sha256='{before}'"  # noqa: S608 - two hashes
        assert execute(context, rename)
    png = context.blobs.read_standardized(before, context.recipe)
    context.blobs.put_standardized(after, context.recipe, png)
    context.blobs.drop_standardized(before, context.recipe)
    context.blobs.drop_raw(before)


def forget_looks(context: StageContext) -> None:
    assert execute(context, "delete from appearance")


def forget_pngs(context: StageContext) -> None:
    assert execute(context, "delete from picture")


def set_original_aside(context: StageContext) -> None:
    path = an_original(context)
    path.rename(path.with_name(f"{path.name}.bak"))


def a_png(context: StageContext) -> Path:
    (slug,) = context.catalog.slugs()
    shown = [row for row in context.catalog.publications(slug) if row.active]
    row = min(shown, key=lambda row: row.file_name)
    return context.layout.standardized(row.sha256, row.recipe)


def delete_png(context: StageContext) -> None:
    a_png(context).unlink()


def delete_pngs(context: StageContext) -> None:
    """Leave the originals alone, and their rows."""
    (slug,) = context.catalog.slugs()
    for row in context.catalog.publications(slug):
        context.blobs.drop_standardized(row.sha256, row.recipe)


def alter_png(context: StageContext) -> None:
    """Change as many bytes as there were, and not those of the published file."""
    body = a_png(context).read_bytes()
    overwrite(a_png(context), body[:-9] + bytes(9))


def change_in_place(context: StageContext) -> None:
    """Change a published file, and through its hard link the PNG."""
    path = a_file(context)
    body = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(body[:-9] + bytes(9))


def delete_png_and_its_names(context: StageContext) -> None:
    delete_png(context)
    delete_file(context)


def delete_folder(context: StageContext) -> None:
    folder = a_file(context).parent
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()


def forget_category(context: StageContext) -> None:
    assert execute(context, "delete from category where subject='kitchen'")


def forget_hashes(context: StageContext) -> None:
    assert execute(context, "update blob set phash=phash+1, trimmed_dhash=0")


def forget_png_row(context: StageContext) -> None:
    assert execute(context, "update picture set png_sha256='0', size_bytes=1")


def kill_before_publishing(context: StageContext) -> None:
    """Leave what a run leaves that was killed after it had decided."""
    (slug,) = context.catalog.slugs()
    with context.holding(slug):
        delete_file(context)


def delete_processed(context: StageContext) -> None:
    shutil.rmtree(context.layout.processed)


def note_a_publication(context: StageContext) -> None:
    """Publish nothing new, and leave the views as they are: they show a run less."""
    assert execute(context, "update view set wanted=wanted+1")
    assert execute(context, "update run set error=coalesce(error, '') || '!'")


def corrupt_database(context: StageContext) -> None:
    """Put nonsense over the last page of the file."""
    context.catalog.close()
    with context.layout.catalogue.open("r+b") as file:
        file.seek(-4096, 2)
        file.write(b"nonsense" * 512)
