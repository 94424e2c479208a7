"""Demux and decode the video stream of a file: continuous timestamps, damaged packets skipped, start at a key frame."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

import av
from av.stream import Disposition

from depth3d.errors import ReadError, VideoError
from depth3d.io.video.clock import ContinuousClock, has_discontinuities
from depth3d.io.video.files import open_container
from depth3d.io.video.mp4_boxes import find_sample_box
from depth3d.io.video.sequences import open_sequence
from depth3d.io.video.suffixes import is_sequence
from depth3d.io.video.webp import is_webp, webp_as_mov

__all__ = [
    "DamagedPacket",
    "Demuxer",
    "choose_stream",
    "frames_before",
    "is_cover",
    "is_scrambled",
    "last_frame_time",
    "packet_sizes",
    "packets_of",
    "total_length",
]

log = logging.getLogger("depth3d.video")

# Containers with an index (or exact binary search); the result of a seek is still verified.
_INDEXED = frozenset({"mov", "mp4", "matroska", "webm", "nut", "avi", "asf", "flv", "ivf"})
_MOST_DAMAGED = 300  # consecutive packets: about ten seconds without a picture
_READ_FAILURES = 20


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

    Raises
    ------
    ReadError
        If the file cannot be opened, has no video stream, is encrypted, or its codec is unknown.
    """

    def __init__(self, path: Path, rate: Fraction | None = None, *, careful: bool = False) -> None:
        self._path, self._careful = path, careful
        # Frame numbers of an image sequence with gaps: a picture is shown until the next one.
        self.container, self.numbers = _open(path, rate)
        self.damaged = 0
        try:
            self.stream = choose_stream(self.container, path)
            self.stream.thread_type = "NONE" if careful else "AUTO"
            if careful:
                self.stream.codec_context.thread_count = 1
        except BaseException:
            self.container.close()
            raise

    def __enter__(self) -> Demuxer:
        return self

    def __exit__(self, *error: object) -> None:
        self.container.close()

    @property
    def can_seek(self) -> bool:
        """Whether seeking may work; verify the result by the times of decoded frames."""
        return bool(_INDEXED & set(self.container.format.name.split(",")))

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
        begin, length = self.stream.start_time or 0, self.stream.duration or 0
        for place in range(places):
            if place and not (length and self.seek(begin + length * place // places)):
                return
            yield islice(self.frames(), count)

    def frames(self, key_after: Fraction | None = None) -> Iterator[Any]:
        """Decode frames in presentation order, with continuous ``pts``.

        Parameters
        ----------
        key_after : Fraction | None
            Container time, seconds: decoding starts at the first key frame at or after it; frames presented before
            that key frame are dropped. None = decode every packet.

        Raises
        ------
        DamagedPacket
            At the first packet that cannot be decoded, unless ``careful``: then it is skipped and counted.
        VideoError
            If nothing can be decoded for a long time.
        """
        first: int | None = None
        begun, good, bad = key_after is None, 0, 0
        for place, packet in enumerate(packets_of(self.container, self.stream)):
            if packet.size and self.numbers:
                packet.pts = packet.dts = self.numbers[place] - self.numbers[0]
            if not packet.size and packet.pts is not None:
                continue  # Theora: repeat the previous frame
            if not begun:
                if not packet.size or not packet.is_keyframe or _time(packet) < (key_after or 0):
                    continue
                begun, first = True, packet.pts
            try:
                decoded = packet.decode()
            except (av.error.FFmpegError, ValueError, OSError) as error:
                if not self._careful:
                    raise DamagedPacket from error
                bad, self.damaged = bad + 1, self.damaged + 1
                if bad > _MOST_DAMAGED and good:
                    raise VideoError(f"{self._path}: too many damaged packets in a row ({error})", good) from error
                continue
            for frame in decoded:
                bad, good = 0, good + 1
                if first is None or frame.pts is None or frame.pts >= first:
                    yield frame


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
                log.warning("%s: a part cannot be read (%s)", Path(container.name).name, error)
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
    with open_container(path) as container:
        stream = choose_stream(container, path)
        for packet in packets_of(container, stream):
            stamp = packet.pts if packet.pts is not None else packet.dts
            if stamp is None or not packet.size:
                continue
            time = stamp * Fraction(packet.time_base)
            first = time if first is None else min(first, time)
            last = time if last is None else max(last, time)
            after = time + (packet.duration or 0) * Fraction(packet.time_base)
            end = after if end is None else max(end, after)
    return first, last, end


def frames_before(path: Path, time: Fraction) -> int:
    """Return how many frames are presented before ``time`` (container time, seconds), by reading all packets."""
    with open_container(path) as container:
        stream = choose_stream(container, path)
        return sum(bool(packet.size) and _time(packet) < time for packet in packets_of(container, stream))


def packet_sizes(path: Path) -> list[int]:
    """Return the sizes of all packets of the first video stream, bytes, in decoding order."""
    with open_container(path) as container:
        return [packet.size for packet in container.demux(video=0) if packet.size]


LARGEST_FRAME = 8192 * 4320
"""Largest frame that is decoded, pixels (8K)."""


def choose_stream(container: Any, path: Path) -> Any:
    """Return the main video stream; cover art, stills, disabled and small tracks are ignored.

    Raises
    ------
    ReadError
        If there is no such stream or it cannot be decoded.
    """
    pictures = [stream for stream in container.streams.video if not is_cover(stream)]
    if not pictures:
        raise ReadError(path, "has no video stream")
    largest = max(map(_area, pictures))
    chosen = max(pictures, key=lambda stream: _rank(stream, largest))
    if path.is_file():
        _refuse_undecodable(path)
    if chosen.codec_context is None:
        raise ReadError(path, "uses a codec that this build of FFmpeg cannot decode")
    width, height = chosen.codec_context.width, chosen.codec_context.height
    if width * height > LARGEST_FRAME:  # about twenty frames are buffered between the stages
        raise ReadError(path, f"has frames of {width}x{height} pixels, more than 8K (8192x4320); scale it down first")
    return chosen


def _refuse_undecodable(path: Path) -> None:
    """Raise ``ReadError`` for MP4 files whose pictures would decode to noise or to wrong colors."""
    if find_sample_box(path, b"sinf") is not None or _has_asf_encryption(path):
        raise ReadError(path, "is encrypted (DRM): it cannot be converted")
    vision = find_sample_box(path, b"dvcC")
    if vision is not None and len(vision) > 3 and vision[2] >> 1 == 5:
        raise ReadError(
            path,
            "is Dolby Vision profile 5, whose colors ordinary decoders show green and violet; convert it to HDR10 first"
            " (ffmpeg -i IN -vf libplacebo=colorspace=bt2020nc:color_trc=smpte2084 OUT)",
        )


def _has_asf_encryption(path: Path) -> bool:
    """Return whether a Windows Media file has a Content Encryption Object (ASF specification, 3.14)."""
    with path.open("rb") as file:
        head = file.read(1 << 16)
    return head.startswith(bytes.fromhex("3026B2758E66CF11")) and bytes.fromhex("FBB3112223BDD211B4B7") in head


def is_scrambled(path: Path) -> bool:
    """Return whether most packets of an MPEG transport stream are scrambled (encrypted by the broadcaster)."""
    with path.open("rb") as file:
        data = file.read(1 << 20)
    for first, step in ((0, 188), (4, 192)):
        heads = [data[place : place + 4] for place in range(first, len(data) - 188, step)]
        if len(heads) > 4 and all(head[0] == 0x47 for head in heads):
            return sum(head[3] >= 0x40 for head in heads) * 2 > len(heads)
    return False


def is_cover(stream: Any) -> bool:
    """Return True for a video stream that holds cover art, timed thumbnails or a still."""
    return bool(
        stream.disposition & (Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image)
    )


def _rank(stream: Any, largest: int) -> tuple[bool, bool, bool, int]:
    """Sort key for video streams: rejects thumbnails (one frame) and depth or alpha tracks (disabled or small)."""
    enabled = bool(stream.disposition & Disposition.default)
    return stream.frames != 1, enabled, 4 * _area(stream) >= largest, -stream.index


def _area(stream: Any) -> int:
    context = stream.codec_context
    return 0 if context is None else context.width * context.height


def _time(packet: Any) -> Fraction:
    stamp = packet.pts if packet.pts is not None else packet.dts
    return Fraction(0) if stamp is None else stamp * Fraction(packet.time_base)


def _open(path: Path, rate: Fraction | None) -> tuple[Any, tuple[int, ...]]:
    try:
        if is_sequence(path) or path.is_dir():
            return open_sequence(path, rate)
        if not path.is_file():
            raise ReadError(path, "does not exist")
        return av.open(webp_as_mov(path)) if is_webp(path) else open_container(path), ()
    except (av.error.FFmpegError, ValueError) as error:
        raise ReadError(path, f"unsupported or corrupt clip: {getattr(error, 'strerror', None) or error}") from error
