"""Gaussian blurs; wide ones are computed at a third of the size, where they have nearly the same result."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.geometry.chunked import Part

__all__ = ["SHRINK", "WIDE", "blurred", "enlarged", "shrunk", "wide_blur"]

Floats = NDArray[np.float32]

WIDE = 7.0  # pixels: wider blurs are computed at 1/SHRINK of the size
SHRINK = 3


def wide_blur(values: Floats, spread: float) -> Floats:
    """Gaussian blur of a picture (H, W) with a standard deviation of ``spread`` pixels."""
    if spread < WIDE:
        return np.asarray(cv2.GaussianBlur(values, (0, 0), spread), np.float32)
    height, width = values.shape
    small = blurred(shrunk(values, SHRINK), spread, SHRINK)
    large = cv2.resize(small, (small.shape[1] * SHRINK, small.shape[0] * SHRINK), interpolation=cv2.INTER_LINEAR)
    return np.asarray(large[:height, :width], np.float32)


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


def blurred(small: Floats, spread: float, shrink: int) -> Floats:
    """Blur what was shrunk, in place; ``spread`` in pixels of the full size."""
    if shrink > 1:
        # Averaging and interpolation blur, too: by the variance of a box and of a triangle.
        spread = math.sqrt((spread / shrink) ** 2 - (1 - shrink**-2) / 12 - 1 / 6)
    return np.asarray(cv2.GaussianBlur(small, (0, 0), spread, dst=small), np.float32)


def enlarged(small: Floats, part: Part, shrink: int) -> Floats:
    """Interpolate a part of the full size, at multiples of ``shrink``, from what was shrunk."""
    if shrink == 1:
        return small[part.at]
    sides = list(zip(part.at, small.shape, strict=True))
    first = [max(0, ends.start // shrink - 1) for ends, _ in sides]
    read = tuple(
        slice(start, min(many, -(-ends.stop // shrink) + 1)) for start, (ends, many) in zip(first, sides, strict=True)
    )
    some = small[read]
    large = cv2.resize(some, (some.shape[1] * shrink, some.shape[0] * shrink), interpolation=cv2.INTER_LINEAR)
    rows, columns = (
        slice(ends.start - start * shrink, ends.stop - start * shrink)
        for start, (ends, _) in zip(first, sides, strict=True)
    )
    return np.asarray(large[rows, columns], np.float32)
