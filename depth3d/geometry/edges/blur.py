"""Gaussian blurs; wide ones are computed at half or a third of the size, with nearly the same result."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.geometry.chunked import Part

__all__ = ["blurred_part", "shrink_of", "shrunk", "wide_blur"]

Floats = NDArray[np.float32]

WIDE = (4.5, 2), (7.0, 3)  # pixels: blurs at least so wide are computed at 1/2, 1/3 of the size


def wide_blur(values: Floats, spread: float) -> Floats:
    """Gaussian blur of a picture (H, W) with a standard deviation of ``spread`` pixels."""
    shrink = shrink_of(spread)
    if shrink == 1:
        return np.asarray(cv2.GaussianBlur(values, (0, 0), spread), np.float32)
    height, width = values.shape
    small = np.asarray(cv2.GaussianBlur(shrunk(values, shrink), (0, 0), _spread_of_shrunk(spread, shrink)), np.float32)
    large = cv2.resize(small, (small.shape[1] * shrink, small.shape[0] * shrink), interpolation=cv2.INTER_LINEAR)
    return np.asarray(large[:height, :width], np.float32)


def shrink_of(spread: float) -> int:
    """By how much a picture is shrunk for a blur of ``spread`` pixels."""
    return max([1, *(shrink for wide, shrink in WIDE if spread >= wide)])


def shrunk(values: Floats, shrink: int) -> Floats:
    """Means of squares of ``shrink`` pixels; the border is repeated, as only whole squares are averaged fast."""
    if shrink == 1:
        return values
    height, width = values.shape
    if height % shrink or width % shrink:
        beyond = (0, -height % shrink, 0, -width % shrink)
        values = np.asarray(cv2.copyMakeBorder(values, *beyond, cv2.BORDER_REPLICATE), np.float32)
    size = -(-width // shrink), -(-height // shrink)
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), np.float32)


def blurred_part(small: Floats, part: Part, spread: float, shrink: int) -> Floats:
    """Blur a part of a picture (H, W) of which only what was shrunk is given.

    Parameters
    ----------
    small : Floats
        The whole picture at 1/``shrink`` of the size.
    part : Part
        At multiples of ``shrink``.
    spread : float
        Standard deviation in pixels of the full size.
    shrink : int
        1 or more.
    """
    halo = math.ceil(4 * spread / shrink) + 2  # OpenCV's Gaussian ends at four standard deviations
    sides = list(zip(part.at, small.shape, strict=True))
    rows, columns = (_around(ends, many, shrink, halo) for ends, many in sides)
    found = cv2.GaussianBlur(small[rows, columns], (0, 0), _spread_of_shrunk(spread, shrink))
    if shrink > 1:
        # Between two pixels of the smaller picture is interpolated.
        near = [_around(ends, many, shrink, 1) for ends, many in sides]
        top, left = (own.start - whole.start for own, whole in zip(near, (rows, columns), strict=True))
        found = found[top : top + near[0].stop - near[0].start, left : left + near[1].stop - near[1].start]
        size = found.shape[1] * shrink, found.shape[0] * shrink
        found, (rows, columns) = cv2.resize(found, size, interpolation=cv2.INTER_LINEAR), near
    inside = (
        slice(ends.start - read.start * shrink, ends.stop - read.start * shrink)
        for ends, read in zip(part.at, (rows, columns), strict=True)
    )
    return np.asarray(found[tuple(inside)], np.float32)


def _around(ends: slice, many: int, shrink: int, halo: int) -> slice:
    """The same rows or columns of the smaller picture, which has so ``many``, and ``halo`` more on both sides."""
    return slice(max(0, ends.start // shrink - halo), min(many, -(-ends.stop // shrink) + halo))


def _spread_of_shrunk(spread: float, shrink: int) -> float:
    """Spread in pixels of the smaller picture: averaging and interpolation blur, too, by a box's and a triangle's."""
    if shrink == 1:
        return spread
    return math.sqrt((spread / shrink) ** 2 - (1 - shrink**-2) / 12 - 1 / 6)
