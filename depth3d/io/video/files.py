"""Opening clips as local files only: no name is ever taken for a URL, and no playlist reaches the network.

FFmpeg takes everything before a colon for a protocol: ``12:30.mp4`` would fail and ``http:x.mp4`` would send a
request. Every path of this package reaches PyAV and the ``ffmpeg`` program through the functions below.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import av
import imageio_ffmpeg

__all__ = ["PROTOCOLS", "create_container", "ffmpeg_command", "ffmpeg_input", "file_url", "open_container"]

# For everything that is opened in turn, too: segments of playlists, references of QuickTime files.
PROTOCOLS = "file,pipe"


def file_url(path: str | Path) -> str:
    """Return ``path`` as FFmpeg's ``file:`` URL, which may hold colons, percent signs and leading dashes."""
    return f"file:{os.path.abspath(path)}"


def open_container(path: str | Path, *, layout: str | None = None, options: Mapping[str, str] | None = None) -> Any:
    """Open a local clip with PyAV for reading; tags in any encoding are read with replacement.

    Parameters
    ----------
    layout : str | None
        Name of FFmpeg's demuxer, or None to recognize it.
    options : Mapping[str, str] | None
        Options of the demuxer.

    Raises
    ------
    av.error.FFmpegError, ValueError
        If FFmpeg cannot open it.
    """
    settings = {**(options or {}), "protocol_whitelist": PROTOCOLS}
    # FFmpeg's glob patterns know no URLs; an absolute path cannot be taken for one.
    name = os.path.abspath(path) if settings.get("pattern_type") == "glob" else file_url(path)
    return av.open(name, format=layout, options=settings, metadata_errors="replace")


def create_container(path: str | Path, *, layout: str | None = None, options: Mapping[str, str] | None = None) -> Any:
    """Open a local file with PyAV for writing; the suffix chooses the container unless ``layout`` names it."""
    return av.open(file_url(path), "w", format=layout, options=dict(options or {}))


def ffmpeg_command() -> list[str]:
    """Return the bundled ffmpeg program with the options of every call: quiet, no questions, no standard input."""
    return [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-hide_banner", "-v", "error", "-y"]


def ffmpeg_input(path: str | Path) -> list[str]:
    """Return the words that make a local file an input of the ffmpeg program."""
    return ["-protocol_whitelist", PROTOCOLS, "-i", file_url(path)]
