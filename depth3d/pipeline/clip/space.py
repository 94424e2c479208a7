"""Compare the disk space that conversions need with what is free, before the work."""

from __future__ import annotations

import logging
import shutil
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from depth3d.errors import WriteError
from depth3d.image import Size
from depth3d.io.video.reader import probe
from depth3d.options import DepthOptions, StabilizeOptions, VideoOptions
from depth3d.pipeline.clip.job import ClipJob
from depth3d.pipeline.clip.output import Output, Product
from depth3d.pipeline.clip.renderers import moving_format
from depth3d.pipeline.clip.workspace import WorkFolder
from depth3d.pipeline.size import output_size
from depth3d.quantities import clock_seconds

__all__ = ["Space", "check_batch", "check_space", "expected_space", "needed_space"]

log = logging.getLogger("depth3d.video")

_DEPTH_BYTES = 256 * 256 * 1.2  # of a frame in the work folder: about two bytes a pixel of small networks, compressed
_BITS = 0.12  # per pixel: crf 18 of films; grain takes five times as much
_LOSSLESS_BITS = 10
_CERTAIN = 3  # the estimate may be so many times too large


@dataclass(frozen=True, slots=True)
class Space:
    """Disk space that a conversion will need, bytes.

    Parameters
    ----------
    folder : Path
        Folder of the results.
    results : int
        The results, which stay.
    work : int
        The work folder, deleted at the end.
    stored : int
        What an earlier, stopped run has left in the work folder.
    """

    folder: Path
    results: int
    work: int
    stored: int = 0


def expected_space(
    source: Path, targets: Sequence[Path], product: Product, video: VideoOptions, depth: DepthOptions
) -> Space:
    """Estimate the space of a conversion that has not begun; decodes only the clip's first frame.

    Raises ``ReadError`` for an unreadable clip.
    """
    start, end = clock_seconds(video.start, "start"), clock_seconds(video.end, "end")
    info = probe(source, rate=video.fps)
    job = ClipJob(source, info, start, end, video.fps, None, depth, StabilizeOptions(), video)
    size = info.size if video.size is None else output_size(video.size, info.size)
    lossless = video.codec.lower() == "ffv1"
    pictures = [_coded(_arranged(size, each), lossless) for each in product.split()]
    predicted = 0 if depth.depth else _DEPTH_BYTES
    frames = job.frames_about
    folder = targets[0].absolute().parent
    stored = _stored(WorkFolder(folder, targets[0].name).folder)
    return Space(folder, round(frames * sum(pictures)), round(frames * (predicted + max(pictures))), stored)


def check_batch(spaces: Sequence[Space]) -> None:
    """Log the space that all conversions of a run need together and what is free, on every disk.

    All results stay; the work folder of one conversion at a time is beside them. Raises ``WriteError`` as
    ``check_space`` does.
    """
    disks: dict[int, list[Space]] = defaultdict(list)
    for space in spaces:
        disks[_existing(space.folder).stat().st_dev].append(space)
    for there in disks.values():
        place = _existing(there[0].folder)
        need = sum(one.results for one in there) + max(one.work for one in there)
        free = shutil.disk_usage(place).free + sum(one.stored for one in there)
        told = f"{len(there)} clips: about {_size(need)} of disk space needed, {_size(free)} free"
        if need > _CERTAIN * free:
            raise WriteError(place, f"{told}; free some, convert fewer, or write to another disk (`output`)")
        if need > free:
            log.warning("%s; a run that stops can go on when there is more", told)
        elif need:
            log.info("%s", told)


def _existing(folder: Path) -> Path:
    return next(place for place in (folder, *folder.parents) if place.is_dir())


def _stored(work: Path) -> int:
    return sum(file.stat().st_size for file in work.rglob("*") if file.is_file())


def _coded(size: Size, lossless: bool) -> float:
    """Return the bytes of an encoded frame."""
    return size.width * size.height / 8 * (_LOSSLESS_BITS if lossless else _BITS)


def _arranged(size: Size, product: Product) -> Size:
    """Return the size of a frame of the output, made of pictures of ``size``."""
    from depth3d.render.compose import composed_size

    return size if product.kind != "stereo" else composed_size(size, moving_format(product.stereo.format))


def needed_space(job: ClipJob, outputs: Sequence[Output]) -> int:
    """Estimate the bytes of the work folder and the results, without reading a frame; 0 = unknown."""
    frames = job.frames_about
    depth = 0 if job.depth.depth or all(output.renderer.both_eyes for output in outputs) else _DEPTH_BYTES
    pictures = [_coded(output.renderer.size, output.style.encoder.quality is None) for output in outputs]
    # The segments of one format at a time are in the work folder beside its result.
    return round(frames * (depth + sum(pictures) + max(pictures)))


def check_space(job: ClipJob, outputs: Sequence[Output], work: Path) -> None:
    """Log needed and free space; raise ``WriteError`` if it cannot suffice, before any work is done.

    What an earlier run has stored in the work folder counts as free. The estimate is rough: only three times too little
    is refused, less is a warning.
    """
    need = needed_space(job, outputs)
    free = shutil.disk_usage(work).free + _stored(work)
    told = f"about {_size(need)} of disk space needed, {_size(free)} free"
    if need > _CERTAIN * free:
        raise WriteError(work.parent, f"{told}; free some, or write to another disk (`output`)")
    if need > free:
        log.warning("%s: %s; a run that stops can go on when there is more", job.source.name, told)
    elif need:
        log.info("%s: %s", job.source.name, told)


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{max(1, round(count / 1e6))} MB"
