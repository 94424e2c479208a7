"""Extends a photo and its depth beyond the border, by mirroring the surfaces that touch it; lines go straight on."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.geometry.background.fill import relax
from depth3d.geometry.background.unmirror import reach_of, unmirror_texture
from depth3d.image import rounded

__all__ = ["extend_border"]

Pixels = NDArray[Any]  # uint8 or uint16
Floats = NDArray[np.float32]
Indices = NDArray[np.int64]
Mask = NDArray[np.bool_]

STEEPEST, LEAST_SLOPE = 1.5, 0.02  # rows a column; steeper lines, almost along the border, and level ones are mirrored
EXPLAINED = 0.3, 0.6  # share of the texture at the border that lines of one slope make: some, and enough
NOISE = 1.0  # levels a pixel: weaker texture counts less
LEANING = 0.25  # pixels of shift a row, within one surface


def extend_border(
    picture: Pixels, shift: Floats, margin: int, tolerance: float, rows: slice | None = None
) -> tuple[Pixels, Floats]:
    """Extend a picture and its depth by ``margin`` pixels on all sides, first sideways, then up and down.

    Mirroring keeps texture natural and depth continuous at the border. Lines that meet the border at an angle would
    turn back there: they are mirrored at the point where they meet it, and go straight on. Fine texture without lines
    does not stay symmetric. Things that are near the border without touching it, in front of the photo, would be
    doubled. So depth never increases outwards: where the mirror shows a step to a nearer surface, the surface before
    the step is repeated back and forth instead.

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
    rows : slice | None
        A band of h rows, for views that move sideways only; its sides are those of the whole. None = all rows.

    Returns
    -------
    picture: (h + 2 margin, W + 2 margin, 3). shift: the same height and width.
    """
    band, rows = rows is not None, rows or slice(0, shift.shape[0])
    height, width = rows.stop - rows.start, shift.shape[1]
    colors = np.empty((height + 2 * margin, width + 2 * margin, 3), picture.dtype)
    depth = np.empty(colors.shape[:2], np.float32)
    inside = slice(margin, margin + height)
    colors[inside, margin:-margin], depth[inside, margin:-margin] = picture[rows], shift[rows]
    _fill_sides((colors[inside], depth[inside]), (picture, shift), rows, margin, tolerance, textured=True)
    upright = colors[inside].transpose(1, 0, 2), depth[inside].T
    every = slice(0, len(upright[1]))
    # What is above and below a band is never seen.
    _fill_sides((colors.transpose(1, 0, 2), depth.T), upright, every, margin, tolerance, textured=not band)
    return colors, depth


def _fill_sides(
    extended: tuple[Pixels, Floats],
    photo: tuple[Pixels, Floats],
    rows: slice,
    margin: int,
    tolerance: float,
    *,
    textured: bool,
) -> None:
    """Fill the first and the last ``margin`` columns of picture and depth, a band of rows of the photo, in place.

    ``textured``: fine texture does not stay symmetric.
    """
    height, side = len(photo[1]), max(photo[1].shape)
    beside = reach_of(side) if textured else 0
    wide = slice(max(rows.start - beside, 0), min(rows.stop + beside, height))
    inside = slice(rows.start - wide.start, rows.stop - wide.start)
    for way in (slice(None), slice(None, None, -1)):
        (whole, levels), (picture, shift) = ([values[:, way] for values in pair] for pair in (extended, photo))
        beyond, source, repeated = _outside(shift[wide], margin, tolerance)
        strip = picture[wide][np.arange(len(source))[:, None], source].astype(np.float32)
        _straighten(strip, picture, shift, wide, np.where(repeated, -1, source), tolerance)
        if textured:
            unmirror_texture(strip, ~np.any(repeated, axis=1), side, float(np.iinfo(picture.dtype).max))
        beyond, strip = beyond[inside], strip[inside]
        # Surfaces repeated within a few pixels would differ from row to row.
        relax(strip, beyond, repeated[inside])
        whole[:, margin - 1 :: -1] = rounded(strip, whole.dtype)
        levels[:, margin - 1 :: -1] = beyond


def _straighten(strip: Floats, picture: Pixels, shift: Floats, rows: slice, source: Indices, tolerance: float) -> None:
    """Replace the colors of ``strip`` (h, margin, 3), nearest column first, where lines meet the border at an angle.

    ``source``: (h, margin) the mirrored columns; -1 where the strip is to stay.
    """
    margin, height = source.shape[1], len(shift)
    reach = math.ceil(STEEPEST * margin) + 1
    first, last = max(rows.start - reach, 0), min(rows.stop + reach, height)
    slopes = _slopes(picture, slice(first, last), margin)
    crooked = np.flatnonzero(np.abs(slopes[rows.start - first : rows.stop - first]) > LEAST_SLOPE)
    if not len(crooked):
        return
    row, out = (rows.start + crooked)[:, None], np.arange(margin) + np.float32(0.5)
    # The line through a pixel has the slope that it has at the border.
    met = np.rint(row + slopes[row - first] * out).astype(np.int64).clip(first, last - 1)
    place = row + 2 * out * slopes[met - first]
    above = np.floor(place).astype(np.int64).clip(0, max(0, height - 2))
    share = (place - above).astype(np.float32)[..., None]
    below, column = np.minimum(above + 1, height - 1), source[crooked]
    # Not from another surface; those that lean change from row to row.
    change = np.abs(shift[above, column] - shift[row, column])
    straight = (column >= 0) & (change <= tolerance + LEANING * np.abs(above - row))
    straight &= (place >= 0) & (place <= height - 1)
    colors = picture[above, column] * (1 - share) + picture[below, column] * share
    strip[crooked] = np.where(straight[..., None], colors, strip[crooked])


def _slopes(picture: Pixels, rows: slice, margin: int) -> Floats:
    """(h,) by how many rows a line that meets the first column moves with each column inwards; 0 = no lines there.

    The least squares estimate of Lucas and Kanade (1981, An iterative image registration technique) between columns.
    """
    spread, columns = max(2.0, margin / 2), min(margin, picture.shape[1] - 1)
    if columns < 2:
        return np.zeros(rows.stop - rows.start, np.float32)
    beside = math.ceil(4 * spread) + 2
    first, last = max(rows.start - beside, 0), min(rows.stop + beside, len(picture))
    gray = picture[first:last, : columns + 1].mean(2, dtype=np.float32) * np.float32(255 / np.iinfo(picture.dtype).max)
    across, down = (
        cv2.Sobel(gray, cv2.CV_32F, *order, scale=1 / 8, borderType=cv2.BORDER_REPLICATE)[:, 1:]
        for order in ((1, 0), (0, 1))
    )
    side = 2 * math.ceil(4 * spread) + 1
    both, upright, level = (
        cv2.GaussianBlur(values.mean(1)[:, None], (1, side), spread, borderType=cv2.BORDER_REPLICATE)[:, 0]
        for values in (across * down, down * down, across * across)
    )
    upright, level = upright + np.float32(NOISE**2), level + np.float32(NOISE**2)
    explained = both * both / (upright * level)  # share of the change across the columns
    slopes = -both / upright * np.clip((explained - EXPLAINED[0]) / (EXPLAINED[1] - EXPLAINED[0]), 0, 1)
    found = np.clip(slopes, -STEEPEST, STEEPEST)[rows.start - first : rows.stop - first]
    # No line comes from beyond the photo's other borders.
    row = np.arange(rows.start, rows.stop, dtype=np.float32)
    return np.asarray(np.clip(found, -row / (2 * margin), (len(picture) - 1 - row) / (2 * margin)), np.float32)


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
