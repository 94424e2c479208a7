"""Samsung's live focus depth: a record of the SEF trailer at the end of the JPEG.

Layout as publicly described (ExifTool's Samsung trailer tables): the file ends with ``SEFT``; before it the length of
a directory that starts with ``SEFH`` and lists records by type, distance before the directory and size. The map is
8-bit gray, white = near, whose size is in the record ``DualShot_Extra_Info``.
"""

from __future__ import annotations

import struct

import numpy as np

from depth3d.errors import ReadError
from depth3d.io.depth.embedded.registry import EmbeddedDepth, EmbeddedFormat
from depth3d.io.image.jpeg import is_jpeg
from depth3d.io.image.photofile import PhotoFile

__all__ = ["FORMAT", "sef_records"]

_MOST_RECORDS = 1000
_MAPS = ("DualShot_DepthMap_1", "SingleShot_DepthMap_10", "SingeShot_DepthMap_10", "DualShot_DepthMap_5")
_EXTRA = ("DualShot_Extra_Info", "SingleShot_Meta_Info")


def sef_records(data: bytes) -> dict[str, bytes]:
    """Return name -> content of the records in a SEF trailer; empty if the file has none.

    Parameters
    ----------
    data : bytes
        The whole file.
    """
    found: dict[str, bytes] = {}
    if data[-4:] != b"SEFT" or len(data) < 24:
        return found
    (length,) = struct.unpack("<I", data[-8:-4])
    head = len(data) - 8 - length
    if head < 0 or data[head : head + 4] != b"SEFH":
        return found
    _, count = struct.unpack_from("<II", data, head + 4)
    for index in range(min(count, _MOST_RECORDS)):
        place = head + 12 + 12 * index
        if place + 12 > len(data):
            break
        _, _, back, size = struct.unpack_from("<HHII", data, place)
        start = head - back
        if start < 0 or size < 8 or start + size > head:
            continue
        (letters,) = struct.unpack_from("<I", data, start + 4)
        if letters > min(256, size - 8):
            continue
        name = data[start + 8 : start + 8 + letters].decode("latin-1")
        found.setdefault(name, data[start + 8 + letters : start + size])
    return found


def _find(photo: PhotoFile) -> EmbeddedDepth | None:
    if not photo.is_jpeg or photo.data[-4:] != b"SEFT":
        return None
    records = sef_records(photo.data)
    stored = next((records[name] for name in _MAPS if records.get(name)), None)
    if stored is None:
        return None
    original = next((data for name, data in records.items() if name == "DualShot_1" and is_jpeg(data)), None)
    if is_jpeg(stored) or stored[:4] == b"\x89PNG":
        return EmbeddedDepth(stored, "Samsung depth", "Disparity", original=original)
    size = _size(b"".join(records.get(name, b"") for name in _EXTRA), len(stored))
    if size is None:
        raise ReadError(photo.name, "Samsung depth is inside, but its size is stored in an unknown way")
    height, width = size
    gray = np.frombuffer(stored, np.uint8, width * height).reshape(height, width)
    return EmbeddedDepth(gray, "Samsung depth", "Disparity", original=original)


def _size(extra: bytes, length: int) -> tuple[int, int] | None:
    """Return (height, width): two 16-bit numbers two or four bytes apart whose product is the length of the map."""
    for gap in (4, 2):
        for place in range(0, min(len(extra), 4096) - gap - 1):
            (first,) = struct.unpack_from("<H", extra, place)
            (second,) = struct.unpack_from("<H", extra, place + gap)
            if min(first, second) >= 32 and first * second == length:
                return first, second
    return None


FORMAT = EmbeddedFormat(
    "Samsung depth", "live focus photos of Samsung phones: SEF trailer (only made files were tried)", _find, order=40
)
