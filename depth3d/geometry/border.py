"""What lies beyond the photo's border: the surfaces that touch it, mirrored outwards, and nothing nearer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["continue_outwards"]

Floats = NDArray[np.float32]
Indices = NDArray[np.int64]
Mask = NDArray[np.bool_]


def continue_outwards(shift: Floats, margin: int, tolerance: float) -> tuple[Floats, Indices, Mask]:
    """Continue a depth map by ``margin`` pixels on all sides, first sideways, then up and down.

    Natural texture and no tear at the border: both come from a mirror. But a mirror also doubles what stands near
    the border without touching it, and the double would stand before what the photo shows. So on the way outwards
    no step may lead nearer; where the mirror shows one, the surface before it goes on, to and fro.

    Parameters
    ----------
    shift: (H, W) float32, depth in pixels of shift. tolerance: a larger difference between neighbours is a step.

    Returns
    -------
    shift: (H + 2 margin, W + 2 margin) float32. source: the same shape, flat index into the photo. repeated: the
    same shape, where the mirror did not serve.
    """
    height, width = shift.shape
    source = np.arange(height * width).reshape(height, width)
    repeated = np.zeros(shift.shape, bool)
    for _ in range(2):  # sideways; turned on its side, up and down
        wide, more, again = _both_sides(shift, source, repeated, margin, tolerance)
        shift, source, repeated = (
            np.ascontiguousarray(wide.T),
            np.ascontiguousarray(more.T),
            np.ascontiguousarray(again.T),
        )
    return shift, source, repeated


def _both_sides(
    shift: Floats, source: Indices, repeated: Mask, margin: int, tolerance: float
) -> tuple[Floats, Indices, Mask]:
    left, right = (_outside(part, margin, tolerance) for part in (shift, shift[:, ::-1]))
    lines = np.arange(len(shift))[:, None]
    before, after = left[1][:, ::-1], shift.shape[1] - 1 - right[1]
    return (
        np.concatenate([left[0][:, ::-1], shift, right[0]], 1),
        np.concatenate([source[lines, before], source, source[lines, after]], 1),
        np.concatenate([left[2][:, ::-1] | repeated[lines, before], repeated, right[2] | repeated[lines, after]], 1),
    )


def _outside(shift: Floats, margin: int, tolerance: float) -> tuple[Floats, Indices, Mask]:
    """(H, margin) depth, source column and repetition of what lies before column 0, nearest to it first."""
    height, width = shift.shape
    mirror = np.arange(margin) % (2 * width)  # a picture narrower than the margin repeats
    mirror = np.where(mirror < width, mirror, 2 * width - 1 - mirror)
    depth = np.empty((height, margin), np.float32)
    source = np.empty((height, margin), np.int64)
    repeated = np.empty((height, margin), bool)
    nearer = np.zeros(height, np.float32)  # how far the mirror stands before the surface that goes on
    first = np.zeros(height, np.int64)  # that surface's columns in the mirror
    last = np.zeros(height, np.int64)
    level, before = shift[:, 0].copy(), shift[:, 0]
    for index, column in enumerate(mirror):
        step = shift[:, column] - before
        before = shift[:, column]
        nearer = np.maximum(nearer + np.where(np.abs(step) > tolerance, step, 0), 0)
        goes_on = nearer <= tolerance
        first = np.where(goes_on & (last < index - 1) | (step < -tolerance), index, first)
        last = np.where(goes_on, index, last)
        level = np.where(goes_on, np.minimum(level, shift[:, column]), level)
        length = last - first + 1
        away = (index - last - 1) % (2 * length)
        inwards = np.where(away < length, last - away, first + away - length)
        source[:, index] = mirror[np.where(goes_on, index, inwards)]
        depth[:, index], repeated[:, index] = level, ~goes_on
    return depth, source, repeated
