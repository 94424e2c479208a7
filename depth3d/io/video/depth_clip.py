"""Write depth clips as lossless 16-bit gray (FFV1) and read any gray clip as depth; white = near."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from depth3d.depthmap import DepthMap
from depth3d.errors import WriteError
from depth3d.frames import Color
from depth3d.image import Size
from depth3d.io.video.color import Converter, bit_depth, stored_color
from depth3d.io.video.encoders import ENCODERS
from depth3d.io.video.files import open_container
from depth3d.io.video.reader import VideoReader
from depth3d.io.video.stream_writer import StreamWriter

__all__ = ["DepthClipInfo", "DepthClipWriter", "TimedDepth", "depth_clip_info", "read_depth_clip"]

_START_TAG = "DEPTH3D_START"


class DepthClipWriter(StreamWriter):
    """Write depth maps as FFV1, 16-bit gray: 65535 = nearest. A context manager.

    Parameters
    ----------
    path : Path
        ``.mkv``, or ``.nut`` for exact timestamps; not written atomically: pass a temporary name.
    size : Size
        Size of the maps, px.
    rate : Fraction
        Frames per second, a hint.
    time_base : Fraction
        Seconds per tick of the times given to ``write``.
    start : Fraction
        Source time of the first map, seconds; stored as a tag.

    Raises
    ------
    WriteError
        If the file cannot be opened, or its container does not support FFV1.
    """

    def __init__(
        self, path: Path, size: Size, *, rate: Fraction, time_base: Fraction, start: Fraction = Fraction(0)
    ) -> None:
        if path.suffix.lower() not in ENCODERS["ffv1"].containers:
            raise WriteError(path, f"depth clips are {' or '.join(ENCODERS['ffv1'].containers)} files")
        super().__init__(
            path,
            size,
            codec="ffv1",
            pixel_format="gray16le",
            rate=rate,
            time_base=time_base,
            options={"level": "3"},
            color=Color(full_range=True),
            metadata={_START_TAG: str(start)},
        )

    def write(self, depth: DepthMap, time: Fraction, duration: Fraction | None = None) -> None:
        """Append one (H, W) map with presentation time ``time`` and, if given, its duration, seconds."""
        gray = np.round(depth.values * 65535).astype(np.uint16)
        self.encode(av.VideoFrame.from_ndarray(gray, "gray16le"), time, duration)


@dataclass(frozen=True, slots=True, eq=False)
class TimedDepth:
    """A depth map with its presentation start and end, seconds from the first frame of the clip."""

    time: Fraction
    end: Fraction
    depth: DepthMap


@dataclass(frozen=True, slots=True)
class DepthClipInfo:
    """Length of a depth clip and the source time of its start, seconds; None = unknown."""

    length: Fraction | None
    start: Fraction | None


def depth_clip_info(path: str | Path) -> DepthClipInfo:
    """Return the length and start of a depth clip, to align it with its source.

    Raises
    ------
    ReadError
        If it cannot be read.
    """
    with VideoReader(path) as reader:
        info = reader.info
    with open_container(path) as container:
        text = {key.lower(): value for key, value in container.metadata.items()}.get(_START_TAG.lower())
    try:
        start = None if text is None else Fraction(text)
    except (ValueError, ZeroDivisionError):
        start = None
    return DepthClipInfo(None if info.duration is None else info.duration - info.start, start)


def read_depth_clip(path: str | Path, *, begin: Fraction = Fraction(0), invert: bool = False) -> Iterator[TimedDepth]:
    """Yield the depth maps of a clip, starting ``begin`` seconds after its first frame; lighter = nearer.

    Clips of ``DepthClipWriter`` are read without loss, any other clip by its brightness.

    Parameters
    ----------
    begin : Fraction
        Seconds after the first frame.
    invert : bool
        Darker = nearer.

    Raises
    ------
    ReadError
        If the file is not a readable clip.
    VideoError
        If a frame cannot be decoded.
    """
    with VideoReader(path) as reader:
        first = reader.info.start
        gray: _Gray | None = None
        for frame in reader.decoded(first + begin):
            gray = gray or _Gray(frame.picture)
            end = frame.time + (frame.duration or 1 / reader.info.rate)
            yield TimedDepth(frame.time - first, end - first, DepthMap.from_gray(gray(frame.picture), invert=invert))


class _Gray:
    """Convert decoded frames of any format to (H, W) uint8 or uint16 brightness."""

    def __init__(self, first: Any) -> None:
        self._plain = first.format.name in ("gray", "gray16le")
        self._converter = Converter(stored_color(first), bit_depth(first), tone_map=True)

    def __call__(self, frame: Any) -> Any:
        if self._plain:
            return frame.to_ndarray()
        return self._converter.image(frame)[..., 1]
