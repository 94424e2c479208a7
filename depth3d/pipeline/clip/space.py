"""Compare the disk space that a conversion needs with what is free, before the work."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Sequence
from pathlib import Path

from depth3d.errors import WriteError
from depth3d.pipeline.clip.job import ClipJob
from depth3d.pipeline.clip.output import Output

__all__ = ["check_space", "needed_space"]

log = logging.getLogger("depth3d.video")

_DEPTH_BYTES = 256 * 256 * 1.2  # of a frame in the work folder: about two bytes a pixel of small networks, compressed
_BITS = 0.12  # per pixel: crf 18 of films; grain takes five times as much
_LOSSLESS_BITS = 10
_CERTAIN = 3  # the estimate may be so many times too large


def needed_space(job: ClipJob, outputs: Sequence[Output]) -> int:
    """Estimate the bytes of the work folder and the results, without reading a frame; 0 = unknown."""
    frames = job.frames_about
    depth = 0 if job.depth.depth or all(output.renderer.both_eyes for output in outputs) else _DEPTH_BYTES
    pictures = [
        output.renderer.size.width
        * output.renderer.size.height
        / 8
        * (_BITS if output.style.encoder.quality is not None else _LOSSLESS_BITS)
        for output in outputs
    ]
    # The segments of one format at a time are in the work folder beside its result.
    return round(frames * (depth + sum(pictures) + max(pictures)))


def check_space(job: ClipJob, outputs: Sequence[Output], work: Path) -> None:
    """Log needed and free space; raise ``WriteError`` if it cannot suffice, before any work is done.

    What an earlier run has stored in the work folder counts as free. The estimate is rough: only three times too little
    is refused, less is a warning.
    """
    need = needed_space(job, outputs)
    stored = sum(file.stat().st_size for file in work.rglob("*") if file.is_file())
    free = shutil.disk_usage(work).free + stored
    told = f"about {_size(need)} of disk space needed, {_size(free)} free"
    if need > _CERTAIN * free:
        raise WriteError(work.parent, f"{told}; free some, or write to another disk (`output`)")
    if need > free:
        log.warning("%s: %s; a run that stops can go on when there is more", job.source.name, told)
    elif need:
        log.info("%s: %s", job.source.name, told)


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{max(1, round(count / 1e6))} MB"
