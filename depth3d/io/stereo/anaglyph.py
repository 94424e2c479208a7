"""Recognize anaglyphs: one or two color channels show the scene from another place than the rest."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from depth3d.image import Image
from depth3d.io.stereo.layouts import Likeness, likeness

__all__ = ["Glasses", "find_glasses"]

_APART = 0.006  # share of the width: shifts of one eye against the other
_TOGETHER = 0.004  # share of the width: shifts between channels of one eye, such as color fringes of lenses
_REACH, _RISE = 0.18, 0.02


class Glasses(NamedTuple):
    """The colors of an anaglyph's glasses and the channels of each eye (0 red, 1 green, 2 blue)."""

    name: str
    left: tuple[int, ...]
    right: tuple[int, ...]


_KINDS = (
    Glasses("red-cyan", (0,), (1, 2)),
    Glasses("green-magenta", (1,), (0, 2)),
    Glasses("amber-blue", (0, 1), (2,)),
)


def find_glasses(image: Image) -> Glasses | None:
    """Return the glasses that an anaglyph is made for, or None for a picture that is no anaglyph.

    In an ordinary photo all channels show every point at the same place. In an anaglyph the channels of one eye agree,
    and between the eyes the places differ by the disparity. Channels that all differ are a misprint, not an anaglyph.

    Parameters
    ----------
    image : Image
        The whole picture.
    """
    if min(image.size) < 64:
        return None
    pixels = image.eight_bit().resized(image.size.fit(640)).pixels
    # Gray pictures end here: most photos need one comparison.
    if not _apart(pixels, 0, 1) and not _apart(pixels, 0, 2):
        return None
    for kind in _KINDS:
        lone, first, second = (*kind.left, *kind.right) if len(kind.left) == 1 else (*kind.right, *kind.left)
        if _together(pixels, first, second) and (_apart(pixels, lone, first) or _apart(pixels, lone, second)):
            return kind
    return None


def _apart(pixels: np.ndarray, first: int, second: int) -> bool:
    found = _compared(pixels, first, second)
    level = abs(found.dy) < _RISE and found.blocks >= 12 and found.coherent >= 0.3
    return level and max(abs(found.dx), found.spread) > _APART


def _together(pixels: np.ndarray, first: int, second: int) -> bool:
    found = _compared(pixels, first, second)
    return found.coherent >= 0.3 and abs(found.dx) < _TOGETHER and found.spread < _TOGETHER


def _compared(pixels: np.ndarray, first: int, second: int) -> Likeness:
    one, other = (Image(np.repeat(pixels[..., channel, None], 3, axis=2)) for channel in (first, second))
    return likeness(one, other, reach=_REACH, rise=_RISE)
