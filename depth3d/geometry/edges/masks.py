"""Masks of pixels: dilation by a square, gaps closed, connected parts, closest pixels; discs are in ``discs``."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["around", "close_gaps", "closest", "connected", "enlarged_mask"]

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]


def around(mask: Mask, reach: int) -> Mask:
    """The pixels of a mask and those at most ``reach`` rows and columns away."""
    return np.asarray(cv2.dilate(mask.view(np.uint8), _square(reach))).view(bool)


def close_gaps(mask: Mask, reach: int) -> Mask:
    """A mask with its gaps filled in that are at most 2 ``reach`` pixels wide."""
    return np.asarray(cv2.morphologyEx(mask.view(np.uint8), cv2.MORPH_CLOSE, _square(reach))).view(bool)


def closest(values: Floats, mask: Mask) -> tuple[Floats, Floats]:
    """Distance of each pixel to the closest one of a mask (H, W), and the value there."""
    away, labels = cv2.distanceTransformWithLabels(
        (~mask).view(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    of_label = np.zeros(int(labels.max()) + 1, np.float32)
    of_label[labels[mask]] = values[mask]
    return np.asarray(away, np.float32), of_label[labels]


def connected(mask: Mask, seeds: Mask) -> Mask:
    """The connected parts of a mask (diagonals count) that contain seeds."""
    count, labels = cv2.connectedComponents(mask.view(np.uint8), connectivity=8)
    chosen = np.zeros(count, bool)
    chosen[labels[seeds]] = True
    chosen[0] = False
    return np.asarray(chosen[labels])


def enlarged_mask(mask: Mask, shape: tuple[int, ...]) -> Mask:
    """A mask at a larger (H, W) ``shape``, with smooth outlines: where its bilinear interpolation is over one half."""
    return np.asarray(cv2.resize(mask.astype(np.float32), shape[::-1], interpolation=cv2.INTER_LINEAR) > 0.5)


def _square(reach: int) -> NDArray[np.uint8]:
    return np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
