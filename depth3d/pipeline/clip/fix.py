"""Correct a stereo clip shot by shot: find the cuts, measure some frames of every shot, correct all frames."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from depth3d.depth.stereo.alignment import Alignment, Tone
from depth3d.depthmap import DepthMap
from depth3d.errors import InvalidInput, InvalidOption
from depth3d.io.atomic import refuse_existing
from depth3d.io.stereo.layouts import EyeLayout
from depth3d.io.video.reader import VideoReader
from depth3d.options import DepthOptions, FixOptions, StabilizeOptions, StereoOptions, VideoOptions
from depth3d.pipeline.clip.bars import Bars
from depth3d.pipeline.clip.cuts import find_cuts
from depth3d.pipeline.clip.depth_files import StillDepth
from depth3d.pipeline.clip.depth_pass import DepthSource, Progress, first_pass
from depth3d.pipeline.clip.eyes import flat_clip, unpack_eyes
from depth3d.pipeline.clip.fixed_eyes import ShotCorrection
from depth3d.pipeline.clip.job import ClipJob, plan_job
from depth3d.pipeline.clip.output import Output, Product, targets_of
from depth3d.pipeline.clip.renderers import StereoStrength
from depth3d.pipeline.clip.shots import ShotList
from depth3d.pipeline.clip.workspace import Checkpoint, WorkFolder
from depth3d.pipeline.eyes import SWAPPED
from depth3d.pipeline.fix.correction import Correction
from depth3d.pipeline.fix.find import find_correction, mean_order
from depth3d.stereopair import StereoPair

__all__ = ["FixedClip", "clip_target", "fix_clip"]

log = logging.getLogger("depth3d.video")

_SAMPLES = 3  # frames measured in each shot
_OPPOSITE = 0.5  # score at which a single shot's eyes are taken for swapped, or not, against the rest of the clip


@dataclass(frozen=True, slots=True)
class FixedClip:
    """The written clip, the name of its stereo format, and its corrections by time."""

    path: Path
    format: str
    shots: tuple[ShotCorrection, ...]


def clip_target(source: Path, output: str | Path | None, options: FixOptions, video: VideoOptions) -> Path:
    """Return the file that ``fix_clip`` writes; opens the clip for the layout of its eyes."""
    job, bars = _job(source, options, video)
    (target,) = targets_of(source, output, [_product(job, options, bars)], video)
    return target


def fix_clip(
    source: Path,
    output: str | Path | None,
    options: FixOptions,
    video: VideoOptions | None = None,
    *,
    force: bool = False,
    progress: Progress | None = None,
) -> FixedClip:
    """Correct a stereo clip and write it; a stopped run is resumed by calling again with the same options.

    Raises ``FlatError`` for a flat clip, ``ExistsError`` before any work is done, ``VideoError`` with the number of
    the failed frame.

    Parameters
    ----------
    source : Path
        The clip.
    output : str | Path | None
        A file, a folder, or None for a name beside the source.
    options : FixOptions
        What is corrected.
    video : VideoOptions | None
        Part of the clip and encoding.
    force : bool
        Replace an existing file.
    progress : Progress | None
        Called with (stage, frames done, total frames or 0 if unknown).
    """
    video = video or VideoOptions()
    for name in ("preview", "dry_run", "save_depth", "shots"):
        if getattr(video, name):
            raise InvalidOption(name, "does not apply to corrections of a clip")
    job, bars = _job(source, options, video)
    product = _product(job, options, bars)
    (target,) = targets_of(source, output, [product], video)
    if target.exists() and target.resolve() == source.resolve():
        raise InvalidInput(f"{target}: the output would overwrite the input; choose another name")
    refuse_existing(target, force=force)
    with WorkFolder(target.parent, target.name) as work:
        measured = work.checkpoint("shots", {**job.key(), **asdict(options)}, "measuring")
        job, shots = _measured(job, options, measured, progress)
        made = Output(job, replace(product, shots=shots), target, force)
        strength = StereoStrength(0.0, 0.5)
        key = made.key(asdict(strength))
        depth = _depth(job, work, shots, progress)
        made.make(depth, ShotList([], strength), work.checkpoint("pictures", key, "rendering"), progress)
        for name in ("shots", "depth"):
            work.remove(name)
    return FixedClip(target, product.stereo.format, shots)


def _job(source: Path, options: FixOptions, video: VideoOptions) -> tuple[ClipJob, Bars]:
    """Return the job, without the black bars that all shots have, and those that are drawn again at the end."""
    job = plan_job(source, DepthOptions(layout=options.layout), StabilizeOptions(), video)
    if job.eyes is None:
        raise flat_clip(source)
    if job.bars is None or video.crop_bars:
        return job, Bars()
    eye, whole, cut = job.bars.size, job.info.size, job.bars.common
    drawn = cut.scaled(eye, whole)
    inner = drawn.inner_size(whole)
    info = replace(job.info, size=inner)
    return replace(job, info=info, bars=job.bars.cropped(), crop=cut, size=job.size and inner), drawn


def _product(job: ClipJob, options: FixOptions, bars: Bars) -> Product:
    eyes = job.eyes
    kept = "sbs" if eyes is None else "tb" if eyes.packing == "stack" else "cross" if eyes.right_first else "sbs"
    (product,) = Product("stereo", StereoOptions(format=options.format or kept)).split()
    return replace(product, kind="fix", bars=bars)


def _depth(job: ClipJob, work: WorkFolder, shots: tuple[ShotCorrection, ...], progress: Progress | None) -> DepthSource:
    if all(shot.correction.parallax is None for shot in shots):
        return StillDepth(DepthMap(np.zeros((1, 1), np.float32)))  # not used
    return first_pass(job, work.checkpoint("depth", {**job.key(), **asdict(job.stabilize)}, "depth"), progress)


def _measured(
    job: ClipJob, options: FixOptions, checkpoint: Checkpoint, progress: Progress | None
) -> tuple[ClipJob, tuple[ShotCorrection, ...]]:
    """Return the job with its eyes in the right order and the corrections, from the work folder if they are there."""
    stored = checkpoint.read_json("corrections.json")
    try:
        return replace(job, eyes=EyeLayout(**stored["eyes"])), tuple(_from_json(one) for one in stored["shots"])
    except (TypeError, KeyError, ValueError):  # missing, or not written by depth3d
        pass
    job, shots = _measure(job, options, progress)
    assert job.eyes is not None
    notes = [{"start": str(shot.start), **asdict(shot.correction)} for shot in shots]
    checkpoint.write_json("corrections.json", {"eyes": asdict(job.eyes), "shots": notes})
    return job, shots


def _measure(
    job: ClipJob, options: FixOptions, progress: Progress | None
) -> tuple[ClipJob, tuple[ShotCorrection, ...]]:
    def seen(count: int) -> None:
        if progress is not None:
            progress("measure", count, job.frames_about)

    times, cuts = find_cuts(job, seen)
    starts = [times[0], *cuts]
    samples = [_spread([time for time in times if start <= time < end]) for start, end in _spans(starts, times[-1] + 1)]
    orders: list[float] = [0.0] * len(samples)
    if options.order == "auto":
        orders = [mean_order(list(_pairs(job, shot[len(shot) // 2 :][:1]))) for shot in samples]
        crossed = float(np.median(orders)) < SWAPPED
    else:
        crossed = options.order == "swap"
    if crossed and job.eyes is not None:
        # The whole clip: depth is matched for the eye that is really the left one.
        job = replace(job, eyes=replace(job.eyes, right_first=not job.eyes.right_first))
        orders = [-order for order in orders]
        log.info("%s: the eyes are swapped and are exchanged", job.source.name)
    found = []
    for start, shot, order in zip(starts, samples, orders, strict=True):
        swap = options.order == "auto" and order < -_OPPOSITE
        chosen = replace(options, comfort=False) if swap else options
        correction = find_correction(list(_pairs(job, shot)), chosen, swap=swap)
        found.append(ShotCorrection(start - job.begin, correction))
        lines = correction.lines()
        log.info("shot at %.2f s: %s", float(start), "; ".join(lines) or "nothing to correct")
    return job, tuple(found)


def _spans(starts: list[Fraction], end: Fraction) -> Iterator[tuple[Fraction, Fraction]]:
    yield from zip(starts, [*starts[1:], end], strict=True)


def _spread(times: list[Fraction]) -> list[Fraction]:
    """At most ``_SAMPLES`` times of a shot, evenly spread, none at its very border where there are others."""
    count = min(_SAMPLES, len(times))
    return [times[(2 * number + 1) * len(times) // (2 * count)] for number in range(count)]


def _pairs(job: ClipJob, times: list[Fraction]) -> Iterator[StereoPair]:
    assert job.eyes is not None
    with VideoReader(job.source, tone_map=True, views=True) as reader:
        for time in times:
            frame = next(reader.around(time), None)
            if frame is not None:
                yield unpack_eyes(job.cropped(frame).image.eight_bit(), job.eyes, job.size)


def _from_json(note: dict[str, Any]) -> ShotCorrection:
    values = dict(note)
    start = Fraction(values.pop("start"))
    alignment, tone = values.pop("alignment"), values.pop("tone")
    pairs: dict[str, Callable[[Any], Any]] = {"parallax": tuple, "window": tuple}
    for name, build in pairs.items():
        values[name] = None if values[name] is None else build(values[name])
    return ShotCorrection(
        start,
        Correction(
            alignment=None if alignment is None else Alignment(**alignment),
            tone=None if tone is None else Tone(tuple(tone["gain"]), tuple(tone["offset"])),
            **values,
        ),
    )
