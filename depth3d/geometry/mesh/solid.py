"""Builds a solid mesh for a file from a picture with depth: coarse where flat, one cell per pixel at discontinuities.

Each pixel is a cell. Cells are connected where their depths differ by less than a tolerance. A vertex at a depth
discontinuity exists once for each side, so that each side keeps its own depth. The color of the far side is taken from
the center of its pixel, because photos mix the colors of both sides along an outline. Where the depth is linear
within a tolerance, cells are merged to squares of up to 64 pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from depth3d.camera import FARTHEST_INVERSE, Camera
from depth3d.image import Image, Size
from depth3d.layeredmesh import Mesh

__all__ = ["Relief", "place", "triangulate"]

Floats = NDArray[np.float32]
Indices = NDArray[np.int64]
_LARGEST = 64
# Left, right, left, right corner of the upper and lower side, in the order counter-clockwise as seen.
_RING = ((0, 0), (0, 1), (1, 1), (1, 0))


@dataclass(frozen=True, slots=True, eq=False)
class Relief:
    """Triangles over a picture with a depth per vertex, in picture space.

    Parameters
    ----------
    points : Floats
        (N, 2) float32, picture space, (0, 0) = top-left corner, (1, 1) = bottom-right.
    uv : Floats
        (N, 2) float32, where the color is read.
    depth : Floats
        (N,) float32, normalized inverse depth.
    faces : Indices
        (M, 3) int64, counter-clockwise as seen by the camera.
    """

    points: Floats
    uv: Floats
    depth: Floats
    faces: Indices


def triangulate(depth: Floats, max_step: float, flat: float) -> Relief:
    """Triangles for a depth picture.

    Parameters
    ----------
    depth : Floats
        (H, W) float32 in [0, 1], normalized inverse depth; NaN = no surface.
    max_step : float
        Depth difference of neighbors above which they are not connected.
    flat : float
        Depth error allowed where cells merge; 0 merges exact planes only.
    """
    corners = _corner_depths(depth, max_step)
    leaves = _merge(depth, corners, flat)
    height, width = depth.shape
    used = np.zeros(corners.shape, bool)
    for size, (rows, columns) in leaves.items():
        for right, down in _RING:
            used[rows + down * size, columns + right * size] = True
    sound = used & ~np.isnan(corners)
    number = np.cumsum(sound.ravel()).reshape(sound.shape) - 1
    rows, columns = np.nonzero(sound)
    vertices = [np.column_stack([columns, rows, columns, rows, corners[sound]]).astype(np.float32)]
    faces: list[Indices] = []
    total = len(rows)
    for size, (rows, columns) in leaves.items():
        if size == 1:
            ring, own = _single_cells(depth, corners, number, rows, columns, max_step, total)
            faces += [ring[:, [0, 1, 2]], ring[:, [0, 2, 3]]]
        else:
            own, more = _large_cells(corners, used, number, rows, columns, size, total)
            faces += more
        vertices.append(own)
        total += len(own)
    everything = np.concatenate(vertices)
    scale = np.array([width, height], np.float32)
    return Relief(everything[:, :2] / scale, everything[:, 2:4] / scale, everything[:, 4], np.concatenate(faces))


def place(
    relief: Relief, texture: Image, camera: Camera, size: Size, name: str, near_far: tuple[float, float] | None
) -> Mesh:
    """Convert a relief from picture space to world space, as seen by the camera at the origin.

    Parameters
    ----------
    camera : Camera
        The one that took the photo.
    size : Size
        The photo's.
    near_far : tuple[float, float] | None
        Distances in meters of depth 1 and 0, or None for scene units (1 to 10).
    """
    if near_far is None:
        inverse = FARTHEST_INVERSE + (1 - FARTHEST_INVERSE) * relief.depth.astype(np.float64)
    else:
        near, far = near_far
        inverse = relief.depth.astype(np.float64) * (1 / near - 1 / far) + 1 / far
    focal = camera.focal(size.aspect)
    away = 1 / inverse
    across = (relief.points[:, 0] - 0.5) / focal * away
    up = (0.5 - relief.points[:, 1]) / (focal * size.aspect) * away
    return Mesh(
        np.column_stack([across, up, -away]).astype(np.float32),
        relief.faces.astype(np.uint32),
        relief.uv,
        texture,
        name,
    )


def _corner_depths(depth: Floats, max_step: float) -> Floats:
    """(H+1, W+1): the mean of the pixels around each corner; NaN where they are not connected."""
    padded = np.pad(depth, 1, mode="edge")
    around = np.stack([padded[:-1, :-1], padded[:-1, 1:], padded[1:, :-1], padded[1:, 1:]])
    together = around.max(0) - around.min(0) <= max_step  # False for NaN
    return np.where(together, around.mean(0), np.nan).astype(np.float32)


def _merge(depth: Floats, corners: Floats, flat: float) -> dict[int, tuple[Indices, Indices]]:
    """Map the size of a square cell to the rows and columns of the upper left corners of all cells of that size."""
    height, width = depth.shape
    covered = np.isnan(depth)
    leaves: dict[int, tuple[Indices, Indices]] = {}
    size = _LARGEST
    while size > 1:
        down, across = height // size, width // size
        if down and across:
            rows, columns = corners.strides
            shape = (down, across, size + 1, size + 1)
            blocks = as_strided(corners, shape, (rows * size, columns * size, rows, columns), writeable=False)
            t = np.linspace(0, 1, size + 1, dtype=np.float32)
            left = blocks[..., :1, :1] + (blocks[..., -1:, :1] - blocks[..., :1, :1]) * t[:, None]
            right = blocks[..., :1, -1:] + (blocks[..., -1:, -1:] - blocks[..., :1, -1:]) * t[:, None]
            fits = (np.abs(blocks - (left + (right - left) * t)) <= flat).all((2, 3))
            fits &= ~covered[: down * size : size, : across * size : size]
            at = np.nonzero(fits)
            leaves[size] = (at[0] * size, at[1] * size)
            covered[: down * size, : across * size] |= np.kron(fits, np.ones((size, size), bool))
        size //= 2
    rest = np.nonzero(~covered)
    leaves[1] = (rest[0], rest[1])
    return leaves


def _single_cells(
    depth: Floats, corners: Floats, number: Indices, rows: Indices, columns: Indices, max_step: float, first: int
) -> tuple[Indices, Floats]:
    """(N, 4) vertices around each one-pixel cell, and the new vertices (corners at discontinuities) among them."""
    height, width = depth.shape
    ring = np.empty((len(rows), 4), np.int64)
    new: list[Floats] = []
    for corner, (right, down) in enumerate(_RING):
        x, y = columns + right, rows + down
        ring[:, corner] = number[y, x]  # its values at corners on discontinuities are replaced
        split = np.flatnonzero(np.isnan(corners[y, x]))
        py, px = rows[split], columns[split]
        beside_x = np.clip(px + (1 if right else -1), 0, width - 1)
        beside_y = np.clip(py + (1 if down else -1), 0, height - 1)
        own = depth[py, px]
        around = np.stack([depth[py, beside_x], depth[beside_y, px], depth[beside_y, beside_x]])
        with np.errstate(invalid="ignore"):
            same = np.abs(around - own) <= max_step
        mean = (own + np.where(same, around, 0).sum(0)) / (1 + same.sum(0))
        u = np.where(same[0], x[split], px + 0.5)
        v = np.where(same[1], y[split], py + 0.5)
        # Numbered after the last vertex for now; duplicates of a corner shared by neighboring pixels are merged below.
        ring[split, corner] = -1 - sum(map(len, new)) - np.arange(len(split))
        new.append(np.column_stack([x[split], y[split], u, v, mean]).astype(np.float32))
    kept, index = np.unique(np.concatenate(new), axis=0, return_inverse=True)
    unsettled = ring < 0
    ring[unsettled] = first + index.reshape(-1)[-1 - ring[unsettled]]
    return ring, kept


def _large_cells(
    corners: Floats, used: NDArray[np.bool_], number: Indices, rows: Indices, columns: Indices, size: int, first: int
) -> tuple[Floats, list[Indices]]:
    """The middles of cells with smaller neighbors, as new vertices, and all triangles of these cells."""
    # All corners on the cell's border, counter-clockwise; those used by smaller neighbors must be kept to avoid cracks.
    run, zero, full = np.arange(size), np.zeros(size, int), np.full(size, size)
    ring_y = rows[:, None] + np.concatenate([run, full, size - run, zero])
    ring_x = columns[:, None] + np.concatenate([zero, run, full, size - run])
    kept = used[ring_y, ring_x]
    ring = number[ring_y, ring_x]
    plain = kept.sum(1) == 4
    square = ring[plain][:, [0, size, 2 * size, 3 * size]]
    fan_ring, fan_kept = ring[~plain], kept[~plain]
    fan, _ = np.nonzero(fan_kept)
    border = fan_ring[fan_kept]
    # The next corner of the same cell: the following entry, or the cell's first after its last.
    starts = (
        np.concatenate([[0], np.cumsum(fan_kept.sum(1))[:-1]]).astype(np.int64) if len(fan_ring) else np.zeros(0, int)
    )
    following = np.arange(1, len(border) + 1)
    ends = np.concatenate([starts[1:], [len(border)]]) - 1 if len(starts) else starts
    following[ends] = starts
    middle_y, middle_x = rows[~plain] + size / 2, columns[~plain] + size / 2
    depth = sum(corners[rows[~plain] + down * size, columns[~plain] + right * size] for right, down in _RING) / 4
    middles = np.column_stack([middle_x, middle_y, middle_x, middle_y, depth]).astype(np.float32)
    fans = np.column_stack([first + fan, border, border[following]]) if len(border) else np.zeros((0, 3), np.int64)
    return middles, [square[:, [0, 1, 2]], square[:, [0, 2, 3]], fans]
