"""Depth sources of a clip: a network and the stabilizer (first pass), a depth clip, or one picture.

The first pass decodes, predicts and stabilizes in parallel threads. Results are stored in the work folder in segments
of ``SEGMENT`` frames; after each segment the state of the stabilizer is saved, so that a stopped run resumes exactly
there. Memory: at most ``HELD`` frames between two stages, plus the frames in the stabilizer.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Protocol

import numpy as np

from depth3d.depth.temporal.protocol import TemporalFilter, open_filter
from depth3d.depth.temporal.range import SceneRange, SceneRanges, Stable
from depth3d.depth.temporal.state import State, array_of
from depth3d.depth.temporal.windows import WindowedDepth
from depth3d.depthmap import DepthMap, Disparity
from depth3d.errors import VideoError
from depth3d.frames import Frame
from depth3d.image import Image, Size
from depth3d.io.video.spool import DepthRecord, DepthSpoolWriter, read_spool
from depth3d.pipeline.clip.job import ClipJob
from depth3d.pipeline.clip.predict import BATCH, estimator_of, predicted_frames
from depth3d.pipeline.clip.state import load_state, save_state
from depth3d.pipeline.clip.threads import on_frame, prefetch
from depth3d.pipeline.clip.workspace import Checkpoint, WorkFolder, whole

__all__ = ["DepthSource", "Predictions", "Progress", "StoredDepth", "finished_depth", "first_pass", "kept_frames"]

log = logging.getLogger("depth3d.video")

SEGMENT = 48  # frames between two checkpoints of the first pass
HELD = 8  # maximum number of frames queued between two stages
STATE = "state.npz"

Progress = Callable[[str, int, int], None]
Predictions = Callable[[int], Iterator[tuple[Frame, Disparity | None]]]


class DepthSource(Protocol):
    """Protocol: depth of every frame, in order."""

    def read(self, first: int) -> Iterator[DepthMap]:
        """Yield the depth maps of the wanted part from number ``first``, at their own rate."""
        ...

    def follow(self, frames: Iterator[Frame], first: int) -> Iterator[tuple[Frame, DepthMap]]:
        """Yield each of ``frames``, which start at number ``first``, with its depth map."""
        ...


@dataclass(frozen=True, slots=True)
class StoredDepth:
    """Result of the first pass: segments of stable depth, the depth range of every scene, the frame count."""

    folder: Path
    segments: int
    ranges: tuple[SceneRange, ...]
    frames: int
    job: ClipJob | None = None  # whose frames have bars around the picture of the depth

    def records(self, first: int = 0) -> Iterator[DepthRecord]:
        """Yield the stored frames from number ``first``."""
        for number in range(first // SEGMENT, self.segments):
            for record in read_spool(_segment(self.folder, number)):
                if record.index >= first:
                    yield record

    def some_records(self) -> Iterator[DepthRecord]:
        """Yield frames spread over the clip without reading it all: one of each segment, of short clips about 12."""
        step = min(SEGMENT, max(1, self.frames // 12))
        for first in range(0, self.frames, step):
            yield from islice(self.records(first), 1)

    def files(self, first: int, count: int) -> tuple[Path, ...]:
        """Return the files that hold the depth of ``count`` frames from number ``first``."""
        last = min(self.segments - 1, (first + count - 1) // SEGMENT)
        return tuple(_segment(self.folder, number) for number in range(first // SEGMENT, last + 1))

    def follow(self, frames: Iterator[Frame], first: int) -> Iterator[tuple[Frame, DepthMap]]:
        """Yield each of ``frames``, which start at number ``first``, with its depth map.

        Raises ``VideoError`` if there is less stored depth than frames.
        """
        with prefetch(self.read(first), HELD, "read depth") as depths:
            for frame in frames:
                depth = next(depths, None)
                if depth is None:
                    raise VideoError("the stored depth ends before the clip", frame.index)
                yield frame, depth

    def read(self, first: int) -> Iterator[DepthMap]:
        """Yield the normalized depth maps from number ``first``."""
        for record in self.records(first):
            yield self.normalized(record)

    def inside(self, record: DepthRecord) -> DepthMap:
        """Return the normalized depth map of a record: of the picture inside the bars."""
        return self.ranges[record.scene].normalize(record.values.astype(np.float32))

    def normalized(self, record: DepthRecord) -> DepthMap:
        """Return the normalized depth map of the whole frame of a record."""
        depth = self.inside(record)
        if self.job is None or self.job.bars is None:
            return depth
        return DepthMap(self.job.whole(depth.values, record.ticks * self.job.time_base))


@dataclass(slots=True)
class _State:
    """State of the first pass for resuming; saved after every segment."""

    stabilizer: TemporalFilter
    ranges: SceneRanges
    segments: int = 0
    pushed: int = 0  # number of frames passed to the stabilizer
    last_ticks: int = -1  # time of the last one
    times: list[int] = field(default_factory=list)  # times of frames still in the stabilizer
    ready: list[DepthRecord] = field(default_factory=list)  # stable frames not yet in a segment

    def to_state(self) -> State:
        """Return plain values and arrays for ``save_state``."""
        return {
            "stabilizer": self.stabilizer.to_state(),
            "ranges": self.ranges.to_state(),
            "counts": [self.segments, self.pushed, self.last_ticks],
            "times": self.times,
            "ready": [[one.index, one.ticks, one.scene, one.values] for one in self.ready],
        }

    @classmethod
    def from_state(cls, state: State, stabilizer: TemporalFilter) -> _State:
        """Restore a state of ``to_state``; raises ``ValueError``, ``TypeError`` or ``KeyError`` if it does not fit."""
        segments, pushed, last_ticks = (int(count) for count in state["counts"])
        stabilizer.restore(state["stabilizer"])
        return cls(
            stabilizer,
            SceneRanges.from_state(state["ranges"]),
            segments,
            pushed,
            last_ticks,
            [int(ticks) for ticks in state["times"]],
            [
                DepthRecord(int(index), int(ticks), int(scene), array_of(values, np.float16, (None, None)))
                for index, ticks, scene, values in state["ready"]
            ],
        )


def first_pass(
    job: ClipJob, checkpoint: Checkpoint, progress: Progress | None = None, predictions: Predictions | None = None
) -> StoredDepth:
    """Predict and stabilize the depth of all frames; resume if an earlier run was stopped.

    ``predictions``: from the number of a frame, the frames from there on with their disparities, where they are made
    elsewhere.

    Raises ``VideoError`` with the frame number, ``ModelError`` if the network cannot be loaded.
    """
    done = finished_depth(checkpoint, job)
    if done is not None:
        return done
    state = load_state(checkpoint.folder / STATE, lambda tree: _State.from_state(tree, _filter_of(job)))
    if state is None:
        state = _State(_filter_of(job), SceneRanges())
    if state.pushed:
        log.info("depth: resumed after %d frames", state.pushed)
    _Pass(job, checkpoint, state, progress).run(predictions)
    ranges = tuple(state.ranges[scene] for scene in range(len(state.ranges)))
    frames = sum(one.frames for one in ranges)
    checkpoint.write_json(
        "done.json", {"segments": state.segments, "frames": frames, "ranges": [asdict(one) for one in ranges]}
    )
    (checkpoint.folder / STATE).unlink(missing_ok=True)
    return StoredDepth(checkpoint.folder, state.segments, ranges, frames, job)


def kept_frames(work: WorkFolder) -> tuple[int, int]:
    """Return after how many frames each of the two passes resumes, for any options."""
    depth, pictures = work.progress()
    state = work.folder / "depth" / STATE
    if not depth and state.is_file():
        depth = load_state(state, lambda tree: int(tree["counts"][1])) or 0
    return depth, pictures


def finished_depth(checkpoint: Checkpoint, job: ClipJob | None = None) -> StoredDepth | None:
    """Return the result if an earlier run completed the first pass, else None."""
    done = checkpoint.read_json("done.json")
    try:
        ranges = tuple(SceneRange(**one) for one in done["ranges"])
        stored = StoredDepth(checkpoint.folder, int(done["segments"]), ranges, int(done["frames"]), job)
    except (TypeError, KeyError, ValueError, OverflowError):  # missing, or not written by depth3d
        return None
    return stored if all(_segment(checkpoint.folder, number).is_file() for number in range(stored.segments)) else None


class _Pass:
    """Run the first pass: decode, predict, stabilize, store."""

    def __init__(self, job: ClipJob, checkpoint: Checkpoint, state: _State, progress: Progress | None) -> None:
        self._job, self._checkpoint, self._state, self._progress = job, checkpoint, state, progress

    def run(self, predictions: Predictions | None = None) -> None:
        state, base = self._state, self._job.time_base
        if predictions is not None:
            self._stabilize(predictions(state.pushed))
        else:
            last = None if state.last_ticks < 0 else state.last_ticks * base
            frames = self._job.frames(index=max(0, state.pushed - 1), time=last, seen=True, both_eyes=True)
            with (
                prefetch(_behind(frames, state.pushed), HELD, "decode") as decoded,
                prefetch(predicted_frames(decoded, self._job), HELD, "predict") as predicted,
            ):
                self._stabilize(predicted)
        if state.pushed == 0:
            raise VideoError(f"{self._job.source}: no frame could be decoded")
        self._take(state.stabilizer.flush(), None)
        while state.ready:
            self._write(SEGMENT)

    def _stabilize(self, predicted: Iterable[tuple[Frame, Disparity | None]]) -> None:
        state, base, size = self._state, self._job.time_base, Size(1, 1)
        for frame, disparity in predicted:
            with on_frame(frame.index, "stabilize"):
                size = size if disparity is None else disparity.size
                guide = frame.guide if state.stabilizer.needs_all else _toward(frame.guide, size)
                self._take(state.stabilizer.push(guide, disparity), round(frame.time / base))
            state.pushed, state.last_ticks = frame.index + 1, round(frame.time / base)
            if state.pushed % BATCH == 0 and len(state.ready) >= SEGMENT:
                self._write(SEGMENT)
            if self._progress is not None:
                self._progress("depth", state.pushed, self._job.frames_about)

    def _take(self, finished: Iterable[Stable], ticks: int | None) -> None:
        if ticks is not None:
            self._state.times.append(ticks)
        for stable in finished:
            # Ranges are computed from the rounded values that are stored.
            values = stable.values.astype(np.float16)
            self._state.ranges.add(Stable(stable.index, stable.scene, values.astype(np.float32)))
            self._state.ready.append(DepthRecord(stable.index, self._state.times.pop(0), stable.scene, values))

    def _write(self, count: int) -> None:
        state = self._state
        records, state.ready = state.ready[:count], state.ready[count:]
        with whole(_segment(self._checkpoint.folder, state.segments)) as path, DepthSpoolWriter(path) as spool:
            for record in records:
                spool.add(record)
        state.segments += 1
        if len(state.ready) < SEGMENT:
            save_state(self._checkpoint.folder / STATE, state.to_state())


def _filter_of(job: ClipJob) -> TemporalFilter:
    """Return the temporal filter of the options; networks for clips use `WindowedDepth` instead."""
    if job.matched:
        return open_filter(job.stabilize)
    estimator = estimator_of(job)
    if estimator.card.frames > 1:
        return WindowedDepth(estimator.predict_clip, invert=job.depth.invert_depth)
    return open_filter(job.stabilize)


def _toward(image: Image, size: Size) -> Image:
    """Shrink a picture to a whole part of its size, not below ``size``: a filter shrinks the rest in less time."""
    if min(size) <= 1:
        return image
    common, most = math.gcd(*image.size), min(image.size.width // size.width, image.size.height // size.height)
    part = max((part for part in range(1, most + 1) if common % part == 0), default=1)
    return image.resized(Size(image.size.width // part, image.size.height // part))


def _behind(frames: Iterator[Frame], first: int) -> Iterator[Frame]:
    return (frame for frame in frames if frame.index >= first)


def _segment(folder: Path, number: int) -> Path:
    return folder / f"depth-{number:06d}.spool"
