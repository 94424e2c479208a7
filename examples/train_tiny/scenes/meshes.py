"""Meshes by formula: boxes, turned bodies, rods, cloths, masks. Meters, Y up, the middle of the base at the origin."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from textures import Shelf, noise, procedural, random_color

Generator = np.random.Generator
Array = NDArray[np.float32]


class Part(NamedTuple):
    """Triangles of one material: corners (3 N, 8) of position, normal and texture place; color (3,); RGBA texture."""

    vertices: Array
    color: Array
    texture: NDArray[np.uint8] | None = None


Mesh = list[Part]
WHITE = np.ones(3, np.float32)


def paint(rng: Generator, shelf: Shelf, photograph: float = 0.6, smallest: float = 0.15) -> NDArray[np.uint8] | None:
    """A random surface: a crop of a real picture, a pattern, or None for a plain color."""
    kind = rng.random()
    if kind < photograph:
        picture = shelf.photograph(rng, 128, 128, smallest)
    elif kind < photograph + 0.25 * (1 - photograph):
        picture = procedural(rng)
    else:
        return None
    picture = np.clip(picture * 255, 0, 255).astype(np.uint8)
    return np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)])


def painted(vertices: Array, rng: Generator, texture: NDArray[np.uint8] | None) -> Part:
    """A part with the texture, or in a random color."""
    color = WHITE if texture is not None else random_color(rng, 0.6 if rng.random() < 0.25 else 0.2)
    return Part(vertices, color, texture)


def grid(points: Array, closed: bool = False) -> Array:
    """Corners of a grid of points (rows, columns, 3), its normals to the right of rows x columns; smooth.

    `closed`: the last column of points equals the first one.
    """
    rows, columns = points.shape[:2]
    down, along = np.gradient(points, axis=0), np.gradient(points, axis=1)
    if closed:
        along[:, 0] = along[:, -1] = (points[:, 1] - points[:, -2]) / 2
    normals = np.cross(down, along)
    normals /= np.maximum(np.linalg.norm(normals, axis=2, keepdims=True), 1e-9)
    v, u = np.mgrid[0 : 1 : rows * 1j, 0 : 1 : columns * 1j]
    corner = np.concatenate([points, normals, u[:, :, None], v[:, :, None]], axis=2).astype(np.float32)
    a, b, c, d = corner[:-1, :-1], corner[:-1, 1:], corner[1:, :-1], corner[1:, 1:]
    return np.stack([a, c, b, b, c, d], axis=2).reshape(-1, 8)


def rectangle(origin: Array, across: Array, up: Array, tile: float = 0.0) -> Array:
    """Corners of a flat rectangle from its lower left point; the texture once, or every `tile` meters."""
    normal = np.cross(across, up)
    normal = normal / np.linalg.norm(normal)
    u, v = (np.linalg.norm(across) / tile, np.linalg.norm(up) / tile) if tile else (1.0, 1.0)
    places = [(0, 0), (1, 0), (1, 1), (0, 0), (1, 1), (0, 1)]
    return np.array(
        [
            np.hstack([origin + across * x + up * y, normal, x * u, (1 - y) * v if not tile else y * v])
            for x, y in places
        ],
        np.float32,
    )


def box(size: Array, base: Array | None = None, tile: float = 0.0) -> Array:
    """Corners of a box of width, height and depth: front, back, left, right, top, bottom, 6 corners each."""
    w, h, d = (float(side) for side in size)
    x, y, z = np.eye(3)
    o = np.array([-w / 2, 0, -d / 2]) + (0 if base is None else base)
    sides = [
        (o + z * d, x * w, y * h),
        (o + x * w, -x * w, y * h),
        (o, z * d, y * h),
        (o + x * w + z * d, -z * d, y * h),
    ]
    sides += [(o + y * h + z * d, x * w, -z * d), (o, x * w, z * d)]
    return np.vstack([rectangle(*side, tile) for side in sides]).astype(np.float32)


def carton(rng: Generator, shelf: Shelf, size: Array) -> Mesh:
    """A box with a picture on its front and top, plain or pictured elsewhere: packages, books, games."""
    corners = box(size)
    front, plain = paint(rng, shelf, 0.8), paint(rng, shelf, 0.3)
    shown = np.r_[0:12, 24:30] if rng.random() < 0.5 else np.r_[0:6, 24:30]
    rest = np.setdiff1d(np.arange(36), shown)
    return [painted(corners[shown], rng, front), painted(corners[rest], rng, plain)]


def turned(radii: Array, heights: Array, sides: int = 28) -> Array:
    """Corners of a body of revolution around Y from a profile that goes upwards."""
    angle = np.linspace(0, 2 * np.pi, sides + 1)
    points = np.stack(
        [
            radii[:, None] * np.cos(angle),
            np.repeat(heights[:, None], sides + 1, axis=1),
            radii[:, None] * np.sin(angle),
        ],
        axis=2,
    )
    return grid(points, closed=True)


def vessel(rng: Generator, shelf: Shelf, height: float) -> Mesh:
    """A vase, bottle, cone, bowl, can, ball or column; hollow ones have an inside."""
    kind = rng.choice(["vase", "bottle", "cone", "bowl", "can", "ball", "cup"])
    t = np.linspace(0, 1, 24)
    wide = height * rng.uniform(0.15, 0.45)
    if kind == "vase":
        radii = wide * (0.55 + 0.45 * np.sin(t * rng.uniform(2, 5) + rng.uniform(0, 3)) * (1 - 0.4 * t))
    elif kind == "bottle":
        neck = rng.uniform(0.5, 0.75)
        radii = wide * 0.7 * np.where(t < neck, 1.0, np.maximum(0.35, 1 - (t - neck) * 5))
    elif kind == "cone":
        radii = wide * np.maximum(1 - t, 0.02) ** rng.uniform(0.7, 1.2)
    elif kind == "bowl":
        height, wide = height * 0.5, height * rng.uniform(0.5, 0.9)
        radii = wide * (0.35 + 0.65 * t ** rng.uniform(0.4, 0.9))
    elif kind == "ball":
        wide = height / 2
        radii = wide * np.sqrt(np.maximum(1 - (2 * t - 1) ** 2, 0))
    else:
        radii = wide * (1 - rng.uniform(0, 0.3) * (1 - t if kind == "cup" else t))
    heights = height * t
    open_top = kind in ("vase", "bowl", "cup")
    inner = radii[::-1] * 0.92 if open_top else np.linspace(radii[-1], 0, 4)
    inner_heights = heights[::-1] * 0.98 + 0.02 * height if open_top else np.full(4, height)
    profile = (
        np.concatenate([[0.0], radii, inner, [0.0]]),
        np.concatenate([[0.0], heights, inner_heights, inner_heights[-1:]]),
    )
    return [painted(turned(*profile), rng, paint(rng, shelf, 0.4))]


def rod(start: Array, end: Array, radius: float, sides: int = 8) -> Array:
    """Corners of a cylinder between two points."""
    axis = end - start
    length = float(np.linalg.norm(axis))
    y = axis / length
    x = np.cross(y, [1.0, 0, 0] if abs(y[0]) < 0.8 else [0, 0, 1.0])
    x /= np.linalg.norm(x)
    turn = np.stack([x, y, np.cross(x, y)], axis=1)
    corners = turned(np.array([0, radius, radius, 0]), np.array([0, 0, length, length]), sides)
    corners[:, :3] = corners[:, :3] @ turn.T + start
    corners[:, 3:6] = corners[:, 3:6] @ turn.T
    return corners.astype(np.float32)


def sticks(rng: Generator, shelf: Shelf, height: float) -> Mesh:
    """Brushes, pens or canes in a mug, or a frame of rods."""
    mesh: Mesh = []
    if rng.random() < 0.6:
        wide = height * rng.uniform(0.12, 0.25)
        mesh.append(
            painted(turned(np.array([0, wide, wide]), np.array([0, 0, height * 0.45])), rng, paint(rng, shelf, 0.3))
        )
        for _ in range(int(rng.integers(4, 14))):
            foot = np.array([*(rng.uniform(-0.5, 0.5, 2) * wide), 0])[[0, 2, 1]]
            head = foot * rng.uniform(1, 3) + [
                rng.normal(0, 0.15) * height,
                height * rng.uniform(0.7, 1.1),
                rng.normal(0, 0.15) * height,
            ]
            mesh.append(painted(rod(foot, head, height * rng.uniform(0.008, 0.03)), rng, None))
        return mesh
    wide, radius = height * rng.uniform(0.4, 1.2), height * rng.uniform(0.008, 0.025)
    count, part = int(rng.integers(3, 9)), []
    for x in np.linspace(-wide / 2, wide / 2, count):
        part.append(rod(np.array([x, 0, 0]), np.array([x, height, 0]), radius))
    for y in np.linspace(radius, height, int(rng.integers(2, 6))):
        part.append(rod(np.array([-wide / 2, y, 0]), np.array([wide / 2, y, 0]), radius))
    return [painted(np.vstack(part), rng, None)]


def cloth(rng: Generator, shelf: Shelf, size: float) -> Mesh:
    """A cloth that lies in folds over something round."""
    count = 40
    z, x = np.mgrid[-1 : 1 : count * 1j, -1 : 1 : count * 1j]
    away = np.hypot(x * rng.uniform(0.7, 1.4), z)
    folds = noise(rng, count, count, int(rng.integers(3, 8)), 0.4, 3)
    y = np.maximum(rng.uniform(0, 0.8) * np.exp(-3 * away**2) + (folds - 0.4) * rng.uniform(0.1, 0.4), 0.003)
    points = np.stack([x * size / 2, y * size / 2, z * size / 2], axis=2)
    return [painted(grid(points), rng, paint(rng, shelf, 0.5))]


def mask(rng: Generator, shelf: Shelf, height: float) -> Mesh:
    """A shallow relief that stands upright: masks, plates, shields."""
    count = 32
    angle = np.linspace(0, 2 * np.pi, count + 1)
    r = np.linspace(1, 0, 16)[:, None]
    wobble = 1 + 0.1 * np.cos(angle * int(rng.integers(2, 6)) + rng.uniform(0, 6))
    x, y = r * np.cos(angle) * wobble * rng.uniform(0.55, 1.0), r * np.sin(angle) * wobble
    field = cv2.GaussianBlur(noise(rng, 64, 64, 5, 0.5, 3), (0, 0), 1.0)
    relief = field[np.clip((y * 31 + 32).astype(int), 0, 63), np.clip((x * 31 + 32).astype(int), 0, 63)]
    z = np.sqrt(np.maximum(1 - r**2, 0)) * (rng.uniform(0.2, 0.6) + 0.5 * (relief - 0.5))
    points = np.stack([x * height / 2, (y + 1) * height / 2, z * height / 2], axis=2)
    points[:, -1] = points[:, 0]
    corners = grid(points, closed=True)
    corners[:, 6] = corners[:, 0] / height + 0.5
    corners[:, 7] = 1 - corners[:, 1] / height
    return [painted(corners, rng, paint(rng, shelf, 0.7))]
