"""Memory that building layers needs beyond the picture and its depth: per pixel, whatever the size."""

from __future__ import annotations

import tracemalloc

import cv2
import numpy as np

from depth3d.depthmap import DepthMap
from depth3d.geometry.edges.outlines import NETWORK_SOFT_SHARE
from depth3d.geometry.edges.sharpen import softness
from depth3d.geometry.mesh.layers import build_layers
from depth3d.image import Image

MOST = 46  # bytes per pixel: 41 are measured, it was 77


def test_layers_of_a_soft_depth_map_take_few_bytes_per_pixel() -> None:
    width, height, travel = 1920, 1280, 2.0
    rng = np.random.default_rng(0)
    values = np.repeat(np.linspace(0, 0.3, height, dtype=np.float32)[:, None], width, 1)
    picture = rng.integers(90, 110, (height, width, 3), np.uint8)
    for level in np.linspace(0.3, 1, 40):
        at, radius = (int(rng.integers(width)), int(rng.integers(height))), int(rng.integers(20, 120))
        cv2.circle(values, at, radius, float(level), -1)
        cv2.circle(picture, at, radius, tuple(int(c) for c in rng.integers(0, 255, 3)), -1)
    depth = DepthMap(np.clip(cv2.GaussianBlur(values, (0, 0), 6), 0, 1).astype(np.float32))
    assert softness(depth.values * np.float32(travel / 100 * width)) > NETWORK_SOFT_SHARE
    image = Image(picture)
    tracemalloc.start()
    mesh = build_layers(image, depth, parallax_percent=travel, border_percent=travel / 2)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(mesh.layers) >= 3
    assert peak / (width * height) < MOST
