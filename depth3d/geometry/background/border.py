"""Extends a photo and its depth beyond the border, by mirroring the surfaces that touch it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from depth3d.geometry.background.fill import relax
from depth3d.image import rounded

__all__ = ["extend_border"]

Pixels = NDArray[Any]  # uint8 or uint16
Floats = NDArray[np.float32]
Indices = NDArray[np.int64]
Mask = NDArray[np.bool_]


def extend_border(picture: Pixels, shift: Floats, margin: int, tolerance: float) -> tuple[Pixels, Floats]:
    """Extend a picture and its depth by ``margin`` pixels on all sides, first sideways, then up and down.

    Mirroring keeps texture natural and depth continuous at the border. It would also double objects that are near the
    border without touching it, in front of the photo. So depth never increases outwards: where the mirror shows a
    step to a nearer surface, the surface before the step is repeated back and forth instead.

    Parameters
    ----------
    picture : Pixels
        (H, W, 3) uint8 or uint16.
    shift : Floats
        (H, W) float32, depth in pixels of shift.
    margin : int
        1 or more.
    tolerance : float
        A larger difference between neighbors, in pixels of shift, is a step.

    Returns
    -------
    picture: (H + 2 margin, W + 2 margin, 3). shift: the same height and width.
    """
    height, width = shift.shape
    colors = np.empty((height + 2 * margin, width + 2 * margin, 3), picture.dtype)
    depth = np.empty(colors.shape[:2], np.float32)
    rows = slice(margin, margin + height)
    colors[rows, margin:-margin], depth[rows, margin:-margin] = picture, shift
    _fill_sides(colors[rows], depth[rows], margin, tolerance)
    _fill_sides(colors.transpose(1, 0, 2), depth.T, margin, tolerance)
    return colors, depth


def _fill_sides(colors: Pixels, depth: Floats, margin: int, tolerance: float) -> None:
    """Fill the first and the last ``margin`` columns, in place."""
    for whole, levels in (colors, depth), (colors[:, ::-1], depth[:, ::-1]):
        beyond, source, repeated = _outside(levels[:, margin:-margin], margin, tolerance)
        lines = np.arange(len(levels))[:, None]
        strip = whole[lines, margin + source].astype(np.float32)
        # Surfaces repeated within a few pixels would differ from row to row.
        relax(strip, beyond, repeated)
        whole[:, margin - 1 :: -1] = rounded(strip, whole.dtype)
        levels[:, margin - 1 :: -1] = beyond


def _outside(shift: Floats, margin: int, tolerance: float) -> tuple[Floats, Indices, Mask]:
    """(H, margin) depth, source column and whether it is repeated, for the columns before column 0, nearest first."""
    height, width = shift.shape
    mirror = np.arange(margin) % (2 * width)  # a picture narrower than the margin repeats
    mirror = np.where(mirror < width, mirror, 2 * width - 1 - mirror)
    depth = np.empty((height, margin), np.float32)
    source = np.empty((height, margin), np.int64)
    repeated = np.empty((height, margin), bool)
    nearer = np.zeros(height, np.float32)  # how much nearer the mirrored depth is than the surface that is extended
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
