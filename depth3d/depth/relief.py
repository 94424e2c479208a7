"""Strengthens the fine relief inside surfaces: faces and hills that a network predicts nearly flat become rounder.

The depth is split into a base, in which surfaces are smooth and depth edges are kept, and the relief on it; the relief
is amplified. The base comes from the guided filter (He, Sun and Tang, "Guided Image Filtering", IEEE PAMI 35, 2013,
equations 5, 6 and 8, the depth as its own guide). Inside planes the relief is zero, so that they stay planes.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.depthmap import DepthMap

__all__ = ["strengthen_relief"]

_RADIUS = 0.1  # of the longer side
_EDGE = 0.05  # steps in depth that are well above this belong to the base
_LARGEST = 0.04  # change of depth: about half a pixel of a picture 640 wide at 2 percent parallax
_SIDE = 512  # longer side at which the base is computed; it is smooth


def strengthen_relief(depth: DepthMap, strength: float) -> DepthMap:
    """Return depth with amplified relief inside surfaces; depth edges and planes stay.

    Parameters
    ----------
    depth : DepthMap
        The depth.
    strength : float
        0 = unchanged, 1 = small relief is doubled. No value changes by more than 0.04.
    """
    if strength == 0:
        return depth
    values = depth.values
    small = depth.resized(depth.size.fit(_SIDE)).values
    factor, offset = _base(small, max(2, round(_RADIUS * max(small.shape))))
    size = (values.shape[1], values.shape[0])
    factor, offset = (
        np.asarray(cv2.resize(each, size, interpolation=cv2.INTER_LINEAR), np.float32) for each in (factor, offset)
    )
    # The factor is near 1 beside depth edges, where the difference to the base is no relief.
    relief = (1 - factor) * (values - (factor * values + offset))
    changed = values + np.float32(_LARGEST) * np.tanh(relief * np.float32(strength / _LARGEST))
    return DepthMap(np.clip(changed, 0, 1).astype(np.float32))


def _base(values: NDArray[np.float32], radius: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return (H, W) factors and offsets: the base is factor * values + offset."""

    def mean(each: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        side = 2 * radius + 1
        return np.asarray(cv2.blur(each, (side, side), borderType=cv2.BORDER_REFLECT_101), np.float32)

    center = mean(values)
    variance = np.maximum(mean(values * values) - center * center, 0)
    factor = variance / (variance + np.float32(_EDGE**2))
    return mean(factor), mean(center - factor * center)
