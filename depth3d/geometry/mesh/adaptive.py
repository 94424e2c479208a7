"""Adaptive triangulation of a grid: coarse triangles where the surface is flat, single cells where it is not.

Longest-edge bisection on the whole lattice at once (the right-triangulated irregular networks of Evans,
Kirkpatrick and Townsend 2001): every corner is the middle of one edge, and is used only if the surface
there deviates from that edge by more than the tolerance, or if a finer corner that depends on it is used. There are
therefore no cracks between coarse and fine triangles, and each level takes only a few array operations.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["BLOCK", "needed_corners", "triangles_of"]

Mask = NDArray[np.bool_]
Indices = NDArray[np.int64]

BLOCK = 32  # cells of the largest square


def needed_corners(surface: NDArray[np.float32], forced: Mask, tolerance: float, seen: Mask) -> Mask:
    """Choose the corners of the lattice that the triangulation uses.

    Parameters
    ----------
    surface : NDArray[np.float32]
        (H, W) float32, values at the corners; H and W are multiples of ``BLOCK`` plus one.
    forced : Mask
        (H, W) bool, corners that must be used.
    tolerance : float
        Largest allowed deviation from the edge whose middle the corner is.
    seen : Mask
        (H, W) bool, corners where the deviation is checked.
    """
    used = forced.copy()
    size = 2
    while size <= BLOCK:
        half = size // 2
        # Middles of a square's sides, then middles of squares: finer corners require the coarser ones around them.
        if size > 2:
            quarter = half // 2
            fine = used[quarter::half, quarter::half]
            beside = np.zeros_like(used[::half, ::half])
            for rows, columns in ((slice(0, -1), slice(0, -1)), (slice(0, -1), slice(1, None)),
                                  (slice(1, None), slice(0, -1)), (slice(1, None), slice(1, None))):  # fmt: skip
                beside[rows, columns] |= fine
            used[::size, half::size] |= beside[::2, 1::2]
            used[half::size, ::size] |= beside[1::2, ::2]
        across = surface[::size, ::size]
        flat = np.abs(surface[::size, half::size] - (across[:, :-1] + across[:, 1:]) / 2) > tolerance
        used[::size, half::size] |= flat & seen[::size, half::size]
        flat = np.abs(surface[half::size, ::size] - (across[:-1] + across[1:]) / 2) > tolerance
        used[half::size, ::size] |= flat & seen[half::size, ::size]
        middle = surface[half::size, half::size]
        one = np.abs(middle - (across[:-1, :-1] + across[1:, 1:]) / 2)
        other = np.abs(middle - (across[:-1, 1:] + across[1:, :-1]) / 2)
        center = used[half::size, half::size]
        center |= (np.maximum(one, other) > tolerance) & seen[half::size, half::size]
        sides, ends = used[::size, half::size], used[half::size, ::size]
        center |= sides[:-1] | sides[1:] | ends[:, :-1] | ends[:, 1:]
        size *= 2
    used[::BLOCK, ::BLOCK] = True
    used[BLOCK // 2 :: BLOCK, BLOCK // 2 :: BLOCK] = True
    return used


def triangles_of(used: Mask) -> tuple[Indices, Mask]:
    """All triangles of the lattice whose corners ``needed_corners`` chose.

    Returns
    -------
    triangles: (M, 3) int64, flat indices of corners, counter-clockwise as seen with row 0 at the top.
    single: (M,) bool, half of one cell, which cannot be split further.
    """
    width = used.shape[1]
    rows, columns = (np.arange(0, side - 1, BLOCK) for side in used.shape)
    y, x = (grid.ravel() for grid in np.meshgrid(rows, columns, indexing="ij"))
    corners = [y * width + x, (y + BLOCK) * width + x, (y + BLOCK) * width + x + BLOCK, y * width + x + BLOCK]
    middle = (y + BLOCK // 2) * width + x + BLOCK // 2
    live = np.concatenate([np.stack([middle, corners[i], corners[(i + 1) % 4]], 1) for i in range(4)])
    flat = used.ravel()
    found: list[Indices] = []
    # Each round halves the area; the last has triangles of half a cell.
    for _ in range(2 * int(np.log2(BLOCK)) - 1):
        half_way = (live[:, 1] + live[:, 2]) // 2
        split = flat[half_way]
        found.append(live[~split])
        apex, left, right = live[split].T
        center = half_way[split]
        live = np.concatenate([np.stack([center, apex, left], 1), np.stack([center, right, apex], 1)])
    coarse = sum(map(len, found))
    triangles = np.concatenate([*found, live])
    single = np.zeros(len(triangles), bool)
    single[coarse:] = True
    return triangles, single
