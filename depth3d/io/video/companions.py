"""Extract audio and subtitle tracks, cut to the wanted part and with the film's timestamps, one file per track.

Audio and video of a source are shifted by the same amounts (``clock``), whatever start time the container gives for
each track; subtitles are cut at both ends. The last step (``mux``) muxes these files with the video.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from depth3d.errors import WriteError, in_words
from depth3d.io.video.files import create_container, disk_error, open_container
from depth3d.io.video.packets import packets_of
from depth3d.io.video.tracks import Track

__all__ = ["Span", "TrackFile", "extract_tracks", "write_chapters"]

# Seconds added to all times in the files, so that none is negative: audio of MP4 may start before zero.
_LEAD = Fraction(10)
_MOST_FAILED = 100  # packets that the muxer refuses, then the track is given up
# Matroska keeps the delay of Opus, ASF the block size of WMA and ADPCM, QuickTime its own subtitles. All other codecs
# use NUT, whose timestamps are exact.
_OWN_LAYOUTS = {"mov_text": ".mov", "bin_data": ".mov", "opus": ".mkv", "libopus": ".mkv"}
_NEED_BLOCK_SIZE = ("wma", "adpcm", "atrac", "cook", "sipr", "ra_", "g72", "gsm", "truespeech")


@dataclass(frozen=True, slots=True)
class Span:
    """The part of a source that is converted.

    Parameters
    ----------
    origin : Fraction
        Container time, seconds, that counts as 0.
    start : Fraction
        Start of the part, seconds after ``origin``.
    length : Fraction | None
        Length, seconds; None = to the end.
    """

    origin: Fraction = Fraction(0)
    start: Fraction = Fraction(0)
    length: Fraction | None = None


@dataclass(frozen=True, slots=True)
class TrackFile:
    """One track in a file of its own.

    Parameters
    ----------
    track : Track
        The track and how it is muxed.
    path : Path
        The file.
    begin, end : Fraction
        Start of its first and end of its last packet, seconds of the film.
    recode : str
        Why the sound must be encoded anew: "changes from 48000 Hz stereo to 44100 Hz mono"; "" = a copy will do.
    """

    track: Track
    path: Path
    begin: Fraction
    end: Fraction
    recode: str = ""


def extract_tracks(
    source: Path, tracks: Sequence[Track], folder: Path, span: Span
) -> tuple[list[TrackFile], list[str]]:
    """Copy audio and subtitles of ``source`` into files in ``folder``; unreadable packets are skipped.

    Returns
    -------
    tuple[list[TrackFile], list[str]]
        The files, and one line for each track that has no packets or cannot be copied.

    Raises
    ------
    WriteError
        If the disk is full.
    """
    timed = [track for track in tracks if track.kind in ("audio", "subtitle", "data")]
    if not timed:
        return [], []
    with open_container(source) as container:
        writers = {t.index: _Writer(t, container.streams[t.index], folder, span) for t in timed}
        try:
            for packet in packets_of(container, *(container.streams[index] for index in writers)):
                writers[packet.stream.index].take(packet)
        finally:
            for writer in writers.values():
                writer.close()
    found = [writer.result() for writer in writers.values()]
    lost = [
        f"{track.name} {writer.trouble or 'has no packets in this part'}: left out"
        for track, writer, one in zip(timed, writers.values(), found, strict=True)
        if one is None
    ]
    return [one for one in found if one is not None], lost


class _Writer:
    """Copies the packets of one track."""

    def __init__(self, track: Track, template: Any, folder: Path, span: Span) -> None:
        self._track, self._template, self._folder, self._span = track, template, folder, span
        self._output: Any = None
        self._stream: Any = None
        self._path: Path | None = None
        self._end = Fraction(0)
        self._last: int | None = None
        self._failed = 0
        self._format = _SoundFormat() if track.kind == "audio" and template.codec_context is not None else None
        self._decoding = False  # no container takes a copy: the sound is stored as PCM
        self.trouble: str | None = None

    def take(self, packet: Any) -> None:
        """Write one packet, if it lies in the wanted part."""
        if self.trouble is not None or not packet.size:
            return
        base = Fraction(packet.time_base)
        stamp = packet.pts if packet.pts is not None else packet.dts
        if stamp is None:
            return
        time = stamp * base - self._span.origin - self._span.start
        placed = self._placed(time, (packet.duration or 0) * base)
        if placed is None:
            return
        begin, duration = placed
        packet.pts = round((begin + _LEAD) / base)
        packet.dts = packet.pts
        if self._last is not None and packet.dts <= self._last:
            if self._track.kind == "audio":
                return  # overlap at a join
            packet.pts = packet.dts = self._last + 1
        self._last = packet.dts
        packet.duration = round(duration / base)
        self._end = max(self._end, begin + duration)
        if self._format is not None:
            self._format.look(packet, begin)
        self._mux(packet)

    def _placed(self, time: Fraction, duration: Fraction) -> tuple[Fraction, Fraction] | None:
        start, length = self._span.start, self._span.length
        if time < -_LEAD or (length is not None and time >= length):
            return None
        if self._track.kind == "audio":
            # Audio before the start of an uncut film is the encoder's priming samples: keep it.
            return None if start > 0 and time < 0 else (time, duration)
        end = time + duration if length is None else min(time + duration, length)
        if time < 0 and end <= 0:
            return None
        return max(time, Fraction(0)), end - max(time, Fraction(0))

    def _mux(self, packet: Any) -> None:
        try:
            if self._output is None:
                self._open()
            if self._decoding:
                for frame in packet.decode():
                    self._output.mux(self._stream.encode(frame))
                return
            packet.stream = self._stream
            self._output.mux(packet)
        except (av.error.FFmpegError, ValueError, OverflowError, OSError) as error:
            words = disk_error(str(error))
            if words is not None:
                raise WriteError(self._path or self._folder, f"cannot be written: {words}") from error
            self._failed += 1  # a damaged packet or two do not cost the track
            if self._output is None or self._failed >= _MOST_FAILED:
                self.trouble = f"cannot be copied ({in_words(error)})"

    def _open(self) -> None:
        problem: Exception | None = None
        name = self._track.codec
        first = _OWN_LAYOUTS.get(name, ".asf" if name.startswith(_NEED_BLOCK_SIZE) else ".nut")
        for suffix in dict.fromkeys((first, ".nut", ".mkv", ".mov")):
            self._path = self._folder / f"part-track-{self._track.index}{suffix}"
            output = create_container(self._path)
            try:
                self._stream = output.add_stream_from_template(self._template, opaque=True)
                self._stream.time_base = self._template.time_base
                output.start_encoding()
            except (av.error.FFmpegError, ValueError) as error:
                problem = error
                output.close()
                continue
            self._output = output
            return
        context = self._template.codec_context  # None for a codec that ffmpeg does not know
        if self._track.kind == "audio" and context is not None:
            self._path = self._folder / f"part-track-{self._track.index}.nut"
            output = create_container(self._path)
            try:
                self._stream = output.add_stream("pcm_s16le", rate=context.sample_rate, layout=context.layout.name)
            except (av.error.FFmpegError, ValueError, OverflowError):  # a damaged header: no such rate or channels
                output.close()
                raise
            self._output, self._decoding = output, True
            return
        raise ValueError(f"no container takes {self._track.codec}") from problem

    def close(self) -> None:
        if self._output is not None:
            try:
                if self._decoding:
                    self._output.mux(self._stream.encode(None))
                self._output.close()
            except (av.error.FFmpegError, ValueError, OSError) as error:
                words = disk_error(str(error))
                self.trouble = f"cannot be copied ({in_words(error)})"
                if words is not None:
                    raise WriteError(self._path or self._folder, f"cannot be written: {words}") from error

    def result(self) -> TrackFile | None:
        if self._path is None or self._output is None or self.trouble is not None:
            return None
        with open_container(self._path) as written:
            # ffmpeg subtracts exactly this start time when it reads the file.
            begin = Fraction(written.start_time or 0, 1_000_000) - _LEAD
        recode = "" if self._format is None else self._format.change
        if self._decoding:
            recode = "cannot be copied into any container"
        return TrackFile(self._track, self._path, begin, self._end, recode)


class _SoundFormat:
    """Notice a change of sample rate or channels in a track by decoding a packet every half second."""

    def __init__(self) -> None:
        self._first: str | None = None
        self._next: Fraction | None = None
        self.change = ""

    def look(self, packet: Any, time: Fraction) -> None:
        """Compare the format of ``packet``, at ``time`` seconds, with the first one."""
        if self.change or (self._next is not None and time < self._next):
            return
        try:
            frames = packet.decode()
        except (av.error.FFmpegError, ValueError, OSError):
            return
        for frame in frames:
            self._next = time + Fraction(1, 2)
            found = f"{frame.sample_rate} Hz {frame.layout.name}"
            self._first = self._first or found
            if found != self._first:
                self.change = f"changes from {self._first} to {found}"


def write_chapters(source: Path, path: Path, span: Span) -> Path | None:
    """Write the chapters of the wanted part as FFMETADATA, in film time; return the path, or None without chapters."""
    with open_container(source) as container:
        chapters = container.chapters()
    lines = [";FFMETADATA1"]
    for chapter in chapters:
        base = Fraction(chapter["time_base"])
        begin, end = (chapter[key] * base - span.origin - span.start for key in ("start", "end"))
        end = end if span.length is None else min(end, span.length)
        begin = max(begin, Fraction(0))
        if end > begin:
            lines += ["[CHAPTER]", "TIMEBASE=1/1000000", f"START={round(begin * 10**6)}", f"END={round(end * 10**6)}"]
            lines += [f"{_escaped(key)}={_escaped(value)}" for key, value in chapter["metadata"].items()]
    if len(lines) == 1:
        return None
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", errors="replace")
    return path


def _escaped(text: str) -> str:
    return "".join(f"\\{letter}" if letter in "=;#\\\n" else letter for letter in text)
