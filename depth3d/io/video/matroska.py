"""Read the video track properties of a Matroska or WebM file (RFC 9559) without decoding."""

from __future__ import annotations

from collections.abc import Iterator
from io import SEEK_END, BytesIO
from pathlib import Path
from typing import BinaryIO

__all__ = ["equirectangular_bounds", "video_settings"]

_SEGMENT, _TRACKS, _TRACK_ENTRY, _VIDEO = 0x18538067, 0x1654AE6B, 0xAE, 0xE0
_CLUSTER, _SEEK_HEAD, _SEEK, _SEEK_ID, _SEEK_POSITION = 0x1F43B675, 0x114D9B74, 0x4DBB, 0x53AB, 0x53AC
_NAMES = {
    0x53B8: "StereoMode",
    0x54AA: "PixelCropBottom",
    0x54BB: "PixelCropTop",
    0x54CC: "PixelCropLeft",
    0x54DD: "PixelCropRight",
}
_PROJECTION, _PROJECTION_TYPE, _PROJECTION_BOUNDS = 0x7670, 0x7671, 0x7672
_LARGEST = 1 << 20  # maximum size of a track list, bytes


def video_settings(path: str | Path) -> dict[str, int]:
    """Return integer elements of the first video track by Matroska name, such as ``{"StereoMode": 1}``.

    Empty if the file is not Matroska, has no video track, or is damaged.
    """
    return {_NAMES[k]: int.from_bytes(v[:8], "big") for k, v in _video_elements(path) if k in _NAMES}


def equirectangular_bounds(path: str | Path) -> bytes | None:
    """Return the private data of an equirectangular projection (the ``equi`` box of MP4), or None for other clips."""
    projection = next((body for kind, body in _video_elements(path) if kind == _PROJECTION), b"")
    found = dict(_elements(projection))
    if int.from_bytes(found.get(_PROJECTION_TYPE, b"")[:8], "big") != 1:
        return None
    return found.get(_PROJECTION_BOUNDS, b"")


def _video_elements(path: str | Path) -> list[tuple[int, bytes]]:
    with Path(path).open("rb") as file:
        if file.read(4) != b"\x1a\x45\xdf\xa3":
            return []
        file.seek(0)
        tracks = _track_list(file)
    for kind, body in _elements(tracks):
        if kind == _TRACK_ENTRY:
            found = next((content for name, content in _elements(body) if name == _VIDEO), None)
            if found is not None:
                return list(_elements(found))
    return []


def _track_list(file: BinaryIO) -> bytes:
    """Return the content of the Tracks element: before the first cluster, or at the position in the seek head."""
    segment = place = 0
    end = file.seek(0, SEEK_END)
    file.seek(0)
    jumped = False
    while (head := _header(file)) is not None:
        kind, length = head
        if kind == _SEGMENT:
            segment = file.tell()
            continue
        if kind == _TRACKS:
            return file.read(min(length, _LARGEST))
        if kind == _SEEK_HEAD:
            place = _seek_position(file.read(min(length, _LARGEST)), _TRACKS) or place
        elif kind == _CLUSTER:
            # Programs that edit a finished file append a new track list.
            if not place or jumped:
                break
            file.seek(min(segment + place, end))
            jumped = True  # once only: the position may be one before the seek head
        else:
            file.seek(min(file.tell() + length, end))
    return b""


def _seek_position(seek_head: bytes, wanted: int) -> int | None:
    for kind, body in _elements(seek_head):
        entry = dict(_elements(body)) if kind == _SEEK else {}
        if int.from_bytes(entry.get(_SEEK_ID, b""), "big") == wanted:
            return int.from_bytes(entry.get(_SEEK_POSITION, b"")[:8], "big")
    return None


def _header(file: BinaryIO) -> tuple[int, int] | None:
    kind = _number(file, keep_marker=True)
    length = _number(file, keep_marker=False)
    return None if kind is None or length is None else (kind, length)


def _number(file: BinaryIO, *, keep_marker: bool) -> int | None:
    first = file.read(1)
    if not first or not first[0]:
        return None
    size = 9 - first[0].bit_length()
    rest = file.read(size - 1)
    if len(rest) < size - 1:
        return None
    value = int.from_bytes(first + rest, "big")
    return value if keep_marker else value & ((1 << (7 * size)) - 1)


def _elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    file = BytesIO(data)
    while (head := _header(file)) is not None:
        kind, length = head
        yield kind, file.read(min(length, len(data)))
