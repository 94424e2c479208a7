"""Scenes whose views are known by formula."""

from __future__ import annotations

import math

import numpy as np

from depth3d.depthmap import DepthMap
from depth3d.image import Image, Size


def texture(size: Size, seed: int = 0) -> Image:
    """Soft random colors: every pixel differs from its neighbors, none by much."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (size.height // 8 + 2, size.width // 8 + 2, 3)).astype(np.float32)
    rows, columns = np.mgrid[0 : size.height, 0 : size.width] / 8.0
    y, x = rows.astype(int), columns.astype(int)
    down, right = (rows - y)[..., None], (columns - x)[..., None]
    top = coarse[y, x] * (1 - right) + coarse[y, x + 1] * right
    bottom = coarse[y + 1, x] * (1 - right) + coarse[y + 1, x + 1] * right
    return Image((top * (1 - down) + bottom * down).astype(np.uint8))


def plane(size: Size, depth: float) -> DepthMap:
    """One depth everywhere."""
    return DepthMap(np.full((size.height, size.width), depth, np.float32))


def step(size: Size, left: int, right: int) -> tuple[Image, DepthMap]:
    """A red wall (depth 1) from column ``left`` up to ``right`` before a blue one (depth 0)."""
    pixels = np.zeros((size.height, size.width, 3), np.uint8)
    pixels[...] = (20, 40, 200)
    pixels[:, left:right] = (220, 30, 30)
    depth = np.zeros((size.height, size.width), np.float32)
    depth[:, left:right] = 1
    return Image(pixels), DepthMap(depth)


def disc(size: Size, radius: float, *, checker: int = 8) -> tuple[Image, DepthMap, np.ndarray]:
    """A red disc (depth 1), its outline anti-aliased, before a gray checkerboard (depth 0); and its coverage."""
    rows, columns = np.mgrid[0 : size.height, 0 : size.width]
    board = np.where((rows // checker + columns // checker) % 2, 60, 200).astype(np.float32)
    away = np.hypot(rows + 0.5 - size.height / 2, columns + 0.5 - size.width / 2)
    coverage = np.clip(radius - away + 0.5, 0, 1)[..., None].astype(np.float32)
    pixels = board[..., None] * (1 - coverage) + np.array([230, 20, 20], np.float32) * coverage
    return (
        Image(pixels.round().astype(np.uint8)),
        DepthMap((coverage[..., 0] > 0.5).astype(np.float32)),
        coverage[..., 0],
    )


def panorama(width: int = 512, seed: int = 3) -> Image:
    """A world of smooth noise in three dimensions, drawn in equirectangular projection: no seam, poles are points."""
    height = width // 2
    longitude = (np.arange(width) + 0.5) / width * 2 * math.pi
    latitude = math.pi / 2 - (np.arange(height) + 0.5) / height * math.pi
    random = np.random.default_rng(seed)
    x = np.cos(latitude)[:, None] * np.cos(longitude)[None, :]
    y = np.cos(latitude)[:, None] * np.sin(longitude)[None, :]
    z = np.repeat(np.sin(latitude)[:, None], width, axis=1)
    total = np.zeros((height, width, 3))
    for _ in range(60):
        wave, phase = random.normal(0, 9, 3), random.uniform(0, 6, 3)
        total += np.sin((wave[0] * x + wave[1] * y + wave[2] * z)[..., None] + phase)
    return Image(np.clip(128 + 11 * total, 0, 255).astype(np.uint8))
