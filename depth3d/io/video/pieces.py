"""Join encoded segments into one stream with exact timestamps and pipe it to a muxer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from depth3d.errors import VideoError
from depth3d.io.video.files import open_container

__all__ = ["PieceStream", "feed", "piped_layout"]


@dataclass(frozen=True, slots=True)
class PieceStream:
    """Encoded segments and the times of their frames.

    Parameters
    ----------
    pieces : tuple[Path, ...]
        Encoded files in order; each starts with a key frame.
    times : Sequence[Fraction]
        Presentation time of every frame, seconds, increasing; one per packet of all segments.
    time_base : Fraction
        Seconds per tick; every time is a multiple of it.
    end : Fraction
        End of the last frame, seconds.
    codec : str
        Name of the encoder of the segments.
    """

    pieces: tuple[Path, ...]
    times: Sequence[Fraction]
    time_base: Fraction
    end: Fraction
    codec: str = "libx264"


def feed(film: PieceStream, pipe: Any) -> None:
    """Write the segments to ``pipe`` as one stream with the timestamps of ``film``.

    Uses fragmented MP4, the only pipeable format that keeps decoding times and durations; without them the last
    frames would be after the end of the edit list. FFV1, which MP4 does not support, needs neither and uses NUT.
    """
    with open_container(film.pieces[0]) as first:
        template = first.streams.video[0]
        scale = {"video_track_timescale": str(film.time_base.denominator)}
        fragments = {"movflags": "frag_keyframe+empty_moov+default_base_moof", **scale}
        layout = piped_layout(film)[0]
        with av.open(_Pipe(pipe), "w", format=layout, options=fragments if layout == "mp4" else {}) as output:
            stream = output.add_stream_from_template(template, opaque=True)
            stream.time_base = film.time_base
            for packet in _packets(film):
                packet.stream = stream
                output.mux(packet)
    pipe.close()


def piped_layout(film: PieceStream) -> tuple[str, str]:
    """Return FFmpeg's names of the pipe format: (muxer, demuxer)."""
    return ("mp4", "mov") if film.codec != "ffv1" else ("nut", "nut")


class _Pipe:
    """File object with ``write`` only, so that the muxer does not try to seek."""

    def __init__(self, pipe: Any) -> None:
        self._pipe = pipe

    def write(self, data: bytes) -> int:
        return int(self._pipe.write(data))


def _packets(film: PieceStream) -> Iterator[Any]:
    delay = min(max(_reordering(piece) for piece in film.pieces), len(film.times) - 1)
    ticks = [round(time / film.time_base) for time in (*film.times, film.end)]
    # Decoding starts earlier by the reordering delay; MP4 derives the duration of a film from decoding times.
    lead = [ticks[place] - (ticks[delay] - ticks[0]) for place in range(delay)]
    # Shifted by whole seconds: no time is negative, and ffmpeg, which counts in microseconds, subtracts it exactly.
    seconds = max(0, -(-(ticks[delay] - 2 * ticks[0]) * film.time_base // 1)) + 1 if delay else 0
    shift = round(seconds * film.time_base.numerator / film.time_base)
    ticks = [tick + shift for tick in ticks]
    decoding = [*(tick + shift for tick in lead), *ticks[:-1]]
    done = 0
    for piece in film.pieces:
        with open_container(piece) as container:
            held: list[Any] = [packet for packet in container.demux(video=0) if packet.size]
            order = sorted(range(len(held)), key=lambda place: held[place].pts)
            rank = {place: number for number, place in enumerate(order)}
            if done + len(held) > len(film.times):
                raise VideoError(f"{piece.name} holds more frames than the clip", done)
            for place, packet in enumerate(held):
                number = done + rank[place]
                packet.time_base = film.time_base
                packet.pts, packet.dts = ticks[number], decoding[done + place]
                packet.duration = ticks[number + 1] - ticks[number]
                yield packet
            done += len(held)
    if done != len(film.times):
        raise VideoError(f"the segments hold {done} frames, expected {len(film.times)}")


def _reordering(piece: Path) -> int:
    """Return the reordering delay of a segment, frames (decoding order before presentation order)."""
    with open_container(piece) as container:
        packets: Iterator[Any] = container.demux(video=0)
        stamps = [packet.pts for packet in packets if packet.size]
    rank = {stamp: number for number, stamp in enumerate(sorted(stamps))}
    return max((place - rank[stamp] for place, stamp in enumerate(stamps)), default=0)
