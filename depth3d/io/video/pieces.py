"""Joins encoded pieces into one stream with the film's own clock and pipes it to a muxer."""

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
    """Encoded pieces and the times of their frames.

    Parameters
    ----------
    pieces : tuple[Path, ...]
        Encoded files in order; each begins with a key frame.
    times : Sequence[Fraction]
        Of every frame, seconds, growing; as many as there are packets in all pieces.
    time_base : Fraction
        Every time is a multiple of it.
    end : Fraction
        When the last frame stops being shown.
    codec : str
        Name of the pieces' encoder.
    """

    pieces: tuple[Path, ...]
    times: Sequence[Fraction]
    time_base: Fraction
    end: Fraction
    codec: str = "libx264"


def feed(film: PieceStream, pipe: Any) -> None:
    """Write the pieces as one stream with the film's own clock.

    In fragmented MP4: of the formats that can be piped it is the one that keeps decoding times and durations. Without
    them the last frames would lie behind the end of the edit list. It cannot hold FFV1, which needs neither.
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
    """Return the formats of the pipe, as its writer and its reader call them."""
    return ("mp4", "mov") if film.codec != "ffv1" else ("nut", "nut")


class _Pipe:
    """Only ``write``: an object that could seek would be asked to."""

    def __init__(self, pipe: Any) -> None:
        self._pipe = pipe

    def write(self, data: bytes) -> int:
        return int(self._pipe.write(data))


def _packets(film: PieceStream) -> Iterator[Any]:
    delay = min(max(_reordering(piece) for piece in film.pieces), len(film.times) - 1)
    ticks = [round(time / film.time_base) for time in (*film.times, film.end)]
    # Decoding starts as much earlier as the first pictures are reordered; MP4 counts a film's length by that clock.
    lead = [ticks[place] - (ticks[delay] - ticks[0]) for place in range(delay)]
    # Whole seconds, so that no time is negative and ffmpeg, which shifts by microseconds, takes off exactly as much.
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
    """By how many frames decoding runs ahead of showing in this piece."""
    with open_container(piece) as container:
        packets: Iterator[Any] = container.demux(video=0)
        stamps = [packet.pts for packet in packets if packet.size]
    rank = {stamp: number for number, stamp in enumerate(sorted(stamps))}
    return max((place - rank[stamp] for place, stamp in enumerate(stamps)), default=0)
