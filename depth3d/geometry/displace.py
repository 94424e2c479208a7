"""From a depth map to triangles."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from depth3d.geometry.cuts import Cuts, corner_depths

__all__ = ["torn_grid"]


def torn_grid(
    depth: NDArray[np.float32], cuts: Cuts
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.uint32]]:
    """One quad per pixel, torn along ``cuts``.

    Parameters
    ----------
    depth: (H, W) float32.

    Returns
    -------
    corners: (N, 2) float32 in pixels, (0, 0) = the upper left corner of pixel (0, 0).
    depths: (N,) float32.
    faces: (M, 3) uint32.
    """
    height, width = depth.shape
    owner, values = corner_depths(depth, cuts)
    rows, columns = np.mgrid[0:height, 0:width]
    step_y, step_x = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    lattice = (rows[..., None] + step_y) * (width + 1) + columns[..., None] + step_x
    keys, first, vertex = np.unique(lattice * 4 + owner, return_index=True, return_inverse=True)
    corner = keys // 4
    corners = np.stack([corner % (width + 1), corner // (width + 1)], -1).astype(np.float32)
    quads = vertex.reshape(-1, 4)
    faces = np.concatenate([quads[:, [0, 2, 1]], quads[:, [1, 2, 3]]])
    return corners, values.reshape(-1)[first], faces.astype(np.uint32)
