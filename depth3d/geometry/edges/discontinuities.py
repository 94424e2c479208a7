"""Depth discontinuities: pairs of neighboring pixels whose depths differ by more than a tolerance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Corners", "Discontinuities", "corner_depths", "corner_means", "find_discontinuities"]

Mask = NDArray[np.bool_]
Floats = NDArray[np.float32]
Indices = NDArray[np.int64]


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


class Corners(NamedTuple):
    """Lattice corners at which up to four pixels meet, (4, C): upper left, upper right, lower left and lower right one.

    Parameters
    ----------
    group : NDArray[np.uint8]
        The first of the four that each is connected to, itself included; 255 beyond the border.
    depth : Floats
        Mean over this group; arbitrary beyond the border.
    """

    group: NDArray[np.uint8]
    depth: Floats


def corner_means(depth: Floats) -> Floats:
    """(H + 1, W + 1) mean of the up to four pixels of ``depth`` (H, W) that meet at each lattice corner."""
    total = np.zeros((depth.shape[0] + 1, depth.shape[1] + 1), np.float32)
    height, width = depth.shape
    for down, right in ((1, 1), (1, 0), (0, 1), (0, 0)):
        total[down : height + down, right : width + right] += depth
    total[1:-1] /= 2
    total[:, 1:-1] /= 2
    return total


def corner_depths(depth: Floats, steps: Discontinuities, rows: Indices, columns: Indices) -> Corners:
    """Depth of the pixels that meet at lattice corners: for each the mean over those it is connected to.

    Pixels without a discontinuity between them share one vertex, so that the surface is closed; at a discontinuity
    each side has a vertex of its own.

    Parameters
    ----------
    depth : Floats
        (H, W).
    steps : Discontinuities
        Of the same picture.
    rows, columns : Indices
        (C,) of the corners, 0 to H and 0 to W; corner (0, 0) is the upper left one of the picture.
    """
    padded = np.pad(depth, 1, constant_values=np.nan)
    joined = [np.pad(~link, 1) for link in (steps.right, steps.below)]  # (H + 2, W + 1) and (H + 1, W + 2)
    around = np.stack([padded[rows + down, columns + right] for down, right in ((0, 0), (0, 1), (1, 0), (1, 1))])
    valid = ~np.isnan(around)
    around[~valid] = 0
    links = (
        (0, 1, joined[0][rows, columns]),
        (0, 2, joined[1][rows, columns]),
        (1, 3, joined[1][rows, columns + 1]),
        (2, 3, joined[0][rows + 1, columns]),
    )
    group = np.repeat(np.arange(4, dtype=np.uint8)[:, None], len(rows), 1)
    for _ in range(2):  # two rounds of "take the smaller number" suffice for a ring of four
        for one, other, link in links:
            small = np.minimum(group[one], group[other])
            np.copyto(group[one], small, where=link)
            np.copyto(group[other], small, where=link)
    mean = np.empty(around.shape, np.float32)
    for index in range(4):
        same = (group == group[index]) & valid
        mean[index] = (around * same).sum(0) / np.maximum(same.sum(0), 1)
    group[~valid] = 255
    return Corners(group, mean)
