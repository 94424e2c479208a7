"""Writing clips through PyAV: exact times, BT.709 (or the clip's own HDR) tags, any listed encoder."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from depth3d.errors import VideoError, WriteError
from depth3d.frames import BT709, Colour
from depth3d.image import Image, Size
from depth3d.io.video.encoders import Encoder, settings

__all__ = ["VideoWriter", "even", "even_size"]

_FULL, _LIMITED = 2, 1
_PACKED = {8: "rgb24", 10: "rgb48le", 16: "rgb48le"}


def even(image: Image) -> Image:
    """The picture with even sides, its last column and row repeated where one is missing (4:2:0 needs it)."""
    height, width = image.pixels.shape[:2]
    if height % 2 == 0 and width % 2 == 0:
        return image
    return Image(np.pad(image.pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge"))


def even_size(size: Size) -> Size:
    """The size of ``even(image)`` for an image of this size."""
    return Size(size.width + size.width % 2, size.height + size.height % 2)


class VideoWriter:
    """One stream of pictures into one file: a context manager; ``write`` pictures in order of time.

    Raises ``WriteError`` if the file or the encoder cannot be opened, ``VideoError`` with the frame's
    number if one cannot be encoded.

    Parameters
    ----------
    path : str | Path
        Written in place: give a temporary name (see ``io.atomic``). The suffix chooses the container.
    size : Size
        Of the pictures.
    rate : Fraction
        Frames per second, a hint for the encoder; the times given to ``write`` count.
    time_base : Fraction
        Every time must be a multiple of it.
    encoder : Encoder
        A card of ``io.encoders``.
    bits : int
        Per sample of the file: 8, 10 or (FFV1) 16; pictures of another depth are converted.
    colour : Colour
        What the pictures' numbers mean; written as tags (and HDR10 metadata).
    pixel_aspect : Fraction
        Width of a pixel over its height.
    crf, preset : int | None, str | None
        Of the encoder; None = the card's.
    """

    def __init__(
        self,
        path: str | Path,
        size: Size,
        *,
        rate: Fraction,
        time_base: Fraction,
        encoder: Encoder,
        bits: int = 8,
        colour: Colour = BT709,
        pixel_aspect: Fraction = Fraction(1),
        crf: int | None = None,
        preset: str | None = None,
        threads: int | None = None,
    ) -> None:
        self._path, self._size, self._colour, self._base = Path(path), size, colour, time_base
        self._bits = bits if bits in encoder.formats else max(b for b in encoder.formats if b <= max(bits, 8))
        self._format = encoder.formats[self._bits]
        self._reformatter = VideoReformatter()
        self.written = 0
        try:
            self._container = av.open(str(path), "w")
            stream: Any = self._container.add_stream(
                encoder.name, rate=rate.limit_denominator(100_000), options=settings(encoder, crf, preset, colour)
            )
            stream.width, stream.height = size
            stream.pix_fmt = self._format
            stream.time_base = time_base
            context = stream.codec_context
            context.time_base = time_base
            context.sample_aspect_ratio = pixel_aspect
            if threads is not None:
                context.thread_count = threads
            if encoder.tag and Path(path).suffix.lower() in (".mp4", ".mov", ".m4v"):
                context.codec_tag = encoder.tag
            self._tag(context)
            self._stream = stream
            self._container.start_encoding()
        except (av.error.FFmpegError, ValueError) as error:
            raise WriteError(path, f"encoder {encoder.name} at {size}: {error}") from error

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self._container.close()

    def write(self, image: Image, time: Fraction, duration: Fraction | None = None) -> None:
        """Encode one picture that is shown from ``time`` seconds on."""
        if image.size != self._size:
            raise VideoError(f"{self._path}: picture is {image.size}, expected {self._size}", self.written)
        try:
            frame = self._converted(image.pixels)
            frame.pts = round(time / self._base)
            frame.time_base = self._base
            if duration is not None:
                frame.duration = max(1, round(duration / self._base))
            self._container.mux(self._stream.encode(frame))
        except (av.error.FFmpegError, ValueError, OSError) as error:
            raise VideoError(f"{self._path}: cannot be encoded: {error}", self.written) from error
        self.written += 1

    def close(self) -> None:
        """Flush the encoder and finish the file."""
        try:
            self._container.mux(self._stream.encode(None))
            self._container.close()
        except (av.error.FFmpegError, OSError) as error:
            raise WriteError(self._path, f"cannot be finished: {error}") from error

    def _tag(self, context: Any) -> None:
        rgb = "rgb" in self._format or "gbr" in self._format or "bgr" in self._format
        context.color_primaries = self._colour.primaries
        context.color_trc = self._colour.transfer
        context.colorspace = 0 if rgb else self._colour.matrix
        context.color_range = _FULL if rgb or self._colour.full_range else _LIMITED

    def _converted(self, pixels: NDArray[Any]) -> Any:
        if self._bits > 8 and pixels.dtype == np.uint8:
            pixels = pixels.astype(np.uint16) * 257
        elif self._bits == 8 and pixels.dtype == np.uint16:
            pixels = Image(pixels).eight_bit().pixels
        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), _PACKED[self._bits])
        if self._stream.codec_context.colorspace == 0:
            frame = self._reformatter.reformat(picture, format=self._format)
        else:
            # Without these libswscale writes BT.601 into a stream that nobody tags: reds become orange.
            frame = self._reformatter.reformat(
                picture,
                format=self._format,
                src_color_range=_FULL,
                dst_colorspace=self._colour.matrix,
                dst_color_range=_FULL if self._colour.full_range else _LIMITED,
            )
        frame.colorspace = self._stream.codec_context.colorspace
        frame.color_range = self._stream.codec_context.color_range
        frame.color_primaries, frame.color_trc = self._colour.primaries, self._colour.transfer
        return frame
