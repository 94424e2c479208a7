"""Turns a depth grid into triangles that separate at depth discontinuities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from depth3d.geometry.edges.discontinuities import Discontinuities, corner_depths, corner_means
from depth3d.geometry.mesh.adaptive import BLOCK, needed_corners, triangles_of
from depth3d.geometry.pixels import rows_columns

__all__ = ["CellMesh", "mesh_cells"]

Floats = NDArray[np.float32]

# Outlines are blended, so the surfaces behind them must be drawn first. Surfaces in one slice differ by no more.
SLICE_PIXELS = 2.0
TILE = 8  # cells
STEP_Y, STEP_X = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])  # to the corners of a cell


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


class _SplitCells(NamedTuple):
    """Cells with a corner at which not all four cells are connected.

    Parameters
    ----------
    rows, columns : NDArray[np.int64]
        (K,).
    group : NDArray[np.uint8]
        (K, 4), for each corner (upper left, upper right, lower left, lower right) the first of the four cells around it
        that this one is connected to there.
    depth : Floats
        (K, 4), mean over these.
    whole : NDArray[np.bool_]
        (K, 4), corners at which all four cells are connected, shared with the lattice.
    inwards : Floats
        (K, 4, 2), vectors from the corners to the center of the connected cells; 0 on near sides.
    """

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    group: NDArray[np.uint8]
    depth: Floats
    whole: NDArray[np.bool_]
    inwards: Floats

    def some(self, which: NDArray[np.int64]) -> _SplitCells:
        return _SplitCells(
            self.rows[which],
            self.columns[which],
            self.group[which],
            self.depth[which],
            self.whole[which],
            self.inwards[which],
        )


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
    split = _split_cells(steps, height, width)
    down, across = (-(-side // BLOCK) * BLOCK for side in (height, width))
    cells = _split_corners(depth, steps, split)
    surface, forced, seen = _lattice(depth, split, cells, wanted, (down + 1, across + 1))
    used = needed_corners(surface, forced, tolerance, seen)
    triangles, single = triangles_of(used)
    y, x = rows_columns(triangles, across + 1)
    low_y, low_x = y.min(1), x.min(1)
    inside = (low_y < height) & (low_x < width)
    own_cell = np.zeros(len(triangles), bool)
    own_cell[inside & single] = split[low_y[inside & single], low_x[inside & single]]
    keep = inside & ~own_cell
    if wanted is not None:
        keep &= _touches(wanted, low_y, low_x, y.max(1), x.max(1))
    triangles = triangles[keep]
    # Cells at a discontinuity have corners of their own: one vertex per group of connected cells around a corner.
    if wanted is not None:
        cells = cells.some(np.flatnonzero(wanted[cells.rows, cells.columns]))
    lattice = (cells.rows[:, None] + STEP_Y) * (across + 1) + cells.columns[:, None] + STEP_X
    keys = np.where(cells.whole, lattice * 5, lattice * 5 + 1 + cells.group)
    quads = np.concatenate([keys[:, [0, 2, 1]], keys[:, [1, 2, 3]]])
    everything = np.concatenate([triangles * 5, quads])
    names, number = _numbered(everything, 5 * used.size)
    faces = number[everything]
    corner = names // 5
    level = surface.ravel()[corner]
    corners = np.stack([corner % (across + 1), corner // (across + 1)], 1).astype(np.float32)
    texels = corners.copy()
    # Backwards, so that the first of several cells with the same vertex counts.
    special = number[keys.ravel()[::-1]]
    level[special] = cells.depth.ravel()[::-1]
    inwards = np.zeros_like(texels)
    inwards[special] = np.where(cells.whole[..., None], 0, cells.inwards).reshape(-1, 2)[::-1]
    texels += inwards
    return CellMesh(corners, texels, level, faces[_drawing_order(corners, level, faces)])


def _numbered(names: NDArray[np.int64], count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The different names below ``count`` in order, and (count,) the number of each name among them."""
    known = np.zeros(count, bool)
    known[names.ravel()] = True
    different = np.flatnonzero(known)
    number = np.empty(count, np.int64)
    number[different] = np.arange(len(different))
    return different, number


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


def _split_corners(depth: Floats, steps: Discontinuities, split: NDArray[np.bool_]) -> _SplitCells:
    """The corners of split cells, each with the connected cells around it."""
    height, width = depth.shape
    rows, columns = _places(split)
    meeting = np.zeros((height + 1, width + 1), bool)
    for down, right in zip(STEP_Y, STEP_X, strict=True):
        meeting[rows + down, columns + right] = True
    at = _places(meeting)
    around = corner_depths(depth, steps, *at)
    number = np.empty(meeting.shape, np.int32)
    number[at] = np.arange(len(at[0]), dtype=np.int32)
    mine = number[rows[:, None] + STEP_Y, columns[:, None] + STEP_X]
    outside = around.group == 255
    whole = np.where(outside, 0, around.group).max(0) == around.group.min(0)
    nearest = np.where(outside, -np.inf, around.depth).max(0)
    # A cell is the lower right one of the four around its upper left corner, and so on.
    group, values = (np.stack([part[3 - index, mine[:, index]] for index in range(4)], 1) for part in around)
    same = (around.group[:, mine] == group).astype(np.float32)
    same *= values < nearest[mine]
    middles = np.stack([STEP_X, STEP_Y], 1).astype(np.float32) - np.float32(0.5)
    inwards = np.moveaxis(same, 0, 2) @ middles / np.maximum(same.sum(0), 1)[..., None]
    return _SplitCells(rows, columns, group, values, whole[mine], np.asarray(inwards, np.float32))


def _places(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows and columns; several times as fast as ``np.nonzero``."""
    return rows_columns(np.flatnonzero(mask), mask.shape[1])


def _lattice(
    depth: Floats,
    split: NDArray[np.bool_],
    cells: _SplitCells,
    wanted: NDArray[np.bool_] | None,
    shape: tuple[int, int],
) -> tuple[Floats, NDArray[np.bool_], NDArray[np.bool_]]:
    """Depth at the lattice's corners, padded to ``shape``; corners that split cells force; corners that are seen."""
    height, width = split.shape
    surface = np.empty(shape, np.float32)
    inner = surface[: height + 1, : width + 1]
    inner[:] = corner_means(depth)
    # A corner between split cells takes the value of one of them; where they are connected it is the same.
    last = (0, cells.rows == height - 1), (1, cells.columns == width - 1)
    for index, some in ((3, last[0][1] & last[1][1]), (2, last[0][1]), (1, last[1][1])):
        inner[cells.rows[some] + index // 2, cells.columns[some] + index % 2] = cells.depth[some, index]
    inner[cells.rows, cells.columns] = cells.depth[:, 0]
    surface[: height + 1, width + 1 :] = inner[:, -1:]
    surface[height + 1 :] = surface[height]
    forced, seen = np.zeros(shape, bool), np.zeros(shape, bool)
    asked = split if wanted is None else split & wanted
    for down, right in zip(STEP_Y, STEP_X, strict=True):
        forced[down : height + down, right : width + right] |= asked
        seen[down : height + down, right : width + right] |= True if wanted is None else wanted
    return surface, forced, seen


def _touches(
    wanted: NDArray[np.bool_],
    top: NDArray[np.int64],
    left: NDArray[np.int64],
    bottom: NDArray[np.int64],
    right: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """Whether the rectangle of cells contains a wanted cell; computed with a summed-area table."""
    height, width = wanted.shape
    sums = np.zeros((height + 1, width + 1), np.int32)
    np.cumsum(np.cumsum(wanted, 0, np.int32), 1, out=sums[1:, 1:])
    top, bottom = np.minimum(top, height), np.minimum(bottom, height)
    left, right = np.minimum(left, width), np.minimum(right, width)
    held: NDArray[np.bool_] = (sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left]) > 0
    return held
