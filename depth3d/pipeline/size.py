"""Size of a result: what the option ``size`` means for a photo or clip."""

from __future__ import annotations

from depth3d.image import Size
from depth3d.quantities import NAMED_SIZES, as_size

__all__ = ["LONG_SIDE", "output_size"]

# Longer side of a result where the user names none: what phones, TVs and social sites show without enlarging.
LONG_SIDE = 1920


def output_size(wanted: str, photo: Size, *, even: bool = True, long_side: int = LONG_SIDE) -> Size:
    """Return the size of the result for a photo of size ``photo``.

    "auto": the photo's shape, longer side at most ``long_side``. "1080p" and the like: the photo's shape with that
    longer side (1920 for 1080p). "WIDTHxHEIGHT": exactly this. Sides become even for video.

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
