"""Second pass over a clip: decode, read depth, render and encode in parallel threads, in resumable segments.

A segment has ``SEGMENT`` frames and starts with a key frame; a JSON file with the same stem holds its frame times. A
stopped run loses only its current segment. At most ``HELD`` frames are queued between two stages.
"""

from __future__ import annotations

import logging
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
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

__all__ = ["Segments", "Style", "finished_segments", "render_segments"]

log = logging.getLogger("depth3d.video")

SEGMENT = 96
HELD = 4


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
    while True:
        file = _segment(checkpoint, len(files))
        try:
            note = checkpoint.read_json(f"segment-{len(files):06d}.json")
            times = array("q", note["ticks"])
            end = note.get("end")
            complete = len(times) > 0 and file.stat().st_size == note["bytes"]
            complete = complete and (end is None or isinstance(end, int))
        except (OSError, KeyError, TypeError, AttributeError, OverflowError):  # missing, or not written by depth3d
            complete = False
        if not complete:
            return Segments(tuple(files), ticks, last_end)
        files.append(file)
        ticks.extend(times)
        last_end = end


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
    told = isinstance(depth, StoredDepth)  # by the first pass
    frames = job.frames(index=max(0, first - 1), time=last_time, both_eyes=renderer.both_eyes, quiet=told)
    encoder = _SegmentEncoder(job, renderer.size, style, checkpoint, len(done.files))

    def prepared(decoded: Iterator[Frame]) -> Iterator[tuple[Frame, Any]]:
        for frame, values in depth.follow(decoded, first):
            with on_frame(frame.index, "prepare"):
                yield frame, renderer.prepare(frame, values, strengths(frame.time))

    with (
        prefetch((frame for frame in frames if frame.index >= first), HELD, "decode") as decoded,
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
    result = finished_segments(checkpoint)
    if not result.ticks:
        raise VideoError(f"{job.source}: no frame could be decoded")
    checkpoint.write_json("all.json", {"frames": len(result.ticks)})
    return result


class _SegmentEncoder:
    """Encode pictures into segments; used in the encoding thread only."""

    def __init__(self, job: ClipJob, size: Size, style: Style, checkpoint: Checkpoint, number: int) -> None:
        self._job, self._style, self._checkpoint, self._number = job, style, checkpoint, number
        self._size = even_size(size)
        self._ticks: list[int] = []
        self._end: int | None = None
        self._writer: VideoWriter | None = None

    def take(self, item: tuple[Frame, Image]) -> None:
        """Encode one (frame, picture) pair."""
        with self._checkpoint.keeping():
            self._take(*item)
        if len(self._ticks) == SEGMENT:
            self.finish()

    def _take(self, frame: Frame, picture: Image) -> None:
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
        with on_frame(frame.index, "encode"):
            self._writer.write(even(picture), frame.time)
        self._ticks.append(round(frame.time / self._job.time_base))
        self._end = None if frame.duration is None else round((frame.time + frame.duration) / self._job.time_base)

    def finish(self) -> None:
        """Close the current segment, if any."""
        if self._writer is None:
            return
        with self._checkpoint.keeping():
            self._writer.close()
        file = _segment(self._checkpoint, self._number)
        self._checkpoint.adopt(self._temporary, file)
        note = {"ticks": self._ticks, "end": self._end, "bytes": file.stat().st_size}
        self._checkpoint.write_json(f"segment-{self._number:06d}.json", note)
        self._number += 1
        self._ticks, self._writer = [], None

    @property
    def _temporary(self) -> Path:
        return self._checkpoint.folder / f"part-segment-{self._number:06d}.nut"


def _segment(checkpoint: Checkpoint, number: int) -> Path:
    return checkpoint.folder / f"segment-{number:06d}.nut"
