"""Reading clips through PyAV: exact times, upright pictures, right colors, bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from depth3d.errors import ReadError, VideoError
from depth3d.frames import Frame, VideoInfo
from depth3d.image import Image, Size
from depth3d.io.video.color import Converter, bit_depth, stored_color
from depth3d.io.video.files import open_container
from depth3d.io.video.suffixes import SEQUENCE_SUFFIXES, is_sequence

__all__ = ["VideoReader", "probe"]

_SEQUENCE_RATE = Fraction(25)


def probe(path: str | Path, *, rate: Fraction | None = None) -> VideoInfo:
    """Open ``path``, look at its first frame and close it again."""
    with VideoReader(path, sequence_rate=rate) as reader:
        return reader.info


class VideoReader:
    """A clip being read: a context manager; iterate it, or ``frames`` from a known place.

    Raises ``ReadError`` if the file cannot be opened or has no picture stream.

    Parameters
    ----------
    path : str | Path
        A video file, a GIF, or the pattern of an image sequence (``img_%04d.png``, ``folder/*.png``).
    start, end : Fraction | None
        Seconds from the start of the file; frames with start <= time < end are given.
    tone_map : bool
        Bring HDR to BT.709 in 8 bits; else its code values are kept in 16 bits.
    seen : bool
        Also make the 8-bit tone-mapped picture of an HDR clip for the depth network.
    size : Size | None
        Scale every picture to this size (after turning).
    sequence_rate : Fraction | None
        Frames per second of an image sequence, default 25.
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
    ) -> None:
        self._path, self._start, self._end = Path(path), start, end
        self._seen, self._size = seen, size
        self._container = _open(self._path, sequence_rate)
        try:
            self._stream = _picture_stream(self._container, self._path)
            self._stream.thread_type = "AUTO"
            first = self._peek()
            self._stored = stored_color(first)
            self._converter = Converter(self._stored, bit_depth(first), tone_map=tone_map)
            self._turn = int(first.rotation) % 360 // 90
            self.info = self._describe(first)
        except BaseException:
            self._container.close()
            raise

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        self._container.close()

    def __iter__(self) -> Iterator[Frame]:
        return self.frames()

    def frames(self, index: int = 0, time: Fraction | None = None) -> Iterator[Frame]:
        """Give the frames from the one numbered ``index`` at ``time`` on (from the first without ``time``).

        Raises ``VideoError`` with the frame's number if the clip cannot be decoded, or if no frame has
        exactly the wanted time (the file was changed).
        """
        begin = time if time is not None else self._start
        self._rewind(begin)
        number = index
        for when, decoded in self._timed():
            if begin is not None and when < begin:
                continue
            if self._end is not None and when >= self._end:
                return
            if number == index and time is not None and when != time:
                raise VideoError(f"{self._path}: no frame at {float(time):.4f} s; was the file changed?", index)
            yield self._frame(number, when, decoded)
            number += 1
        if number == 0:
            span = "" if self._start is None and self._end is None else " between --start and --end"
            raise ReadError(self._path, f"no frame could be decoded{span}")

    def around(self, time: Fraction) -> Iterator[Frame]:
        """Frames from the one shown at ``time`` (or a little before) on; their numbers mean nothing."""
        held: tuple[Fraction, Any] | None = None
        self._rewind(max(Fraction(0), time - 1))
        for when, decoded in self._timed():
            if self._end is not None and when >= self._end:
                break
            if when <= time:
                held = (when, decoded)
                continue
            if held is not None:
                yield self._frame(0, *held)
                held = None
            yield self._frame(0, when, decoded)
        if held is not None:
            yield self._frame(0, *held)

    @property
    def is_sequence(self) -> bool:
        """Whether these are single pictures, whose rate is what the user says."""
        return is_sequence(self._path)

    def _frame(self, number: int, when: Fraction, decoded: Any) -> Frame:
        try:
            pixels = self._converter.image(decoded)
            toned = self._converter.seen(pixels) if self._seen and self._converter.keeps_hdr else None
            image, seen = self._upright(pixels), None if toned is None else self._upright(toned)
        except (av.error.FFmpegError, ValueError) as error:
            raise VideoError(f"{self._path}: cannot be converted to RGB: {error}", number) from error
        return Frame(number, when, image, seen)

    def _upright(self, pixels: NDArray[Any]) -> Image:
        turned = np.ascontiguousarray(np.rot90(pixels, self._turn)) if self._turn else pixels
        image = Image(turned)
        return image if self._size is None else image.resized(self._size)

    def _timed(self) -> Iterator[tuple[Fraction, Any]]:
        """Decoded frames with times that always grow; stamps that a file leaves out are filled in."""
        tick = self.info.time_base
        step = max(1, round(1 / (self.info.rate * tick)))
        last: int | None = None
        for decoded in self._decoded():
            stamp = decoded.pts
            now = (stamp - self._zero) if stamp is not None else (0 if last is None else last + step)
            if last is not None and now <= last:
                now = last + 1
            last = now
            yield now * tick, decoded

    def _decoded(self) -> Iterator[Any]:
        good = bad = 0
        for packet in self._container.demux(self._stream):
            try:
                for frame in packet.decode():
                    good += 1
                    yield frame
            except av.error.InvalidDataError as error:
                bad += 1  # a damaged packet: players skip it too
                if bad > 100 + good:
                    raise VideoError(f"{self._path}: too many damaged packets ({error})", good) from error
            except av.error.FFmpegError as error:
                raise VideoError(f"{self._path}: cannot be decoded: {error}", good) from error

    def _peek(self) -> Any:
        self._zero = 0
        for frame in self._decoded():
            return frame
        raise ReadError(self._path, "holds a picture stream, but no frame of it can be decoded")

    def _rewind(self, time: Fraction | None) -> None:
        """Seek to a key frame at or before ``time``; open the file anew where seeking is impossible."""
        ticks = 0 if time is None else int(time / self.info.time_base)
        try:
            self._container.seek(max(ticks + self._zero, self._zero), stream=self._stream, backward=True)
        except av.error.FFmpegError:
            self._reopen()

    def _reopen(self) -> None:
        self._container.close()
        self._container = _open(self._path, self.info.rate)
        self._stream = self._container.streams[self.info.track]
        self._stream.thread_type = "AUTO"

    def _describe(self, first: Any) -> VideoInfo:
        stream, container = self._stream, self._container
        base = Fraction(stream.time_base)
        begin = Fraction(container.start_time or 0, 1_000_000)
        self._zero = round(begin / base)
        rate = stream.average_rate or stream.guessed_rate or stream.base_rate or _SEQUENCE_RATE
        pixel = Fraction(stream.sample_aspect_ratio or 1) or Fraction(1)
        if self._turn % 2:
            pixel = 1 / pixel
        size = Size(first.height, first.width) if self._turn % 2 else Size(first.width, first.height)
        if self._size is not None:
            pixel = pixel * Fraction(size.width, size.height) / Fraction(*self._size)
            pixel = Fraction(1) if abs(float(pixel) - 1) < 0.02 else pixel.limit_denominator(255)
        duration = None
        if stream.duration:
            duration = stream.duration * base
        elif container.duration:
            duration = Fraction(container.duration, 1_000_000)
        start = (first.pts - self._zero) * base if first.pts is not None else Fraction(0)
        return VideoInfo(
            path=self._path,
            size=self._size or size,
            rate=Fraction(rate),
            time_base=base,
            start=start,
            count=stream.frames or None,
            duration=duration,
            rotation=self._turn * 90,
            pixel_aspect=pixel,
            bit_depth=8 if self._stored.hdr and not self._converter.keeps_hdr else bit_depth(first),
            color=self._converter.color,
            stored=self._stored,
            codec=stream.codec_context.name,
            track=stream.index,
            notes=self._notes(),
        )

    def _notes(self) -> tuple[str, ...]:
        pictures = [s for s in self._container.streams.video if not _is_cover(s)]
        if len(pictures) < 2:
            return ()
        return (f"{len(pictures)} picture streams; number {self._stream.index} is used",)


def _open(path: Path, rate: Fraction | None) -> Any:
    name, options, layout = path, {}, None
    if is_sequence(path) or path.is_dir():
        layout = "image2"
        options = {"framerate": str(rate or _SEQUENCE_RATE)}
        if path.is_dir():
            name = path / f"*{_most_common_suffix(path)}"
        if "*" in name.name:
            options["pattern_type"] = "glob"
    elif not path.is_file():
        raise ReadError(path, "does not exist")
    try:
        return open_container(name, layout=layout, options=options)
    except (av.error.FFmpegError, ValueError) as error:
        raise ReadError(path, f"is not a clip that can be read: {getattr(error, 'strerror', None) or error}") from error


def _most_common_suffix(folder: Path) -> str:
    suffixes = [p.suffix for p in folder.iterdir() if p.suffix.lower() in SEQUENCE_SUFFIXES]
    if not suffixes:
        raise ReadError(folder, "holds no pictures")
    return max(set(suffixes), key=suffixes.count)


def _is_cover(stream: Any) -> bool:
    return "attached_pic" in str(stream.disposition).lower()


def _picture_stream(container: Any, path: Path) -> Any:
    pictures = [stream for stream in container.streams.video if not _is_cover(stream)]
    if not pictures:
        raise ReadError(path, "holds no picture stream")
    chosen = [stream for stream in pictures if "default" in str(stream.disposition).lower()]
    return (chosen or pictures)[0]
