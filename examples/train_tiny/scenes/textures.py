"""Surfaces for the scenes: patches of real photographs and procedural noise, with a small mip pyramid each."""

from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Generator = np.random.Generator
Color = NDArray[np.float32]
TILE = 128


@dataclass
class Texture:
    """A square picture that repeats mirrored; level n is half as sharp as level n - 1, at the same size."""

    tile: Color
    levels: list[Color] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.levels = [self.tile]
        for _ in range(4):
            small = cv2.resize(self.levels[-1], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
            self.levels.append(np.ascontiguousarray(small))

    def sample(self, u: Color, v: Color, footprint: Color) -> Color:
        """Colors at texture coordinates u, v (1 = one tile); footprint = tiles per picture pixel. Any 2D shape."""
        side = len(self.tile)
        level = np.clip(np.round(np.log2(np.maximum(footprint * side, 1e-6))), 0, len(self.levels) - 1)
        u, v = np.abs((u * 0.5) % 1.0 * 2.0 - 1.0), np.abs((v * 0.5) % 1.0 * 2.0 - 1.0)
        result = np.zeros((*u.shape, 3), np.float32)
        for index in np.unique(level):
            tile = self.levels[int(index)]
            scale = len(tile) - 1
            x, y = (u * scale).astype(np.float32), (v * scale).astype(np.float32)
            colors = cv2.remap(tile, x, y, cv2.INTER_LINEAR)
            chosen = level == index
            result[chosen] = colors[chosen]
        return result


def noise(rng: Generator, height: int, width: int, coarsest: int, fall: float = 0.55, octaves: int = 5) -> Color:
    """Fractal value noise in [0, 1], (H, W): octaves of random grids, the first with `coarsest` cells across."""
    total, weight = np.zeros((height, width), np.float32), 1.0
    cells = coarsest
    for _ in range(octaves):
        rows = max(2, cells * height // width + 1)
        grid = rng.random((rows + 1, max(2, cells + 1)), np.float32)
        total += weight * cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)
        weight, cells = weight * fall, cells * 2
        if cells > width:
            break
    low, high = total.min(), total.max()
    return (total - low) / max(high - low, 1e-6)


def random_color(rng: Generator, saturation: float = 0.4) -> Color:
    """A random surface color of medium brightness and mostly low saturation; (3,)."""
    gray = rng.uniform(0.12, 0.9)
    return np.clip(gray * (1 + rng.normal(0, saturation, 3)), 0.02, 1).astype(np.float32)


def between(mask: Color, low: Color, high: Color) -> Color:
    """Mix two colors by a (H, W) mask."""
    return (low + (high - low) * mask[:, :, None]).astype(np.float32)


def procedural(rng: Generator) -> Color:
    """One of: cloudy noise, stripes, bricks, checks, grain, speckle; (TILE, TILE, 3)."""
    kind = rng.integers(6)
    first, second = random_color(rng), random_color(rng)
    y, x = np.mgrid[0:TILE, 0:TILE].astype(np.float32) / TILE
    if kind == 0:
        mask = noise(rng, TILE, TILE, int(rng.integers(2, 16)))
    elif kind == 1:
        mask = 0.5 + 0.5 * np.sign(np.sin(2 * np.pi * int(rng.integers(2, 12)) * (x if rng.random() < 0.7 else x + y)))
    elif kind == 2:
        rows, columns = int(rng.integers(4, 14)), int(rng.integers(3, 8))
        shifted = x * columns + 0.5 * (np.floor(y * rows) % 2)
        mask = ((y * rows % 1 > 0.12) & (shifted % 1 > 0.06)).astype(np.float32)
        mask *= 0.7 + 0.3 * noise(rng, TILE, TILE, 8)
    elif kind == 3:
        count = int(rng.integers(2, 10))
        mask = (np.floor(x * count) + np.floor(y * count)) % 2
    elif kind == 4:
        stretched = noise(rng, TILE, TILE, 3)
        mask = cv2.resize(noise(rng, TILE, 8, 4), (TILE, TILE)) * 0.7 + 0.3 * stretched
    else:
        mask = rng.random((TILE, TILE), np.float32)
    color = between(np.asarray(mask, np.float32), first, second)
    return np.clip(color * (0.8 + 0.4 * noise(rng, TILE, TILE, 4))[:, :, None], 0, 1).astype(np.float32)


def foliage(rng: Generator) -> Color:
    """Grass or leaves: greens to browns in fine, contrasty noise."""
    dark = np.array([0.08, 0.14, 0.04], np.float32) * rng.uniform(0.5, 2.0)
    light = np.array([0.42, 0.55, 0.18], np.float32) * rng.uniform(0.6, 1.3) * (1 + rng.normal(0, 0.15, 3))
    if rng.random() < 0.2:
        light = light[[1, 0, 2]]
    mask = noise(rng, TILE, TILE, int(rng.integers(6, 24)), fall=0.9) ** rng.uniform(0.8, 2.0)
    return np.clip(between(mask, dark, light.astype(np.float32)), 0, 1)


def facade(rng: Generator) -> Color:
    """A wall with a grid of windows."""
    wall, glass = random_color(rng, 0.2), random_color(rng, 0.2) * rng.uniform(0.15, 0.6)
    rows, columns = int(rng.integers(3, 9)), int(rng.integers(3, 9))
    y, x = np.mgrid[0:TILE, 0:TILE].astype(np.float32) / TILE
    inside = (np.abs(x * columns % 1 - 0.5) < rng.uniform(0.15, 0.4)) & (
        np.abs(y * rows % 1 - 0.5) < rng.uniform(0.2, 0.42)
    )
    lit = cv2.resize(rng.random((rows, columns), np.float32), (TILE, TILE), interpolation=cv2.INTER_NEAREST)
    color = between(inside.astype(np.float32), wall, glass)
    color[inside] *= (0.6 + 0.9 * lit)[inside][:, None]
    return np.clip(color * (0.85 + 0.3 * noise(rng, TILE, TILE, 6))[:, :, None], 0, 1).astype(np.float32)


class Shelf:
    """Source of textures: crops of real pictures, and procedural ones."""

    def __init__(self, pictures: list[NDArray[np.uint8]]) -> None:
        self.pictures = pictures

    def photograph(self, rng: Generator, height: int, width: int, smallest: float = 0.25) -> Color:
        """A crop of a real picture at least `smallest` of it wide, mirrored at will, resized; (H, W, 3) in [0, 1]."""
        picture = self.pictures[int(rng.integers(len(self.pictures)))]
        rows, columns = picture.shape[:2]
        scale = min(rows / height, columns / width) * rng.uniform(smallest, 1.0)
        high, wide = max(int(height * scale), 8), max(int(width * scale), 8)
        top, left = int(rng.integers(0, rows - high + 1)), int(rng.integers(0, columns - wide + 1))
        crop = picture[top : top + high, left : left + wide]
        if rng.random() < 0.5:
            crop = crop[:, ::-1]
        shrink = cv2.INTER_AREA if high > height else cv2.INTER_LINEAR
        resized = cv2.resize(np.ascontiguousarray(crop), (width, height), interpolation=shrink)
        return resized.astype(np.float32) / 255.0

    def texture(self, rng: Generator, kind: str = "any") -> Texture:
        """A surface: "any", "foliage" or "facade"."""
        if kind == "foliage":
            return Texture(foliage(rng))
        if kind == "facade":
            return Texture(facade(rng))
        if rng.random() < 0.5:
            return Texture(self.photograph(rng, TILE, TILE, 0.1))
        return Texture(procedural(rng))


def read_pictures(paths: list[Path], longest: int = 512) -> list[NDArray[np.uint8]]:
    """RGB pictures at most `longest` wide or high."""
    pictures = []
    for path in paths:
        picture = cv2.imread(str(path))[:, :, ::-1]
        scale = longest / max(picture.shape[:2])
        if scale < 1:
            picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        pictures.append(np.ascontiguousarray(picture))
    return pictures
