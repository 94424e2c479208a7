"""Detects and fills the round corners of a photo whose outside has one color, as scans and exports have them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["corner_mask", "fill_corners", "find_radius"]

Pixels = NDArray[Any]
Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

LEAST = 4  # pixels
LARGEST = 0.15  # of the shorter side
EVEN = 16  # levels: largest difference from the corner's color outside the arc
EVEN_SHARE = 0.97  # of the pixels outside
CHANGED_SHARE = 0.6  # of the pixels just inside the arc that have another color
SOFT = 1.5  # pixels on both sides of the arc in which the colors are mixed
PURE = 0.4  # pixels outside the arc at which the mixed color is the corner's
RING = 4.0  # pixels: width of the ring inside that is looked at
UNEQUAL = 0.1  # share by which the four radii may differ


def find_radius(pixels: Bytes) -> int:
    """Return the radius in pixels of the round corners of a picture; 0 without them.

    All four corners have the same color outside an arc; in one of them the picture may have that color, too.

    Parameters
    ----------
    pixels : Bytes
        (H, W, 3).
    """
    most = round(LARGEST * min(pixels.shape[:2]))
    corners = [part[:most, :most].astype(np.int16) for part in _turned(pixels)]
    colors = np.array([part[[0, 0, 1], [0, 1, 0]].mean(0) for part in corners])
    if most < LEAST or float(np.ptp(colors, axis=0).max()) > EVEN:
        return 0
    unlike = [np.abs(part - colors.mean(0)).max(2) > EVEN for part in corners]
    if any(part[0, 0] or part[0, 1] or part[1, 0] for part in unlike):
        return 0
    found = [radius for part in unlike if (radius := _radius(part))]
    if len(found) < 3:
        return 0
    radius = round(float(np.median(found)))
    alike = max(found) - min(found) <= 2 + UNEQUAL * radius
    return radius if alike and all(_even_outside(part, radius) for part in unlike) else 0


def corner_mask(shape: tuple[int, ...], radius: int) -> NDArray[np.bool_]:
    """Return (H, W) bool, the pixels outside the arcs, with the mixed ones.

    Parameters
    ----------
    shape : tuple[int, ...]
        Of the picture, height and width first.
    radius : int
        Of the corners, pixels.
    """
    mask = np.zeros(shape[:2], bool)
    outside = _distance(radius, radius) > radius - SOFT
    for part in _turned(mask):
        part[:radius, :radius] = outside
    return mask


def fill_corners(values: Pixels, radius: int) -> Pixels:
    """Return a copy whose corners show the inside of the arc, mirrored outwards.

    Parameters
    ----------
    values : Pixels
        (H, W) or (H, W, C): colors, or the depth.
    radius : int
        Of the corners, pixels.
    """
    filled = values.copy()
    far = _distance(radius, radius)
    clean = radius - SOFT - 1
    rows, columns = np.nonzero(far > clean)
    scale = (2 * clean - far[rows, columns]) / far[rows, columns]
    source = [np.rint(radius - 0.5 + (at + 0.5 - radius) * scale).astype(np.int64) for at in (rows, columns)]
    for part in _turned(filled):
        part[rows, columns] = part[source[0], source[1]]
    return filled


def _turned(values: Pixels) -> tuple[Pixels, ...]:
    """Four views of the same array, each with another corner at (0, 0)."""
    return values, values[:, ::-1], values[::-1], values[::-1, ::-1]


def _distance(side: int, radius: float) -> Floats:
    """(side, side) distance of the pixels of a corner from the center of its arc."""
    along = np.arange(side, dtype=np.float32) + 0.5 - np.float32(radius)
    return np.asarray(np.hypot(along[:, None], along[None, :]), np.float32)


def _outside(side: int, radius: float, margin: float) -> NDArray[np.bool_]:
    inner = np.arange(side) < radius
    return (_distance(side, radius) > radius + margin) & inner[:, None] & inner[None, :]


def _even_outside(unlike: NDArray[np.bool_], radius: int) -> bool:
    outside = _outside(len(unlike), radius, SOFT)
    return not outside.any() or float(unlike[outside].mean()) <= 1 - EVEN_SHARE


def _radius(unlike: NDArray[np.bool_]) -> int:
    """Radius of the arc that best separates the even corner from the picture; 0 if none does."""
    across, down = (int(np.argmax(line)) if line.any() else 0 for line in (unlike[0], unlike[:, 0]))
    if min(across, down) < 1 or abs(across - down) > 3 + 0.25 * max(across, down):
        return 0
    side, best, least = len(unlike), 0, np.inf
    for radius in range(max(LEAST, across), side + 1):
        inside = ~_outside(side, radius, PURE)
        wrong = int((unlike != inside).sum())
        if wrong < least:
            best, least = radius, wrong
    far = _distance(best, best)
    ring = unlike[:best, :best][(far < best - SOFT) & (far > best - SOFT - RING)]
    fits = best > 0 and _even_outside(unlike, best) and ring.size > 0 and ring.mean() >= CHANGED_SHARE
    return best if fits else 0
