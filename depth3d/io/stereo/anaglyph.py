"""Recognize anaglyphs: one or two color channels show the scene from another place than the rest."""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.image import Image

__all__ = ["Glasses", "find_glasses"]

_LONG_SIDE = 400
_REACH, _RISE = 0.2, 0.02  # how far away a block is looked for, share of the width and of the height
_APART = 0.0055  # share of the width; color fringes of lenses and of old camcorders are smaller
_FOUND, _BETTER = 0.6, 0.08  # correlation, and how much better than in its own place a moved block must fit
_LIKE = 0.012  # share of the width by which neighbors on one surface may differ
_MOVED, _AT_REST, _STRAY = 6, 0.15, 0.15


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
    Measured on 336 made anaglyphs, half of them as JPEG: photos have no moved blocks (at most 1), anaglyphs 7 and more.

    Parameters
    ----------
    image : Image
        The whole picture.
    """
    if min(image.size) < 64:
        return None
    pixels = image.eight_bit().resized(image.size.fit(_LONG_SIDE)).pixels
    moves = {pair: _compared(pixels, *pair) for pair in ((0, 1), (0, 2))}
    # Each eye has one of these pairs of channels apart: ordinary photos end here.
    if sum(found.moved for found in moves.values()) < 2:
        return None
    moves[1, 2] = _compared(pixels, 1, 2)
    fits = {}
    for kind in _KINDS:
        (lone,), (first, second) = sorted((kind.left, kind.right), key=len)
        together, low, high = (moves[min(two), max(two)] for two in ((first, second), (lone, first), (lone, second)))
        moved = low.moved + high.moved
        at_rest = together.at_rest >= max(8, _AT_REST * together.blocks)
        if moved >= _MOVED and at_rest and together.moved <= _STRAY * moved:
            fits[kind] = together.moved / moved
    return min(fits, key=fits.__getitem__) if fits else None


class _Moves(NamedTuple):
    """Numbers of textured blocks, of those at the same place in both channels, and of those moved like neighbors."""

    blocks: int
    at_rest: int
    moved: int


def _compared(pixels: NDArray[np.uint8], one: int, other: int) -> _Moves:
    """Look for the blocks of one channel in another one, at the same height.

    Things that are bright in one channel and dark in the other correlate negatively, so that signs do not count.
    """
    first, second = np.ascontiguousarray(pixels[..., one]), np.ascontiguousarray(pixels[..., other])
    height, width = first.shape
    side, across, up = max(16, min(height, width) // 9), round(_REACH * width), max(3, round(_RISE * height))
    bordered = cv2.copyMakeBorder(second, up, up, across, across, cv2.BORDER_REFLECT_101)
    wide = np.asarray(bordered, np.uint8)
    tops, lefts = range(side // 2, height - side, side), range(side // 2, width - side, side)
    shifts = np.full((len(tops), len(lefts)), np.nan)
    blocks = at_rest = 0
    for row, top in enumerate(tops):
        for column, left in enumerate(lefts):
            block = first[top : top + side, left : left + side]
            if block.std() < 6:
                continue
            blocks += 1
            area = wide[top : top + side + 2 * up, left : left + side + 2 * across]
            here = _fits(area[up - 1 : up + side + 1, across - 1 : across + side + 1], block).max()
            score = np.array(here) if here > 1 - _BETTER else _fits(area, block)
            best = score.max()
            if here > _FOUND and here > best - 0.05:
                at_rest += 1
            elif best > _FOUND and here < best - _BETTER:
                y, x = np.unravel_index(int(score.argmax()), score.shape)
                if abs(y - up) <= 0.0055 * height and abs(x - across) > _APART * width:
                    shifts[row, column] = (x - across) / width
    return _Moves(blocks, at_rest, _agreeing(shifts))


def _fits(area: NDArray[np.uint8], block: NDArray[np.uint8]) -> NDArray[Any]:
    return np.abs(cv2.matchTemplate(area, block, cv2.TM_CCOEFF_NORMED))


def _agreeing(shifts: NDArray[np.float64]) -> int:
    """Count the blocks that moved like at least two of their neighbors."""
    padded = np.pad(shifts, 1, constant_values=np.nan)
    rows, columns = shifts.shape
    near = [
        np.abs(padded[1 + down : 1 + down + rows, 1 + right : 1 + right + columns] - shifts) < _LIKE
        for down in (-1, 0, 1)
        for right in (-1, 0, 1)
        if (down, right) != (0, 0)
    ]
    return int((np.sum(near, axis=0) >= 2).sum())
