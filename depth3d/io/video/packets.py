"""Open a clip and read the packets of its streams: continuous timestamps, unreadable packets skipped."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from math import ceil
from pathlib import Path
from typing import Any

import av

from depth3d.errors import ReadError, in_words
from depth3d.io.video.choice import choose_stream
from depth3d.io.video.clock import ContinuousClock, has_discontinuities
from depth3d.io.video.files import open_container
from depth3d.io.video.sequences import SEQUENCE_RATE, open_sequence
from depth3d.io.video.suffixes import is_sequence
from depth3d.io.video.webp import is_webp, webp_as_mov

__all__ = [
    "frames_before",
    "is_untimed",
    "last_frame_time",
    "open_clip",
    "packet_sizes",
    "packet_time",
    "packets_of",
    "stream_rate",
    "total_length",
]

log = logging.getLogger("depth3d.video")

_NO_TIMESTAMPS = 0x0080  # AVFMT_NOTIMESTAMPS
_READ_FAILURES = 20


def open_clip(path: Path, rate: Fraction | None = None) -> tuple[Any, tuple[int, ...]]:
    """Open a file or an image sequence; return its container, and the numbers of the pictures of a sequence with gaps.

    Raises
    ------
    ReadError
        If it cannot be opened.
    """
    try:
        if is_sequence(path) or path.is_dir():
            return open_sequence(path, rate)
        if not path.is_file():
            raise ReadError(path, "does not exist")
        return av.open(webp_as_mov(path)) if is_webp(path) else open_container(path), ()
    except (av.error.FFmpegError, ValueError) as error:
        raise ReadError(path, f"unsupported or corrupt clip: {in_words(error)}") from error


def is_untimed(container: Any) -> bool:
    """Return whether the file is a bare stream without timestamps: frames follow each other by their durations."""
    return bool(int(container.format.flags) & _NO_TIMESTAMPS) and container.format.name != "image2"


def stream_rate(container: Any, stream: Any) -> Fraction:
    """Return the frames per second of a stream; of a bare one what its codec tells, not FFmpeg's assumption of 25."""
    rates = (stream.average_rate, stream.guessed_rate, stream.base_rate, SEQUENCE_RATE)
    return Fraction(next(rate for rate in (rates[1:] if is_untimed(container) else rates) if rate))


def packet_time(packet: Any) -> Fraction:
    """Return the presentation time of a packet, seconds; 0 if it has none."""
    stamp = packet.pts if packet.pts is not None else packet.dts
    return Fraction(0) if stamp is None else stamp * Fraction(packet.time_base)


def packets_of(container: Any, *streams: Any) -> Iterator[Any]:
    """Yield the packets of ``streams`` with continuous timestamps; unreadable packets are skipped.

    In formats whose clock may jump, all audio and video streams are read, so that the shifts do not depend on which
    streams are wanted.
    """
    clock = ContinuousClock(container)
    wanted = {stream.index for stream in streams}
    followed = [s for s in container.streams if s.type in ("video", "audio") or s.index in wanted]
    if not has_discontinuities(container):
        followed = list(streams)
    failures = 0
    while True:
        try:
            for packet in container.demux(followed):
                failures = 0
                clock.apply(packet)
                if packet.stream.index in wanted:
                    yield packet
            return
        except (av.error.FFmpegError, OSError) as error:
            failures += 1
            if failures == 1:
                log.warning("%s: a part cannot be read (%s)", Path(container.name).name, in_words(error))
        except IndexError:  # PyAV knows no stream that begins in the middle of a file, and nobody follows it
            failures += 1
        if failures >= _READ_FAILURES:
            return


def total_length(path: Path) -> Fraction | None:
    """Return the duration of the video stream, seconds, by reading all packets; for formats whose clock may jump."""
    first, _, end = _scanned(path)
    return None if first is None or end is None else end - first


def last_frame_time(path: Path) -> Fraction | None:
    """Return when the last frame is presented (container time, seconds), by reading all packets; None if unknown."""
    return _scanned(path)[1]


def _scanned(path: Path) -> tuple[Fraction | None, Fraction | None, Fraction | None]:
    """Return the time of the first frame, that of the last one, and the end of all, by reading all packets once."""
    stat = path.stat()
    return _scan(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=16)
def _scan(path: Path, changed: int, size: int) -> tuple[Fraction | None, Fraction | None, Fraction | None]:
    first = last = end = None
    count = 0
    with open_clip(path)[0] as container:
        stream = choose_stream(container, path)
        for packet in packets_of(container, stream):
            stamp = packet.pts if packet.pts is not None else packet.dts
            count += bool(packet.size)
            if stamp is None or not packet.size:
                continue
            time = stamp * Fraction(packet.time_base)
            first = time if first is None else min(first, time)
            last = time if last is None else max(last, time)
            after = time + (packet.duration or 0) * Fraction(packet.time_base)
            end = after if end is None else max(end, after)
        if is_untimed(container) and count:
            step = 1 / stream_rate(container, stream)
            return Fraction(0), (count - 1) * step, count * step
    return first, last, end


def frames_before(path: Path, time: Fraction) -> int:
    """Return how many frames are presented before ``time`` (container time, seconds), by reading all packets."""
    with open_clip(path)[0] as container:
        stream = choose_stream(container, path)
        if is_untimed(container):
            return max(0, ceil(time * stream_rate(container, stream)))
        return sum(bool(packet.size) and packet_time(packet) < time for packet in packets_of(container, stream))


def packet_sizes(path: Path) -> list[int]:
    """Return the sizes of all packets of the first video stream, bytes, in decoding order."""
    with open_container(path) as container:
        return [packet.size for packet in container.demux(video=0) if packet.size]
