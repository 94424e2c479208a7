"""Demux and decode the video stream of a file: continuous timestamps, damaged packets skipped, start at a key frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import groupby, islice
from pathlib import Path
from typing import Any

import av

from depth3d.errors import VideoError, in_words
from depth3d.io.video.choice import choose_stream
from depth3d.io.video.packets import is_untimed, open_clip, packet_time, packets_of, stream_rate
from depth3d.io.video.views import ViewJoiner, has_views

__all__ = ["DamagedPacket", "Demuxer"]

# Containers with an index (or exact binary search); the result of a seek is still verified.
_INDEXED = frozenset({"mov", "mp4", "matroska", "webm", "nut", "avi", "asf", "flv", "ivf"})
_FIRST_KEY = Fraction(-(10**9))  # a time before all: decoding starts at the first key frame that is read
_MOST_DAMAGED = 300  # consecutive packets: about ten seconds without a picture


class DamagedPacket(Exception):
    """A packet could not be decoded by several threads; neighboring frames are lost too."""


class Demuxer:
    """A clip opened for one pass: a context manager.

    Parameters
    ----------
    path : Path
        A file, or the pattern of an image sequence.
    rate : Fraction | None
        Frames per second of a sequence; None = 25.
    careful : bool
        Decode in one thread, so that a damaged packet loses no other frames; slower.
    views : bool
        Join both views of an MV-HEVC clip side by side; else its base view is decoded.

    Raises
    ------
    ReadError
        If the file cannot be opened, has no video stream, is encrypted, or its codec is unknown.
    """

    def __init__(self, path: Path, rate: Fraction | None = None, *, careful: bool = False, views: bool = False) -> None:
        self._path, self._careful = path, careful
        # Frame numbers of an image sequence with gaps: a picture is shown until the next one.
        self.container, self.numbers = open_clip(path, rate)
        self.damaged = 0
        try:
            self.stream = choose_stream(self.container, path)
            self.stream.thread_type = "NONE" if careful else "AUTO"
            if careful:
                self.stream.codec_context.thread_count = 1
            self._joiner = ViewJoiner(path, self.stream.codec_context) if views and has_views(path) else None
        except BaseException:
            self.container.close()
            raise

    def __enter__(self) -> Demuxer:
        return self

    def __exit__(self, *error: object) -> None:
        self.container.close()

    @property
    def eyes(self) -> int:
        """How many pictures of the film are side by side in a frame because they were joined: 1 or 2."""
        return 1 if self._joiner is None else 2

    @property
    def can_seek(self) -> bool:
        """Whether seeking may work; verify the result by the times of decoded frames."""
        return bool(_INDEXED & set(self.container.format.name.split(",")))

    @property
    def untimed(self) -> bool:
        """Whether the file is a bare stream without timestamps: frames follow each other by their own durations."""
        return not self.numbers and is_untimed(self.container)

    @property
    def rate(self) -> Fraction:
        """Frames per second of the stream."""
        return stream_rate(self.container, self.stream)

    def seek(self, ticks: int) -> bool:
        """Seek to a key frame at or before ``ticks`` (stream time base); return False if seeking fails."""
        try:
            self.container.seek(ticks, stream=self.stream, backward=True)
        except (av.error.FFmpegError, ValueError, OverflowError):
            return False
        return True

    def samples(self, places: int, count: int) -> Iterator[Iterator[Any]]:
        """Yield decoded frames, at most ``count`` consecutive ones, at each of ``places`` evenly spread places.

        The first place is the start. Ends where seeking fails or the length is unknown.
        """
        return (islice(self.frames(), count) for _ in self._spread(places))

    def sampled_packets(self, places: int, count: int) -> Iterator[Any]:
        """Yield the packets of ``samples``, without decoding them."""
        for _ in self._spread(places):
            yield from islice(packets_of(self.container, self.stream), count)

    def _spread(self, places: int) -> Iterator[int]:
        """Seek to each of so many evenly spread places; the first one is the start."""
        begin, length = self.stream.start_time or 0, self.stream.duration or 0
        for place in range(places):
            if place and not (length and self.seek(begin + length * place // places)):
                return
            yield place

    def near(self, stamps: Sequence[int]) -> Iterator[Any]:
        """Yield about one decoded frame for each of these ascending times, ticks; no part is decoded twice.

        It is the key frame before the time; where several times have the same one, reference frames near them.
        """
        begins = []
        for stamp in stamps:
            packets = packets_of(self.container, self.stream) if self.seek(stamp) else iter(())
            begins.append(next((packet.pts for packet in packets if packet.size), None))
        self.stream.codec_context.skip_frame = "NONREF"
        for begin, group in groupby(zip(begins, stamps, strict=True), key=lambda pair: pair[0]):
            wanted = [stamp for _, stamp in group]
            if begin is None or not self.seek(wanted[0]):
                continue
            reached = wanted if len(wanted) > 1 else [begin]
            for frame in self.frames(_FIRST_KEY):
                if frame.pts is None or frame.pts >= reached[0]:
                    yield frame
                    reached = [stamp for stamp in reached[1:] if stamp > (frame.pts or 0)]
                if not reached:
                    break

    def frames(self, key_after: Fraction | None = None) -> Iterator[Any]:
        """Decode frames in presentation order, with continuous ``pts``.

        Parameters
        ----------
        key_after : Fraction | None
            Container time, seconds: decoding starts at the first key frame at or after it; frames presented before
            that key frame are dropped. None, and always in bare streams: decode every packet.

        Raises
        ------
        DamagedPacket
            At the first packet that cannot be decoded, unless ``careful``: then it is skipped and counted.
        VideoError
            If nothing can be decoded for a long time.
        """
        first: int | None = None
        untimed = self.untimed
        begun, good, bad = key_after is None or untimed, 0, 0
        own = _OwnTimes(self.rate, self.stream.time_base) if untimed else None
        for place, packet in enumerate(packets_of(self.container, self.stream)):
            if packet.size and self.numbers:
                packet.pts = packet.dts = self.numbers[place] - self.numbers[0]
            if not packet.size and packet.pts is not None:
                continue  # Theora: repeat the previous frame
            if not begun:
                if not packet.size or not packet.is_keyframe or packet_time(packet) < (key_after or 0):
                    continue
                begun, first = True, packet.pts
            try:
                decoded = packet.decode() if self._joiner is None else self._joiner.decode(packet)
            except (av.error.FFmpegError, ValueError, OSError) as error:
                if not self._careful:
                    raise DamagedPacket from error
                bad, self.damaged = bad + 1, self.damaged + 1
                if bad > _MOST_DAMAGED and good:
                    raise VideoError(
                        f"{self._path}: too many damaged packets in a row ({in_words(error)})", good
                    ) from error
                continue
            for frame in decoded:
                bad, good = 0, good + 1
                if own is not None:
                    own.apply(frame)
                if first is None or frame.pts is None or frame.pts >= first:
                    yield frame


class _OwnTimes:
    """Times of the frames of a bare stream: FFmpeg invents some, with gaps and repeated ones."""

    def __init__(self, rate: Fraction, base: Fraction) -> None:
        self._step, self._base, self._time = 1 / rate, base, Fraction(0)

    def apply(self, frame: Any) -> None:
        """Set ``frame.pts``: the sum of the durations of the frames before, in fields (some frames repeat one)."""
        frame.pts = round(self._time / self._base)
        fields = round(2 * (frame.duration or 0) * self._base / self._step)
        self._time += (fields if 1 <= fields <= 6 else 2) * self._step / 2
