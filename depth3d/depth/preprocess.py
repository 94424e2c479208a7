"""Pictures become what a network sees: MiDaS's own resize and normalisation, to the last bit that matters.

Cubic convolution with a = -0.75 (Keys 1981), half-pixel centres, edges replicated and **no** low-pass when
shrinking: that is how the networks were trained, and smoother resizing gives other depth. Written as two
gathers, because only four source rows and columns matter for each target one: a 24 megapixel photo costs
a few megabytes instead of half a gigabyte.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from depth3d.depth.card import InputRule
from depth3d.image import Image, Size

__all__ = ["network_input", "resize_cubic"]

_A = -0.75


def network_input(image: Image, rule: InputRule, size: Size | None = None) -> NDArray[np.float32]:
    """(3, h, w) float32, resized and normalised as ``rule`` says; ``size`` overrides the rule's own."""
    pixels = resize_cubic(image.pixels, size or rule.net_size(image.size))
    mean, std = np.asarray(rule.normalisation.mean), np.asarray(rule.normalisation.std)
    pixels = (pixels / np.iinfo(image.pixels.dtype).max - mean) / std
    return np.ascontiguousarray(pixels.transpose(2, 0, 1), dtype=np.float32)


def resize_cubic(values: NDArray[Any], size: Size) -> NDArray[np.float64]:
    """(H, W, C) of any number type -> (h, w, C) float64, not clipped: cubic overshoot is kept."""
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
    """For each of ``target`` positions the (target, 4) source indices and their weights."""
    centre = (np.arange(target) + 0.5) * (source / target) - 0.5
    first = np.floor(centre)
    t = (centre - first)[:, None]
    distance = np.abs(np.concatenate([t + 1, t, 1 - t, 2 - t], axis=1))
    near = ((_A + 2) * distance - (_A + 3)) * distance**2 + 1
    far = ((distance - 5) * distance + 8) * distance * _A - 4 * _A
    index = first.astype(np.int64)[:, None] + np.arange(-1, 3)
    return np.clip(index, 0, source - 1), np.where(distance <= 1, near, far)
