"""Read EXIF: orientation and focal length."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags
from PIL import Image as Pillow

from depth3d.io.image.jpeg import is_overlong

__all__ = ["orientation_of", "read_exif", "upright"]

_ORIENTATION = int(ExifTags.Base.Orientation)


def read_exif(picture: Pillow.Image, long_side: int | None = None) -> tuple[float | None, int]:
    """Return the focal length in mm on 35 mm film (or None) and the orientation, 1 to 8; damaged EXIF is ignored.

    Parameters
    ----------
    picture : Pillow.Image
        The opened file.
    long_side : int | None
        Longer side of the whole picture, if it is decoded at a smaller scale.
    """
    try:
        exif = picture.getexif()
        orientation = exif.get(_ORIENTATION, 1)
        orientation = int(orientation) if orientation in range(1, 9) else 1
    except Exception:  # Pillow's EXIF reader raises nearly anything on damaged data
        return None, 1
    try:
        return _focal(exif.get_ifd(ExifTags.IFD.Exif), long_side or max(picture.size)), orientation
    except (ArithmeticError, LookupError, OSError, SyntaxError, TypeError, ValueError, struct.error):
        return None, orientation


def _focal(tags: dict[int, Any], long_side: int) -> float | None:
    film = float(tags.get(ExifTags.Base.FocalLengthIn35mmFilm) or 0)
    if film <= 0:
        # From the sensor: its width is its pixels over pixels per unit (2 = inch, 3 = centimeter, 4 = millimeter).
        unit = {2: 25.4, 3: 10.0, 4: 1.0}.get(int(tags.get(ExifTags.Base.FocalPlaneResolutionUnit) or 2), 25.4)
        pixels = float(tags.get(ExifTags.Base.ExifImageWidth) or long_side)
        height = float(tags.get(ExifTags.Base.ExifImageHeight) or 0)
        density = float(tags.get(ExifTags.Base.FocalPlaneXResolution) or 0)
        length = float(tags.get(ExifTags.Base.FocalLength) or 0)
        if density <= 0 or length <= 0:
            return None
        film = length * 36 / (max(pixels, height) / density * unit)
    return film if 4 <= film <= 3000 else None


def orientation_of(data: bytes) -> int:
    """Return the EXIF orientation, 1 to 8, of a picture file; 1 if it has none or is damaged."""
    if is_overlong(data):
        return 1
    try:
        with Pillow.open(io.BytesIO(data)) as picture:
            return read_exif(picture)[1]
    except Exception as error:  # damaged files make Pillow raise nearly anything
        if isinstance(error, MemoryError):
            raise
        return 1


def upright(values: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Apply EXIF orientation 1 to 8 to an (H, W, ...) array."""
    if orientation in (5, 6, 7, 8):
        values = values.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        values = values[::-1]
    if orientation in (2, 3, 6, 7):
        values = values[:, ::-1]
    return np.ascontiguousarray(values)
