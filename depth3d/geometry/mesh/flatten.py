"""Rasterizes a layer from the camera that took the photo: its depth and its colors as pictures.

These are the input for the 3D page, which displaces pictures itself, and for meshes coarser than the renderer's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.image import Image, Size
from depth3d.layeredmesh import Layer

__all__ = ["FlatLayer", "flatten_layer"]

Floats = NDArray[np.float32]
Indices = NDArray[np.signedinteger[Any]]

_SAMPLES = 2_000_000  # pixels tried at a time: bounds the memory at about 100 MB
_EDGE = 1e-4  # a pixel center on the edge between two triangles belongs to both


@dataclass(frozen=True, slots=True, eq=False)
class FlatLayer:
    """One layer as seen by the camera that took the photo.

    Parameters
    ----------
    depth : NDArray[np.float32]
        (H, W) float32 in [0, 1], normalized inverse depth; NaN where the layer has no surface.
    picture : Image
        The colors, of the same size; arbitrary where ``depth`` is NaN.
    """

    depth: NDArray[np.float32]
    picture: Image


def flatten_layer(layer: Layer, size: Size) -> FlatLayer:
    """Draw one layer without moving the camera: one sample at the center of each of ``size`` pixels.

    A layer has a single depth at each pixel of the picture, so no depth test is needed.
    """
    # Columns one by one throughout: numpy is many times slower along an axis of two or three.
    x = layer.positions[:, 0] * np.float32(size.width) - np.float32(0.5)
    y = layer.positions[:, 1] * np.float32(size.height) - np.float32(0.5)
    corners = [(x[index], y[index]) for index in layer.faces.T]
    (left, right), (top, bottom) = (_span([corner[axis] for corner in corners], size[axis]) for axis in (0, 1))
    reach = np.maximum(right - left, bottom - top) + 1
    waiting = (right >= left) & (bottom >= top)
    canvas = np.full((3, size.pixels), np.nan, np.float32)
    values = np.stack([layer.depth, layer.uv[:, 0], layer.uv[:, 1]])
    # Triangles of similar size are grouped, so that each group takes a few array operations.
    side = 1
    while waiting.any():
        chosen = np.flatnonzero(waiting & (reach <= side))
        step = max(1, _SAMPLES // (side * side))
        for start in range(0, len(chosen), step):
            some = chosen[start : start + step]
            shapes = [(column[some], row[some]) for column, row in corners]
            where, triangle, weights = _samples(shapes, left[some], top[some], side, size)
            vertices = layer.faces[some[triangle]].T
            canvas[:, where] = sum(values[:, vertex] * weight for vertex, weight in zip(vertices, weights, strict=True))
        waiting[chosen] = False
        side *= 2
    depth, u, v = canvas.reshape(3, size.height, size.width)
    across, down = (
        np.nan_to_num(uv * np.float32(side) - np.float32(0.5))
        for uv, side in zip((u, v), layer.texture.size, strict=True)
    )
    texture = layer.texture.eight_bit().pixels
    pixels = cv2.remap(texture, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return FlatLayer(depth, Image(pixels))


def _span(places: list[Floats], count: int) -> tuple[Indices, Indices]:
    """First and last of ``count`` pixel centers that each triangle may cover along one axis."""
    low = np.minimum(np.minimum(places[0], places[1]), places[2])
    high = np.maximum(np.maximum(places[0], places[1]), places[2])
    first = np.maximum(np.ceil(low - np.float32(_EDGE)), 0).astype(np.int32)
    return first, np.minimum(np.floor(high + np.float32(_EDGE)), count - 1).astype(np.int32)


def _samples(
    corners: list[tuple[Floats, Floats]], left: Indices, top: Indices, side: int, size: Size
) -> tuple[Indices, Indices, tuple[Floats, Floats, Floats]]:
    """Test ``side`` x ``side`` pixels for each triangle; return those inside.

    Returns (K,) pixel indices, (K,) triangle indices, and (K,) barycentric coordinates for each of the three corners.
    """
    (ax, ay), (bx, by), (cx, cy) = ((x[:, None], y[:, None]) for x, y in corners)
    steps = np.arange(side, dtype=np.int32)
    columns = left[:, None] + np.tile(steps, side)
    rows = top[:, None] + np.repeat(steps, side)
    px, py = columns.astype(np.float32), rows.astype(np.float32)
    area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    with np.errstate(divide="ignore", invalid="ignore"):
        share_a = ((cx - bx) * (py - by) - (cy - by) * (px - bx)) / area
        share_b = ((ax - cx) * (py - cy) - (ay - cy) * (px - cx)) / area
    share_c = 1 - share_a - share_b
    edge = np.float32(-_EDGE)
    inside = (share_a >= edge) & (share_b >= edge) & (share_c >= edge) & (columns < size.width) & (rows < size.height)
    triangle = np.nonzero(inside)[0].astype(np.int32)
    return rows[inside] * size.width + columns[inside], triangle, (share_a[inside], share_b[inside], share_c[inside])
