"""Write RGB pictures as a clip: exact times, color tags, any encoder of the table."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.frame import PictureType
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from depth3d.errors import VideoError, in_words
from depth3d.frames import BT709, Color
from depth3d.image import Image, Size
from depth3d.io.video.encoders import Encoder, settings
from depth3d.io.video.planes import has_planes, to_planes
from depth3d.io.video.stream_writer import FULL, LIMITED, StreamWriter

__all__ = ["VideoWriter", "even", "even_size"]

_PACKED = {8: "rgb24", 10: "rgb48le", 16: "rgb48le"}
_MP4 = (".mp4", ".mov", ".m4v")


def even(image: Image) -> Image:
    """Return the picture with even sides, as 4:2:0 requires; the last column or row is repeated if needed."""
    height, width = image.pixels.shape[:2]
    if height % 2 == 0 and width % 2 == 0:
        return image
    return Image(np.pad(image.pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge"))


def even_size(size: Size) -> Size:
    """Return the size of ``even(image)`` for an image of this size."""
    return Size(size.width + size.width % 2, size.height + size.height % 2)


class VideoWriter(StreamWriter):
    """Encode RGB pictures in order of time into one file; a context manager.

    Parameters
    ----------
    path : str | Path
        Not written atomically: pass a temporary name (see ``io.atomic``). The suffix selects the container.
    size : Size
        Size of the pictures, px.
    rate : Fraction
        Frames per second, a hint for the encoder; the times passed to ``write`` are exact.
    time_base : Fraction
        Seconds per tick; every time must be a multiple of it.
    encoder : Encoder
        Entry of ``io.video.encoders.ENCODERS``.
    bits : int
        Bits per sample of the file: 8, 10 or (FFV1) 16; pictures of another bit depth are converted.
    color : Color
        Color space of the pictures; written as tags (and HDR10 metadata).
    pixel_aspect : Fraction
        Width of a pixel over its height.
    crf : int | None
        Constant quality of the encoder; None = the encoder's default.
    preset : str | None
        Speed preset of the encoder; None = the encoder's default.
    threads : int | None
        Threads of the encoder; None = its own choice.
    container_options : Mapping[str, str] | None
        Options of the muxer.

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
        rate: Fraction,
        time_base: Fraction,
        encoder: Encoder,
        bits: int = 8,
        color: Color = BT709,
        pixel_aspect: Fraction = Fraction(1),
        crf: int | None = None,
        preset: str | None = None,
        threads: int | None = None,
        container_options: Mapping[str, str] | None = None,
    ) -> None:
        self._size, self._color = size, color
        self._bits = bits if bits in encoder.formats else max(b for b in encoder.formats if b <= max(bits, 8))
        self._format = encoder.formats[self._bits]
        self._reformatter = VideoReformatter()  # reused: creating one per frame would rebuild its tables
        super().__init__(
            path,
            size,
            codec=encoder.name,
            pixel_format=self._format,
            rate=rate,
            time_base=time_base,
            options=settings(encoder, crf, preset, color),
            container_options=container_options,
            color=color,
            pixel_aspect=pixel_aspect,
            tag=encoder.tag if Path(path).suffix.lower() in _MP4 else None,
            threads=threads,
        )

    def write(self, image: Image, time: Fraction, duration: Fraction | None = None, *, key_frame: bool = False) -> None:
        """Encode one picture with presentation time ``time``, seconds; ``key_frame``: as a key frame.

        Raises
        ------
        VideoError
            With the frame number, if the picture has another size or cannot be encoded.
        """
        if image.size != self._size:
            raise VideoError(f"{self._path}: picture is {image.size}, expected {self._size}", self.written)
        try:
            frame = self._converted(image.pixels)
        except (av.error.FFmpegError, ValueError) as error:
            raise VideoError(f"{self._path}: cannot be encoded: {in_words(error)}", self.written) from error
        if key_frame:
            frame.pict_type = PictureType.I
        self.encode(frame, time, duration)

    def _converted(self, pixels: NDArray[Any]) -> Any:
        if self._bits > 8 and pixels.dtype == np.uint8:
            pixels = pixels.astype(np.uint16) * 257
        elif self._bits == 8 and pixels.dtype == np.uint16:
            pixels = Image(pixels).eight_bit().pixels
        if self._bits == 8 and has_planes(self._format, *self._size, self._color):
            return self._tagged(to_planes(np.ascontiguousarray(pixels), self._color))
        # Without a copy: the frame holds the array until it is converted.
        picture = av.VideoFrame.from_numpy_buffer(np.ascontiguousarray(pixels), _PACKED[self._bits])
        if self._stream.codec_context.colorspace == 0:
            frame = self._reformatter.reformat(picture, format=self._format)
        else:
            # Without these arguments libswscale converts to BT.601 and reds become orange.
            frame = self._reformatter.reformat(
                picture,
                format=self._format,
                src_color_range=FULL,
                dst_colorspace=self._color.matrix,
                dst_color_range=FULL if self._color.full_range else LIMITED,
            )
        return self._tagged(frame)

    def _tagged(self, frame: Any) -> Any:
        frame.colorspace = self._stream.codec_context.colorspace
        frame.color_range = self._stream.codec_context.color_range
        frame.color_primaries, frame.color_trc = self._color.primaries, self._color.transfer
        return frame
