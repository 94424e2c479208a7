"""Strengthens relief: faces, figures and hills that a network predicts nearly flat become rounder.

Two parts. The depth is split into a base, in which surfaces are smooth and depth edges are kept, and the fine relief on
it, which is amplified. The base comes from the guided filter (He, Sun and Tang, "Guided Image Filtering", IEEE PAMI 35,
2013, equations 5, 6 and 8, the depth as its own guide). Inside planes the relief is zero, so that they stay planes.

What stands before something else is also rounded towards its outline, as a circle is: a small network knows that a head
is near, not that its middle is nearer than its ears. A flat thing, like a sign, becomes round, too; so this is not the
default.
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
_STEP = 0.08  # step in depth at an outline, from which on what is in front is rounded
_ROUNDED = 0.06  # largest change of depth by rounding, at outlines
_MOST = 2.0  # strength of rounding
_WIDEST = 0.15  # of the longer side: rounding reaches so far inwards


def strengthen_relief(depth: DepthMap, strength: float) -> DepthMap:
    """Return depth with amplified relief and rounded figures; depth edges stay, and planes without outlines.

    Parameters
    ----------
    depth : DepthMap
        The depth.
    strength : float
        0 = unchanged; 1 = small relief is doubled and changes by at most 0.04, outlines are farther by up to 0.06.
    """
    if strength == 0:
        return depth
    values = depth.values
    small = depth.resized(depth.size.fit(_SIDE)).values
    factor, offset = _base(small, max(2, round(_RADIUS * max(small.shape))))
    drop, middle = _rounding(small)
    size = (values.shape[1], values.shape[0])
    factor, offset, drop = (
        np.asarray(cv2.resize(each, size, interpolation=cv2.INTER_LINEAR), np.float32)
        for each in (factor, offset, drop)
    )
    # The factor is near 1 beside depth edges, where the difference to the base is no relief.
    relief = (1 - factor) * (values - (factor * values + offset))
    changed = values + np.float32(_LARGEST) * np.tanh(relief * np.float32(strength / _LARGEST))
    front = values > cv2.resize(middle, size, interpolation=cv2.INTER_NEAREST)
    changed -= np.where(front, drop * np.float32(min(strength, _MOST)), np.float32(0))
    return DepthMap(np.clip(changed, 0, 1).astype(np.float32))


def _rounding(values: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """How much farther the front becomes, (H, W) float32, and the depth above which a pixel is of the front.

    A circle's profile: nothing changes from the middle of a thing on, at most ``_WIDEST`` from its outline.
    """
    square = np.ones((5, 5), np.uint8)
    low, high = cv2.erode(values, square), cv2.dilate(values, square)
    middle = np.asarray((low + high) / 2, np.float32)
    behind = (high - low > _STEP) & (values <= middle)
    if not behind.any():
        return np.zeros_like(values), np.full_like(values, np.inf)
    away, labels = cv2.distanceTransformWithLabels(
        (~behind).view(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    tables = np.zeros((2, int(labels.max()) + 1), np.float32)
    tables[:, labels[behind]] = middle[behind], (high - low)[behind]
    middle, step = tables[:, labels]
    front = values > middle
    reach = max(2, round(_WIDEST * max(values.shape)))
    inside = np.minimum(np.where(front, away, np.float32(0)), np.float32(reach))
    # Half the thickness of what is there: the largest distance nearby.
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach + 1,) * 2)
    half = np.maximum(cv2.blur(cv2.dilate(inside, disc), (reach | 1, reach | 1)), 1)
    missing = np.clip(1 - inside / half, 0, 1)
    drop = np.minimum(step, np.float32(4 * _ROUNDED)) / 4 * (1 - np.sqrt(1 - missing * missing))
    # Across outlines the drop continues: the larger picture's outlines are elsewhere by a part of a pixel.
    share = cv2.GaussianBlur(front.astype(np.float32), (0, 0), 2)
    smooth = cv2.GaussianBlur(np.where(front, drop, np.float32(0)), (0, 0), 2) / np.maximum(share, np.float32(1e-3))
    return np.asarray(smooth, np.float32), middle


def _base(values: NDArray[np.float32], radius: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return (H, W) factors and offsets: the base is factor * values + offset."""

    def mean(each: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        side = 2 * radius + 1
        return np.asarray(cv2.blur(each, (side, side), borderType=cv2.BORDER_REFLECT_101), np.float32)

    center = mean(values)
    variance = np.maximum(mean(values * values) - center * center, 0)
    factor = variance / (variance + np.float32(_EDGE**2))
    return mean(factor), mean(center - factor * center)
