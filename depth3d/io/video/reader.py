"""Read clips frame by frame: exact times, pictures cropped and upright, colors converted by their tags."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from depth3d.errors import ReadError, VideoError, in_words
from depth3d.frames import Frame, VideoInfo
from depth3d.image import Image, Size
from depth3d.io.video.choice import is_scrambled
from depth3d.io.video.color import Converter, bit_depth, side_data, stored_color
from depth3d.io.video.deinterlace import Deinterlacer
from depth3d.io.video.demux import DamagedPacket, Demuxer
from depth3d.io.video.facts import StreamFacts, describe, scaled
from depth3d.io.video.fields import find_fields
from depth3d.io.video.orientation import Crop, orientation_of, read_crop
from depth3d.io.video.suffixes import is_sequence
from depth3d.io.video.timeline import growing

__all__ = ["DecodedFrame", "VideoReader", "probe"]

log = logging.getLogger("depth3d.video")

# Seconds before a wanted time at which decoding starts (at the next key frame). If that was too late, the next margin
# is tried; None = the start of the file. One second lets streams with intra refresh instead of key frames settle.
_MARGINS = (Fraction(1), Fraction(12), None)


def probe(path: str | Path, *, rate: Fraction | None = None, views: bool = False) -> VideoInfo:
    """Return the properties of a clip; decodes only its first frame. ``views``: see `VideoReader`."""
    with VideoReader(path, sequence_rate=rate, views=views) as reader:
        return reader.info


@dataclass(frozen=True, slots=True, eq=False)
class DecodedFrame:
    """A decoded frame (``av.VideoFrame``) with its time and, if known, its duration, seconds."""

    time: Fraction
    duration: Fraction | None
    picture: Any


class VideoReader:
    """Read a clip: iterate over it, or call ``frames`` to start at a known frame. A context manager.

    The file is reopened for every pass and closed at its end.

    Parameters
    ----------
    path : str | Path
        A video file, a GIF, or the pattern of an image sequence (``img_%04d.png``, ``folder/*.png``).
    start, end : Fraction | None
        Seconds from the start of the file; only frames with start <= time < end are read.
    tone_map : bool
        Convert HDR to BT.709 in 8 bits; else its code values are kept in 16 bits.
    seen : bool
        Also produce an 8-bit tone-mapped picture of HDR frames, for the depth network.
    size : Size | None
        Scale every picture to this size (after rotation).
    sequence_rate : Fraction | None
        Frames per second of an image sequence, default 25.
    quiet : bool
        Log no warnings: an earlier pass over the clip has.
    views : bool
        Join both views of an MV-HEVC clip side by side, the left eye first; else its base view is read. No difference
        for other clips.

    Raises
    ------
    ReadError
        If the file cannot be opened, or has no video stream that can be decoded.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        start: Fraction | None = None,
        end: Fraction | None = None,
        tone_map: bool = False,
        seen: bool = True,
        size: Size | None = None,
        sequence_rate: Fraction | None = None,
        quiet: bool = False,
        views: bool = False,
    ) -> None:
        self._path, self._start, self._end = Path(path), start, end
        self._quiet, self._views = quiet, views
        self._seen, self._size, self._rate = seen, size, sequence_rate
        self._careful = False  # whether damaged packets were found: then one thread decodes packet by packet
        self._told: set[str] = set()
        self._passes: list[Demuxer] = []
        first = self._peek()
        self._stored = stored_color(first)
        self._converter = Converter(self._stored, bit_depth(first), tone_map=tone_map)
        self._orientation = orientation_of(side_data(first, "DISPLAYMATRIX"), int(first.rotation))
        self._frame_size = Size(first.width, first.height)
        eye = Size(first.width // self._facts.eyes, first.height)
        self._crop = read_crop(self._path, eye) if self._path.is_file() else Crop()
        self._fields = find_fields(self._path)
        info = describe(self._path, self._facts, first, self._converter, self._fields, self._crop, self._orientation)
        self.info = info if size is None else scaled(info, size)

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        for opened in self._passes:
            opened.container.close()
        self._passes.clear()

    def __iter__(self) -> Iterator[Frame]:
        return self.frames()

    def frames(self, index: int = 0, time: Fraction | None = None) -> Iterator[Frame]:
        """Yield frames starting with number ``index`` at ``time`` seconds (None = the first frame).

        Raises
        ------
        VideoError
            With the frame number, if the clip cannot be decoded or no frame has exactly this time (the file was
            changed).
        ReadError
            If no frame can be decoded.
        """
        begin = time if time is not None else self._start
        number = index
        for when, duration, decoded in self._shown(begin, number if time is not None else None):
            if begin is not None and when < begin:
                continue
            if self._end is not None and when >= self._end:
                break
            yield self._frame(number, when, duration, decoded)
            number += 1
        if number == 0:
            span = "" if self._start is None and self._end is None else " between `start` and `end`"
            raise ReadError(self._path, f"no frame could be decoded{span}")

    def around(self, time: Fraction) -> Iterator[Frame]:
        """Yield frames starting with the one displayed at ``time`` seconds; their numbers are meaningless."""
        held: tuple[Fraction, Fraction | None, Any] | None = None
        for when, duration, decoded in self._shown(max(time, self.info.start)):
            if self._end is not None and when >= self._end:
                break
            if when <= time:
                held = (when, duration, decoded)
                continue
            if held is not None:
                yield self._frame(0, *held)
                held = None
            yield self._frame(0, when, duration, decoded)
        if held is not None:
            yield self._frame(0, *held)

    def sampled(self, times: Sequence[Fraction]) -> Iterator[Frame]:
        """Yield about one frame near each of ``times``, ascending seconds: fewer are decoded than by ``around``."""
        tick, origin = self.info.time_base, self.info.origin
        try:
            with Demuxer(self._path, self._rate, careful=self._careful, views=self._views) as source:
                if source.can_seek and not self.info.interlaced:
                    found = source.near([round((time + origin) / tick) for time in times])
                    yield from (self._frame(0, Fraction(0), None, picture) for picture in found)
                    return
        except DamagedPacket:
            self._careful = True
        yield from (frame for time in times for frame in islice(self.around(time), 1))

    def decoded(self, time: Fraction) -> Iterator[DecodedFrame]:
        """Yield stored frames (not cropped, rotated or converted) from the one displayed at ``time`` seconds."""
        held: DecodedFrame | None = None
        for when, duration, picture in self._shown(max(time, self.info.start)):
            if when > time and held is not None:
                yield held
            held = DecodedFrame(when, duration, picture)
            if when > time:
                yield held
                held = None
        if held is not None:
            yield held

    @property
    def end(self) -> Fraction | None:
        """End of the part that is read, seconds; None = the end of the file."""
        return self._end

    @property
    def is_sequence(self) -> bool:
        """Whether the clip is an image sequence, whose frame rate the user chooses."""
        return is_sequence(self._path)

    def _frame(self, number: int, when: Fraction, duration: Fraction | None, decoded: Any) -> Frame:
        try:
            pixels = self._cropped(self._converter.image(decoded))
            toned = self._converter.seen(pixels) if self._seen and self._converter.keeps_hdr else None
            image, seen = self._upright(pixels), None if toned is None else self._upright(toned)
        except (av.error.FFmpegError, ValueError) as error:
            raise VideoError(f"{self._path}: cannot be converted to RGB: {in_words(error)}", number) from error
        if duration is not None and self.info.duration is not None:
            # Damaged files may give a duration of hours for their last frame.
            duration = min(duration, max(self.info.duration - when, 2 / self.info.rate))
        return Frame(number, when, image, seen, duration)

    def _cropped(self, pixels: NDArray[Any]) -> NDArray[Any]:
        size = Size(pixels.shape[1], pixels.shape[0])
        if size != self._frame_size:
            self._tell(f"the picture size changes from {self._frame_size} to {size}: scaled to {self._frame_size}")
            pixels = Image(np.ascontiguousarray(pixels)).resized(self._frame_size).pixels
        return self._each(pixels, self._crop.apply)

    def _each(self, pixels: NDArray[Any], change: Callable[[NDArray[Any]], NDArray[Any]]) -> NDArray[Any]:
        """Change a picture, or each of two that were joined side by side."""
        if self._facts.eyes == 1:
            return change(pixels)
        return np.hstack([change(half) for half in np.split(pixels, self._facts.eyes, axis=1)])

    def _upright(self, pixels: NDArray[Any]) -> Image:
        image = Image(self._each(pixels, self._orientation.apply))
        return image if self._size is None else image.resized(self._size)

    def _tell(self, line: str) -> None:
        """Log a warning, each text only once."""
        if line not in self._told and not self._quiet:
            self._told.add(line)
            log.warning("%s: %s", self._path.name, line)

    def _shown(
        self, begin: Fraction | None, exact: int | None = None
    ) -> Iterator[tuple[Fraction, Fraction | None, Any]]:
        """Yield (time, duration, decoded frame), starting at or before the frame displayed at ``begin``.

        The result of a seek is verified: the first decoded time tells whether it went far enough back. With ``exact``
        (a frame number, for the error message) a frame at exactly ``begin`` is required.
        """
        begin = None if begin is None or begin <= self.info.start else begin
        last: Fraction | None = None
        attempts = [None] if begin is None else list(_MARGINS)
        while attempts:
            anchor = last if last is not None else begin
            reached = False
            try:
                for when, duration, decoded in self._one_pass(anchor, attempts[0]):
                    if not reached and anchor is not None:
                        if exact is not None and last is None:
                            if when < anchor:
                                continue
                            if when != anchor:
                                break
                        elif when > anchor and attempts[0] is not None:
                            break
                    reached = True
                    if last is not None and when <= last:
                        continue
                    last = when
                    yield when, duration, decoded
            except DamagedPacket:
                self._careful = True
                continue
            if reached:
                return
            attempts.pop(0)
        if exact is not None and begin is not None:
            raise VideoError(f"{self._path}: no frame at {float(begin):.4f} s; the file may have changed", exact)

    def _one_pass(
        self, begin: Fraction | None, margin: Fraction | None
    ) -> Iterator[tuple[Fraction, Fraction | None, Any]]:
        tick, zero = self.info.time_base, round(self.info.origin / self.info.time_base)
        step = max(1, round(1 / (self.info.rate * tick)))
        interlaced = Deinterlacer(self._fields)
        with Demuxer(self._path, self._rate, careful=self._careful, views=self._views) as source:
            self._passes.append(source)
            key_after = None
            if begin is not None and margin is not None:
                target = begin - margin + self.info.origin
                key_after = target
                if source.can_seek:
                    if not source.seek(round(target / tick)):
                        return
                    key_after = Fraction(-(10**9))  # the first key frame found
            for stamp, decoded in growing(source.frames(key_after), step, zero):
                duration = decoded.duration * tick if decoded.duration else None
                if decoded.interlaced_frame and not self.info.interlaced:
                    self._tell("some frames are interlaced: deinterlaced")
                for (when, length), frame in interlaced.push(((stamp - zero) * tick, duration), decoded):
                    yield when, length, frame
            for (when, length), frame in interlaced.flush():
                yield when, length, frame
            if source.damaged:
                self._tell(f"{source.damaged} damaged packets were skipped")
        self._passes.remove(source)

    def _peek(self) -> Any:
        for careful in (False, True):
            try:
                with Demuxer(self._path, self._rate, careful=careful, views=self._views) as source:
                    for frame in source.frames():
                        self._facts = StreamFacts(source)
                        return frame
                break
            except DamagedPacket:
                self._careful = True
        if self._path.is_file() and is_scrambled(self._path):
            raise ReadError(self._path, "is scrambled (encrypted by the broadcaster): it cannot be converted")
        raise ReadError(self._path, "no frame of its video stream can be decoded")
