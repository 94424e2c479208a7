"""Estimate the time and size of a conversion by processing a few frames."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from depth3d.depth.temporal.scene_cuts import CutDetector
from depth3d.depth.temporal.stabilizer import state_bytes
from depth3d.depthmap import DepthMap
from depth3d.errors import VideoError
from depth3d.io.leftovers import temporary_folder
from depth3d.io.video.captions import has_captions
from depth3d.io.video.packets import packet_sizes
from depth3d.io.video.spool import DepthRecord, DepthSpoolWriter
from depth3d.io.video.tracks import Track, list_tracks, plan_tracks
from depth3d.io.video.writer import VideoWriter, even, even_size
from depth3d.pipeline.clip import depth_pass
from depth3d.pipeline.clip.job import ClipJob
from depth3d.pipeline.clip.predict import predict_frame
from depth3d.pipeline.clip.render_pass import SEGMENT, Style
from depth3d.pipeline.clip.renderers import FrameRenderer, StereoStrength

__all__ = ["Plan", "make_plan"]

_NO_DEPTH = DepthMap(np.zeros((1, 1), np.float32))
_TRIED = 4  # frames whose stages are timed; the first one is warm-up
_ENCODED = 12  # further frames that are only drawn and encoded, to know the size of frames between key frames
_STATE = 450_000  # bytes of a state without frames: thumbnails of the cut detector, histogram of the depth
_SOUND = 128_000  # bits per second of a track that does not tell its own


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
    costs, depth_bytes, held, encoded = _try(job, renderer, style, strength)
    info, frames = job.info, job.frames_about
    per_frame = sum(costs.values())
    seconds = costs["depth"] * max(0, frames - done[0]) + (per_frame - costs["depth"]) * max(0, frames - done[1])
    kept, lost = plan_tracks(list_tracks(job.source) if job.source.is_file() else [], target.suffix)
    captions = ["closed captions as subtitles"] if has_captions(job.source) else []
    source = "the given file" if job.depth.depth else f"network {job.depth.model!r}"
    source = "the two eyes of the clip" if job.matched else source
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
        pictures, tracks = _encoded_size(encoded, frames), _tracks_size(job, kept)
        size = pictures + tracks
        # At the end of the first pass: depth, the old and the new state. At that of the last step: depth, pictures, the
        # extracted tracks and the result.
        work = frames * depth_bytes + max(_states_size(job, held), pictures + tracks + size)
        lines.append(f"size    about {_mega(size)}, work folder about {_mega(work)} until it is done")
        lines.append(f"time    about {_clock(seconds)}")
        return Plan(tuple(lines), frames, seconds, size, work)
    return Plan(tuple(lines), 0, 0.0, 0, 0)


def _try(
    job: ClipJob, renderer: FrameRenderer, style: Style, strength: StereoStrength
) -> tuple[dict[str, float], int, int, list[int]]:
    """Measure seconds per frame of each stage, bytes of depth per frame and of a state, of each encoded frame."""
    laps: list[dict[str, float]] = []
    frames = job.frames(seen=True, both_eyes=True)
    depth = _NO_DEPTH
    with temporary_folder() as folder, renderer:
        path, spool = folder / "sample.nut", folder / "sample.spool"
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
            for number in range(_TRIED + _ENCODED):
                clock = _Clock()
                frame = next(frames, None)
                if frame is None:
                    break
                clock.lap("decode")
                if number < _TRIED and not renderer.both_eyes:
                    depth = DepthMap.from_disparity(predict_frame(job, frame))
                clock.lap("depth")
                picture = renderer.draw(
                    renderer.prepare(frame if renderer.both_eyes else job.flat(frame), depth, strength)
                )
                clock.lap("draw")
                writer.write(even(picture), frame.time)
                clock.lap("encode")
                if number < _TRIED:
                    laps.append(clock.laps)
        with DepthSpoolWriter(spool) as written:
            written.add(DepthRecord(0, 0, 0, depth.values.astype(np.float16)))
        if not laps:
            raise VideoError(f"{job.source}: no frame could be decoded")
        predicted = not renderer.both_eyes and not job.depth.depth
        depth_bytes = spool.stat().st_size if predicted else 0
        held = state_bytes(depth.values.size, job.stabilize.look_ahead, job.frames_about) if predicted else 0
        encoded = packet_sizes(path)
    timed = laps[1:] or laps
    costs = {name: sum(lap[name] for lap in timed) / len(timed) for name in timed[0]}
    return costs, depth_bytes, held, encoded


def _states_size(job: ClipJob, held: int) -> int:
    """Estimate the largest size of the saved states, bytes: the old one and the new one are stored at the same time.

    Until the last frame is read a state holds frames, ``held`` bytes; the ones after it hold none.
    """
    if not held:
        return 0
    finished = job.frames_about - CutDetector.delay - job.stabilize.look_ahead  # before the last frame is read
    full = min(max(finished, 0) // depth_pass.SEGMENT, 2)
    return full * held + (1 if job.frames_about <= depth_pass.SEGMENT else 2) * _STATE


def _encoded_size(sizes: list[int], frames: int) -> int:
    """Estimate the size of the encoded clip, bytes: each segment has one key frame."""
    if not sizes or frames <= len(sizes):
        return sum(sizes[:frames])
    keys = -(-frames // SEGMENT)
    between = sum(sizes[1:]) / max(1, len(sizes) - 1) if len(sizes) > 1 else sizes[0]
    return round(keys * sizes[0] + (frames - keys) * between)


def _tracks_size(job: ClipJob, kept: list[Track]) -> int:
    """Estimate the size of the kept tracks in the wanted part, bytes."""
    rate = sum(track.bit_rate or _SOUND for track in kept if track.kind == "audio")
    return round(rate * job.frames_about / float(job.rate or job.info.rate) / 8)


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
