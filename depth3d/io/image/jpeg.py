"""JPEG files as bytes: the only parser and writer of marker segments.

Segments are inserted and removed without recompressing any pixel. Kept by hand: Pillow neither lists segments with
their positions nor finds the end of a picture, which pictures appended behind it need. Every function is linear in
the length of the data.
"""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from depth3d.errors import InvalidInput
from depth3d.image import Image

__all__ = [
    "JpegSegment",
    "insert_segments",
    "is_jpeg",
    "is_overlong",
    "jpeg_end",
    "jpeg_pictures",
    "jpeg_segments",
    "own_jpeg",
    "remove_segments",
    "segment_bytes",
    "without_metadata",
]

APP0, APP1, APP2, APP3, APP14, APP15, COMMENT = 0xE0, 0xE1, 0xE2, 0xE3, 0xEE, 0xEF, 0xFE
_START = b"\xff\xd8\xff"
_LONGEST = 65533  # payload of one segment
_MOST_PICTURES = 64  # in one file; a file of nothing but start markers would give millions
_MOST_SEGMENTS, _MOST_FILL = 20_000, 4096  # in one picture: beyond any camera's file
# In coded pixels a marker is 0xFF followed by neither 0 nor a restart marker.
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)


@dataclass(frozen=True, slots=True)
class JpegSegment:
    """One marker segment.

    Parameters
    ----------
    marker : int
        0xE1 for APP1.
    start : int
        Offset of its 0xFF in the file.
    payload : bytes
        The content, without marker and length.
    """

    marker: int
    start: int
    payload: bytes

    @property
    def end(self) -> int:
        """Offset of the first byte after the segment."""
        return self.start + 4 + len(self.payload)


def is_jpeg(data: bytes, start: int = 0) -> bool:
    """Return True if a JPEG picture starts at ``start``."""
    return data.startswith(_START, start)


def jpeg_segments(data: bytes, start: int = 0) -> Iterator[JpegSegment]:
    """Yield the marker segments before the pixels of the JPEG at ``start``; ends silently where the data is damaged.

    Parameters
    ----------
    data : bytes
        The file.
    start : int
        Offset of the picture in the file.
    """
    place = start + 2 if data.startswith(b"\xff\xd8", start) else len(data)
    count = fill = 0
    while place + 4 <= len(data) and data[place] == 0xFF and count < _MOST_SEGMENTS and fill < _MOST_FILL:
        marker = data[place + 1]
        if marker in (0xD8, 0xD9, 0xDA):
            return
        if marker == 0xFF:
            place += 1
            fill += 1
            continue
        count += 1
        (length,) = struct.unpack_from(">H", data, place + 2)
        if length < 2:
            return
        yield JpegSegment(marker, place, data[place + 4 : place + 2 + length])
        place += 2 + length


def is_overlong(data: bytes) -> bool:
    """Return True for a JPEG with absurdly many segments or fill bytes before its pixels: Pillow would take minutes.

    Parameters
    ----------
    data : bytes
        The file.
    """
    count, place = 0, 2
    for segment in jpeg_segments(data):
        count += 1
        place = segment.end
    return count >= _MOST_SEGMENTS or data[place : place + _MOST_FILL] == b"\xff" * _MOST_FILL


def jpeg_end(data: bytes, start: int = 0) -> int:
    """Return the offset after the end marker of the JPEG at ``start``, or ``len(data)`` if it has none.

    Thumbnails lie inside segments, which are skipped as a whole.

    Parameters
    ----------
    data : bytes
        The file.
    start : int
        Offset of the picture in the file.
    """
    place = start + 2
    for segment in jpeg_segments(data, start):
        place = segment.end
    while found := _MARKER.search(data, place):
        if data[found.start() + 1] == 0xD9:
            return found.end()
        if found.end() + 2 > len(data):
            break
        place = found.end() + max(2, struct.unpack_from(">H", data, found.end())[0])
    return len(data)


def jpeg_pictures(data: bytes) -> list[tuple[int, int]]:
    """Return (start, end) of the JPEGs that follow each other in a file, at most 64; thumbnails do not count.

    Parameters
    ----------
    data : bytes
        The file.
    """
    found: list[tuple[int, int]] = []
    start = 0 if is_jpeg(data) else -1
    while start >= 0 and len(found) < _MOST_PICTURES:
        end = jpeg_end(data, start)
        found.append((start, end))
        start = data.find(_START, end)
    return found


def own_jpeg(data: bytes, image: Image) -> bytes | None:
    """Return the photo's own JPEG bytes if they decode to ``image`` without EXIF orientation and profile, else None.

    Mesh viewers and GPUs ignore both, so a JPEG that is rotated by EXIF, has a wide-gamut profile or is CMYK gives
    None. What follows the first picture (a second eye, a clip, a gain map) is cut off.

    Parameters
    ----------
    data : bytes
        The file.
    image : Image
        The photo as ``open_image`` returned it.
    """
    from PIL import Image as Pillow

    if not is_jpeg(data) or is_overlong(data):
        return None
    data = data[: jpeg_end(data)]
    try:
        with Pillow.open(io.BytesIO(data), formats=("JPEG", "MPO")) as picture:
            # The size is compared before any pixel is decoded: a header may claim anything.
            if picture.size != tuple(image.size) or picture.mode not in ("RGB", "L"):
                return None
            plain = np.asarray(picture.convert("RGB"))
    except Exception as error:  # damaged files make decoders raise nearly anything
        if isinstance(error, MemoryError):
            raise
        return None
    return data if np.array_equal(plain, image.pixels) else None


def without_metadata(data: bytes) -> bytes:
    """Return the JPEG without EXIF (which holds place and time), XMP, profile and comments; pixels are unchanged.

    Parameters
    ----------
    data : bytes
        A JPEG file.
    """
    # APP14 says how colors are coded: without it some files would change.
    removed = (*(marker for marker in range(APP1, APP15 + 1) if marker != APP14), COMMENT)
    return remove_segments(data, [segment for segment in jpeg_segments(data) if segment.marker in removed])


def remove_segments(data: bytes, segments: Iterable[JpegSegment]) -> bytes:
    """Return the JPEG without the given segments.

    Parameters
    ----------
    data : bytes
        A JPEG file.
    segments : Iterable[JpegSegment]
        Some of those that ``jpeg_segments`` found in it, in file order.
    """
    kept = []
    place = 0
    for segment in segments:
        kept.append(data[place : segment.start])
        place = segment.end
    return b"".join([*kept, data[place:]])


def segment_bytes(marker: int, payload: bytes) -> bytes:
    """Return one segment with its marker and length. Raises ``InvalidInput`` for more than 65533 bytes.

    Parameters
    ----------
    marker : int
        0xE1 for APP1.
    payload : bytes
        The content.
    """
    if len(payload) > _LONGEST:
        raise InvalidInput(f"insert_segments: a payload of {len(payload)} bytes, expected at most {_LONGEST}")
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def insert_segments(data: bytes, segments: Iterable[tuple[int, bytes]]) -> bytes:
    """Insert segments after the JFIF and EXIF segments at the start of a JPEG.

    Raises ``InvalidInput`` if ``data`` is not a JPEG or a payload exceeds 65533 bytes.

    Parameters
    ----------
    data : bytes
        A JPEG file.
    segments : Iterable[tuple[int, bytes]]
        (marker, payload) of each.
    """
    if data[:2] != b"\xff\xd8":
        raise InvalidInput("insert_segments: the data is not a JPEG")
    place = 2
    for segment in jpeg_segments(data):
        first = segment.marker == APP0 or (segment.marker == APP1 and segment.payload.startswith(b"Exif\0\0"))
        if not first:
            break
        place = segment.end
    return b"".join([data[:place], *(segment_bytes(marker, payload) for marker, payload in segments), data[place:]])
