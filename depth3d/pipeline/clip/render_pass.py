"""Second pass over a clip: decode, read depth, render and encode in parallel threads, in resumable segments.

A segment has ``SEGMENT`` frames and starts with a key frame; a JSON file with the same stem holds its frame times. A
stopped run loses only its current segment. At most ``HELD`` frames are queued between two stages.
"""

from __future__ import annotations

import logging
import os
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

from depth3d.errors import VideoError
from depth3d.frames import BT709, Color, Frame
from depth3d.image import Image, Size
from depth3d.io.video.encoders import Encoder
from depth3d.io.video.writer import VideoWriter, even, even_size
from depth3d.pipeline.clip.depth_pass import DepthSource, Progress, StoredDepth
from depth3d.pipeline.clip.job import ClipJob
from depth3d.pipeline.clip.renderers import FrameRenderer, StereoStrength
from depth3d.pipeline.clip.threads import ConsumerThread, on_frame, prefetch
from depth3d.pipeline.clip.workspace import Checkpoint

__all__ = ["SegmentRange", "Segments", "Style", "finished_segments", "is_finished", "render_range", "render_segments"]

log = logging.getLogger("depth3d.video")

SEGMENT = 96  # frames
HELD = 4
_HELD_LONG = Fraction(5, 4)  # a last frame that lasts so many usual ones is encoded as a key frame


@dataclass(frozen=True, slots=True)
class Style:
    """Encoding settings of the output.

    Parameters
    ----------
    encoder : Encoder
        The encoder; ``crf``, ``preset``: its settings, None = its defaults.
    bits : int
        Bits per sample.
    color : Color
        Color space of the pictures.
    pixel_aspect : Fraction
        Width of a pixel over its height.
    """

    encoder: Encoder
    bits: int
    color: Color = BT709
    pixel_aspect: Fraction = Fraction(1)
    crf: int | None = None
    preset: str | None = None


@dataclass(frozen=True, slots=True)
class Segments:
    """Encoded segments in order, times of all frames and end of the last frame (None = unknown), in ticks."""

    files: tuple[Path, ...]
    ticks: Sequence[int]
    end: int | None = None


def finished_segments(checkpoint: Checkpoint) -> Segments:
    """Return the complete segments of earlier runs, up to the first missing one."""
    files: list[Path] = []
    ticks = array("q")
    last_end: int | None = None
    while (note := _note(checkpoint, len(files))) is not None:
        times, last_end = note
        files.append(_segment(checkpoint, len(files)))
        ticks.extend(times)
    return Segments(tuple(files), ticks, last_end)


def is_finished(checkpoint: Checkpoint, number: int, count: int) -> bool:
    """Return whether segment ``number`` is complete and has ``count`` frames."""
    note = _note(checkpoint, number)
    return note is not None and len(note[0]) == count


def _note(checkpoint: Checkpoint, number: int) -> tuple[array[int], int | None] | None:
    """Return the frame times of a segment and the end of its last frame, ticks; None if it is not complete."""
    try:
        note = checkpoint.read_json(f"segment-{number:06d}.json")
        times, end = array("q", note["ticks"]), note.get("end")
        complete = len(times) > 0 and _segment(checkpoint, number).stat().st_size == note["bytes"]
    except (OSError, KeyError, TypeError, AttributeError, OverflowError):  # missing, or not written by depth3d
        return None
    return (times, end) if complete and (end is None or isinstance(end, int)) else None


def render_segments(
    job: ClipJob,
    depth: DepthSource,
    renderer: FrameRenderer,
    strengths: Callable[[Fraction], StereoStrength],
    style: Style,
    checkpoint: Checkpoint,
    progress: Progress | None = None,
) -> Segments:
    """Render and encode all frames that are not yet in a finished segment.

    Raises ``VideoError`` with the frame number.

    Parameters
    ----------
    depth : DepthSource
        Depth of every frame.
    strengths : Callable[[Fraction], StereoStrength]
        Frame time, seconds -> stereo strength.
    """
    done = finished_segments(checkpoint)
    if checkpoint.read_json("all.json") is not None:
        return done
    first = len(done.ticks)
    if first:
        log.info("rendering: resumed after %d frames", first)
    last_time = done.ticks[-1] * job.time_base if done.ticks else None
    part = SegmentRange(len(done.files), first, last_time)
    render_range(job, depth, renderer, strengths, style, checkpoint, part, progress)
    result = finished_segments(checkpoint)
    if not result.ticks:
        raise VideoError(f"{job.source}: no frame could be decoded")
    checkpoint.write_json("all.json", {"frames": len(result.ticks)})
    return result


@dataclass(frozen=True, slots=True)
class SegmentRange:
    """Segments to render: number of the first one, its first frame, time of the frame before, count of frames or None.

    Parameters
    ----------
    number, first : int
        The first segment, and its first frame.
    last_time : Fraction | None
        Time of frame ``first - 1``, seconds; None for the start of the clip.
    count : int | None
        Number of frames; None = up to the end of the clip.
    """

    number: int
    first: int
    last_time: Fraction | None = None
    count: int | None = None


def render_range(
    job: ClipJob,
    depth: DepthSource,
    renderer: FrameRenderer,
    strengths: Callable[[Fraction], StereoStrength],
    style: Style,
    checkpoint: Checkpoint,
    part: SegmentRange,
    progress: Progress | None = None,
) -> None:
    """Render and encode the segments of ``part``; see `render_segments`."""
    first = part.first
    told = isinstance(depth, StoredDepth)  # by the first pass
    frames = job.frames(index=max(0, first - 1), time=part.last_time, both_eyes=renderer.both_eyes, quiet=told)
    wanted = islice((frame for frame in frames if frame.index >= first), part.count)
    encoder = _SegmentEncoder(job, renderer.size, style, checkpoint, part.number)

    def prepared(decoded: Iterator[Frame]) -> Iterator[tuple[Frame, Any]]:
        for frame, values in depth.follow(decoded, first):
            with on_frame(frame.index, "prepare"):
                yield frame, renderer.prepare(frame, values, strengths(frame.time))

    with (
        prefetch(wanted, HELD, "decode") as decoded,
        prefetch(prepared(decoded), 2, "prepare") as ready,
        ConsumerThread(encoder.take, HELD, "encode") as encoding,
    ):
        for frame, item in ready:
            with on_frame(frame.index, "draw"):
                picture = renderer.draw(item)
            encoding.put((frame, picture))
            if progress is not None:
                progress("draw", frame.index + 1, job.frames_about)
    encoder.finish()


class _SegmentEncoder:
    """Encode pictures into segments; used in the encoding thread only."""

    def __init__(self, job: ClipJob, size: Size, style: Style, checkpoint: Checkpoint, number: int) -> None:
        self._job, self._style, self._checkpoint, self._number = job, style, checkpoint, number
        self._size = even_size(size)
        self._step = 1 / (job.rate or job.info.rate)
        self._ticks: list[int] = []
        self._end: int | None = None
        self._writer: VideoWriter | None = None
        self._held: tuple[Frame, Image] | None = None  # encoded when it is known whether it is a segment's last one

    def take(self, item: tuple[Frame, Image]) -> None:
        """Encode one (frame, picture) pair."""
        if self._held is not None:
            self._encode(*self._held)
        self._held = item
        if len(self._ticks) + 1 == SEGMENT:
            self.finish()

    def _encode(self, frame: Frame, picture: Image, *, key_frame: bool = False) -> None:
        with self._checkpoint.keeping(), on_frame(frame.index, "encode"):
            self._open().write(even(picture), frame.time, key_frame=key_frame)
        self._ticks.append(round(frame.time / self._job.time_base))
        self._end = None if frame.duration is None else round((frame.time + frame.duration) / self._job.time_base)

    def _open(self) -> VideoWriter:
        if self._writer is None:
            self._writer = VideoWriter(
                self._temporary,
                self._size,
                rate=self._job.rate or self._job.info.rate,
                time_base=self._job.time_base,
                encoder=self._style.encoder,
                bits=self._style.bits,
                color=self._style.color,
                pixel_aspect=self._style.pixel_aspect,
                crf=self._style.crf,
                preset=self._style.preset,
            )
        return self._writer

    def finish(self) -> None:
        """Close the current segment, if any."""
        if self._held is None:
            return
        (frame, picture), self._held = self._held, None
        # Containers keep the duration of the packet that is decoded last only. Where B-frames are reordered this would
        # not be the frame that is shown last; a key frame is both.
        self._encode(frame, picture, key_frame=frame.duration is not None and frame.duration > _HELD_LONG * self._step)
        with self._checkpoint.keeping():
            self._open().close()
        file = _segment(self._checkpoint, self._number)
        self._checkpoint.adopt(self._temporary, file)
        note = {"ticks": self._ticks, "end": self._end, "bytes": file.stat().st_size}
        self._checkpoint.write_json(f"segment-{self._number:06d}.json", note)
        self._number += 1
        self._ticks, self._writer = [], None

    @property
    def _temporary(self) -> Path:
        # With the process: on a cluster a part may be repeated while a lost worker still runs.
        return self._checkpoint.folder / f"part-{os.getpid()}-segment-{self._number:06d}.nut"


def _segment(checkpoint: Checkpoint, number: int) -> Path:
    return checkpoint.folder / f"segment-{number:06d}.nut"
