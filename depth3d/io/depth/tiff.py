"""Depth as numbers in TIFF: floats of 16, 32 or 64 bits, and 32-bit integers."""

from __future__ import annotations

import numpy as np

from depth3d.errors import ReadError
from depth3d.io.depth.interpret import read_numbers
from depth3d.io.depth.npy import checked_plane
from depth3d.io.depth.registry import DepthFormat, ReadDepth
from depth3d.io.image.photofile import PhotoFile
from depth3d.io.image.read import reading
from depth3d.io.image.tiff import read_tiff, tiff_kind

__all__ = ["FORMAT"]


def _detect(photo: PhotoFile) -> bool:
    kind = tiff_kind(photo)
    return kind is not None and not kind.raw and (kind.dtype.kind == "f" or kind.dtype.itemsize >= 4)


def _read(photo: PhotoFile, invert: bool) -> ReadDepth:
    kind = tiff_kind(photo)
    if kind is None:
        raise ReadError(photo.name, "unsupported or corrupt TIFF file")
    with reading(photo.name, "TIFF file"):
        values = checked_plane(photo, read_tiff(photo, kind))
        found = read_numbers(values.astype(np.float32), invert=invert)
    return ReadDepth(found.depth, f"{kind.words}, {found.how}")


FORMAT = DepthFormat("float TIFF", "floats or 32-bit integers", (".tif", ".tiff"), _detect, _read, None, order=25)
