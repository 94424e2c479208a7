"""Depth in ordinary pictures: gray of 8 or 16 bits, or a heat map."""

from __future__ import annotations

import numpy as np

from depth3d.depthmap import DepthMap
from depth3d.errors import ReadError
from depth3d.image import Image
from depth3d.io.depth.interpret import depth_from_picture
from depth3d.io.depth.registry import DepthFormat, ReadDepth
from depth3d.io.hints import looks_like_strokes
from depth3d.io.image.photofile import PhotoFile
from depth3d.io.image.read import encode_image, open_image

__all__ = ["FORMAT", "gray_picture"]

_SIXTEEN_BITS = (".png", ".tif", ".tiff")


def gray_picture(depth: DepthMap, *, deep: bool = False) -> Image:
    """Return a depth map as a gray picture, white = near.

    Parameters
    ----------
    depth : DepthMap
        The map.
    deep : bool
        16 bits instead of 8.
    """
    top, kind = (65535, np.uint16) if deep else (255, np.uint8)
    gray = np.round(depth.values * np.float32(top)).astype(kind)
    return Image(np.repeat(gray[..., None], 3, axis=2))


def _read(photo: PhotoFile, invert: bool) -> ReadDepth:
    image = open_image(photo, color_managed=False)
    if looks_like_strokes(image):
        raise ReadError(
            photo.name,
            "is transparent but for some strokes: hints that repair a depth map, not a depth map; give it as `hints`",
        )
    depth, how = depth_from_picture(image, invert=invert)
    return ReadDepth(depth, how)


def _write(depth: DepthMap, suffix: str) -> bytes:
    return encode_image(gray_picture(depth, deep=suffix in _SIXTEEN_BITS), suffix)


FORMAT = DepthFormat(
    "picture",
    "gray, white = near (16 bits in PNG and TIFF), or a heat map",
    (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp"),
    lambda photo: True,
    _read,
    _write,
    order=99,
)
