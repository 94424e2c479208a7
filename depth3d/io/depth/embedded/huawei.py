"""Depth of Huawei and Honor phones (wide aperture photos): an ``edof`` block behind the JPEG.

Layout as publicly described by tools that extract it: 20 bytes after the word ``edof`` the width and height as 16-bit
numbers, from byte 68 on 8-bit gray, dark = near.
"""

from __future__ import annotations

import struct

import numpy as np

from depth3d.errors import ReadError
from depth3d.io.depth.embedded.registry import EmbeddedDepth, EmbeddedFormat
from depth3d.io.image.photofile import PhotoFile

__all__ = ["FORMAT"]

_MARK = b"\0edof\0"
_HEADER = 68
# Orientation byte of the block -> (axes swapped, rows reversed, columns reversed)
_TURNS = {0x10: (False, True, False), 0x12: (False, False, True), 0x13: (True, False, False)}


def _find(photo: PhotoFile) -> EmbeddedDepth | None:
    if not photo.is_jpeg:
        return None
    mark = photo.data.find(_MARK, photo.pictures[0][1])
    if mark < 0:
        return None
    start = mark + 5  # behind the word
    if start + _HEADER > len(photo.data):
        raise ReadError(photo.name, "the depth block of a Huawei or Honor phone is cut off")
    width, height = struct.unpack_from("<HH", photo.data, start + 16)
    stored = photo.part(start + _HEADER, start + _HEADER + width * height)
    if min(width, height) < 16 or len(stored) != width * height:
        raise ReadError(photo.name, f"the depth block of a Huawei or Honor phone is damaged ({width}x{height})")
    swapped, rows, columns = _TURNS.get(photo.data[start + 7], (False, False, False))
    gray = 255 - np.frombuffer(stored, np.uint8).reshape(height, width)
    gray = gray.T if swapped else gray
    gray = gray[::-1] if rows else gray
    gray = gray[:, ::-1] if columns else gray
    original = photo.part(*photo.pictures[1]) if len(photo.pictures) > 1 and photo.pictures[1][1] <= mark else None
    return EmbeddedDepth(np.ascontiguousarray(gray), "Huawei depth", "Disparity", original=original, upright=True)


FORMAT = EmbeddedFormat(
    "Huawei depth", "wide aperture photos of Huawei and Honor phones (only made files were tried)", _find, order=45
)
