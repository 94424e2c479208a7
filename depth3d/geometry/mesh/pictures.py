"""Converts the layers of a photo to pictures of one size: the visible surface, and the background behind it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.depthmap import DepthMap
from depth3d.geometry.mesh.flatten import flatten_layer
from depth3d.geometry.mesh.layers import build_layers
from depth3d.image import Image

__all__ = ["MAX_STEP", "LayerPictures", "layer_pictures"]

# Largest depth difference of connected neighbors: less than two pixels on a screen 1280 wide at 4 percent parallax.
MAX_STEP = 0.03


@dataclass(frozen=True, slots=True, eq=False)
class LayerPictures:
    """The visible surface and the disoccluded background of a photo, as pictures of one size.

    Parameters
    ----------
    front : NDArray[np.float32]
        (H, W) float32 in [0, 1], normalized inverse depth of the visible surface.
    background : NDArray[np.float32]
        (H, W) float32, normalized inverse depth of the background, farther than ``front``; NaN where there is none.
    colors : Image
        Colors of the background, of the same size.
    """

    front: NDArray[np.float32]
    background: NDArray[np.float32]
    colors: Image


def layer_pictures(image: Image, depth: DepthMap, side: int, parallax: float) -> LayerPictures:
    """Return both layers of a photo as pictures.

    Parameters
    ----------
    image, depth : Image, DepthMap
        The photo and its depth.
    side : int
        Longest side of the pictures, pixels at most.
    parallax : float
        Travel between nearest and farthest point that the background is made for, percent of the width.
    """
    size = image.size.fit(side)
    small, values = image.resized(size), depth.resized(size)
    layers = build_layers(small, values, parallax_percent=parallax, quality="high").layers
    front = flatten_layer(layers[-1], size).depth
    front = np.where(np.isnan(front), depth.resized(size).values, front)
    hidden = np.full_like(front, np.nan)
    colors = np.zeros((size.height, size.width, 3), np.uint8)
    for layer in layers[:-1]:
        flat = flatten_layer(layer, size)
        drawn = ~np.isnan(flat.depth)
        hidden[drawn], colors[drawn] = flat.depth[drawn], flat.picture.pixels[drawn]
    # Keep the background where it is behind the front, dilated a little so that no gap shows between the two; but not
    # where its depth rises to that of the front.
    behind = hidden < front - 1 / 255
    around = np.ones((5, 5), np.uint8)
    floor = cv2.erode(np.where(behind, hidden, np.float32(1)), around)
    kept = behind | ((cv2.dilate(behind.astype(np.uint8), around) > 0) & (hidden <= floor + MAX_STEP))
    colors = _padded(colors, kept)
    # Slightly farther than the front where they meet, to avoid z-fighting.
    away = np.clip(np.minimum(hidden, front - 1 / 255), 0, 1)
    return LayerPictures(np.clip(front, 0, 1), np.where(kept, away, np.nan).astype(np.float32), Image(colors))


def _padded(colors: NDArray[np.uint8], kept: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Fill what is not kept with the nearest kept color, as a JPEG mixes the colors of its blocks; far off the mean."""
    if not kept.any():
        return np.zeros_like(colors)
    away, nearest = cv2.distanceTransformWithLabels(
        (~kept).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    color_of = np.zeros((int(nearest.max()) + 1, 3), np.uint8)
    color_of[nearest[kept]] = colors[kept]
    near = (away <= 24)[..., None]
    return np.asarray(np.where(near, color_of[nearest], colors[kept].mean(0)), np.uint8)
