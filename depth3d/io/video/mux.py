"""Mux a finished clip: join the encoded segments, add the other tracks of the source, verify the result.

Encoded frames are copied; only their timestamps are rewritten from the known times, so that a film joined from
segments has the same timestamps as one encoded without interruption. The bundled ffmpeg does the final muxing, because
it supports tags, cover art and the rules of every container.
"""

from __future__ import annotations

import logging
import subprocess
import tempfile
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av

from depth3d.errors import WriteError, in_words
from depth3d.io.video.captions import write_captions
from depth3d.io.video.companions import Span, TrackFile, extract_tracks, write_chapters
from depth3d.io.video.files import disk_error, ffmpeg_command, ffmpeg_input, file_url, open_container
from depth3d.io.video.pieces import PieceStream, feed, piped_layout
from depth3d.io.video.tracks import Track, fit_subtitle, list_tracks, phone_tags, plan_tracks, tags_lost

__all__ = ["Film", "finish"]

log = logging.getLogger("depth3d.video")

_MP4 = (".mp4", ".m4v", ".mov")


@dataclass(frozen=True, slots=True)
class Film(PieceStream):
    """The segments of a video track, and the source of all other tracks and tags.

    Parameters
    ----------
    source : Path | None
        The clip whose audio, subtitles, chapters and tags are copied, or None.
    span : Span
        Part of the source that is used.
    track : int
        Index of the video stream in the source whose tags are copied.
    tag : str | None
        Codec tag (FourCC) for MP4; None = the muxer's default.
    stereo_mode : str | None
        Value of Matroska's StereoMode, or None.
    container_aspect : Fraction | None
        Display aspect ratio written to the container only, or None.
    """

    source: Path | None = None
    span: Span = Span()
    track: int = 0
    tag: str | None = None
    stereo_mode: str | None = None
    container_aspect: Fraction | None = None


def finish(film: Film, target: Path) -> tuple[str, ...]:
    """Mux ``film`` into ``target`` and verify it; return one line for every track or tag that was left out.

    An audio track that cannot be copied is re-encoded, and left out with a warning if that fails too. The target is not
    written atomically: pass a temporary name.

    Raises
    ------
    WriteError
        If the disk is full or fails, if the video alone cannot be muxed, or if the result is incomplete.
    """
    folder = film.pieces[0].parent
    with tempfile.TemporaryDirectory(prefix="part-", dir=folder) as name:
        extras, tracks, lost = _extras(film, target, Path(name))
        trouble = _mux(film, target, extras, tracks)
        if trouble is not None and tracks:
            tracks, more = _survivors(target, tracks, Path(name), film)
            lost += more
            trouble = _mux(film, target, extras, tracks)
            if trouble is not None and tracks:
                lost.append(f"audio and subtitles could not be muxed: {trouble}")
                tracks, trouble = [], _mux(film, target, extras, [])
    if trouble is not None:
        raise WriteError(target, f"the clip cannot be muxed: {trouble}")
    _verify(film, target, tracks)
    lost += tags_lost(film.source, target) if film.source is not None else []
    for line in lost:
        log.warning(line)
    return tuple(lost)


@dataclass(frozen=True, slots=True)
class _Extras:
    """Cover art and attachments that ffmpeg copies from the source, and the chapter file."""

    pictures: tuple[Track, ...] = ()
    chapters: Path | None = None


def _extras(film: Film, target: Path, folder: Path) -> tuple[_Extras, list[TrackFile], list[str]]:
    if film.source is None:
        return _Extras(), [], []
    kept, lost = plan_tracks(list_tracks(film.source), target.suffix)
    files, missing = extract_tracks(film.source, kept, folder, film.span)
    files = [_recoded(one, target, missing) if one.recode else one for one in files]
    still = tuple(track for track in kept if track.kind in ("cover", "attachment"))
    chapters = write_chapters(film.source, folder / "chapters.txt", film.span)
    captions, said = write_captions(film.source, folder / "captions.srt", film.span)
    how = fit_subtitle("subrip", target.suffix.lower())
    if captions is not None and how is not None:
        files.append(replace(captions, track=replace(captions.track, how=how)))
    return _Extras(still, chapters), files, lost + missing + said


def _recoded(one: TrackFile, target: Path, lines: list[str]) -> TrackFile:
    """Return a track that cannot be copied as one to be re-encoded; after a change of format a copy would be noise."""
    how = _sound_encoder(target)
    lines.append(f"{one.track.name} {one.recode}: re-encoded as {how}")
    return replace(one, track=replace(one.track, how=how))


def _sound_encoder(target: Path) -> str:
    return {".webm": "libopus"}.get(target.suffix.lower(), "aac")


def _mux(film: Film, target: Path, extras: _Extras, tracks: list[TrackFile]) -> str | None:
    """Run ffmpeg once; return None on success, else its error message."""
    command = [*_inputs(film, extras, tracks), *_maps(film, target, extras, tracks), file_url(target)]
    return _run(command, target, film)


def _run(command: list[str], target: Path, film: Film | None) -> str | None:
    with tempfile.TemporaryFile() as log_file:
        with subprocess.Popen(
            command,
            stdin=subprocess.PIPE if film is not None else subprocess.DEVNULL,
            stdout=log_file,
            stderr=log_file,
        ) as process:
            try:
                if film is not None:
                    feed(film, process.stdin)
            except BrokenPipeError:
                pass  # ffmpeg failed; its log has the reason
            except BaseException:
                process.kill()
                raise
            status = process.wait()
        log_file.seek(0)
        lines = [line.strip() for line in log_file.read().decode(errors="replace").splitlines() if line.strip()]
    words = disk_error("\n".join(lines))
    if words is not None and status != 0:
        # Not a fault of a track: leaving tracks out would produce an incomplete film.
        raise WriteError(target, f"cannot be written: {words}")
    if status < 0:
        raise WriteError(target, f"cannot be written: ffmpeg was stopped by signal {-status}")
    return None if status == 0 else (lines[-1] if lines else f"ffmpeg ended with {status}")


def _inputs(film: Film, extras: _Extras, tracks: list[TrackFile]) -> list[str]:
    offset = round(film.times[0] * 1_000_000) / 1_000_000
    command = [*ffmpeg_command(), "-itsoffset", f"{offset:.6f}", "-f", piped_layout(film)[1], "-i", "pipe:0"]
    if film.source is None:
        return command
    command += ffmpeg_input(film.source)
    for one in tracks:
        command += ["-itsoffset", f"{float(one.begin):.6f}", *ffmpeg_input(one.path)]
    if extras.chapters is not None:
        command += ["-f", "ffmetadata", *ffmpeg_input(extras.chapters)]
    return command


def _maps(film: Film, target: Path, extras: _Extras, tracks: list[TrackFile]) -> list[str]:
    suffix = target.suffix.lower()
    words = ["-map", "0:v:0"]
    for number in range(len(tracks)):
        words += ["-map", f"{2 + number}:0"]
    for track in extras.pictures:
        words += ["-map", f"1:{track.index}"]
    words += ["-c", "copy", "-bsf:0", _last_duration(film)]
    covers = 0
    every = [*(one.track for one in tracks), *extras.pictures]
    for place, track in enumerate(every, 1):
        if track.how != "copy":
            words += [f"-c:{place}", track.how]
        if track.kind == "cover":
            covers += 1
            words += [f"-disposition:v:{covers}", "attached_pic"]
        elif track.kind != "attachment":
            words += [f"-disposition:{place}", track.disposition or "0"]
    words += _tag_words(film, target, extras, tracks)
    # Tags of the source's stream that are no longer true.
    stale = ("rotate", "stereo_mode", "alpha_mode", "BPS", "DURATION", "NUMBER_OF_FRAMES", "NUMBER_OF_BYTES", "encoder")
    for name in stale:
        words += ["-metadata:s:v:0", f"{name}="]
    if film.stereo_mode and suffix in (".mkv", ".webm"):
        words += ["-metadata:s:v:0", f"stereo_mode={film.stereo_mode}"]
        if film.container_aspect is not None:
            words += ["-aspect:v:0", f"{film.container_aspect.numerator}:{film.container_aspect.denominator}"]
    if suffix in _MP4:
        # The default time base of the edit list, 1/1000 s, would shift every frame by up to half of that.
        flags = "+faststart" if film.source is None or not phone_tags(film.source) else "+faststart+use_metadata_tags"
        words += ["-movflags", flags, "-movie_timescale", str(_timescale(film.time_base))]
        if film.tag:
            words += ["-tag:v:0", film.tag]
    return words


def _last_duration(film: Film) -> str:
    """Return the bitstream filter that sets the duration of the last frame: the pipe loses it for some codecs."""
    last = (film.times[-1] - film.time_base / 2, film.end - film.times[-1])
    return "setts=pts=PTS:dts=DTS:duration='if(gte(PTS*TB,{:.9f}),{:.9f}/TB,DURATION)'".format(*map(float, last))


def _tag_words(film: Film, target: Path, extras: _Extras, tracks: list[TrackFile]) -> list[str]:
    """Return the arguments that copy chapters and tags of the source, of the whole file and of every stream."""
    if film.source is None:
        return []
    words = ["-map_metadata", "0:g" if film.source.suffix == ".gif" else "1"]
    words += ["-map_chapters", str(2 + len(tracks)) if extras.chapters is not None else "-1"]
    every = [*(one.track for one in tracks), *extras.pictures]
    # Mapping the tags of one stream turns automatic copying off for all others.
    for place, track in enumerate([Track(film.track, "video", ""), *every]):
        if track.index >= 0:
            words += [f"-map_metadata:s:{place}", f"1:s:{track.index}"]
        else:
            words += [f"-metadata:s:{place}", f"title={track.title}"]
    phone = phone_tags(film.source)
    if target.suffix.lower() in _MP4 and phone:
        place_tag = next((v for name, v in phone.items() if name.lower().endswith(("iso6709", "location"))), None)
        if place_tag is not None:
            words += ["-metadata", f"location={place_tag}"]  # where players other than Apple's look for it
        for name in ("major_brand", "minor_version", "compatible_brands"):  # would become tags of their own
            words += ["-metadata", f"{name}="]
    return words


def _timescale(base: Fraction) -> int:
    scale = base.denominator
    while scale < 1000:
        scale *= 10
    return min(scale, 2**31 - 1)


def _survivors(target: Path, tracks: list[TrackFile], folder: Path, film: Film) -> tuple[list[TrackFile], list[str]]:
    """Mux every track alone: copied, then (audio) re-encoded; leave out those that fail."""
    kept, lost = [], []
    for one in tracks:
        ways = [one.track.how, _sound_encoder(target)] if one.track.kind == "audio" else [one.track.how]
        how = next((way for way in ways if _alone(target, one, way, folder)), None)
        if how is None:
            lost.append(f"{one.track.name} is damaged or not supported by {target.suffix}: left out")
            continue
        if how != one.track.how:
            lost.append(f"{one.track.name} cannot be copied into {target.suffix}: re-encoded as {how}")
        kept.append(replace(one, track=replace(one.track, how=how)))
    return kept, lost


def _alone(target: Path, one: TrackFile, how: str, folder: Path) -> bool:
    path = folder / f"one{target.suffix}"
    command = [*ffmpeg_command(), *ffmpeg_input(one.path), "-map", "0:0", "-c", how, file_url(path)]
    return _run(command, path, None) is None


def _verify(film: Film, target: Path, tracks: list[TrackFile]) -> None:
    """Raise ``WriteError`` if a track or a part of one is missing, so that the work folder is kept."""
    ends: dict[int, Fraction] = {}
    pictures = 0
    try:
        with open_container(target) as container:
            kinds = [stream.type for stream in container.streams]
            for packet in container.demux():
                if packet.stream.index == 0:
                    pictures += bool(packet.size)
                stamp = packet.pts if packet.pts is not None else packet.dts
                if packet.size and stamp is not None:
                    end = (stamp + (packet.duration or 0)) * Fraction(packet.time_base)
                    ends[packet.stream.index] = max(ends.get(packet.stream.index, end), end)
    except (av.error.FFmpegError, ValueError) as error:
        raise WriteError(target, f"the finished clip cannot be read back: {in_words(error)}") from error
    if pictures != len(film.times):
        raise WriteError(target, f"the finished clip holds {pictures} frames, expected {len(film.times)}")
    for place, one in enumerate(tracks, 1):
        short = one.track.kind == "audio" and ends.get(place, Fraction(-1)) < one.end - 1
        if place >= len(kinds) or kinds[place] != one.track.kind or short:
            raise WriteError(target, f"{one.track.name} is incomplete in the finished clip")
