"""Open clips as local files only: names are never interpreted as URLs, playlists cannot access the network.

FFmpeg interprets text before a colon as a protocol: ``12:30.mp4`` would fail and ``http:x.mp4`` would send a request.
All paths of this package are passed to PyAV and ``ffmpeg`` through these functions.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import av
import imageio_ffmpeg

from depth3d.io.video.partial import partial_file

__all__ = [
    "PROTOCOLS",
    "create_container",
    "disk_error",
    "ffmpeg_command",
    "ffmpeg_input",
    "file_url",
    "glob_escaped",
    "open_container",
]

# Also applies to nested files: segments of playlists, references of QuickTime files.
PROTOCOLS = "file,pipe"

# What FFmpeg says if the disk, not the content, is at fault.
_DISK_ERRORS = (
    *("No space left on device", "Input/output error", "Disk quota exceeded", "File too large", "Permission denied"),
    *("Read-only file system", "Stale file handle", "Too many open files", "Cannot allocate memory"),
)


def file_url(path: str | Path) -> str:
    """Return ``path`` as FFmpeg's ``file:`` URL, which allows colons, percent signs and leading dashes."""
    return f"file:{os.path.abspath(path)}"


def open_container(path: str | Path, *, layout: str | None = None, options: Mapping[str, str] | None = None) -> Any:
    """Open a local clip with PyAV for reading; undecodable bytes in tags are replaced.

    Parameters
    ----------
    layout : str | None
        Name of FFmpeg's demuxer; None = detect it.
    options : Mapping[str, str] | None
        Options of the demuxer.

    Raises
    ------
    av.error.FFmpegError, ValueError
        If FFmpeg cannot open it.
    """
    settings = {**(options or {}), "protocol_whitelist": PROTOCOLS}
    partial = partial_file(path)
    if partial is not None:
        return av.open(partial, format=layout, options=dict(options or {}), metadata_errors="replace")
    name = file_url(path)
    if settings.get("pattern_type") == "glob":
        # FFmpeg's glob patterns do not support URLs; an absolute path is not mistaken for one.
        folder, pattern = os.path.split(os.path.abspath(path))
        name = os.path.join(glob_escaped(folder), pattern)
    return av.open(name, format=layout, options=settings, metadata_errors="replace")


def create_container(path: str | Path, *, layout: str | None = None, options: Mapping[str, str] | None = None) -> Any:
    """Open a local file with PyAV for writing; the suffix chooses the container unless ``layout`` names it."""
    return av.open(file_url(path), "w", format=layout, options=dict(options or {}))


def ffmpeg_command() -> list[str]:
    """Return the bundled ffmpeg program with common options: errors only, overwrite, no standard input."""
    return [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-hide_banner", "-v", "error", "-y"]


def ffmpeg_input(path: str | Path) -> list[str]:
    """Return the ffmpeg arguments that add a local file as input."""
    return ["-protocol_whitelist", PROTOCOLS, "-i", file_url(path)]


def glob_escaped(name: str) -> str:
    """Escape the characters that have a meaning in FFmpeg's glob patterns."""
    return re.sub(r"([\[\]{}*?\\])", r"\\\1", name) if os.name != "nt" else name


def disk_error(text: str) -> str | None:
    """Return the disk error named in a message of FFmpeg, or None if the message names none."""
    return next((words for words in _DISK_ERRORS if words in text), None)
