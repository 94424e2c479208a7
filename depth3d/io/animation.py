"""Write pictures as a looping animation: MP4, WebM, GIF, animated WebP or APNG, by suffix.

Pictures are rendered in the caller's thread (an OpenGL context belongs to one thread) and encoded in a second thread; a
bounded queue between them limits memory.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depth3d.errors import Depth3DError, InvalidInput, VideoError, WriteError
from depth3d.image import Image, Size
from depth3d.io import animation_encoders
from depth3d.io.animation_encoders import FrameEncoder
from depth3d.io.atomic import atomic_path
from depth3d.io.image.read import flatten
from depth3d.io.video.encoders import encoder_for

__all__ = ["FORMATS", "AnimationFormat", "animation_format", "write_animation"]

_QUEUE = 4  # frames between rendering and encoding; 25 MB at 1080p


@dataclass(frozen=True, slots=True)
class AnimationFormat:
    """Encoder, size rule and default size of one animation format.

    Parameters
    ----------
    encode : FrameEncoder
        Writes an iterator of (H, W, 3) uint8 frames to a path.
    even : bool
        Whether both sides must be even (4:2:0 color).
    long_side : int
        Default length of the longer side, px; a GIF in full HD would take hundreds of megabytes.
    """

    encode: FrameEncoder
    even: bool
    long_side: int


_VIDEO_SUFFIXES = (".mp4", ".webm", ".m4v", ".mov", ".mkv")


def _video_formats() -> dict[str, AnimationFormat]:
    found = {suffix: encoder_for(suffix) for suffix in _VIDEO_SUFFIXES}
    return {
        suffix: AnimationFormat(animation_encoders.video_encoder(encoder), True, 1920)
        for suffix, encoder in found.items()
        if encoder is not None
    }


FORMATS = {
    **_video_formats(),
    ".gif": AnimationFormat(animation_encoders.write_gif, False, 480),
    ".webp": AnimationFormat(animation_encoders.write_webp, False, 960),
    ".png": AnimationFormat(animation_encoders.write_apng, False, 480),
    ".apng": AnimationFormat(animation_encoders.write_apng, False, 480),
}


def animation_format(path: str | Path) -> AnimationFormat:
    """Return the animation format for a suffix. Raises ``WriteError`` for other suffixes."""
    suffix = Path(path).suffix.lower()
    if suffix not in FORMATS:
        raise WriteError(path, f"{suffix or '(no suffix)'!r} is not an animation format; use {', '.join(FORMATS)}")
    return FORMATS[suffix]


def write_animation(
    frames: Iterator[Image],
    path: str | Path,
    *,
    fps: Fraction,
    size: Size,
    count: int,
    force: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Path:
    """Encode ``frames`` as an animation, looping endlessly if the format supports it; return the path.

    The file is written atomically. Raises ``WriteError``, ``ExistsError``,
    ``InvalidInput`` for a wrong size and ``VideoError`` if the encoder fails or frames are missing.

    Parameters
    ----------
    frames : Iterator[Image]
        Pictures of size ``size``, iterated in the calling thread. Transparency is composited on white.
    fps : Fraction
        Exact frame rate. Delays of GIF (1/100 s) and WebP (1/1000 s) alternate so that the total is exact.
    size : Size
        Size of the animation, px; even sides for MP4 and WebM.
    count : int
        Number of frames.
    progress : Callable[[int], None] | None
        Called after each frame with the number of frames rendered so far.
    """
    kind = animation_format(path)
    if kind.even and size != size.even():
        raise InvalidInput(f"{Path(path).name}: frames are {size}, expected even sides (4:2:0 color)")
    if not fps > 0 or count < 1:
        raise InvalidInput(f"{Path(path).name}: {count} frames at {fps} fps, expected at least one and a rate above 0")
    with atomic_path(path, force=force) as temporary:
        done = 0
        with _EncodingThread(kind.encode, temporary, Fraction(fps), size) as encoding:
            for done, frame in enumerate(frames, 1):
                if frame.size != size:
                    raise InvalidInput(f"frame {done - 1} is {frame.size}, expected {size}")
                encoding.put(flatten(frame).eight_bit().pixels)
                if progress is not None:
                    progress(done)
            if done != count:
                raise VideoError(f"{Path(path).name}: got {done} frames, expected {count}")
    return Path(path)


class _Cancelled(Exception):
    """Rendering failed: the encoder must stop without finishing its file."""


class _EncodingThread:
    """Run an encoder in its own thread, fed through a bounded queue.

    Leaving the ``with`` block waits for the encoder to finish its file, or to stop if the block failed;
    an error of the encoder is raised in the caller's thread.
    """

    def __init__(self, encode: FrameEncoder, path: Path, fps: Fraction, size: Size) -> None:
        self._queue: queue.Queue[NDArray[np.uint8] | None] = queue.Queue(_QUEUE)
        self._cancelled = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(encode, path, fps, size), name="encode", daemon=True)

    def __enter__(self) -> _EncodingThread:
        self._thread.start()
        return self

    def put(self, pixels: NDArray[Any] | None) -> None:
        """Queue a frame (None = the end); block while the queue is full, raise if the encoder failed."""
        while self._thread.is_alive():
            try:
                self._queue.put(pixels, timeout=0.1)
                return
            except queue.Full:
                continue
        self._raise()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if kind is None:
            try:
                self.put(None)
                self._thread.join()
            except BaseException:  # Ctrl-C while the encoder finishes
                self._stop()
                raise
            self._raise()
        else:
            self._stop()

    def _stop(self) -> None:
        self._cancelled.set()
        self._thread.join()

    def _raise(self) -> None:
        if self._error is None:
            return
        if isinstance(self._error, Depth3DError | OSError):
            raise self._error
        raise VideoError(f"the encoder failed: {self._error}") from self._error

    def _frames(self) -> Iterator[NDArray[np.uint8]]:
        while True:
            if self._cancelled.is_set():
                raise _Cancelled
            try:
                pixels = self._queue.get(timeout=0.1)
            except queue.Empty:
                continue
            if pixels is None:
                return
            yield pixels

    def _run(self, encode: FrameEncoder, path: Path, fps: Fraction, size: Size) -> None:
        try:
            encode(self._frames(), path, fps, size)
        except _Cancelled:
            pass
        except BaseException as error:
            self._error = error
