"""List the other tracks of a clip (audio, subtitles, covers, attachments) and plan how each is muxed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import av
from av.stream import Disposition

from depth3d.io.video.choice import is_cover
from depth3d.io.video.files import open_container

__all__ = ["Track", "fit_subtitle", "list_tracks", "phone_tags", "plan_tracks", "tags_lost"]

# Handler names of telemetry tracks of cameras.
_TELEMETRY = ("gopro", "gpmd", "dji", "djmd", "camm", "core media metadata", "telemetry")
_FLAGS = (
    *("default", "dub", "original", "comment", "lyrics", "karaoke", "forced", "hearing_impaired"),
    *("visual_impaired", "clean_effects", "captions", "descriptions"),
)
_PHONE_TAGS = ("location", "iso6709", "make", "model")

_MP4 = (".mp4", ".m4v", ".mov")
_TEXT = ("subrip", "srt", "ass", "ssa", "mov_text", "webvtt", "text", "microdvd", "subviewer", "sami", "jacosub")


@dataclass(frozen=True, slots=True)
class Track:
    """One stream of the source that is kept.

    Parameters
    ----------
    index : int
        Stream index in the source; -1 = made from another stream.
    kind : str
        "audio", "subtitle", "attachment", "cover" or "data".
    codec : str
        Name of its codec.
    how : str
        "copy", or the name of an encoder whose codec the new container supports.
    disposition : str
        Its disposition flags in FFmpeg's notation, joined by "+": "default+forced".
    bit_rate : int
        Bits per second, 0 = unknown.
    title : str
        Name for messages and, for a made track, its title.
    """

    index: int
    kind: str
    codec: str
    how: str = "copy"
    disposition: str = ""
    bit_rate: int = 0
    title: str = ""

    @property
    def name(self) -> str:
        """Name of the track in messages."""
        if self.index < 0:
            return self.title
        return f"{self.kind} stream {self.index} ({self.title or self.codec})"


def list_tracks(source: str | Path) -> list[Track]:
    """Return all tracks of ``source`` except its video; an empty list if it cannot be read."""
    try:
        with open_container(source) as container:
            found = [_track(stream) for stream in container.streams]
    except (av.error.FFmpegError, ValueError):
        return []
    return [track for track in found if track is not None]


def plan_tracks(tracks: list[Track], suffix: str) -> tuple[list[Track], list[str]]:
    """Return the tracks that a file with this suffix supports, with how to mux each, and one line per other track."""
    kept, lost = [], []
    for track in tracks:
        how = _fit(track, suffix.lower())
        if how is None:
            lost.append(f"{track.name} cannot be stored in {suffix}: left out")
        else:
            kept.append(replace(track, how=how))
    return kept, lost


def phone_tags(source: Path) -> dict[str, str]:
    """Return the tags of phones (place, make, model) in a clip; empty if it cannot be read."""
    try:
        with open_container(source) as container:
            found = dict(container.metadata)
    except (av.error.FFmpegError, ValueError):
        return {}
    # "location" and "location-eng" repeat each other; Apple's names are longer: com.apple.quicktime.make.
    return {name: value for name, value in found.items() if name.lower().split(".")[-1].endswith(_PHONE_TAGS)}


def tags_lost(source: Path, target: Path) -> list[str]:
    """Return one line that lists the phone tags of ``source`` that the finished ``target`` does not have."""
    kept = {value.rstrip("/") for value in phone_tags(target).values()}
    names = [name for name, value in phone_tags(source).items() if value.rstrip("/") not in kept]
    return [f"the tags {', '.join(sorted(names))} cannot be stored in {target.suffix}: left out"] if names else []


def _track(stream: Any) -> Track | None:
    kind = stream.type
    if kind == "video":
        kind = "cover" if is_cover(stream) else None
    handler = str(stream.metadata.get("handler_name", "")).strip("\0\b\t ")
    if kind == "data":
        return _data_track(stream, handler)
    if kind not in ("audio", "subtitle", "attachment", "cover"):
        return None
    context = stream.codec_context
    name = context.name if context is not None else "unknown"
    rate = int(getattr(context, "bit_rate", None) or 0)
    return Track(int(stream.index), kind, name, disposition=_flags(stream), bit_rate=rate)


def _data_track(stream: Any, handler: str) -> Track | None:
    """Return a track of timed data; None for time codes, which are kept as tags, and for the text of chapters."""
    codec = str(stream.name or "unknown")
    telemetry = any(word in handler.lower() for word in _TELEMETRY)
    if "timecode" in stream.metadata or (codec == "bin_data" and not telemetry and stream.container.chapters()):
        return None
    return Track(int(stream.index), "data", codec, title=handler)


def _flags(stream: Any) -> str:
    return "+".join(name for name in _FLAGS if stream.disposition & Disposition[name])


def _fit(track: Track, suffix: str) -> str | None:
    if track.kind == "data":
        return "copy" if track.codec == "bin_data" and suffix in _MP4 else None  # GoPro's; others have no muxer
    if track.kind == "subtitle":
        return fit_subtitle(track.codec, suffix)
    if track.kind == "attachment":
        return "copy" if suffix == ".mkv" else None
    if track.kind == "cover":
        return "copy" if suffix in (*_MP4, ".mkv") else None
    if suffix == ".webm" and track.codec not in ("opus", "libopus", "vorbis", "libvorbis"):
        return "libopus"
    return "copy"


def fit_subtitle(codec: str, suffix: str) -> str | None:
    """Return how a subtitle track is muxed into a file with this suffix: "copy", an encoder, or None."""
    text = codec in _TEXT
    if suffix in _MP4:
        return ("copy" if codec == "mov_text" else "mov_text") if text else None
    if suffix == ".webm":
        return ("copy" if codec == "webvtt" else "webvtt") if text else None
    return "srt" if codec == "mov_text" else "copy"
