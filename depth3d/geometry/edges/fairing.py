"""Keeps straight outlines straight: removes the ripples of a network's depth along them.

In a new view an outline bends by its depth, and a network's depth ripples by a few percent where the scene does not.
What is straight in a photo is most likely straight in space.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.geometry.chunked import parts_around

__all__ = ["fair_outlines"]

Floats = NDArray[np.float32]

REFERENCE_WIDTH = 640
STEP, STEP_SHARE = 2.0, 0.1  # least step of depth at an outline: pixels of shift, share of the range
# Pixels at 640 wide.
CELL = 4  # averages are computed at 1/CELL of the size
RIM = 8  # of the foreground beside an outline, whose depth is averaged
SPREAD, WIDE_SPREAD = 100.0, 200.0  # of the windows in which it is averaged
FADE = 24.0  # beyond the rim, over which the correction fades out
SOFT, LENGTH = 3.0, 30.0  # blur of the steps, and of the window in which they must have one direction

STRAIGHT = 0.92, 0.98  # coherence of these directions: from there on an outline counts as straight, and fully

LEVEL = 0.05  # of SPREAD squared: how much the fitted planes are held level
LIMIT, LIMIT_OF_STEP = 0.05, 0.2  # of the depth range and of the step: larger deviations are shape, not ripple
ROUNDS = 2  # each leaves out what deviated in the one before
AGREED = 0.2  # of the limit: by how much both windows may differ, or another surface is in the wide one


def fair_outlines(shift: Floats) -> Floats:
    """Give the foreground along straight outlines the depth of a smooth surface, where it deviates from one by little.

    Around the outlines a plane is fitted to the depth of the foreground's rim (moving least squares): inverse depth is
    linear along a straight line in space, also in perspective. Larger deviations are left as they are, and the
    correction fades out towards the inside. It is a continuous function of depth and place, so that no surface tears.
    Curved outlines are left alone: a ripple does not show in them, and their depth may well vary.

    Parameters
    ----------
    shift : Floats
        (H, W) float32, depth in pixels of shift, with steps at the outlines.
    """
    height, width = shift.shape
    factor = max(1, round(width / REFERENCE_WIDTH))
    size = (max(1, width // factor), max(1, height // factor))
    small = np.asarray(cv2.resize(shift, size, interpolation=cv2.INTER_NEAREST), np.float32)
    depth_range = float(np.ptp(shift))
    step = max(STEP, STEP_SHARE * depth_range)
    fields = _fields(small, size[0] / REFERENCE_WIDTH, step, LIMIT * depth_range)
    if fields is None:
        return shift
    result = shift.copy()
    across, down = ((np.arange(n, dtype=np.float32) + 0.5) * (few / n) - 0.5
                    for n, few in ((width, fields.shape[1]), (height, fields.shape[0])))  # fmt: skip
    corrected = cv2.dilate((fields[..., 2] > 0).view(np.uint8), np.ones((5, 5), np.uint8))
    where = np.asarray(cv2.resize(corrected, (width, height), interpolation=cv2.INTER_NEAREST)).view(bool)
    for part in parts_around(where, 0, halo=0):
        columns, lines = np.meshgrid(across[part.at[1]], down[part.at[0]])
        placed = cv2.remap(fields, columns, lines, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        smooth, limit, share = (np.asarray(plane, np.float32) for plane in cv2.split(placed))
        change = smooth - shift[part.at]
        result[part.at] += share * change * _likeness(change, limit)
    return result


def _fields(shift: Floats, scale: float, step: float, limit: float) -> Floats | None:
    """(h, w, 3) at 1/``CELL`` of the size: smooth depth of the rims, largest deviation from it, share to correct.

    None without a step.
    """
    side = 2 * max(1, round(RIM * scale)) + 1
    window = np.ones((side, side), np.uint8)
    high, low = cv2.dilate(shift, window), cv2.erode(shift, window)
    drop = high - low
    rim = ((drop > step) & (shift > (high + low) / 2)).astype(np.float32)
    if not rim.any():
        return None
    spread, wide_spread = SPREAD * scale / CELL, WIDE_SPREAD * scale / CELL
    level = LEVEL * spread**2
    mass = np.maximum(_blur(_coarse(rim), spread), np.float32(1e-6))
    limits = np.minimum(limit, LIMIT_OF_STEP * _blur(_coarse(rim * drop), spread) / mass)
    straight = _straightness(shift, scale)
    away = cv2.distanceTransform((rim == 0).astype(np.uint8), cv2.DIST_L2, 3)
    share = np.clip(1 - away / np.float32(FADE * scale), 0, 1)
    smooth = _fitted(_coarse(rim), _coarse(rim * shift), spread, level)
    for _ in range(ROUNDS - 1):
        kept = rim * _likeness(_sized(smooth, shift.shape) - shift, _sized(limits, shift.shape))
        smooth = _fitted(_coarse(kept), _coarse(kept * shift), spread, level)
    change = _fitted(_coarse(kept), _coarse(kept * shift), wide_spread, level) - smooth
    smooth += change * _likeness(change, np.float32(AGREED) * limits)
    return np.dstack([smooth, limits, _coarse(share) * straight])


def _straightness(shift: Floats, scale: float) -> Floats:
    """(h, w) in [0, 1], at 1/``CELL`` of the size: whether all steps nearby have one direction.

    From the coherence of the structure tensor (Bigun and Granlund 1987, Optimal orientation detection of linear
    symmetry).
    """
    soft = cv2.GaussianBlur(shift, (0, 0), SOFT * scale)
    across, down = (np.asarray(cv2.Sobel(soft, cv2.CV_32F, *order), np.float32) for order in ((1, 0), (0, 1)))
    xx, yy, xy = (
        _blur(_coarse(product), LENGTH * scale / CELL) for product in (across * across, down * down, across * down)
    )
    coherence = np.sqrt((xx - yy) ** 2 + 4 * xy**2) / np.maximum(xx + yy, np.float32(1e-6))
    start, full = STRAIGHT
    return np.asarray(np.clip((coherence - start) / (full - start), 0, 1), np.float32)


def _fitted(weight: Floats, values: Floats, spread: float, level: float) -> Floats:
    """Moving least squares: value at each cell of the plane fitted to ``values / weight`` around it.

    ``level``: how much the plane is held level, squared cells.
    """
    reach = round(3 * spread)
    x = np.arange(-reach, reach + 1, dtype=np.float32)
    bell = np.exp(-(x**2) / np.float32(2 * spread**2))
    bell /= bell.sum()
    kernels = bell, bell * x, bell * x * x

    def moment(plane: Floats, across: int, down: int) -> Floats:
        found = cv2.sepFilter2D(plane, cv2.CV_32F, kernels[across], kernels[down], borderType=cv2.BORDER_CONSTANT)
        return np.asarray(found, np.float32)

    mass = np.maximum(moment(weight, 0, 0), np.float32(1e-6))
    ridge = np.float32(level) * mass  # ridge regression: slopes cost
    sx, sy, sxy = moment(weight, 1, 0), moment(weight, 0, 1), moment(weight, 1, 1)
    sxx, syy = moment(weight, 2, 0) + ridge, moment(weight, 0, 2) + ridge
    # First row of the inverse of the symmetric matrix [mass sx sy; sx sxx sxy; sy sxy syy], by cofactors.
    one, two, three = sxx * syy - sxy * sxy, sxy * sy - sx * syy, sx * sxy - sxx * sy
    total = one * moment(values, 0, 0) + two * moment(values, 1, 0) + three * moment(values, 0, 1)
    return np.asarray(total / (mass * one + sx * two + sy * three), np.float32)


def _likeness(change: Floats, limit: Floats) -> Floats:
    """1 up to the limit, from there down to 0 at twice the limit."""
    return np.asarray(np.clip(2 - np.abs(change) / np.maximum(limit, np.float32(1e-6)), 0, 1), np.float32)


def _coarse(values: Floats) -> Floats:
    size = (max(1, values.shape[1] // CELL), max(1, values.shape[0] // CELL))
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), np.float32)


def _sized(values: Floats, shape: tuple[int, ...]) -> Floats:
    return np.asarray(cv2.resize(values, shape[::-1], interpolation=cv2.INTER_LINEAR), np.float32)


def _blur(values: Floats, spread: float) -> Floats:
    return np.asarray(cv2.GaussianBlur(values, (0, 0), spread, borderType=cv2.BORDER_CONSTANT), np.float32)
