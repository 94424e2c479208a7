"""Read animated WebP with Pillow, as FFmpeg 8 cannot decode it."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import numpy as np

from depth3d.errors import ReadError, in_words
from depth3d.io.video.choice import LARGEST_FRAME, large_frames

__all__ = ["is_webp", "webp_as_mov"]

_TICK = Fraction(1, 1000)  # time base of WebP, seconds


def is_webp(path: Path) -> bool:
    """Return True if the file has the header of a WebP file."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(12)
    return head[:4] == b"RIFF" and head[8:] == b"WEBP"


def webp_as_mov(path: Path) -> BytesIO:
    """Return the animation as a QuickTime file in memory: lossless PNG frames with durations, composited on white.

    Raises
    ------
    ReadError
        If Pillow cannot decode it.
    """
    state = path.stat()
    return BytesIO(_converted(path, state.st_size, state.st_mtime_ns))


@lru_cache(maxsize=1)  # a run opens its clip several times
def _converted(path: Path, _size: int, _changed: int) -> bytes:
    from PIL import Image as Pillow
    from PIL import ImageSequence

    buffer = BytesIO()
    try:
        with Pillow.open(path) as picture, av.open(buffer, "w", format="mov") as container:
            if picture.width * picture.height > LARGEST_FRAME:
                raise ReadError(path, large_frames(*picture.size))
            stream: Any = container.add_stream("png", rate=25)
            stream.width, stream.height = picture.size
            stream.pix_fmt, stream.time_base = "rgb24", _TICK
            stream.codec_context.time_base = _TICK
            time = 0
            for still in ImageSequence.Iterator(picture):
                layered = still.convert("RGBA")
                flat = Pillow.alpha_composite(Pillow.new("RGBA", layered.size, "white"), layered).convert("RGB")
                frame: Any = av.VideoFrame.from_ndarray(np.asarray(flat), "rgb24")
                frame.pts, frame.time_base, frame.duration = time, _TICK, max(1, int(still.info.get("duration", 0)))
                time += frame.duration
                for packet in stream.encode(frame):
                    packet.duration = frame.duration  # the muxer cannot derive that of the last frame
                    container.mux(packet)
            container.mux(stream.encode(None))
    except (OSError, ValueError, EOFError, av.error.FFmpegError, Pillow.DecompressionBombError) as error:
        raise ReadError(path, f"unsupported or corrupt animation: {in_words(error)}") from error
    return buffer.getvalue()
