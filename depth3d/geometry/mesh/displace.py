"""Turns a depth grid into triangles that separate at depth discontinuities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from depth3d.geometry.edges.discontinuities import Discontinuities, corner_depths
from depth3d.geometry.mesh.adaptive import BLOCK, needed_corners, triangles_of

__all__ = ["CellMesh", "mesh_cells"]

Floats = NDArray[np.float32]

# Outlines are blended, so the surfaces behind them must be drawn first. Surfaces in one slice differ by no more.
SLICE_PIXELS = 2.0
TILE = 8  # cells


@dataclass(frozen=True, slots=True, eq=False)
class CellMesh:
    """Triangles over a grid of cells.

    Parameters
    ----------
    corners : Floats
        (N, 2) float32 in cells, (0, 0) = the upper left corner of cell (0, 0).
    texels : Floats
        (N, 2) float32, where each corner reads the texture, in cells: the corner itself, but on the far side of a
        discontinuity the center of its own cells, which holds no color of the occluder.
    depth : Floats
        (N,) float32.
    faces : NDArray[np.int64]
        (M, 3) int64, from the farthest to the nearest in slices of SLICE_PIXELS.
    """

    corners: Floats
    texels: Floats
    depth: Floats
    faces: NDArray[np.int64]


def mesh_cells(
    depth: Floats, steps: Discontinuities, tolerance: float, wanted: NDArray[np.bool_] | None = None
) -> CellMesh:
    """Mesh a depth grid: two triangles per cell along ``steps``, larger ones where the surface is flat.

    Parameters
    ----------
    depth : Floats
        (H, W) float32 per cell, in pixels of shift.
    steps : Discontinuities
        Where the triangles separate.
    tolerance : float
        Error in pixels of shift allowed where cells merge.
    wanted : NDArray[np.bool_] | None
        (H, W) bool, cells to cover; default all. Triangles that cover none of them are left out.
    """
    height, width = depth.shape
    owner, values = corner_depths(depth, steps)
    split = _split_cells(steps, height, width)
    down, across = (-(-side // BLOCK) * BLOCK for side in (height, width))
    surface, forced, seen = _lattice(values, split, wanted, (down + 1, across + 1))
    used = needed_corners(surface, forced, tolerance, seen)
    triangles, single = triangles_of(used)
    y, x = np.divmod(triangles, across + 1)
    low_y, low_x = y.min(1), x.min(1)
    inside = (low_y < height) & (low_x < width)
    own_cell = np.zeros(len(triangles), bool)
    own_cell[inside & single] = split[low_y[inside & single], low_x[inside & single]]
    keep = inside & ~own_cell
    if wanted is not None:
        keep &= _touches(wanted, low_y, low_x, y.max(1), x.max(1))
    triangles = triangles[keep]
    # Cells at a discontinuity have corners of their own: one vertex per group of connected cells around a corner.
    rows, columns = np.nonzero(split if wanted is None else split & wanted)
    step_y, step_x = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    lattice = (rows[:, None] + step_y) * (across + 1) + columns[:, None] + step_x
    group = owner[rows, columns]
    whole = _whole(owner, rows, columns, split)
    keys = np.where(whole, lattice * 5, lattice * 5 + 1 + group)
    quads = np.concatenate([keys[:, [0, 2, 1]], keys[:, [1, 2, 3]]])
    everything = np.concatenate([triangles * 5, quads])
    names, faces = np.unique(everything, return_inverse=True)
    faces = faces.reshape(-1, 3)
    level = surface.ravel()[names // 5]
    split_keys, first = np.unique(keys, return_index=True)
    special = np.searchsorted(names, split_keys)
    level[special] = values[rows, columns].ravel()[first]
    corner = names // 5
    corners = np.stack([corner % (across + 1), corner // (across + 1)], 1).astype(np.float32)
    texels = corners.copy()
    texels[special] += np.where(whole[..., None], 0, _inwards(owner, values, rows, columns)).reshape(-1, 2)[first]
    return CellMesh(corners, texels, level, faces[_drawing_order(corners, level, faces)])


def _drawing_order(corners: Floats, level: Floats, faces: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sort from far to near in slices of ``SLICE_PIXELS``; within a slice group neighbors, which share vertices."""
    slices = np.floor(level[faces].max(1) / SLICE_PIXELS)
    column, row = (corners[faces[:, 0]] // TILE).T
    return np.lexsort((column, row, slices))


def _split_cells(steps: Discontinuities, height: int, width: int) -> NDArray[np.bool_]:
    """(H, W): cells with a corner at which not all four cells are connected."""
    corner = np.zeros((height + 1, width + 1), bool)
    corner[1:, 1:-1] |= steps.right
    corner[:-1, 1:-1] |= steps.right
    corner[1:-1, 1:] |= steps.below
    corner[1:-1, :-1] |= steps.below
    return corner[:-1, :-1] | corner[:-1, 1:] | corner[1:, :-1] | corner[1:, 1:]


def _lattice(
    values: Floats, split: NDArray[np.bool_], wanted: NDArray[np.bool_] | None, shape: tuple[int, int]
) -> tuple[Floats, NDArray[np.bool_], NDArray[np.bool_]]:
    """Depth at the lattice's corners, padded to ``shape``; corners that split cells force; corners that are seen."""
    height, width = split.shape
    surface = np.empty((height + 1, width + 1), np.float32)
    surface[:-1, :-1], surface[:-1, -1] = values[..., 0], values[:, -1, 1]
    surface[-1, :-1], surface[-1, -1] = values[-1, :, 2], values[-1, -1, 3]
    # A corner shared by split and whole cells takes the whole cell's value; where they are connected it is the same.
    for index, (down, right) in enumerate(((0, 0), (0, 1), (1, 0), (1, 1))):
        part = surface[down : height + down, right : width + right]
        part[~split] = values[..., index][~split]
    forced = np.zeros(shape, bool)
    asked = split if wanted is None else split & wanted
    for down, right in ((0, 0), (0, 1), (1, 0), (1, 1)):
        forced[down : height + down, right : width + right] |= asked
    seen = np.zeros(shape, bool)
    for down, right in ((0, 0), (0, 1), (1, 0), (1, 1)):
        seen[down : height + down, right : width + right] |= True if wanted is None else wanted
    padded = np.pad(surface, ((0, shape[0] - height - 1), (0, shape[1] - width - 1)), mode="edge")
    return padded, forced, seen


def _whole(
    owner: NDArray[np.uint8], rows: NDArray[np.int64], columns: NDArray[np.int64], split: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """(K, 4): corners of split cells at which all four cells are connected, shared with the lattice."""
    height, width = split.shape
    first = np.zeros((height + 1, width + 1), np.uint8)
    last = np.zeros((height + 1, width + 1), np.uint8)
    first.fill(255)
    for index, (down, right) in enumerate(((0, 0), (0, 1), (1, 0), (1, 1))):
        part = (slice(down, height + down), slice(right, width + right))
        first[part] = np.minimum(first[part], owner[..., index])
        last[part] = np.maximum(last[part], owner[..., index])
    same = first == last
    result: NDArray[np.bool_] = np.stack(
        [same[rows + down, columns + right] for down, right in ((0, 0), (0, 1), (1, 0), (1, 1))], 1
    )
    return result


def _inwards(owner: NDArray[np.uint8], values: Floats, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> Floats:
    """(K, 4, 2): vectors from split cells' corners to the center of the connected cells; 0 on near sides."""
    height, width = owner.shape[:2]
    groups = np.full((height + 1, width + 1, 4), 255, np.uint8)
    nearest = np.full((height + 1, width + 1), -np.inf, np.float32)
    for index, (down, right) in enumerate(((0, 0), (0, 1), (1, 0), (1, 1))):
        part = (slice(down, height + down), slice(right, width + right))
        groups[(*part, 3 - index)] = owner[..., index]
        nearest[part] = np.maximum(nearest[part], values[..., index])
    step_y, step_x = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    corner = (rows[:, None] + step_y, columns[:, None] + step_x)
    same = (groups[corner] == owner[rows, columns][..., None]).astype(np.float32)
    same *= (values[rows, columns] < nearest[corner])[..., None]
    middles = np.stack([step_x, step_y], 1).astype(np.float32) - np.float32(0.5)
    return np.asarray(same @ middles / np.maximum(same.sum(-1, keepdims=True), 1), np.float32)


def _touches(
    wanted: NDArray[np.bool_],
    top: NDArray[np.int64],
    left: NDArray[np.int64],
    bottom: NDArray[np.int64],
    right: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """Whether the rectangle of cells contains a wanted cell; computed with a summed-area table."""
    height, width = wanted.shape
    sums = np.zeros((height + 1, width + 1), np.int64)
    sums[1:, 1:] = np.cumsum(np.cumsum(wanted, 0), 1)
    top, bottom = np.minimum(top, height), np.minimum(bottom, height)
    left, right = np.minimum(left, width), np.minimum(right, width)
    held: NDArray[np.bool_] = (sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left]) > 0
    return held
