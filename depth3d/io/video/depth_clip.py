"""Depth as a clip: lossless 16-bit gray (FFV1) written, any gray clip read; white = near."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from depth3d.depthmap import DepthMap
from depth3d.errors import ReadError, VideoError, WriteError
from depth3d.frames import Color
from depth3d.image import Size
from depth3d.io.video.color import Converter, bit_depth, stored_color
from depth3d.io.video.encoders import ENCODERS
from depth3d.io.video.files import open_container
from depth3d.io.video.stream_writer import StreamWriter

__all__ = ["DepthClipWriter", "read_depth_clip"]


class DepthClipWriter(StreamWriter):
    """Writes depth maps as FFV1, 16-bit gray: 65535 = nearest. A context manager.

    Parameters
    ----------
    path : Path
        ``.mkv`` (or ``.nut``, whose clock is exact); written in place: give a temporary name.
    size : Size
        Of the maps, px.
    rate : Fraction
        Frames per second, a hint.
    time_base : Fraction
        Seconds per tick of the times given to ``write``.

    Raises
    ------
    WriteError
        If the file cannot be opened, or its suffix stands for a container without FFV1.
    """

    def __init__(self, path: Path, size: Size, *, rate: Fraction, time_base: Fraction) -> None:
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
        )

    def write(self, depth: DepthMap, time: Fraction) -> None:
        """Append one map, shown from ``time`` seconds on."""
        self.encode(av.VideoFrame.from_ndarray(np.round(depth.values * 65535).astype(np.uint16), "gray16le"), time)


def read_depth_clip(path: str | Path, *, start: int = 0, invert: bool = False) -> Iterator[DepthMap]:
    """Give the depth maps of a clip from number ``start`` on; lighter = nearer (darker with ``invert``).

    Reads what ``DepthClipWriter`` wrote exactly, and any other gray clip by its brightness.

    Raises ``ReadError`` if it is no clip, ``VideoError`` if a frame cannot be decoded.
    """
    number = 0
    try:
        with open_container(path) as container:
            if not container.streams.video:
                raise ReadError(path, "holds no picture stream")
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            gray: _Gray | None = None
            for frame in container.decode(stream):
                if number >= start:
                    gray = gray or _Gray(frame)
                    yield DepthMap.from_gray(gray(frame), invert=invert)
                number += 1
    except av.error.FFmpegError as error:
        if number == 0:
            raise ReadError(path, f"is not a depth clip that can be read: {error.strerror}") from error
        raise VideoError(f"{path}: cannot be decoded: {error}", number) from error


class _Gray:
    """Brightness of decoded frames as uint8 or uint16, whatever their format."""

    def __init__(self, first: Any) -> None:
        self._plain = first.format.name in ("gray", "gray16le")
        self._converter = Converter(stored_color(first), bit_depth(first), tone_map=True)

    def __call__(self, frame: Any) -> Any:
        if self._plain:
            return frame.to_ndarray()
        return self._converter.image(frame)[..., 1]
