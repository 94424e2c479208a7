"""Recognize spherical photos: equirectangular pictures of 360 or 180 degrees, by GPano tags or by their content."""

from __future__ import annotations

import io
import math
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image as Pillow

from depth3d.errors import ReadError
from depth3d.image import Image
from depth3d.io.image.photofile import PhotoFile, Source, open_photo
from depth3d.io.image.read import open_image

__all__ = ["GPANO", "Sphere", "find_sphere", "is_half", "is_whole_sphere"]

GPANO = "http://ns.google.com/photos/1.0/panorama/"
_WHOLE, _HALF = 355.0, (170.0, 190.0)  # degrees across
_SIDE = 1024


class Sphere(NamedTuple):
    """The part of the sphere that an equirectangular picture covers, in degrees.

    Parameters
    ----------
    across : float
        Longitudes covered; 360 = the left and right border are the same place.
    top, bottom : float
        Latitudes of the borders, 90 = zenith, -90 = nadir.
    how : str
        What the sphere is known from.
    """

    across: float
    top: float
    bottom: float
    how: str

    @property
    def closed(self) -> bool:
        """Whether the left border continues at the right one."""
        return self.across >= _WHOLE


def find_sphere(source: Source) -> Sphere | None:
    """Return the part of the sphere that a photo covers, or None for a flat photo.

    GPano tags decide where they exist (partial and cylindrical panoramas are flat). Without tags, a picture
    twice as wide as high is a sphere if its left and right borders continue each other and its top and bottom rows are
    one point each.

    Parameters
    ----------
    source : Source
        The file.
    """
    photo = open_photo(source)
    if "sphere" not in photo.memo:
        photo.memo["sphere"] = _found(photo)
    found: Sphere | None = photo.memo["sphere"]
    return found


def _found(photo: PhotoFile) -> Sphere | None:
    if photo.is_jpeg and photo.xmp.has(GPANO):
        return _tagged(photo)
    try:
        with Pillow.open(io.BytesIO(photo.data)) as picture:
            width, height = picture.size
    except Exception:  # decoders raise nearly anything; the one who opens the picture reports it
        return None
    if abs(width - 2 * height) > 0.01 * width or height < 128:
        return None
    try:
        image = open_image(photo, at_most=_SIDE)
    except ReadError:
        return None
    return Sphere(360.0, 90.0, -90.0, "its shape, seam and poles") if is_whole_sphere(image) else None


def _tagged(photo: PhotoFile) -> Sphere | None:
    if (photo.xmp.value(GPANO, "ProjectionType") or "").strip().lower() != "equirectangular":
        return None
    full_width, full_height = _number(photo, "FullPanoWidthPixels"), _number(photo, "FullPanoHeightPixels")
    width, height = _number(photo, "CroppedAreaImageWidthPixels"), _number(photo, "CroppedAreaImageHeightPixels")
    above = _number(photo, "CroppedAreaTopPixels")
    if full_width is None or width is None:
        image = open_image(photo, at_most=_SIDE)
        return Sphere(360.0, 90.0, -90.0, "its GPano tags") if abs(image.size.aspect - 2) < 0.02 else None
    across = 360 * width / full_width if full_width > 0 else 0.0
    full_height = full_height or full_width / 2
    height = height or full_height
    above = (full_height - height) / 2 if above is None else above
    top = 90 - 180 * above / full_height
    bottom = top - 180 * height / full_height
    sensible = 0 < width <= full_width and -90.5 <= bottom < top <= 90.5
    if not sensible or not (across >= _WHOLE or is_half(across)):
        return None
    return Sphere(across, min(top, 90.0), max(bottom, -90.0), "its GPano tags")


def _number(photo: PhotoFile, name: str) -> float | None:
    try:
        value = float(photo.xmp.value(GPANO, name) or "")
    except ValueError:
        return None
    return value if math.isfinite(value) and 0 <= value < 1e7 else None


def is_half(across: float) -> bool:
    """Whether a picture that covers ``across`` degrees is a half sphere (VR180)."""
    return _HALF[0] <= across <= _HALF[1]


def is_whole_sphere(image: Image) -> bool:
    """Whether the left and right border continue each other and the top and bottom rows are one point each."""
    pixels = cv2.GaussianBlur(image.eight_bit().pixels.astype(np.float32), (0, 0), 1)
    height = len(pixels)
    middle = float(pixels[height // 3 : 2 * height // 3].std(axis=1).mean())
    poles = max(float(pixels[row].std(axis=0).mean()) for row in (0, -1))
    # A frame is even at its borders, too, but along them as well.
    varied = float(pixels[:, 0].std(axis=0).mean())
    seam = float(np.abs(pixels[:, 0] - pixels[:, -1]).mean())
    beside = float(np.abs(np.diff(pixels, axis=1)).mean())
    return varied > 8 and poles < max(3.0, 0.2 * middle) and seam < 3 * beside + 1.5
