"""Resize and normalize images for networks, as in the official MiDaS code.

Cubic convolution with a = -0.75 (Keys 1981), half-pixel centers, replicated edges and **no** low-pass filter when
shrinking: the networks were trained this way, and smoother resizing changes the depth. For each target row and column
only the four source rows and columns it depends on are read, so that a photo of 24 megapixels needs a few megabytes
instead of half a gigabyte.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.depth.card import InputRule
from depth3d.image import Image, Size

__all__ = ["network_input", "resize_cubic", "resize_smooth"]

_A = -0.75
_ROWS = 8  # at a time
_MODERATE = 8  # reduction up to which filters are faster than matrices


def network_input(image: Image, rule: InputRule, size: Size | None = None) -> NDArray[np.float32]:
    """Resize and normalize ``image`` by ``rule`` to (3, h, w) float32; ``size`` overrides the rule's size."""
    resize = resize_smooth if rule.resize == "smooth" else resize_cubic
    pixels = resize(image.pixels, size or rule.net_size(image.size))
    mean, std = np.asarray(rule.normalization.mean), np.asarray(rule.normalization.std)
    pixels = (pixels / np.iinfo(image.pixels.dtype).max - mean) / std
    return np.ascontiguousarray(pixels.transpose(2, 0, 1), dtype=np.float32)


def resize_cubic(values: NDArray[Any], size: Size) -> NDArray[np.float64]:
    """Resize (H, W, C) of any number type to (h, w, C) float64 by cubic convolution; overshoot is not clipped."""
    rows, row_weights = _taps(values.shape[0], size.height)
    columns, column_weights = _taps(values.shape[1], size.width)
    down = np.zeros((size.height, *values.shape[1:]))
    for tap in range(4):
        down += values[rows[:, tap]] * row_weights[:, tap, None, None]
    out = np.zeros((size.height, size.width, values.shape[2]))
    for tap in range(4):
        out += down[:, columns[:, tap]] * column_weights[:, tap, None]
    return out


def _taps(source: int, target: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return (target, 4) source indices and their (target, 4) weights."""
    # Positions in float32, as in OpenCV, so that the result equals the official code's to 1e-6.
    center = ((np.arange(target) + 0.5) * (source / target) - 0.5).astype(np.float32)
    first = np.floor(center)
    t = (center - first)[:, None].astype(np.float64)
    distance = np.abs(np.concatenate([t + 1, t, 1 - t, 2 - t], axis=1))
    near = ((_A + 2) * distance - (_A + 3)) * distance**2 + 1
    far = ((distance - 5) * distance + 8) * distance * _A - 4 * _A
    index = first.astype(np.int64)[:, None] + np.arange(-1, 3)
    return np.clip(index, 0, source - 1), np.where(distance <= 1, near, far)


def resize_smooth(values: NDArray[Any], size: Size) -> NDArray[np.float64]:
    """Resize (H, W, C) to (h, w, C) as scikit-image does: Gaussian when shrinking, then linear, mirrored border.

    Both steps are linear and separable, so each axis is one matrix. A moderate reduction, whose matrix is nearly empty,
    is left to OpenCV's filters, and of an enlargement only the two weights that are not 0 are used.
    """
    scales = values.shape[1] / size.width, values.shape[0] / size.height
    if min(scales) >= 1 and max(scales) <= _MODERATE and values.dtype in (np.uint8, np.uint16, np.float32):
        across, upright = (_smooth_kernel(scale).astype(np.float32) for scale in scales)
        soft = cv2.sepFilter2D(values, cv2.CV_32F, across, upright, borderType=cv2.BORDER_REFLECT_101)
        return np.asarray(cv2.resize(soft, tuple(size), interpolation=cv2.INTER_LINEAR), np.float64)
    if max(scales) <= 1:
        down = _interpolated(values.astype(np.float32), size.height)
        turned = _interpolated(np.ascontiguousarray(down.transpose(1, 0, 2)), size.width)
        return np.asarray(turned.transpose(1, 0, 2), np.float64)
    rows = _smooth_weights(values.shape[0], size.height)
    # A few rows at a time, and only what they are made of: the matrix is mostly 0, and the whole of a large photo takes
    # gigabytes as floats.
    down = np.empty((size.height, *values.shape[1:]), np.float32)
    for first in range(0, size.height, _ROWS):
        some = slice(first, first + _ROWS)
        used = np.flatnonzero(rows[some].any(0))
        read = slice(int(used[0]), int(used[-1]) + 1)
        down[some] = np.tensordot(rows[some, read], values[read].astype(np.float32), axes=(1, 0))
    turned = np.tensordot(_smooth_weights(values.shape[1], size.width), down, axes=(1, 1))
    return np.asarray(turned.transpose(1, 0, 2), np.float64)


def _smooth_kernel(scale: float) -> NDArray[np.float64]:
    """Return the Gaussian that is applied before shrinking an axis to 1/scale."""
    deviation = max(0.0, (scale - 1) / 2)
    radius = int(4 * deviation + 0.5)
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / deviation) ** 2) if radius else np.ones(1)
    return np.asarray(kernel / kernel.sum(), np.float64)


def _smooth_weights(source: int, target: int) -> NDArray[np.float32]:
    """Return the (target, source) resampling matrix of one axis."""
    kernel = _smooth_kernel(source / target)
    steps = np.arange(len(kernel)) - len(kernel) // 2
    weights = np.zeros((target, source))
    rows = np.repeat(np.arange(target)[:, None], len(steps), axis=1)
    for tap, share in _linear_taps(source, target):
        columns = _mirror(_mirror(tap, source)[:, None] + steps, source)
        np.add.at(weights, (rows, columns), share[:, None] * kernel)
    return weights.astype(np.float32)


def _interpolated(values: NDArray[np.float32], target: int) -> NDArray[np.float32]:
    """Resample the first axis (source, K, C) to (target, K, C), linearly."""
    source = len(values)
    parts = (
        values[_mirror(tap, source)] * share.astype(np.float32)[:, None, None]
        for tap, share in _linear_taps(source, target)
    )
    return next(parts) + next(parts)


def _linear_taps(source: int, target: int) -> tuple[tuple[NDArray[np.int64], NDArray[np.float64]], ...]:
    """Return the two places from which each pixel of an axis is interpolated, not yet mirrored, and their weights."""
    center = (np.arange(target) + 0.5) * (source / target) - 0.5
    first = np.floor(center).astype(np.int64)
    return (first, 1 - (center - first)), (first + 1, center - first)


def _mirror(index: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Reflect indices outside [0, count) back inside; the edge itself is not repeated."""
    if count == 1:
        return np.zeros_like(index)
    wrapped = np.abs(index) % (2 * count - 2)
    return np.where(wrapped >= count, 2 * count - 2 - wrapped, wrapped)
