"""Closed captions inside the picture stream (ATSC A/53 user data) become a subtitle track.

New pictures are encoded, so that data inside the old ones would be lost. FFmpeg's decoder turns the EIA-608 bytes into
text; broadcasts repeat CEA-708 captions in them. Where they do not, ``dtvcc`` decodes CEA-708.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import av

from depth3d.io.video.color import side_data
from depth3d.io.video.companions import Span, TrackFile
from depth3d.io.video.demux import Demuxer
from depth3d.io.video.dtvcc import Cue, DtvccDecoder
from depth3d.io.video.files import open_container
from depth3d.io.video.reader import VideoReader
from depth3d.io.video.tracks import Track

__all__ = ["has_captions", "write_captions"]

_TITLE = "closed captions"
_CODECS = ("h264", "hevc", "mpeg2video")
_PLACES, _FRAMES = 4, 30  # searched: so many places of the clip, frames each
_BEFORE = Fraction(15)  # seconds before the wanted part that are decoded: a caption may have been sent there
_ATSC = b"GA94"  # begins the user data in which H.264 and HEVC carry captions (ATSC A/53 part 4, 6.2.3)
_ERASE = bytes([0xFC, 0x94, 0x2C])  # "erase displayed memory" of field 1, ends the last caption
_STYLE = re.compile(r"\{[^}]*\}")


def has_captions(source: Path) -> bool:
    """Return whether frames of the clip carry caption data; looks at a few at four places, once per file."""
    if not source.is_file():
        return False
    stat = source.stat()
    return _found(source, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=32)
def _found(path: Path, changed: int, size: int) -> bool:
    try:
        with Demuxer(path, careful=True) as source:
            codec = source.stream.codec_context.name
            if codec not in _CODECS:
                return False
            packets = source.sampled_packets(_PLACES, _FRAMES)
            # MPEG-2 has other forms, too.
            if codec != "mpeg2video" and not any(_ATSC in bytes(packet) for packet in packets if packet.size):
                return False
        with Demuxer(path, careful=True) as source:
            samples = source.samples(_PLACES, _FRAMES)
            return any(side_data(frame, "A53_CC") for frames in samples for frame in frames)
    except (av.error.FFmpegError, ValueError, OSError):
        return False


def write_captions(source: Path, path: Path, span: Span) -> tuple[TrackFile | None, list[str]]:
    """Write the captions of the wanted part to ``path`` (SubRip), in film time; decodes that part of the clip.

    Returns
    -------
    tuple[TrackFile | None, list[str]]
        The track, and one line for captions that are not in it.
    """
    if not has_captions(source):
        return None, []
    cues, said = _read(source, span)
    if not cues:
        return None, said
    lines = []
    for number, (begin, end, text) in enumerate(cues, 1):
        lines += [str(number), f"{_clock(begin)} --> {_clock(end)}", text, ""]
    path.write_text("\n".join(lines), encoding="utf-8", errors="replace")
    with open_container(path) as written:
        begin = Fraction(written.start_time or 0, 1_000_000)  # what ffmpeg subtracts when it reads the file
    return TrackFile(Track(-1, "subtitle", "subrip", title=_TITLE), path, begin, cues[-1][1]), said


def _read(source: Path, span: Span) -> tuple[list[Cue], list[str]]:
    """Return the cues of EIA-608, else of CEA-708, and one line for captions that are not among them."""
    context: Any = av.CodecContext.create("cc_dec", "r")
    context.options = {"pkt_timebase": "1/1000"}  # else it gives no times
    decoder = DtvccDecoder()
    cues: list[Cue] = []
    modern: list[Cue] = []
    end = Fraction(0)
    with VideoReader(source) as reader:
        for frame in reader.decoded(max(reader.info.start, span.start - _BEFORE)):
            end = frame.time - span.start
            if span.length is not None and end >= span.length:
                break
            data = side_data(frame.picture, "A53_CC")
            if data:
                modern += decoder.push(data, frame.time)
                cues += _cues(context, data, frame.time, span)
    cues += _cues(context, _ERASE, end + span.start, span)
    last = end if span.length is None else span.length
    modern += decoder.finish(last + span.start)
    if not cues:
        cues = [(begin - span.start, stop - span.start, text) for begin, stop, text in modern]
    found = [(max(begin, Fraction(0)), min(stop, last), text) for begin, stop, text in cues]
    others = ", ".join(map(str, sorted(decoder.others)))
    said = [f"{_TITLE} of service {others} (CEA-708) cannot be converted to subtitles: left out"] if others else []
    return [cue for cue in found if cue[1] > cue[0]], said


def _cues(context: Any, data: bytes, time: Fraction, span: Span) -> Iterator[Cue]:
    packet = av.Packet(data)
    packet.time_base = Fraction(1, 1000)
    packet.pts = packet.dts = round(time * 1000)
    try:
        found = context.decode2(packet)
    except (av.error.FFmpegError, ValueError):
        return
    if found is None:
        return
    lines = [rect.dialogue.decode("utf-8", "replace") for rect in found if rect.type == b"ass"]
    text = _STYLE.sub("", "\n".join(lines)).replace("\\N", "\n").strip()
    if text:
        begin = Fraction(found.pts, 1_000_000) if found.pts is not None else time
        length = Fraction(found.end_display_time - found.start_display_time, 1000)
        yield begin - span.start, begin - span.start + length, text


def _clock(time: Fraction) -> str:
    minutes, milliseconds = divmod(round(time * 1000), 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{milliseconds // 1000:02d},{milliseconds % 1000:03d}"
