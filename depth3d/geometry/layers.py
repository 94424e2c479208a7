"""A photo and its depth become layers: the torn picture in front, the filled background behind it."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.camera import Camera
from depth3d.depthmap import DepthMap
from depth3d.errors import InvalidInput
from depth3d.geometry.cuts import find_cuts
from depth3d.geometry.displace import torn_grid
from depth3d.geometry.inpaint import pull_push
from depth3d.image import Image
from depth3d.layeredmesh import Layer, LayeredMesh
from depth3d.options import Quality

__all__ = ["build_layers"]

TEAR_PIXELS = 1.0


def build_layers(image: Image, depth: DepthMap, *, parallax_percent: float, quality: Quality = "normal") -> LayeredMesh:
    """Tear the picture along its depth steps and complete the background behind the foreground.

    Parameters
    ----------
    image: the photo at the size it will be shown at.
    depth: of the same size (resize before).
    parallax_percent: the largest shift between nearest and farthest that any view will show, percent of
        the width; decides what counts as a tear and how far behind the foreground the background is filled.

    Raises ``InvalidInput`` if the sizes differ or the parallax is negative.
    """
    if image.size != depth.size:
        raise InvalidInput(f"build_layers: the depth map is {depth.size}, expected the picture's {image.size}")
    if not (math.isfinite(parallax_percent) and parallax_percent >= 0):
        raise InvalidInput(f"build_layers: parallax_percent is {parallax_percent}, expected a number >= 0")
    image = image.eight_bit()
    travel = parallax_percent / 100 * image.size.width
    margin = math.ceil(travel) + 2
    values = cv2.copyMakeBorder(depth.values, margin, margin, margin, margin, cv2.BORDER_REPLICATE)
    pixels = cv2.copyMakeBorder(image.pixels, margin, margin, margin, margin, cv2.BORDER_REPLICATE)
    front = _sheet(values, pixels, travel, margin, image)
    reach = 2 * math.ceil(travel / 2) + 3
    behind = cv2.erode(values, np.ones((reach, reach), np.uint8))
    behind = cv2.blur(behind, (3, 3))
    known = values - behind < 1.5 / max(travel, 1e-3)
    filled = pull_push(pixels.astype(np.float32), cv2.erode(known.astype(np.uint8), np.ones((3, 3))) > 0)
    back = _sheet(np.minimum(behind, values), np.clip(filled + 0.5, 0, 255).astype(np.uint8), travel, margin, image)
    return LayeredMesh((back, front), image.size, Camera.of_photo(image))


def _sheet(values: NDArray[np.float32], pixels: NDArray[np.uint8], travel: float, margin: int, image: Image) -> Layer:
    corners, depths, faces = torn_grid(values, find_cuts(values * np.float32(travel), TEAR_PIXELS))
    size = np.array(image.size, np.float32)
    padded = np.array(values.shape[::-1], np.float32)
    return Layer((corners - margin) / size, depths, corners / padded, faces, Image(pixels))
