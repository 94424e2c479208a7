"""A layer back into pictures: what the photographer's camera sees of it, as depth and as colours.

Files for viewers that displace pictures themselves (the 3D page), and meshes coarser than the renderer's,
start from these.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.image import Image, Size
from depth3d.layeredmesh import Layer

__all__ = ["FlatLayer", "flatten_layer"]

_SAMPLES = 2_000_000  # pixels tried at a time: bounds the memory at about 100 MB


@dataclass(frozen=True, slots=True, eq=False)
class FlatLayer:
    """One layer as seen by the camera that took the photo.

    Parameters
    ----------
    depth: (H, W) float32, normalised inverse depth; NaN where the layer covers nothing.
    picture: the colours, of the same size; arbitrary where ``depth`` is NaN.
    """

    depth: NDArray[np.float32]
    picture: Image


def flatten_layer(layer: Layer, size: Size) -> FlatLayer:
    """Draw one layer without moving the camera: one sample in the middle of each of ``size`` pixels.

    A layer is a single-valued sheet over the picture, so no depth test is needed.
    """
    depth = np.full(size.pixels, np.nan, np.float32)
    uv = np.zeros((size.pixels, 2), np.float32)
    corners = layer.positions * np.array(size, np.float32) - np.float32(0.5)
    triangles = corners[layer.faces]
    low = np.maximum(np.ceil(triangles.min(1) - 1e-4), 0).astype(np.int32)
    high = np.minimum(np.floor(triangles.max(1) + 1e-4), np.array(size) - 1).astype(np.int32)
    span = (high - low + 1).max(1)
    touched = ((high - low) >= 0).all(1)
    # Triangles of like size together, so that each group is one array operation.
    reach = 1
    while touched.any():
        chosen = np.flatnonzero(touched & (span <= reach))
        step = max(1, _SAMPLES // (reach * reach))
        for start in range(0, len(chosen), step):
            _draw(layer, triangles, low, chosen[start : start + step], reach, size, depth, uv)
        touched[chosen] = False
        reach *= 2
    at = uv.reshape(size.height, size.width, 2) * np.array(layer.texture.size, np.float32) - np.float32(0.5)
    colors = cv2.remap(
        layer.texture.eight_bit().pixels,
        at[..., 0].copy(),
        at[..., 1].copy(),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return FlatLayer(depth.reshape(size.height, size.width), Image(colors))


def _draw(
    layer: Layer,
    triangles: NDArray[np.float32],
    low: NDArray[np.int32],
    chosen: NDArray[np.int64],
    reach: int,
    size: Size,
    depth: NDArray[np.float32],
    uv: NDArray[np.float32],
) -> None:
    """Sample ``chosen`` triangles at the ``reach`` x ``reach`` pixels from their ``low`` corners on."""
    steps = np.arange(reach, dtype=np.int32)
    offsets = np.stack(np.meshgrid(steps, steps), -1).reshape(1, -1, 2)
    pixels = low[chosen][:, None] + offsets
    a, b, c = (triangles[chosen, index][:, None] for index in range(3))
    area = _cross(b - a, c - a)
    point = pixels.astype(np.float32)
    weights = np.stack([_cross(c - b, point - b), _cross(a - c, point - c), _cross(b - a, point - a)], -1)
    with np.errstate(divide="ignore", invalid="ignore"):
        weights /= area[..., None]
    inside = (weights >= -1e-4).all(-1) & (pixels < np.array(size)).all(-1) & (area != 0)
    row, _ = np.nonzero(inside)
    where = pixels[inside][:, 1] * size.width + pixels[inside][:, 0]
    share = weights[inside]
    vertices = layer.faces[chosen[row]]
    depth[where] = (layer.depth[vertices] * share).sum(-1)
    uv[where] = (layer.uv[vertices] * share[..., None]).sum(1)


def _cross(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    product: NDArray[np.float32] = a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    return product
