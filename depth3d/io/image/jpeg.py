"""JPEG files as bytes: kept as they are where that is right, and opened only at their seams.

Segments are cut out and put in without touching a pixel.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable

import numpy as np

from depth3d.errors import InvalidInput
from depth3d.image import Image
from depth3d.io.image.xmp import JpegSegment, jpeg_end, jpeg_segments

__all__ = ["insert_segments", "own_jpeg", "remove_segments", "without_metadata"]

_APP0, _APP1, _APP14, _APP15, _COMMENT = 0xE0, 0xE1, 0xEE, 0xEF, 0xFE
_LONGEST = 65533  # payload of one segment


def own_jpeg(data: bytes, image: Image) -> bytes | None:
    """The photo's own JPEG bytes, if a reader that knows nothing of orientation and profiles sees ``image`` in them.

    Mesh viewers and GPUs read just the coded pixels. So a JPEG that is turned by EXIF, has a wide-gamut
    profile, is CMYK, or is not a JPEG at all gives None. What follows the first picture (a second eye, a
    clip, a gain map) is left off.
    """
    from PIL import Image as Pillow

    if data[:3] != b"\xff\xd8\xff":
        return None
    data = data[: jpeg_end(data)]
    try:
        with Pillow.open(io.BytesIO(data)) as picture:
            if picture.size != tuple(image.size) or picture.mode not in ("RGB", "L"):
                return None
            plain = np.asarray(picture.convert("RGB"))
    except (OSError, SyntaxError, ValueError):
        return None
    return data if np.array_equal(plain, image.pixels) else None


def without_metadata(data: bytes) -> bytes:
    """The same pictures without EXIF (place and time of taking!), XMP, profile and comments."""
    # APP14 says how colours are coded: without it some files would change.
    told = (*(marker for marker in range(_APP1, _APP15 + 1) if marker != _APP14), _COMMENT)
    return remove_segments(data, [segment for segment in jpeg_segments(data) if segment.marker in told])


def remove_segments(data: bytes, segments: Iterable[JpegSegment]) -> bytes:
    """The JPEG without some of the segments that ``jpeg_segments`` found in it."""
    kept = []
    place = 0
    for segment in segments:
        kept.append(data[place : segment.start])
        place = segment.start + 4 + len(segment.payload)
    return b"".join([*kept, data[place:]])


def insert_segments(data: bytes, segments: Iterable[tuple[int, bytes]]) -> bytes:
    """Put segments (marker, payload) behind the JFIF and EXIF segments with which a JPEG begins.

    Raises ``InvalidInput`` if ``data`` is no JPEG or a payload exceeds 65533 bytes.
    """
    if data[:2] != b"\xff\xd8":
        raise InvalidInput("insert_segments: the data is no JPEG")
    place = 2
    for segment in jpeg_segments(data):
        first = segment.marker == _APP0 or (segment.marker == _APP1 and segment.payload.startswith(b"Exif\0\0"))
        if not first:
            break
        place = segment.start + 4 + len(segment.payload)
    parts = [data[:place]]
    for marker, payload in segments:
        if len(payload) > _LONGEST:
            raise InvalidInput(f"insert_segments: a payload of {len(payload)} bytes, expected at most {_LONGEST}")
        parts.append(b"\xff" + bytes([marker]) + struct.pack(">H", len(payload) + 2) + payload)
    return b"".join([*parts, data[place:]])
