"""Depth discontinuities: pairs of neighboring pixels whose depths differ by more than a tolerance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Discontinuities", "corner_depths", "find_discontinuities"]

Mask = NDArray[np.bool_]
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Discontinuities:
    """The pairs of neighbors with a depth discontinuity between them.

    Parameters
    ----------
    right : Mask
        (H, W-1) bool; ``right[y, x]``: between pixels (x, y) and (x + 1, y).
    below : Mask
        (H-1, W) bool; ``below[y, x]``: between pixels (x, y) and (x, y + 1).
    """

    right: Mask
    below: Mask

    def beside(self) -> Mask:
        """(H, W) bool: pixels with a discontinuity on any of their four sides."""
        touched = np.zeros((self.right.shape[0], self.right.shape[1] + 1), bool)
        touched[:, 1:] |= self.right
        touched[:, :-1] |= self.right
        touched[1:] |= self.below
        touched[:-1] |= self.below
        return touched


def find_discontinuities(disparity: Floats, tolerance: float) -> Discontinuities:
    """Find where neighbors of ``disparity`` (H, W), in pixels, differ by more than ``tolerance`` pixels."""
    return Discontinuities(
        np.abs(np.diff(disparity, axis=1)) > tolerance,
        np.abs(np.diff(disparity, axis=0)) > tolerance,
    )


def corner_depths(depth: Floats, steps: Discontinuities) -> tuple[NDArray[np.uint8], Floats]:
    """Depth of the four corners of every pixel: the mean over the pixels it is connected to there.

    Up to four pixels meet at a lattice corner. Those without a discontinuity between them share one vertex, so that
    the surface is closed; at a discontinuity each side has a vertex of its own.

    Parameters
    ----------
    depth : Floats
        (H, W).
    steps : Discontinuities
        Of the same picture.

    Returns
    -------
    owner: (H, W, 4) uint8: which of the four pixels around the corner (0 = upper left, 1 = upper right,
        2 = lower left, 3 = lower right of the corner) is the first of this pixel's group there.
        Corners in the order upper left, upper right, lower left, lower right of the pixel.
    values: (H, W, 4) float32.
    """
    height, width = depth.shape
    around = _around_corners(depth)
    joined = _joined(steps, height, width)
    # Labels of the four pixels around each corner; two rounds of "take the smaller label" suffice for a ring of four.
    labels = np.broadcast_to(np.arange(4, dtype=np.uint8), (*joined.shape[:2], 4)).copy()
    pairs = ((0, 1), (0, 2), (1, 3), (2, 3))
    for _ in range(2):
        for index, (a, b) in enumerate(pairs):
            small = np.minimum(labels[..., a], labels[..., b])
            link = joined[..., index]
            labels[..., a] = np.where(link, small, labels[..., a])
            labels[..., b] = np.where(link, small, labels[..., b])
    mean = np.empty(labels.shape, np.float32)
    valid = ~np.isnan(around)
    for index in range(4):
        same = (labels == labels[..., index : index + 1]) & valid
        mean[..., index] = np.where(same, np.nan_to_num(around), 0).sum(-1) / np.maximum(same.sum(-1), 1)
    # Pixel (y, x) is pixel 3 of its upper left corner, 2 of its upper right one, and so on.
    at = ((slice(0, -1), slice(0, -1), 3), (slice(0, -1), slice(1, None), 2),
          (slice(1, None), slice(0, -1), 1), (slice(1, None), slice(1, None), 0))  # fmt: skip
    return np.stack([labels[key] for key in at], -1), np.stack([mean[key] for key in at], -1)


def _around_corners(depth: Floats) -> Floats:
    height, width = depth.shape
    padded = np.full((height + 2, width + 2), np.nan, np.float32)
    padded[1:-1, 1:-1] = depth
    return np.stack([padded[:-1, :-1], padded[:-1, 1:], padded[1:, :-1], padded[1:, 1:]], -1)


def _joined(steps: Discontinuities, height: int, width: int) -> Mask:
    """(H+1, W+1, 4): around each corner, are 0-1, 0-2, 1-3, 2-3 connected?"""
    joined = np.zeros((height + 1, width + 1, 4), bool)
    joined[1:, 1:-1, 0] = ~steps.right
    joined[:-1, 1:-1, 3] = ~steps.right
    joined[1:-1, 1:, 1] = ~steps.below
    joined[1:-1, :-1, 2] = ~steps.below
    return joined
