"""Depth as a clip: lossless 16-bit grey (FFV1) written, any grey clip read; white = near."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import numpy as np

from depth3d.depthmap import DepthMap
from depth3d.errors import ReadError, VideoError, WriteError
from depth3d.image import Size
from depth3d.io.video.color import Converter, bit_depth, stored_colour

__all__ = ["DepthClipWriter", "read_depth_clip"]


class DepthClipWriter:
    """Writes depth maps as FFV1, 16-bit grey: 65535 = nearest. A context manager.

    Parameters
    ----------
    path : Path
        ``.mkv`` (or ``.nut``, whose clock is exact); written in place: give a temporary name.
    size : Size
        Of the maps.
    rate : Fraction
        Frames per second, a hint.
    time_base : Fraction
        Of the times given to ``write``.
    """

    def __init__(self, path: Path, size: Size, *, rate: Fraction, time_base: Fraction) -> None:
        self._path, self._base = path, time_base
        try:
            self._container = av.open(str(path), "w")
            stream: Any = self._container.add_stream(
                "ffv1", rate=rate.limit_denominator(100_000), options={"level": "3"}
            )
            stream.width, stream.height = size
            stream.pix_fmt = "gray16le"
            stream.time_base = stream.codec_context.time_base = time_base
            stream.codec_context.color_range = 2
            self._stream = stream
        except (av.error.FFmpegError, ValueError) as error:
            raise WriteError(path, f"depth clips are .mkv or .nut files: {error}") from error

    def __enter__(self) -> DepthClipWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self._container.close()

    def close(self) -> None:
        """Flush and finish the file."""
        try:
            self._container.mux(self._stream.encode(None))
            self._container.close()
        except (av.error.FFmpegError, OSError) as failed:
            raise WriteError(self._path, f"cannot be finished: {failed}") from failed

    def write(self, depth: DepthMap, time: Fraction) -> None:
        """Append one map shown from ``time`` seconds on."""
        frame = av.VideoFrame.from_ndarray(np.round(depth.values * 65535).astype(np.uint16), "gray16le")
        frame.pts, frame.time_base = round(time / self._base), self._base
        self._container.mux(self._stream.encode(frame))


def read_depth_clip(path: str | Path, *, start: int = 0, invert: bool = False) -> Iterator[DepthMap]:
    """Give the depth maps of a clip from number ``start`` on; lighter = nearer (darker with ``invert``).

    Reads what ``DepthClipWriter`` wrote exactly, and any other grey clip by its brightness.

    Raises ``ReadError`` if it is no clip, ``VideoError`` if a frame cannot be decoded.
    """
    number = 0
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise ReadError(path, "holds no picture stream")
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            grey: _Grey | None = None
            for frame in container.decode(stream):
                if number >= start:
                    grey = grey or _Grey(frame)
                    yield DepthMap.from_gray(grey(frame), invert=invert)
                number += 1
    except av.error.FFmpegError as error:
        if number == 0:
            raise ReadError(path, f"is not a depth clip that can be read: {error.strerror}") from error
        raise VideoError(f"{path}: cannot be decoded: {error}", number) from error


class _Grey:
    """Brightness of decoded frames as uint8 or uint16, whatever their format."""

    def __init__(self, first: Any) -> None:
        self._plain = first.format.name in ("gray", "gray16le")
        self._converter = Converter(stored_colour(first), bit_depth(first), tone_map=True)

    def __call__(self, frame: Any) -> Any:
        if self._plain:
            return frame.to_ndarray()
        return self._converter.image(frame)[..., 1]
