"""Sentences about copies: what binds two, which is better, and what people said.

How photos are listed is `cli.duplicates`' matter.
"""

from typing import TYPE_CHECKING

from phx_pipeline.cli.times import phoenix_text
from phx_pipeline.model.ruling import CopyRuling, couple_in

if TYPE_CHECKING:
    from phx_pipeline.model.judgement import Judgement
    from phx_pipeline.model.photo import Blob, PhotoKey
    from phx_pipeline.model.ruling import Ruling
    from phx_pipeline.workflows.duplicates import Copies, Copy, Tie

_KEPT = "the kept one"

# What is told of the better one, and what of the worse one.
_MERITS = {
    "clean": "has no text, mark, blurred part or bars",
    "uncropped": "shows more of the scene",
    "detail": "has more real detail",
    "size": "is as fine, and less compressed",
}
_FAULTS = {
    "whole": "lacks a large part or its colours",
    "tones": "has other light or colours, and seems to have lost shades",
}


def tie_text(copy: "Copy", tie: "Tie", picture: "Copies") -> str:
    """Return what makes a copy one, and then which of it and the kept one is better."""
    kept = picture.members[0]
    other = _KEPT
    if tie.to != kept.name:
        other = next(it.id for it in picture.members if it.name == tie.to)
    bonds = {
        "bytes": f"has the same bytes as {other}",
        "ruling": f"joined to {other} by {_who(tie.ruling)}",
        "judgement": _judged_text(tie.judgement, other),
        "hashes": f"has nearly the same hashes as {other}",
    }
    choice = _choice_text(copy, tie.judgement, kept=kept)
    if not choice and tie.bond.value == "ruling":
        choice = _unseen_text(copy.blob, kept=kept.blob)
    return f"{bonds[tie.bond.value]}{choice}"


def parted_text(ruling: "Ruling", name: "PhotoKey") -> str:
    """Return who parted the photo *name*, and from which one."""
    from phx_pipeline.workflows.duplicates import id_of

    (other,) = {*couple_in(ruling.key)} - {name}
    return f"parted from {id_of(ruling.slug, other)} by {_who(ruling)}"


def overruled_text(ruling: "Ruling") -> str:
    """Return what was said of two photos, and that it counts no more."""
    from phx_pipeline.workflows.duplicates import photo_name

    one, other = map(photo_name, couple_in(ruling.key))
    word = "joined" if ruling.value == CopyRuling.SAME else "parted"
    when = phoenix_text(ruling.at)
    return (
        f"{one} and {other} were {word} on {when} by {_who(ruling)}: "
        "that counts no more"
    )


def _who(ruling: "Ruling | None") -> str:
    if ruling is None:
        return "somebody"
    return f"{ruling.who} ({ruling.why})" if ruling.why else ruling.who


def _judged_text(judgement: "Judgement | None", other: str) -> str:
    if judgement is None or other != _KEPT:
        return f"is a copy of {other}"
    if judgement.inliers is not None:
        return f"{judgement.inliers} features lie where those of {other} do"
    if judgement.share is None:
        return f"has nearly the same hashes as {other}, and too little to compare"
    return f"{judgement.share:.0%} of it agrees with {other}"


def _choice_text(copy: "Copy", judgement: "Judgement | None", *, kept: "Copy") -> str:
    if judgement is None or judgement.why is None:
        return ""
    if judgement.why not in _MERITS | _FAULTS:
        return "; nothing tells which is better"
    if judgement.better not in {copy.blob.sha256, kept.blob.sha256}:
        return ""
    is_kept = judgement.better == kept.blob.sha256
    if fault := _FAULTS.get(judgement.why):
        return f"; it {fault}" if is_kept else f"; beside it {_KEPT} {fault}"
    merit = _MERITS[judgement.why]
    return f"; {_KEPT} {merit}" if is_kept else f"; beside {_KEPT} it {merit}"


def _unseen_text(copy: "Blob", *, kept: "Blob") -> str:
    """Return the merit of the kept one where pixels do not show one picture.

    The order of the merits is that of `dedup.best.best_of`.
    """
    looks = (kept.appearance, copy.appearance)
    ours, theirs = (look.detail if look else None for look in looks)
    merits = {
        "has more detail": (ours or 0.0, theirs or 0.0) if ours and theirs else (0, 0),
        "has more pixels": (kept.width * kept.height, copy.width * copy.height),
        "has more bytes": (kept.size_bytes, copy.size_bytes),
    }
    for merit, (mine, other) in merits.items():
        if mine != other:
            return f"; {_KEPT} {merit}" if mine > other else ""
    return "; nothing tells which is better"
