"""What ``--size`` means for a photo and for a clip."""

from __future__ import annotations

import re

from depth3d.errors import InvalidInput
from depth3d.image import Size

__all__ = ["output_size"]

# Longer side of a result where the user names none: what phones, TVs and social sites show without scaling up.
LONG_SIDE = 1920
_NAMED = {"720p": 1280, "1080p": 1920, "1440p": 2560, "2160p": 3840, "4k": 3840}


def output_size(wanted: str, photo: Size, *, even: bool = True, long_side: int = LONG_SIDE) -> Size:
    """What ``--size`` means for a photo of this size.

    "auto": the photo's shape, longer side at most ``long_side``. "1080p" and its kin: the photo's shape with
    that longer side (1920 for 1080p). "WIDTHxHEIGHT": exactly this. Sides become even for video.

    Raises ``InvalidInput`` for anything else, and for sides under 16 or over 16384 pixels.
    """
    named = re.fullmatch(r"(\d+)[xX](\d+)", wanted)
    if named:
        size = Size(int(named[1]), int(named[2]))
    elif wanted == "auto":
        size = photo.fit(long_side)
    elif wanted.lower() in _NAMED:
        scale = _NAMED[wanted.lower()] / max(photo)
        size = Size(max(1, round(photo.width * scale)), max(1, round(photo.height * scale)))
    else:
        raise InvalidInput(f"size {wanted!r}: expected WIDTHxHEIGHT, auto, or one of {', '.join(_NAMED)}")
    if named and not all(16 <= side <= 16384 for side in size):
        raise InvalidInput(f"size {size}: expected sides between 16 and 16384 pixels")
    return size.even() if even else size
