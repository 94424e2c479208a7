"""Color for cut-out shapes: skin, cloth, fur, leaves and petals, shaded as round bodies."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from silhouettes import SHAPES, profile
from textures import Shelf, between, foliage, noise, random_color

Generator = np.random.Generator
Plane = NDArray[np.float32]


class Figure(NamedTuple):
    """A painted cut-out: alpha (h, w), color (h, w, 3), profile (h, w) in [0, 1] of how far it bulges to the eye."""

    alpha: Plane
    color: Plane
    bulge: Plane


def skin(rng: Generator) -> Plane:
    """A skin color from very dark to very light."""
    light = rng.uniform(0, 1) ** 0.8
    return np.array([0.25 + 0.7 * light, 0.15 + 0.6 * light, 0.1 + 0.5 * light], np.float32)


def cloth(rng: Generator, shelf: Shelf, height: int, width: int) -> Plane:
    """One flat color, a photograph's patch or a pattern, with folds."""
    kind = rng.random()
    if kind < 0.4:
        base = np.broadcast_to(random_color(rng, 0.6), (height, width, 3)).copy()
    elif kind < 0.75:
        base = shelf.photograph(rng, height, width, 0.08)
    else:
        base = cv2.resize(shelf.texture(rng).tile, (width, height))
    folds = 0.75 + 0.5 * noise(rng, height, width, int(rng.integers(2, 7)))
    return np.asarray(base * folds[:, :, None], np.float32)


def paint_head(color: Plane, mask: Plane, rng: Generator, chin: float) -> None:
    """Draw hair, and a face with eyes and mouth, into the upper part of a person, in place."""
    height, width = mask.shape
    inside = mask[: max(int(chin * height), 2)] > 0.3
    columns = np.flatnonzero(inside.any(axis=0))
    if columns.size < 6:
        return
    middle, half = columns.mean(), (columns[-1] - columns[0]) / 2
    top = int(np.argmax(inside.any(axis=1)))
    y, x = np.mgrid[0 : int(chin * height), 0:width].astype(np.float32)
    hair = random_color(rng, 0.25) * rng.uniform(0.1, 0.9)
    strands = 0.7 + 0.6 * cv2.resize(noise(rng, 32, 64, 24), (width, len(y)))
    part = color[: len(y)]
    part[:] = hair * strands[:, :, None]
    span = chin * height - top
    turn = rng.normal(0, 0.15)
    face = ((x - middle - turn * half) / (0.62 * half)) ** 2 + ((y - top - 0.6 * span) / (0.46 * span)) ** 2 < 1
    tone = skin(rng)
    part[face] = tone
    if rng.random() < 0.8:
        for side in (-0.27, 0.27):
            eye = ((x - middle - (turn + side) * half) / (0.1 * half)) ** 2 + (
                (y - top - 0.5 * span) / (0.05 * span)
            ) ** 2 < 1
            part[eye] = tone * 0.25
        mouth = ((x - middle - turn * half) / (0.2 * half)) ** 2 + ((y - top - 0.82 * span) / (0.04 * span)) ** 2 < 1
        part[mouth] = tone * np.array([0.8, 0.45, 0.45], np.float32)
    color[: len(y)] = cv2.GaussianBlur(part, (0, 0), max(0.012 * span, 0.5))


def round_light(color: Plane, bulge: Plane, rng: Generator, strength: float) -> Plane:
    """Shade by the slope of the bulge, with light from a random direction."""
    angle = rng.uniform(0, 2 * np.pi)
    slope_y, slope_x = np.gradient(cv2.GaussianBlur(bulge, (0, 0), 2.0))
    lit = (np.cos(angle) * slope_x + np.sin(angle) * slope_y) * 12.0
    return np.asarray(np.clip(color * np.clip(1.0 + strength * lit, 0.35, 1.6)[:, :, None], 0, 1), np.float32)


def figure(rng: Generator, shelf: Shelf, kind: str) -> Figure:
    """A new painted cut-out of the kind."""
    mask = SHAPES[kind](rng)
    height, width = mask.shape
    bulge = profile(mask)
    if kind in ("person", "bust"):
        color = cloth(rng, shelf, height, width)
        if kind == "person":
            belt = int(height * rng.uniform(0.42, 0.56))
            color[belt:] = cloth(rng, shelf, height - belt, width)
        rows = np.flatnonzero((mask > 0.5).any(axis=1))
        paint_head(color, mask, rng, 0.17 if kind == "person" else (rows[0] / height + rng.uniform(0.36, 0.5)))
    elif kind == "tree":
        color = cv2.resize(foliage(rng), (width, height))
        color = color * (0.7 + 0.6 * noise(rng, height, width, 8))[:, :, None]
        trunk = int(height * 0.85)
        color[trunk:] = random_color(rng, 0.2) * 0.5
    elif kind == "stems":
        color = (
            cv2.resize(foliage(rng), (width, height), interpolation=cv2.INTER_LINEAR) * 0.4
            + random_color(rng, 0.5) * 0.5
        )
    elif kind == "flower":
        y, x = np.mgrid[0:height, 0:width].astype(np.float32) / height - 0.42
        radius = np.hypot(x - x.mean(), y)
        color = between(np.clip(radius * 3.3, 0, 1), random_color(rng, 0.9), random_color(rng, 0.9))
        rays = 0.75 + 0.25 * np.cos(np.arctan2(y, x - x.mean()) * int(rng.integers(5, 30)))
        color = color * (rays * (0.8 + 0.4 * noise(rng, height, width, 10)))[:, :, None]
        color[radius > 0.36] = np.array([0.25, 0.4, 0.12], np.float32)
    else:
        color = cloth(rng, shelf, height, width)
        if kind == "animal" and rng.random() < 0.6:
            fur = 0.6 + 0.8 * cv2.resize(noise(rng, 96, 96, 40), (width, height))
            color = (
                between(noise(rng, height, width, 5), random_color(rng, 0.2), random_color(rng, 0.2)) * fur[:, :, None]
            )
    color = round_light(np.asarray(color, np.float32), bulge, rng, float(rng.uniform(0.2, 0.9)))
    return Figure(mask, color, bulge)


def mirrored(source: Figure, rng: Generator) -> Figure:
    """The same cut-out, mirrored half of the time, with its colors shifted a little."""
    flip = slice(None, None, -1 if rng.random() < 0.5 else 1)
    tint = np.exp(rng.normal(0, 0.12, 3)).astype(np.float32)
    color = np.clip(source.color * tint, 0, 1)
    return Figure(*(np.ascontiguousarray(plane[:, flip]) for plane in (source.alpha, color, source.bulge)))
