"""Builds a solid plate for 3D printers from a picture of heights: a surface, four walls and a flat bottom.

The result is watertight: every edge belongs to exactly two triangles, and all triangles face outwards.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from depth3d.errors import InvalidInput

__all__ = ["Plate", "solid_plate"]


class Plate(NamedTuple):
    """A closed surface in millimeters; it lies on the plane Z = 0, seen from +Z it is upright.

    Parameters
    ----------
    vertices : NDArray[np.float32]
        (N, 3), millimeters; +X right, +Y up in the picture, +Z towards the viewer.
    faces : NDArray[np.uint32]
        (M, 3), counter-clockwise seen from outside.
    """

    vertices: NDArray[np.float32]
    faces: NDArray[np.uint32]


def solid_plate(heights: NDArray[np.float32], width: float) -> Plate:
    """Return the solid under a picture of heights.

    Raises ``InvalidInput`` unless all heights are positive and finite and there are at least 2 x 2.

    Parameters
    ----------
    heights : NDArray[np.float32]
        (H, W) float32, height of the surface above the bottom in millimeters at each point of the grid, row 0 at the
        upper side.
    width : float
        Width of the plate, millimeters; grid points are equally far apart in both directions.
    """
    rows, columns = heights.shape
    if min(rows, columns) < 2 or not np.isfinite(heights).all() or heights.min() <= 0:
        raise InvalidInput(
            f"heights of a plate: shape {heights.shape} from {heights.min():g} to {heights.max():g} mm, expected at "
            "least 2 x 2 positive numbers"
        )
    step = width / (columns - 1)
    y, x = np.mgrid[rows - 1 : -1 : -1, :columns]
    surface = np.column_stack([x.ravel() * step, y.ravel() * step, heights.ravel()])
    number = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = number[:-1, :-1], number[:-1, 1:], number[1:, :-1], number[1:, 1:]
    # Each cell is cut along the diagonal whose ends are nearer in height: the other one would cut notches into edges.
    level = heights.ravel()
    falling = np.abs(level[a] - level[d]) <= np.abs(level[b] - level[c])
    first = np.where(falling[..., None], np.stack([a, c, d], -1), np.stack([a, c, b], -1))
    second = np.where(falling[..., None], np.stack([a, d, b], -1), np.stack([b, c, d], -1))
    # The border, counter-clockwise seen from above: down the left side, along the lower, up the right, back.
    ring = np.concatenate([number[:-1, 0], number[-1, :-1], number[:0:-1, -1], number[0, :0:-1]])
    below = len(surface) + np.arange(len(ring))
    center = len(surface) + len(ring)
    foot = surface[ring] * (1, 1, 0)
    middle = [[(columns - 1) * step / 2, (rows - 1) * step / 2, 0]]
    after, below_after = np.roll(ring, -1), np.roll(below, -1)
    walls = [np.column_stack([ring, below, below_after]), np.column_stack([ring, below_after, after])]
    bottom = np.column_stack([np.full(len(ring), center), below_after, below])
    return Plate(
        np.concatenate([surface, foot, middle]).astype(np.float32),
        np.concatenate([first.reshape(-1, 3), second.reshape(-1, 3), *walls, bottom]).astype(np.uint32),
    )
