"""Choose the video stream of a container that is the film; refuse what would decode to noise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from av.stream import Disposition

from depth3d.errors import ReadError
from depth3d.io.video.mp4_boxes import find_sample_box

__all__ = ["LARGEST_FRAME", "choose_stream", "is_cover", "is_scrambled", "large_frames"]

LARGEST_FRAME = 8192 * 4320
"""Largest frame that is decoded, pixels (8K)."""


def large_frames(width: int, height: int) -> str:
    """Return what an error says of frames larger than ``LARGEST_FRAME``."""
    return f"has frames of {width}x{height} pixels, more than 8K (8192x4320); scale it down first"


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
        raise ReadError(path, large_frames(width, height))
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
