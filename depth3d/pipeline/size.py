"""Compute the output size from the option ``size``; check a photo's size against the GPU."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from depth3d.errors import ReadError
from depth3d.image import Size
from depth3d.quantities import NAMED_SIZES, as_size
from depth3d.stereopair import StereoRig

if TYPE_CHECKING:
    from depth3d.io.image.panorama import Sphere

__all__ = ["LONG_SIDE", "check_texture_size", "output_size", "side_needed"]

# Default longer side of the output, px: as displayed by phones, TVs and social sites without upscaling.
LONG_SIDE = 1920


def output_size(wanted: str, photo: Size, *, even: bool = True, long_side: int = LONG_SIDE) -> Size:
    """Return the size of the result for a photo of size ``photo``.

    "auto": aspect ratio of the photo, longer side at most ``long_side``. "1080p" and the like: aspect ratio of the
    photo with that longer side (1920 for 1080p). "WIDTHxHEIGHT": this size. With ``even``, sides are rounded to even
    numbers.

    Raises ``InvalidInput`` for anything else, and for sides under 16 or over 16384 pixels.
    """
    text = as_size("size", wanted).lower()
    if text == "auto":
        size = photo.fit(long_side)
    elif text in NAMED_SIZES:
        scale = NAMED_SIZES[text] / max(photo)
        size = Size(max(1, round(photo.width * scale)), max(1, round(photo.height * scale)))
    else:
        width, _, height = text.partition("x")
        size = Size(int(width), int(height))
    return size.even() if even else size


def side_needed(wanted: str, photo: Size, *, long_side: int = LONG_SIDE) -> int:
    """Return the longer side in pixels that a photo needs, upright or not, to fill the result without being enlarged.

    Parameters
    ----------
    wanted, photo, long_side : str, Size, int
        As for ``output_size``.
    """
    scales = []
    for width, height in (photo, photo[::-1]):
        size = output_size(wanted, Size(width, height), long_side=long_side)
        scales += [size.width / width, size.height / height]
    return math.ceil(max(photo) * max(scales))


def check_texture_size(name: str | Path, size: Size, rig: StereoRig, sphere: Sphere | None) -> None:
    """Raise an error if there is no OpenGL or a photo exceeds its textures, before any depth is computed.

    Raises ``ContextError`` without OpenGL, ``ReadError`` for a photo that is too large.

    Parameters
    ----------
    name : str | Path
        What the error calls the photo.
    size : Size
        Of the photo.
    rig : StereoRig
        Parallax of the eyes.
    sphere : Sphere | None
        The part of the sphere that the photo covers, or None.
    """
    from depth3d.render.context import require_opengl

    largest, share = require_opengl(), rig.parallax / 100
    # A closed sphere goes on beyond its seam; all photos go on beyond their border, as far as an eye sees.
    more = 2 * (2 * share + 0.05) if sphere is not None and sphere.closed else 0
    wide = round(size.width * (1 + more)) + 2 * (math.ceil(max(rig.shares()) * share * size.width) + 2)
    if max(wide, size.height) > largest:
        raise ReadError(
            name,
            f"is {size}; with its border, {max(wide, size.height)} pixels exceed the largest texture of this GPU"
            f" ({largest} pixels a side): reduce the photo to at most {int(largest * size.width / wide)} pixels a side",
        )
