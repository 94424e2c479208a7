"""The last step of a clip: pieces of picture joined, everything else of the source copied beside them.

The pieces keep their encoded frames; only the clock is written anew from the known times of the frames,
so that a film put together from pieces is, stamp for stamp, the film encoded in one go. The bundled ffmpeg
does the final muxing: it knows chapters, tags, cover pictures and the rules of every container.
"""

from __future__ import annotations

import logging
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from depth3d.errors import VideoError, WriteError
from depth3d.io.leftovers import temporary_folder
from depth3d.io.video.files import ffmpeg_command, ffmpeg_input, file_url, open_container
from depth3d.io.video.tracks import Track, list_tracks, plan_tracks

__all__ = ["Film", "finish"]

log = logging.getLogger("depth3d.video")

_MP4 = (".mp4", ".m4v", ".mov")


@dataclass(frozen=True, slots=True)
class Film:
    """A picture track in pieces, and what belongs to it.

    Parameters
    ----------
    pieces : tuple[Path, ...]
        Encoded files in order; each begins with a key frame.
    times : Sequence[Fraction]
        Of every frame of the film, seconds, growing; as many as there are packets in all pieces.
    time_base : Fraction
        Every time is a multiple of it.
    end : Fraction
        When the last frame stops being shown.
    source : Path | None
        The clip whose sound, subtitles, chapters and tags are taken over, or None.
    start, length : Fraction, Fraction | None
        The part of the source that is used, seconds (None: to its end).
    track : int
        Number of the picture stream in the source, whose tags are taken over.
    codec : str
        Name of the pieces' encoder.
    tag : str | None
        The four letters of the codec in MP4, where the muxer's default is wrong.
    stereo_mode : str | None
        Matroska's name of the stereo layout, or None.
    container_aspect : Fraction | None
        Display width over height for the container alone, or None.
    """

    pieces: tuple[Path, ...]
    times: Sequence[Fraction]
    time_base: Fraction
    end: Fraction
    source: Path | None = None
    start: Fraction = Fraction(0)
    length: Fraction | None = None
    track: int = 0
    codec: str = "libx264"
    tag: str | None = None
    stereo_mode: str | None = None
    container_aspect: Fraction | None = None


def finish(film: Film, target: Path) -> tuple[str, ...]:
    """Mux ``film`` into ``target`` (written in place); return one line for everything that was left out.

    A sound track that cannot be copied is encoded anew, and left out with a warning if that fails too.

    Raises ``WriteError`` if even the pictures alone cannot be stored.
    """
    tracks, lost = plan_tracks(list_tracks(film.source) if film.source else [], target.suffix)
    trouble = _mux(film, target, tracks)
    if trouble is not None and tracks:
        tracks, more = _survivors(film, target, tracks)
        lost += more
        trouble = _mux(film, target, tracks)
        if trouble is not None and tracks:
            lost.append(f"sound and subtitles could not be stored: {trouble}")
            trouble = _mux(film, target, [])
    if trouble is not None:
        raise WriteError(target, f"the clip cannot be put together: {trouble}")
    for line in lost:
        log.warning(line)
    return tuple(lost)


def _mux(film: Film, target: Path, tracks: list[Track]) -> str | None:
    """Run ffmpeg once; None, or what it complained about."""
    command = [*_inputs(film), *_maps(film, target, tracks), file_url(target)]
    with tempfile.TemporaryFile() as log_file:
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log_file, stderr=log_file) as process:
            try:
                _feed(film, process.stdin)
            except BrokenPipeError:
                pass  # ffmpeg gave up; its log says why
            except BaseException:
                process.kill()
                raise
            status = process.wait()
        log_file.seek(0)
        lines = [line.strip() for line in log_file.read().decode(errors="replace").splitlines() if line.strip()]
    return None if status == 0 else (lines[-1] if lines else f"ffmpeg ended with {status}")


def _inputs(film: Film) -> list[str]:
    offset = round(film.times[0] * 1_000_000) / 1_000_000
    command = [*ffmpeg_command(), "-itsoffset", f"{offset:.6f}", "-f", _piped(film)[1], "-i", "pipe:0"]
    if film.source is None:
        return command
    if film.start > 0:
        command += ["-ss", f"{float(film.start):.6f}"]
    if film.length is not None:
        command += ["-t", f"{float(film.length):.6f}"]
    return [*command, *ffmpeg_input(film.source)]


def _maps(film: Film, target: Path, tracks: list[Track]) -> list[str]:
    suffix = target.suffix.lower()
    words = ["-map", "0:v:0"]
    for track in tracks:
        words += ["-map", f"1:{track.index}"]
    words += ["-c", "copy"]
    covers = 0
    for place, track in enumerate(tracks, 1):
        if track.how != "copy":
            words += [f"-c:{place}", track.how]
        if track.kind == "cover":
            covers += 1
            words += [f"-disposition:v:{covers}", "attached_pic"]
    if film.source is not None:
        words += ["-map_metadata", "0:g" if film.source.suffix == ".gif" else "1", "-map_chapters", "1"]
        # One stream's tags said by hand turn the automatic copying off for all others.
        for place, index in enumerate([film.track, *(track.index for track in tracks)]):
            words += [f"-map_metadata:s:{place}", f"1:s:{index}"]
    # What the source said about its own stream is no longer true.
    stale = ("rotate", "stereo_mode", "alpha_mode", "BPS", "DURATION", "NUMBER_OF_FRAMES", "NUMBER_OF_BYTES", "encoder")
    for name in stale:
        words += ["-metadata:s:v:0", f"{name}="]
    if film.stereo_mode and suffix in (".mkv", ".webm"):
        words += ["-metadata:s:v:0", f"stereo_mode={film.stereo_mode}"]
        if film.container_aspect is not None:
            words += ["-aspect:v:0", f"{film.container_aspect.numerator}:{film.container_aspect.denominator}"]
    if suffix in _MP4:
        # The default clock of the edit list is 1/1000 s: it would shift every frame by up to half of that.
        words += ["-movflags", "+faststart", "-movie_timescale", str(_timescale(film.time_base))]
        if film.tag:
            words += ["-tag:v:0", film.tag]
    return words


def _timescale(base: Fraction) -> int:
    scale = base.denominator
    while scale < 1000:
        scale *= 10
    return min(scale, 2**31 - 1)


def _feed(film: Film, pipe: Any) -> None:
    """Write the pieces as one stream with the film's own clock.

    In fragmented MP4: of the formats that can be piped it is the one that keeps decoding times and durations. Without
    them the last frames would lie behind the end of the edit list. It cannot hold FFV1, which needs neither.
    """
    with open_container(film.pieces[0]) as first:
        template = first.streams.video[0]
        scale = {"video_track_timescale": str(film.time_base.denominator)}
        fragments = {"movflags": "frag_keyframe+empty_moov+default_base_moof", **scale}
        layout = _piped(film)[0]
        with av.open(_Pipe(pipe), "w", format=layout, options=fragments if layout == "mp4" else {}) as output:
            stream = output.add_stream_from_template(template, opaque=True)
            stream.time_base = film.time_base
            for packet in _packets(film):
                packet.stream = stream
                output.mux(packet)
    pipe.close()


def _piped(film: Film) -> tuple[str, str]:
    """Formats of the pipe, as its writer and its reader call them."""
    return ("mp4", "mov") if film.codec != "ffv1" else ("nut", "nut")


class _Pipe:
    """Only ``write``: an object that could seek would be asked to."""

    def __init__(self, pipe: Any) -> None:
        self._pipe = pipe

    def write(self, data: bytes) -> int:
        return int(self._pipe.write(data))


def _packets(film: Film) -> Iterator[Any]:
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
                raise VideoError(f"{piece.name} holds more frames than the film", done)
            for place, packet in enumerate(held):
                number = done + rank[place]
                packet.time_base = film.time_base
                packet.pts, packet.dts = ticks[number], decoding[done + place]
                packet.duration = ticks[number + 1] - ticks[number]
                yield packet
            done += len(held)
    if done != len(film.times):
        raise VideoError(f"the pieces hold {done} frames, expected {len(film.times)}")


def _reordering(piece: Path) -> int:
    """By how many frames decoding runs ahead of showing in this piece."""
    with open_container(piece) as container:
        packets: Iterator[Any] = container.demux(video=0)
        stamps = [packet.pts for packet in packets if packet.size]
    rank = {stamp: number for number, stamp in enumerate(sorted(stamps))}
    return max((place - rank[stamp] for place, stamp in enumerate(stamps)), default=0)


def _survivors(film: Film, target: Path, tracks: list[Track]) -> tuple[list[Track], list[str]]:
    """Try every track alone: copied, then (sound) encoded anew; what fails is left out."""
    kept, lost = [], []
    for track in tracks:
        again = {".webm": "libopus"}.get(target.suffix.lower(), "aac")
        ways = [track.how, again] if track.kind == "audio" else [track.how]
        how = next((way for way in ways if _alone(film, target, replace(track, how=way))), None)
        name = f"{track.kind} stream {track.index} ({track.codec})"
        if how is None:
            lost.append(f"{name} is damaged or does not fit {target.suffix}: left out")
            continue
        if how != track.how:
            lost.append(f"{name} cannot be copied into {target.suffix}: encoded as {how}")
        kept.append(replace(track, how=how))
    return kept, lost


def _alone(film: Film, target: Path, track: Track) -> bool:
    with temporary_folder() as folder:
        command = [*ffmpeg_command(), *ffmpeg_input(film.source or target)]
        command += ["-map", f"0:{track.index}", "-c", track.how, file_url(folder / f"one{target.suffix}")]
        return (
            subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0
        )
