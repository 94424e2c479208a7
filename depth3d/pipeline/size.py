"""Compute the output size from the option ``size``."""

from __future__ import annotations

from depth3d.image import Size
from depth3d.quantities import NAMED_SIZES, as_size

__all__ = ["LONG_SIDE", "output_size"]

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
