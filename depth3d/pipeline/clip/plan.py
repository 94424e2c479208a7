"""Estimate the time and size of a conversion by processing a few frames."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from depth3d.depthmap import DepthMap
from depth3d.errors import VideoError
from depth3d.io.leftovers import temporary_folder
from depth3d.io.video.captions import has_captions
from depth3d.io.video.tracks import list_tracks, plan_tracks
from depth3d.io.video.writer import VideoWriter, even, even_size
from depth3d.pipeline.clip.depth_pass import predict_frame
from depth3d.pipeline.clip.job import ClipJob
from depth3d.pipeline.clip.render_pass import Style
from depth3d.pipeline.clip.renderers import FrameRenderer, StereoStrength

__all__ = ["Plan", "make_plan"]

_NO_DEPTH = DepthMap(np.zeros((1, 1), np.float32))
_TRIED = 4  # frames; the first one is warm-up


@dataclass(frozen=True, slots=True)
class Plan:
    """Estimated cost of one conversion.

    Parameters
    ----------
    lines : tuple[str, ...]
        Human-readable description.
    frames : int
        Number of frames, 0 = unknown.
    seconds, bytes, work_bytes : float, int
        Estimated time, size of the output and of the work folder; 0 = unknown.
    """

    lines: tuple[str, ...]
    frames: int
    seconds: float
    bytes: int
    work_bytes: int


def make_plan(
    job: ClipJob, renderer: FrameRenderer, style: Style, strength: StereoStrength, target: Path, done: tuple[int, int]
) -> Plan:
    """Process a few frames and estimate time, output size and work folder size of the conversion.

    Parameters
    ----------
    done : tuple[int, int]
        Number of frames that earlier runs finished in the first and the second pass.
    """
    costs, depth_bytes, picture_bytes = _try(job, renderer, style, strength)
    info, frames = job.info, job.frames_about
    per_frame = sum(costs.values())
    seconds = costs["depth"] * max(0, frames - done[0]) + (per_frame - costs["depth"]) * max(0, frames - done[1])
    kept, lost = plan_tracks(list_tracks(job.source) if job.source.is_file() else [], target.suffix)
    captions = ["closed captions as subtitles"] if has_captions(job.source) else []
    source = "the given file" if job.depth.depth else f"network {job.depth.model!r}"
    source = source if job.eyes is None else "the two eyes of the clip"
    lines = [
        f"input   {job.source.name}: {info.size}, {float(info.rate):.5g} fps, {frames or 'unknown number of'} frames, "
        f"{info.codec}, {info.bit_depth} bit{', HDR' if info.stored.hdr else ''}"
        f"{f', rotated by {info.rotation} degrees' if info.rotation else ''}",
        f"output  {target}: {renderer.size}, {style.encoder.name}"
        f"{f', {style.bits} bit HDR' if style.color.hdr else ''}",
        f"kept    {', '.join([*(f'{track.kind} ({track.codec})' for track in kept), *captions]) or 'no other tracks'}",
        *(f"lost    {line}" for line in lost),
        f"depth   {source}, stabilized over {job.stabilize.look_ahead} frames ahead",
        f"speed   {', '.join(f'{name} {cost * 1000:.0f} ms' for name, cost in costs.items())} a frame",
    ]
    if done != (0, 0):
        lines.append(f"done    depth of {done[0]} and pictures of {done[1]} frames")
    if frames:
        size, work = frames * picture_bytes, frames * (depth_bytes + picture_bytes)
        lines.append(f"size    about {_mega(size)}, work folder about {_mega(work)} until it is done")
        lines.append(f"time    about {_clock(seconds)}")
        return Plan(tuple(lines), frames, seconds, size, work)
    return Plan(tuple(lines), 0, 0.0, 0, 0)


def _try(
    job: ClipJob, renderer: FrameRenderer, style: Style, strength: StereoStrength
) -> tuple[dict[str, float], int, int]:
    """Measure seconds per frame of each stage, and bytes per frame of depth and of encoded video."""
    costs = dict.fromkeys(("decode", "depth", "draw", "encode"), 0.0)
    frames = job.frames(seen=True, both_eyes=True)
    tried, depth_bytes = 0, 0
    with temporary_folder() as folder, renderer:
        path = folder / "sample.nut"
        writer = VideoWriter(
            path,
            even_size(renderer.size),
            rate=job.rate or job.info.rate,
            time_base=job.time_base,
            encoder=style.encoder,
            bits=style.bits,
            color=style.color,
            crf=style.crf,
            preset=style.preset,
        )
        with writer:
            for number in range(_TRIED):
                clock = _Clock()
                frame = next(frames, None)
                if frame is None:
                    break
                clock.lap("decode")
                depth = _NO_DEPTH if renderer.both_eyes else DepthMap.from_disparity(predict_frame(job, frame))
                clock.lap("depth")
                picture = renderer.draw(
                    renderer.prepare(frame if renderer.both_eyes else job.flat(frame), depth, strength)
                )
                clock.lap("draw")
                writer.write(even(picture), frame.time)
                clock.lap("encode")
                depth_bytes = depth.values.size * 2
                if number:
                    tried += 1
                    costs = {name: cost + clock.laps[name] for name, cost in costs.items()}
        picture_bytes = path.stat().st_size // _TRIED
    if not tried:
        raise VideoError(f"{job.source}: too short for an estimate")
    return {name: cost / tried for name, cost in costs.items()}, depth_bytes, picture_bytes


class _Clock:
    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name], self._last = now - self._last, now


def _mega(count: float) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{max(1, round(count / 1e6))} MB"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d} h" if hours else f"{minutes}:{rest:02d} min"
