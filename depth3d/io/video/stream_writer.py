"""Base class of all PyAV writers: one file with one video stream and exact frame times."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import av

from depth3d.errors import VideoError, WriteError, in_words
from depth3d.frames import Color
from depth3d.image import Size
from depth3d.io.video.files import create_container, disk_error
from depth3d.io.video.scheduling import kept_scheduling

__all__ = ["FULL", "LIMITED", "StreamWriter"]

FULL, LIMITED = 2, 1  # FFmpeg's AVColorRange: 0..255 and 16..235
# So few frames cannot be reordered, and libx265 leaves their decode times uninitialized: MP4 then fails at random.
_IN_ORDER = 2


class StreamWriter:
    """Encode ``av.VideoFrame`` objects into a file with one video stream; a context manager that completes the file.

    Parameters
    ----------
    path : str | Path
        Not written atomically: pass a temporary name (see ``io.atomic``).
    size : Size
        Size of the pictures, px.
    codec : str
        Name of the encoder in FFmpeg.
    pixel_format : str
        Pixel format of the frames in FFmpeg.
    rate : Fraction
        Frames per second, a hint for the encoder; the frame times are exact.
    time_base : Fraction
        Seconds per tick; every time is a multiple of it.
    options, container_options : Mapping[str, str] | None
        Options of the encoder and of the muxer.
    layout : str | None
        Name of FFmpeg's muxer; None = by suffix.
    color : Color | None
        Color tags; None leaves the stream untagged.
    pixel_aspect : Fraction
        Width of a pixel over its height.
    tag : str | None
        Codec tag (FourCC) for MP4; None = the muxer's default.
    threads : int | None
        Threads of the encoder; None = its default.
    metadata : Mapping[str, str] | None
        Metadata tags of the file.

    Raises
    ------
    WriteError
        If the file or the encoder cannot be opened.
    """

    def __init__(
        self,
        path: str | Path,
        size: Size,
        *,
        codec: str,
        pixel_format: str,
        rate: Fraction,
        time_base: Fraction,
        options: Mapping[str, str] | None = None,
        container_options: Mapping[str, str] | None = None,
        layout: str | None = None,
        color: Color | None = None,
        pixel_aspect: Fraction = Fraction(1),
        tag: str | None = None,
        threads: int | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        self._path, self._base = Path(path), time_base
        self._durations: dict[int, int] = {}  # time -> duration, ticks; most encoders do not pass durations on
        self.written = 0
        try:
            self._container = create_container(path, layout=layout, options=container_options)
            self._stream: Any = self._container.add_stream(
                codec, rate=rate.limit_denominator(100_000), options=dict(options or {})
            )
            self._stream.width, self._stream.height = size
            self._stream.pix_fmt, self._stream.time_base = pixel_format, time_base
            context = self._stream.codec_context
            context.time_base, context.sample_aspect_ratio = time_base, pixel_aspect
            if threads is not None:
                context.thread_count = threads
            if tag is not None:
                context.codec_tag = tag
            if color is not None:
                self._tag(context, pixel_format, color)
            self._container.metadata.update(metadata or {})
            with kept_scheduling():
                self._container.start_encoding()
        except (av.error.FFmpegError, ValueError) as error:
            raise WriteError(path, _opening(error, codec, size)) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self._container.close()

    def encode(self, frame: Any, time: Fraction, duration: Fraction | None = None) -> None:
        """Append one frame with presentation time ``time``, seconds.

        Raises
        ------
        VideoError
            With the frame number, if it cannot be encoded.
        WriteError
            If the disk is full or fails.
        """
        try:
            frame.pts, frame.time_base = round(time / self._base), self._base
            if duration is not None:
                self._durations[frame.pts] = frame.duration = max(1, round(duration / self._base))
            self._mux(self._stream.encode(frame))
        except (av.error.FFmpegError, ValueError, OSError) as error:
            words = disk_error(str(error))
            if words is not None:
                raise WriteError(self._path, f"cannot be written: {words}") from error
            raise VideoError(f"{self._path}: cannot be encoded: {in_words(error)}", self.written) from error
        self.written += 1

    def close(self) -> None:
        """Flush the encoder and finish the file.

        Raises
        ------
        WriteError
            If the file cannot be completed.
        """
        try:
            packets = self._stream.encode(None)
            if len(packets) == self.written <= _IN_ORDER:
                for packet in packets:
                    packet.dts = packet.pts
            self._mux(packets)
            self._container.close()
        except (av.error.FFmpegError, OSError) as error:
            raise WriteError(self._path, f"cannot be finished: {in_words(error).lower()}") from error

    def _mux(self, packets: list[Any]) -> None:
        for packet in packets:
            packet.duration = self._durations.pop(packet.pts, packet.duration)
            self._container.mux(packet)

    def _tag(self, context: Any, pixel_format: str, color: Color) -> None:
        rgb = any(name in pixel_format for name in ("rgb", "gbr", "bgr"))
        context.color_primaries, context.color_trc = color.primaries, color.transfer
        context.colorspace = 0 if rgb else color.matrix
        context.color_range = FULL if rgb or color.full_range else LIMITED


def _opening(error: Exception, codec: str, size: Size) -> str:
    if isinstance(error, OSError):  # FFmpeg's errors of the file system are also Python's
        return f"cannot be written: {in_words(error).lower()}"
    return f"encoder {codec} at {size}: {in_words(error)}"
